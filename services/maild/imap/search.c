/* SEARCH: programs judged message by message. */
#include "services/maild/imap/search.h"
#include "services/maild/imap/gather.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>

/* -- the program ------------------------------------------------------------------------------- */

static enum search_verdict judge(struct search *x, uint32_t node);

/* AND: the first NO decides; OR: the first YES. */
static enum search_verdict judge_list(
	struct search *x, const struct imap_search_node *n, enum search_verdict decides)
{
	enum search_verdict all = decides == SEARCH_NO ? SEARCH_YES : SEARCH_NO;

	for (uint32_t i = n->first; i != UINT32_MAX; i = x->program->nodes[i].next) {
		enum search_verdict v = judge(x, i);

		if (v == decides)
			return v;
		if (v == SEARCH_UNKNOWN)
			all = SEARCH_UNKNOWN;
	}
	return all;
}

static enum search_verdict judge_now(struct search *x, uint32_t node)
{
	const struct imap_search_node *n = &x->program->nodes[node];
	enum search_verdict v;

	switch (n->key) {
	case IMAP_KEY_AND:
		return judge_list(x, n, SEARCH_NO);
	case IMAP_KEY_OR:
		return judge_list(x, n, SEARCH_YES);
	case IMAP_KEY_NOT:
		v = judge(x, n->first);
		if (v == SEARCH_UNKNOWN)
			return v;
		return v == SEARCH_YES ? SEARCH_NO : SEARCH_YES;
	default:
		if (search_levels[n->key] > x->level)
			return SEARCH_UNKNOWN;
		return search_judge(x, node) ? SEARCH_YES : SEARCH_NO;
	}
}

static enum search_verdict judge(struct search *x, uint32_t node)
{
	if (x->known[node] == SEARCH_UNKNOWN)
		x->known[node] = (unsigned char)judge_now(x, node);
	return (enum search_verdict)x->known[node];
}

/* -- messages ---------------------------------------------------------------------------------- */

static int need_row(struct store_txn *txn, struct search *x)
{
	int r = x->has_row ? 0 : mail_message_read(txn, x->s->box.id, x->s->box.uids[x->at], &x->m);

	x->has_row = x->has_row || r == 0;
	return r;
}

static int need_record(struct store_txn *txn, struct search *x)
{
	struct span bytes;
	int r = x->has_record ? 0 : mail_structure_read(txn, x->m.blob, &bytes);

	if (r == 0 && !x->has_record)
		r = mime_record_open(bytes, &x->record);
	x->has_record = x->has_record || r == 0;
	return r;
}

/* 1: to be gone on with outside of the view, with a copy of the record. */
static int prepare(struct store_txn *txn, struct search *x, enum search_level level)
{
	int r = 0;

	if (txn != NULL && level >= SEARCH_ROW)
		r = need_row(txn, x);
	if (txn != NULL && r == 0 && level >= SEARCH_RECORD)
		r = need_record(txn, x);
	if (r == 0 && level >= SEARCH_HEADER && txn != NULL && x->m.size > BLOB_INLINE_MAX) {
		struct span bytes;

		buf_reset(&x->structure);
		r = mail_structure_read(txn, x->m.blob, &bytes);
		if (r == 0)
			buf_add(&x->structure, bytes);
		x->late = true;
		return r < 0 ? r : buf_error(&x->structure) < 0 ? -ENOMEM : 1;
	}
	if (r == 0 && level == SEARCH_HEADER)
		r = search_need_header(x);
	return r;
}

/* enum search_verdict, or negative; x->late: to be gone on with. */
static int judge_message(struct store_txn *txn, struct search *x)
{
	for (unsigned level = x->level; level <= SEARCH_BODY; level++) {
		enum search_verdict v;
		int r;

		if ((x->levels & (1U << level)) == 0)
			continue;
		x->level = (enum search_level)level;
		r = prepare(txn, x, x->level);
		if (r != 0)
			return r == -ENOENT ? SEARCH_NO : r < 0 ? r : 0;
		v = judge(x, 0);
		if (x->error < 0)
			return x->error;
		if (v != SEARCH_UNKNOWN)
			return (int)v;
	}
	return SEARCH_NO;
}

/* One damaged message must not hide all others. */
static int judge_what_is_there(struct store_txn *txn, struct search *x)
{
	int verdict = judge_message(txn, x);

	if (verdict != -EIO && verdict != -EBADMSG)
		return verdict;
	x->error = 0;
	x->lost++;
	return SEARCH_NO;
}

static int take(struct search *x)
{
	struct imap_picks *p = x->picks;

	if (p->count == x->room) {
		size_t room = x->room > 0 ? x->room * 2 : 64;
		uint32_t *more = reallocarray(p->at, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		p->at = more;
		x->room = room;
	}
	p->at[p->count++] = (uint32_t)x->at;
	if (x->program->uses_modseq && x->has_row && x->m.modseq > x->modseq)
		x->modseq = x->m.modseq;
	return 0;
}

static void begin_message(struct search *x)
{
	memset(x->known, SEARCH_UNKNOWN, x->program->count);
	x->level = SEARCH_PLACE;
	x->has_row = x->has_record = x->has_header = false;
	x->work++;
}

/* Every message that is told has its part in the result's MODSEQ. */
static int finish_message(struct store_txn *txn, struct search *x, int verdict)
{
	int r = 0;

	if (verdict == SEARCH_YES && x->program->uses_modseq && txn != NULL)
		r = need_row(txn, x);
	if (r == 0 && verdict == SEARCH_YES)
		r = take(x);
	x->at++;
	return r == -ENOENT ? 0 : r;
}

static int scan(struct store_txn *txn, void *arg)
{
	struct search *x = arg;
	int r = 0;

	x->work = 0;
	while (r == 0 && x->at < x->s->box.count && x->work < SEARCH_WORK_MAX) {
		int verdict;

		begin_message(x);
		verdict = judge_what_is_there(txn, x);
		if (verdict < 0 || x->late)
			return verdict < 0 ? verdict : 0;
		r = finish_message(txn, x, verdict);
	}
	return r;
}

static int go_on(struct search *x)
{
	int verdict = mime_record_open(buf_span(&x->structure), &x->record);

	x->late = false;
	x->outside = true;
	x->has_record = true;
	if (verdict == 0)
		verdict = judge_what_is_there(NULL, x);
	x->outside = false;
	return verdict < 0 ? verdict : finish_message(NULL, x, verdict);
}

/* -- getting ready ----------------------------------------------------------------------------- */

static bool has_word(enum imap_key key)
{
	return key == IMAP_KEY_HEADER || key == IMAP_KEY_BODY || key == IMAP_KEY_TEXT;
}

static int put_word(struct search *x, size_t i)
{
	_cleanup_(buf_done) struct buf utf8 = BUF_INIT(SEARCH_WORDS_MAX);
	const struct imap_search_node *n = &x->program->nodes[i];
	struct span charset = x->program->charset;
	int r = mime_to_utf8(&utf8, charset.len > 0 ? charset : SPAN_LIT("utf-8"), n->text);

	if (r < 0)
		return r;
	x->keys[i].word = x->words.len;
	mime_casefold(&x->words, buf_span(&utf8));
	x->keys[i].word_len = x->words.len - x->keys[i].word;
	return buf_error(&x->words);
}

static uint64_t keyword_bit(const struct imap *s, struct span name)
{
	for (size_t i = 0; i < s->keywords.count; i++)
		if (span_caseeq_str(name, s->keywords.names[i]))
			return UINT64_C(1) << i;
	return 0;
}

static int make_keys(struct search *x)
{
	const struct imap_box *box = &x->s->box;
	int r = 0;

	for (size_t i = 0; r == 0 && i < x->program->count; i++) {
		struct imap_search_node *n = &x->program->nodes[i];

		x->levels |= 1U << search_levels[n->key];
		if (has_word(n->key))
			r = put_word(x, i);
		else if (n->key == IMAP_KEY_SEQ)
			imap_set_settle(&n->set, (uint32_t)box->count);
		else if (n->key == IMAP_KEY_UID)
			imap_set_settle(&n->set, box->count > 0 ? box->uids[box->count - 1] : 0);
		else if (n->key == IMAP_KEY_FLAG && n->flag == 0)
			x->keys[i].keyword = keyword_bit(x->s, n->text);
	}
	return r;
}

static void search_done(struct search *x)
{
	free(x->keys);
	free(x->known);
	buf_done(&x->words);
	buf_done(&x->structure);
	buf_done(&x->header);
	buf_done(&x->plain);
	buf_done(&x->text);
	buf_done(&x->folded);
}

static int search_all(struct search *x)
{
	int r = make_keys(x);

	while (r == 0 && x->at < x->s->box.count) {
		r = store_view(x->s->service->store, scan, x);
		if (r == 0 && x->late)
			r = go_on(x);
		if (r == 0)
			r = gather_pause(x->s, &x->at_ms);
	}
	if (x->lost > 0)
		log_msg(LOG_LEVEL_ERR, "%u messages are damaged and were not searched", x->lost);
	return r;
}

int imap_search_run(struct imap *s, const struct imap_search *program, struct imap_picks *ret,
	uint64_t *ret_modseq)
{
	struct search x = {.s = s,
		.program = program,
		.picks = ret,
		.now_us = time_now_us(),
		.words = BUF_INIT(SEARCH_WORDS_MAX),
		.structure = BUF_INIT(MAIL_STRUCTURE_MAX),
		.header = BUF_INIT(SEARCH_HEADER_MAX),
		.plain = BUF_INIT(SEARCH_TEXT_MAX),
		.text = BUF_INIT(SEARCH_TEXT_MAX),
		.folded = BUF_INIT(SEARCH_FOLDED_MAX)};
	int r = imap_keywords(s);

	if (program->uses_modseq)
		imap_enable_condstore(s);
	*ret = (struct imap_picks){0};
	*ret_modseq = 0;
	if (r < 0 || program->count == 0)
		return r;
	x.keys = calloc(program->count, sizeof(*x.keys));
	x.known = calloc(program->count, 1);
	r = x.keys != NULL && x.known != NULL ? search_all(&x) : -ENOMEM;
	if (r < 0)
		imap_picks_done(ret);
	else
		*ret_modseq = x.modseq;
	search_done(&x);
	return r;
}

/* -- the command ------------------------------------------------------------------------------- */

int imap_cmd_search(struct imap_call *c)
{
	_cleanup_(imap_search_done) struct imap_search program = {0};
	_cleanup_(imap_picks_done) struct imap_picks picks = {0};
	struct search_found found = {.command = "SEARCH"};
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_search(&c->in, &program);
	if (r == -EBADMSG || (r == 0 && !imap_in_end(&c->in)))
		return imap_bad(c, "What is to be searched for is not understood");
	if (r < 0)
		return imap_failed(c, r);
	/* RFC 6855 section 3: there is one character set then. RFC 9051 has no such rule. */
	if (program.charset.len > 0 && (c->s->enabled & (IMAP_UTF8 | IMAP_REV2)) == IMAP_UTF8)
		return imap_bad(c, "CHARSET is not for those who have enabled UTF-8");
	if (search_refused(c, &program, &r))
		return r;
	r = imap_search_run(c->s, &program, &picks, &found.modseq);
	if (r < 0)
		return search_failed(c, &program, r);
	found.at = picks.at;
	found.count = picks.count;
	return search_answer(c, &program, &found);
}
