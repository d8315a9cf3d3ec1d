/* What is done in a mailbox: flags, moving, removing, searching. */
#include "client/mail/mailbox_i.h"

#include "base/text.h"

#include <errno.h>

enum { CHUNK = 4000 }; /* UIDs of one command */

/* A command on a set: "UID STORE SET +FLAGS (\Seen)". */
struct act {
	const char *verb; /* "UID STORE " */
	const char *words; /* behind the set */
	const char *mailbox; /* behind that; NULL */
};

static int act_once(struct mailbox *b, const struct act *act, const uint32_t *uids, size_t count)
{
	_cleanup_(imapc_words_done) struct imapc_words w;

	imapc_words_begin(b->m, &w);
	imapc_say(&w, "%s", act->verb);
	imapc_say_set(&w, uids, count);
	imapc_say(&w, "%s", act->words);
	if (act->mailbox != NULL)
		imapc_say_mailbox(&w, span_str(act->mailbox));
	return imapc_say_run(b->m, &w, NULL, NULL);
}

static int by_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int act(struct mailbox *b, const struct act *act, const uint32_t *uids, size_t count)
{
	uint32_t *sorted = calloc(count > 0 ? count : 1, sizeof *sorted);
	int r = sorted != NULL ? mailbox_ready(b) : -ENOMEM;

	if (sorted != NULL && count > 0) {
		memcpy(sorted, uids, count * sizeof *sorted);
		qsort(sorted, count, sizeof *sorted, by_uid);
	}
	for (size_t i = 0; r == 0 && i < count; i += CHUNK)
		r = act_once(b, act, sorted + i, count - i < CHUNK ? count - i : CHUNK);
	free(sorted);
	return r;
}

int mailbox_flag(struct mailbox *b, const uint32_t *uids, size_t count, uint32_t flags, bool on)
{
	_cleanup_(buf_done) struct buf words = BUF_INIT(512);
	int r;

	buf_addf(&words, " %sFLAGS (", on ? "+" : "-");
	imap_put_flags(&words, flags);
	buf_add_byte(&words, ')');
	if (buf_error(&words) < 0)
		return -EINVAL;
	r = act(b, &(struct act){"UID STORE ", buf_str(&words), NULL}, uids, count);
	return r == 0 ? mailbox_settle(b) : r;
}

/* -- moving ------------------------------------------------------------------------------------ */

static int create(struct imapc *m, const char *name)
{
	_cleanup_(imapc_words_done) struct imapc_words w;

	imapc_words_begin(m, &w);
	imapc_say(&w, "CREATE ");
	imapc_say_mailbox(&w, span_str(name));
	return imapc_say_run(m, &w, NULL, NULL);
}

/* The server says that the mailbox has to be made first? Then it is. */
static bool try_create(struct imapc *m, int error, const char *name)
{
	return error == -EREMOTEIO && span_caseeq_str(span_str(imapc_code(m)), "TRYCREATE") &&
		create(m, name) == 0;
}

/* A set of more than CHUNK that fails in the middle is done again whole: what is gone already is
 * left out by the server. */
static int act_to(
	struct mailbox *b, const char *verb, const char *to, const uint32_t *uids, size_t count)
{
	const struct act a = {verb, " ", to};
	int r = act(b, &a, uids, count);

	return try_create(b->m, r, to) ? act(b, &a, uids, count) : r;
}

int mailbox_copy(struct mailbox *b, const uint32_t *uids, size_t count, const char *to)
{
	return act_to(b, "UID COPY ", to, uids, count);
}

int mailbox_move(struct mailbox *b, const uint32_t *uids, size_t count, const char *to)
{
	int r;

	if (imapc_can(b->m, "MOVE") || imapc_can(b->m, "IMAP4rev2")) {
		r = act_to(b, "UID MOVE ", to, uids, count);
		return r == 0 ? mailbox_settle(b) : r;
	}
	r = mailbox_copy(b, uids, count, to);
	return r == 0 ? mailbox_expunge(b, uids, count) : r;
}

int mailbox_expunge(struct mailbox *b, const uint32_t *uids, size_t count)
{
	int r = act(
		b, &(struct act){"UID STORE ", " +FLAGS.SILENT (\\Deleted)", NULL}, uids, count);

	if (r == 0 && imapc_can(b->m, "UIDPLUS"))
		r = act(b, &(struct act){"UID EXPUNGE ", "", NULL}, uids, count);
	else if (r == 0)
		r = imapc_runf(b->m, NULL, NULL, "EXPUNGE");
	return r == 0 ? mailbox_settle(b) : r;
}

/* -- searching --------------------------------------------------------------------------------- */

struct search {
	struct mailbox *b; /* NULL: only whether there are any */
	struct buf *ret;
	bool any;
};

static void found_set(struct search *s, struct span text)
{
	_cleanup_(buf_done) struct buf copy = BUF_INIT(IMAPC_LINE_MAX);
	struct imap_set set = {.list = NULL};
	struct imap_in in;

	buf_add(&copy, text);
	in = (struct imap_in){.p = copy.p, .len = copy.len};
	if (buf_error(&copy) == 0 && copy.len > 0 && imap_in_set(&in, &set) == 0) {
		s->any = true;
		imap_set_settle(&set, UINT32_MAX);
		for (size_t i = 0; s->b != NULL && i < s->b->items.count; i++)
			if (imap_set_has(&set, s->b->items.list[i].uid))
				buf_add(s->ret,
					span_of(&s->b->items.list[i].uid, sizeof(uint32_t)));
	}
	imap_set_done(&set);
}

static int search_heard(void *arg, const struct imap_answer *a)
{
	struct search *s = arg;
	uint32_t uid = 0;

	if (a->status.len > 0)
		return 0;
	if (imapc_word(a, 0, "ESEARCH")) {
		const struct imap_node *all = NULL;

		for (size_t i = 1; all == NULL && imapc_nth(a, i) != NULL; i++)
			if (imapc_word(a, i, "ALL"))
				all = imapc_nth(a, i + 1);
		if (all != NULL && all->value == IMAP_VALUE_ATOM)
			found_set(s, all->text);
	} else if (imapc_word(a, 0, "SEARCH")) {
		for (const struct imap_node *n = imapc_nth(a, 1); n != NULL;
			n = n->next < a->count ? &a->nodes[n->next] : NULL) {
			if (!imapc_u32(n->text, &uid))
				continue;
			s->any = true;
			if (s->b != NULL && items_find(&s->b->items, uid) != NULL)
				buf_add(s->ret, span_of(&uid, sizeof uid));
		}
	}
	return s->ret != NULL ? buf_error(s->ret) : 0;
}

/* Quoted strings go as strings of the line (literals where they have to be), all else as it is. */
static void say_criteria(struct imapc_words *w, struct span criteria)
{
	while (criteria.len > 0) {
		_cleanup_(buf_done) struct buf word = BUF_INIT(IMAP_LINE_MAX);
		const unsigned char *quote = memchr(criteria.p, '"', criteria.len);
		size_t n = quote != NULL ? (size_t)(quote - criteria.p) : criteria.len, at;

		if (n > 0)
			imapc_say(w, "%.*s", (int)n, (const char *)criteria.p);
		for (at = n + 1; at < criteria.len && criteria.p[at] != '"'; at++) {
			if (criteria.p[at] == '\\' && at + 1 < criteria.len)
				at++;
			buf_add_byte(&word, criteria.p[at]);
		}
		if (quote != NULL)
			imapc_say_string(w, buf_span(&word));
		at = at < criteria.len ? at + 1 : criteria.len;
		criteria = span_of(criteria.p + at, criteria.len - at);
	}
}

int mailbox_search(struct mailbox *b, struct span criteria, struct buf *ret_uids)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	struct search s = {.b = b, .ret = ret_uids};
	int r = mailbox_ready(b);

	imapc_words_begin(b->m, &w);
	if (r < 0)
		return r;
	if (criteria.len > IMAP_LINE_MAX || memchr(criteria.p, '\0', criteria.len) != NULL)
		return -EINVAL;
	imapc_say(&w, "UID SEARCH %s%s", imapc_can(b->m, "ESEARCH") ? "RETURN (ALL) " : "",
		b->m->utf8 ? "" : "CHARSET UTF-8 ");
	say_criteria(&w, criteria);
	r = imapc_say_run(b->m, &w, search_heard, &s);
	return r == 0 ? mailbox_settle(b) : r;
}

static void put_quoted(struct buf *b, const char *key, const char *word)
{
	buf_addf(b, "%s \"", key);
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, (unsigned char)*word < ' ' ? ' ' : (unsigned char)*word);
	}
	buf_add_byte(b, '"');
}

void mailbox_criteria(struct buf *b, char *const *words, size_t count)
{
	if (count == 0)
		buf_add_str(b, "ALL");
	for (size_t i = 0; i < count; i++) {
		put_quoted(b, i > 0 ? " OR SUBJECT" : "OR SUBJECT", words[i]);
		put_quoted(b, " OR FROM", words[i]);
		put_quoted(b, " OR TO", words[i]);
		put_quoted(b, " TEXT", words[i]);
	}
}

/* -- putting a message into a mailbox ---------------------------------------------------------- */

static int examine(struct imapc *m, const char *name)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	int r;

	imapc_words_begin(m, &w);
	imapc_say(&w, "EXAMINE ");
	imapc_say_mailbox(&w, span_str(name));
	r = imapc_say_run(m, &w, NULL, NULL);
	/* Then nothing is selected, and no CLOSED will come. */
	m->listen = r == 0 ? imapc_ignore : NULL;
	return r;
}

/* 1: a message with that Message-ID is there; 0: not, or no such mailbox. */
static int has_message(struct imapc *m, const char *name, struct span msgid)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	struct search s = {.b = NULL};
	int r;

	imapc_words_begin(m, &w);
	if (msgid.len == 0)
		return 0;
	r = examine(m, name);
	if (r < 0)
		return r == -EREMOTEIO ? 0 : r;
	imapc_say(&w, "UID SEARCH HEADER Message-ID ");
	imapc_say_string(&w, msgid);
	r = imapc_say_run(m, &w, search_heard, &s);
	return r < 0 ? r : s.any;
}

static int append(struct imapc *m, const char *name, struct span message, uint32_t flags)
{
	_cleanup_(imapc_words_done) struct imapc_words w;
	_cleanup_(buf_done) struct buf list = BUF_INIT(512);
	struct imapc_piece pieces[IMAPC_PIECES + 1];
	size_t count;
	uint32_t tag;
	int r;

	imapc_words_begin(m, &w);
	imap_put_flags(&list, flags);
	imapc_say(&w, "APPEND ");
	imapc_say_mailbox(&w, span_str(name));
	imapc_say(&w, " (%s) ", buf_str(&list) + (list.len > 0 && list.p[0] == ' ' ? 1 : 0));
	r = imapc_say_pieces(&w, pieces, &count);
	if (r < 0)
		return r;
	pieces[count++] = (struct imapc_piece){message, true};
	r = imapc_send(m, pieces, count, &tag);
	return r == 0 ? imapc_wait(m, tag, NULL, NULL) : r;
}

static int append_once(struct imapc *m, const char *name, struct span message, uint32_t flags)
{
	struct mime_field field;
	struct span value, msgid = {NULL, 0};
	int r;

	if (mime_field(message, "Message-ID", 0, &field) == 0) {
		value = field.value;
		if (!mime_msgid_next(&value, &msgid))
			msgid = span_of(NULL, 0);
	}
	r = has_message(m, name, msgid);
	if (r != 0)
		return r < 0 ? r : 0;
	r = append(m, name, message, flags);
	return try_create(m, r, name) ? append(m, name, message, flags) : r;
}

int mailbox_append(struct imapc *m, const char *name, struct span message, uint32_t flags)
{
	struct mailbox *b = m->listen_arg;
	int r, again;

	if (m->error < 0)
		return m->error;
	/* What is told while the other one is selected is not of this one. */
	if (m->listen != NULL)
		m->listen = imapc_ignore;
	m->listen_arg = NULL;
	r = append_once(m, name, message, flags);
	if (b == NULL || m->error < 0)
		return r;
	again = mailbox_select(b);
	return r < 0 ? r : again;
}
