/*
 * LIST and LSUB (RFC 3501, 9051; LIST-EXTENDED, LIST-STATUS, SPECIAL-USE, CHILDREN). All names of
 * the account are read in one view, in the order of the tree; who is whose parent follows from it.
 */
#include "services/maild/imap/imap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

enum {
	DEPTH_MAX = 64, /* levels of a name */
	PATTERN_MAX = 32 << 10,
	FLUSH_AT = 64 << 10,
};

struct entry {
	struct mail_box box;
	bool matched, percent; /* by a pattern; by one with '%' */
	bool parent; /* of a mailbox that is there */
	/* Of one that is subscribed, that has a use, and that no pattern matches: what is told
	 * itself needs nobody to tell of it. */
	bool over_subscribed, over_use;
};

struct listing {
	struct imap *s;
	struct imap_list *list;
	bool lsub;
	struct entry *entries; /* owned */
	size_t count, room;
	struct buf patterns; /* with the reference before each, NUL-ended */
};

static void listing_done(struct listing *l)
{
	free(l->entries);
	buf_done(&l->patterns);
	imap_list_done(l->list);
}

const char *imap_use_name(enum mail_use use)
{
	static const char *const names[] = {[MAIL_USE_SENT] = "\\Sent",
		[MAIL_USE_DRAFTS] = "\\Drafts",
		[MAIL_USE_TRASH] = "\\Trash",
		[MAIL_USE_JUNK] = "\\Junk",
		[MAIL_USE_ARCHIVE] = "\\Archive",
		[MAIL_USE_FLAGGED] = "\\Flagged",
		[MAIL_USE_ALL] = "\\All"};

	return names[use];
}

static bool has_percent(struct span pattern)
{
	return memchr(pattern.p, '%', pattern.len) != NULL;
}

/* Does one of the patterns match? *ret_percent: one with '%'. */
static bool matches(const struct listing *l, const char *name, bool *ret_percent)
{
	struct span rest = buf_span(&l->patterns), pattern;
	bool found = false;

	*ret_percent = false;
	while (span_split(&rest, '\0', &pattern)) {
		if (!imap_pattern(pattern, span_str(name)))
			continue;
		found = true;
		*ret_percent = *ret_percent || has_percent(pattern);
	}
	return found;
}

/* -- the tree ---------------------------------------------------------------------------------- */

static int add_entry(void *arg, const struct mail_box *box)
{
	struct listing *l = arg;

	if (l->count == l->room) {
		size_t room = l->room > 0 ? 2 * l->room : 32;
		void *p = reallocarray(l->entries, room, sizeof(*l->entries));

		if (p == NULL)
			return -ENOMEM;
		l->entries = p;
		l->room = room;
	}
	l->entries[l->count++] = (struct entry){.box = *box};
	return 0;
}

static bool is_below(const char *name, const char *above)
{
	size_t len = strlen(above);

	return strncmp(name, above, len) == 0 && name[len] == '/';
}

static void mark(struct entry *above, const struct entry *e)
{
	above->parent = above->parent || e->box.id != 0;
	if (e->matched)
		return;
	above->over_subscribed = above->over_subscribed || e->box.subscribed;
	above->over_use = above->over_use || e->box.use != MAIL_USE_NONE;
}

static void mark_parents(struct listing *l)
{
	size_t stack[DEPTH_MAX], depth = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = &l->entries[i];

		e->matched = matches(l, e->box.name, &e->percent);
		while (depth > 0 && !is_below(e->box.name, l->entries[stack[depth - 1]].box.name))
			depth--;
		for (size_t k = 0; k < depth; k++)
			mark(&l->entries[stack[k]], e);
		if (depth < DEPTH_MAX)
			stack[depth++] = i;
	}
}

static int read_names(struct store_txn *txn, void *arg)
{
	struct listing *l = arg;

	return mail_boxes_each(txn, imap_account(l->s), add_entry, l);
}

/* -- choosing ---------------------------------------------------------------------------------- */

static bool is_chosen(const struct listing *l, const struct entry *e)
{
	unsigned o = l->list->options;
	bool over = (o & IMAP_LIST_RECURSIVEMATCH) != 0;

	if (l->lsub)
		return e->box.subscribed || (e->percent && e->over_subscribed);
	if ((o & (IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE)) == 0)
		return e->box.id != 0 || e->parent;
	if ((o & IMAP_LIST_SUBSCRIBED) != 0 && !e->box.subscribed && !(over && e->over_subscribed))
		return false;
	return (o & IMAP_LIST_SPECIAL_USE) == 0 || e->box.use != MAIL_USE_NONE ||
		(over && e->over_use);
}

/* -- telling ----------------------------------------------------------------------------------- */

static void put_attribute(struct buf *b, bool wanted, const char *name)
{
	if (!wanted)
		return;
	if (b->p[b->len - 1] != '(')
		buf_add_byte(b, ' ');
	buf_add_str(b, name);
}

static void put_attributes(const struct listing *l, struct buf *b, const struct entry *e)
{
	unsigned o = l->list->options;
	bool extended = l->list->extended || (l->s->enabled & IMAP_REV2) != 0;
	bool absent = e->box.id == 0;
	bool children = !l->list->extended || (o & IMAP_RETURN_CHILDREN) != 0;
	bool uses = !l->list->extended || (o & (IMAP_RETURN_SPECIAL_USE | IMAP_LIST_SPECIAL_USE));

	put_attribute(b, absent && extended, "\\NonExistent");
	put_attribute(b, absent && !extended, "\\Noselect");
	put_attribute(b, children && e->parent, "\\HasChildren");
	put_attribute(b, children && !e->parent, "\\HasNoChildren");
	put_attribute(b,
		e->box.subscribed && (o & (IMAP_RETURN_SUBSCRIBED | IMAP_LIST_SUBSCRIBED)) != 0,
		"\\Subscribed");
	if (uses && e->box.use != MAIL_USE_NONE)
		put_attribute(b, true, imap_use_name(e->box.use));
}

static void put_child_info(const struct listing *l, struct buf *b, const struct entry *e)
{
	unsigned o = l->list->options;
	bool subscribed = (o & IMAP_LIST_SUBSCRIBED) != 0 && e->over_subscribed;
	bool uses = (o & IMAP_LIST_SPECIAL_USE) != 0 && e->over_use;

	if ((o & IMAP_LIST_RECURSIVEMATCH) == 0 || (!subscribed && !uses))
		return;
	buf_add_str(b, " (\"CHILDINFO\" (");
	buf_add_str(b, subscribed ? "\"SUBSCRIBED\"" : "");
	buf_add_str(b, subscribed && uses ? " " : "");
	buf_add_str(b, uses ? "\"SPECIAL-USE\"" : "");
	buf_add_str(b, "))");
}

static void put_entry(struct listing *l, struct buf *b, const struct entry *e)
{
	buf_addf(b, "* %s (", l->lsub ? "LSUB" : "LIST");
	if (l->lsub)
		put_attribute(b, !e->box.subscribed, "\\Noselect");
	else
		put_attributes(l, b, e);
	buf_add_str(b, ") \"/\" ");
	imap_put_name(l->s, b, e->box.name);
	put_child_info(l, b, e);
	buf_add_str(b, "\r\n");
	if ((l->list->options & IMAP_RETURN_STATUS) == 0 || e->box.id == 0)
		return;
	buf_add_str(b, "* ");
	imap_put_status(l->s, b, &e->box, l->list->status);
	buf_add_str(b, "\r\n");
}

static void tell_all(struct listing *l)
{
	struct buf *b = &l->s->out;

	buf_reset(b);
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = &l->entries[i];

		if (e->matched && is_chosen(l, e))
			put_entry(l, b, e);
		if (b->len >= FLUSH_AT) {
			imap_write(l->s, buf_span(b));
			buf_reset(b);
		}
	}
	imap_write(l->s, buf_span(b));
}

/* -- commands ---------------------------------------------------------------------------------- */

/* The reference stands before every pattern. */
static void join_patterns(struct listing *l)
{
	struct span rest = buf_span(&l->list->patterns), pattern;

	while (span_split(&rest, '\0', &pattern)) {
		buf_add(&l->patterns, buf_span(&l->list->reference));
		buf_add(&l->patterns, pattern);
		buf_add_byte(&l->patterns, '\0');
	}
}

/* "" asks for the delimiter only (RFC 3501 section 6.3.8). */
static bool asks_delimiter(const struct imap_list *l)
{
	return !l->extended && l->patterns.len == 1;
}

static int run(struct imap_call *c, bool lsub)
{
	struct imap *s = c->s;
	struct imap_list list = {.extended = false};
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_list(&c->in, &list);
	if (r == -ENOMEM)
		return imap_failed(c, r);
	if (r < 0)
		return imap_bad(c, "That is no %s", c->command->name);
	_cleanup_(listing_done) struct listing l = {
		.s = s, .list = &list, .lsub = lsub, .patterns = BUF_INIT(PATTERN_MAX << 6)};
	if (lsub && list.extended)
		return imap_bad(c, "LSUB takes a reference and a pattern");
	if ((list.options & IMAP_RETURN_STATUS) != 0 &&
		(list.status & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		imap_enable_condstore(s);
	if (asks_delimiter(&list)) {
		imap_untagged(s, "%s (\\Noselect) \"/\" \"\"", c->command->name);
		return imap_ok(c, "Levels are parted by that");
	}
	join_patterns(&l);
	r = buf_error(&l.patterns);
	if (r == 0)
		r = store_view(s->service->store, read_names, &l);
	if (r < 0)
		return imap_failed(c, r);
	mark_parents(&l);
	tell_all(&l);
	return imap_ok(c, "Listed");
}

int imap_cmd_list(struct imap_call *c)
{
	return run(c, false);
}

int imap_cmd_lsub(struct imap_call *c)
{
	return run(c, true);
}
