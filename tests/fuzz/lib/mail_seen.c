/* What a client was told of the selected mailbox, and the mailbox itself. */
#include "tests/fuzz/lib/mail_client.h"

#include "base/num.h"
#include "store/mail.h"

#include <errno.h>

void mail_seen_forget(struct mail_client *c)
{
	free(c->list);
	c->list = NULL;
	c->count = 0;
	c->box = 0;
}

void mail_seen_exists(struct mail_client *c, uint64_t count)
{
	void *p;

	if (mail_client_is(c, "SELECT") || mail_client_is(c, "EXAMINE"))
		c->count = 0;
	require(count >= c->count && count < UINT32_MAX);
	p = reallocarray(c->list, count > 0 ? count : 1, sizeof(*c->list));
	require(p != NULL);
	c->list = p;
	memset(c->list + c->count, 0, (count - c->count) * sizeof(*c->list));
	c->count = count;
}

void mail_seen_expunge(struct mail_client *c, uint64_t number)
{
	require(number >= 1 && number <= c->count);
	memmove(c->list + number - 1, c->list + number, (c->count - number) * sizeof(*c->list));
	c->count--;
}

/* Where not all UIDs are known, it is not known which are left. */
void mail_seen_vanished(struct mail_client *c, struct span set)
{
	struct buf copy = BUF_INIT(1 << 20);
	struct imap_in in;
	struct imap_set gone = {.list = NULL};
	size_t kept = 0, left = 0;
	bool all = true;

	buf_add(&copy, set);
	in = (struct imap_in){.p = copy.p, .len = copy.len};
	require(imap_in_set(&in, &gone) == 0 && imap_in_end(&in) && !gone.saved);
	for (size_t i = 0; i < gone.count; i++) {
		require(gone.list[i].first > 0 && gone.list[i].last != IMAP_STAR);
		left += gone.list[i].last - gone.list[i].first + 1;
	}
	require(left <= c->count);
	left = c->count - left;
	for (size_t i = 0; i < c->count; i++)
		all = all && c->list[i].uid != 0;
	for (size_t i = 0; all && i < c->count; i++)
		if (!imap_set_has(&gone, c->list[i].uid))
			c->list[kept++] = c->list[i];
	require(!all || kept == left);
	if (!all)
		memset(c->list, 0, left * sizeof(*c->list));
	c->count = left;
	imap_set_done(&gone);
	buf_done(&copy);
}

/* -- flags ------------------------------------------------------------------------------------- */

struct table {
	const char *account;
	struct mail_keywords keywords;
};

static int read_table(struct store_txn *txn, void *arg)
{
	struct table *t = arg;

	return mail_keywords_read(txn, t->account, &t->keywords);
}

static void learn_keyword(const struct table *t, struct span name, struct mail_seen *m)
{
	size_t at = 0;

	while (at < t->keywords.count && !span_caseeq_str(name, t->keywords.names[at]))
		at++;
	require(at < t->keywords.count);
	m->keywords |= UINT64_C(1) << at;
}

static void learn_flags(struct mail_client *c, const struct imap_answer *a,
	const struct imap_node *flags, struct mail_seen *m)
{
	struct table t = {.account = c->account};
	const struct imap_node *n;

	require(flags->value == IMAP_VALUE_LIST);
	require(store_view(mail_world()->store, read_table, &t) == 0);
	m->has_flags = true;
	m->system = 0;
	m->keywords = 0;
	for (size_t i = 0; (n = imap_answer_child(a, flags, i)) != NULL; i++) {
		uint32_t bit = imap_flag_find(n->text);

		require(n->value == IMAP_VALUE_ATOM && (m->system & bit) == 0);
		m->system |= bit;
		if (bit == 0 && !span_caseeq_str(n->text, "\\Recent"))
			learn_keyword(&t, n->text, m);
	}
}

void mail_seen_fetch(struct mail_client *c, uint64_t number, const struct imap_answer *a,
	const struct imap_node *list)
{
	const struct imap_node *value;
	struct mail_seen *m;
	uint64_t uid;

	require(number >= 1 && number <= c->count);
	require(list != NULL && list->value == IMAP_VALUE_LIST);
	m = &c->list[number - 1];
	value = imap_answer_find(a, list, "UID");
	if (value != NULL) {
		require(num_parse_u64(value->text, 1, UINT32_MAX - 1, &uid) == 0);
		require(m->uid == 0 || m->uid == uid);
		m->uid = (uint32_t)uid;
	}
	value = imap_answer_find(a, list, "FLAGS");
	if (value != NULL)
		learn_flags(c, a, value, m);
}

void mail_seen_silence(struct mail_client *c)
{
	for (size_t i = 0; i < c->count; i++)
		c->list[i].has_flags = false;
}

/* -- the truth --------------------------------------------------------------------------------- */

struct walk {
	struct mail_client *c;
	size_t at;
};

static int compare_one(void *arg, const struct mail_message *m)
{
	struct walk *w = arg;
	struct mail_client *c = w->c;
	struct mail_seen *seen = &c->list[w->at];

	require(w->at < c->count);
	require(seen->uid == 0 || seen->uid == m->uid);
	if (seen->has_flags && !c->notify)
		require(seen->system == m->flags.system && seen->keywords == m->flags.keywords);
	seen->uid = m->uid;
	w->at++;
	return 0;
}

static int compare(struct store_txn *txn, void *arg)
{
	struct walk *w = arg;
	struct mail_box box;
	int r = mail_box_read(txn, w->c->account, w->c->box, &box);

	if (r < 0)
		return r;
	require(box.messages == w->c->count);
	return mail_messages_each(txn, box.id, 1, compare_one, w);
}

void mail_seen_compare(struct mail_client *c)
{
	struct walk w = {.c = c};
	int r;

	if (c->box == 0)
		return;
	r = store_view(mail_world()->store, compare, &w);
	/* It was deleted: the session will say so. */
	if (r == -ENOENT) {
		mail_seen_forget(c);
		return;
	}
	require(r == 0 && w.at == c->count);
}
