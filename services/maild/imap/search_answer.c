/*
 * The answers of SEARCH and SORT: plain ones, ESEARCH (RFC 4731, 5267, 9394), and what of them is
 * saved for "$" (RFC 5182, 9394 section 3.2).
 */
#include "services/maild/imap/search.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

enum { ANSWER_SLICE = 64 << 10 };

struct answer {
	struct imap_call *c;
	const struct imap_search *program;
	const struct search_found *found;
	unsigned returns;
	size_t partial_from, partial_count; /* of found */
};

/* -- numbers ----------------------------------------------------------------------------------- */

static uint32_t number_of(const struct answer *a, size_t i)
{
	uint32_t at = a->found->at[i];

	return a->c->uid ? a->c->s->box.uids[at] : at + 1;
}

static void slice(struct imap *s)
{
	if (s->out.len < ANSWER_SLICE)
		return;
	imap_write(s, buf_span(&s->out));
	buf_reset(&s->out);
}

/* A set in the order of what was found: runs that rise by one become ranges. */
static void put_runs(const struct answer *a, size_t from, size_t count)
{
	struct imap *s = a->c->s;

	for (size_t i = 0; i < count;) {
		uint32_t first = number_of(a, from + i);
		size_t run = 1;

		while (i + run < count && number_of(a, from + i + run) == first + run)
			run++;
		buf_addf(&s->out, run == 1 ? "%s%u" : "%s%u:%zu", i > 0 ? "," : "", first,
			(size_t)first + run - 1);
		i += run;
		slice(s);
	}
}

static void put_list(const struct answer *a)
{
	struct imap *s = a->c->s;

	buf_addf(&s->out, "* %s", a->found->command);
	for (size_t i = 0; i < a->found->count; i++) {
		buf_addf(&s->out, " %u", number_of(a, i));
		slice(s);
	}
	if (a->found->modseq != 0 && a->found->count > 0)
		buf_addf(&s->out, " (MODSEQ %llu)", (unsigned long long)a->found->modseq);
	buf_add(&s->out, SPAN_LIT("\r\n"));
}

/* -- ESEARCH ----------------------------------------------------------------------------------- */

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

/* 500:400 is 400:500; negative ones count from the end. */
static void find_partial(struct answer *a)
{
	uint64_t first = magnitude(a->program->partial_first);
	uint64_t last = magnitude(a->program->partial_last);
	uint64_t low = first < last ? first : last, high = first < last ? last : first;
	size_t count = a->found->count;

	if (low == 0 || low > count)
		return;
	high = high < count ? high : count;
	a->partial_count = (size_t)(high - low + 1);
	a->partial_from = (size_t)(a->program->partial_first < 0 ? count - high : low - 1);
}

static void put_partial(const struct answer *a)
{
	uint64_t first = magnitude(a->program->partial_first);
	uint64_t last = magnitude(a->program->partial_last);
	const char *sign = a->program->partial_first < 0 ? "-" : "";
	struct buf *b = &a->c->s->out;

	buf_addf(b, " PARTIAL (%s%llu:%s%llu ", sign,
		(unsigned long long)(first < last ? first : last), sign,
		(unsigned long long)(first < last ? last : first));
	if (a->partial_count == 0)
		buf_add(b, SPAN_LIT("NIL"));
	put_runs(a, a->partial_from, a->partial_count);
	buf_add_byte(b, ')');
}

struct ends {
	struct imap *s;
	uint32_t uids[2];
	size_t count;
	uint64_t modseq;
};

static int read_ends(struct store_txn *txn, void *arg)
{
	struct ends *e = arg;
	struct mail_message m;
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->count; i++) {
		r = mail_message_read(txn, e->s->box.id, e->uids[i], &m);
		if (r == 0 && m.modseq > e->modseq)
			e->modseq = m.modseq;
	}
	return r == -ENOENT ? 0 : r;
}

/* RFC 4731 section 3.2: of MIN and MAX alone, that of those messages. */
static uint64_t told_modseq(const struct answer *a)
{
	const struct search_found *f = a->found;
	const uint32_t *uids = a->c->s->box.uids;
	struct ends e = {.s = a->c->s};

	if (f->modseq == 0 || f->count == 0 ||
		(a->returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)) == 0 ||
		(a->returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT | IMAP_RETURN_PARTIAL)) != 0)
		return f->count > 0 ? f->modseq : 0;
	if ((a->returns & IMAP_RETURN_MIN) != 0)
		e.uids[e.count++] = uids[f->at[0]];
	if ((a->returns & IMAP_RETURN_MAX) != 0)
		e.uids[e.count++] = uids[f->at[f->count - 1]];
	return store_view(e.s->service->store, read_ends, &e) == 0 ? e.modseq : f->modseq;
}

static void put_extended(const struct answer *a)
{
	struct imap *s = a->c->s;
	uint64_t modseq = told_modseq(a);
	size_t count = a->found->count;

	buf_add(&s->out, SPAN_LIT("* ESEARCH (TAG "));
	imap_put_string(&s->out, span_str(s->tag), false);
	buf_add_str(&s->out, a->c->uid ? ") UID" : ")");
	if ((a->returns & IMAP_RETURN_MIN) != 0 && count > 0)
		buf_addf(&s->out, " MIN %u", number_of(a, 0));
	if ((a->returns & IMAP_RETURN_MAX) != 0 && count > 0)
		buf_addf(&s->out, " MAX %u", number_of(a, count - 1));
	if ((a->returns & IMAP_RETURN_ALL) != 0 && count > 0) {
		buf_add(&s->out, SPAN_LIT(" ALL "));
		put_runs(a, 0, count);
	}
	if ((a->returns & IMAP_RETURN_PARTIAL) != 0)
		put_partial(a);
	if ((a->returns & IMAP_RETURN_COUNT) != 0)
		buf_addf(&s->out, " COUNT %zu", count);
	if (modseq != 0)
		buf_addf(&s->out, " MODSEQ %llu", (unsigned long long)modseq);
	buf_add(&s->out, SPAN_LIT("\r\n"));
}

/* -- saving ------------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void sort_once(struct imap_picks *p)
{
	size_t kept = 0;

	if (p->count > 1)
		qsort(p->at, p->count, sizeof(*p->at), compare);
	for (size_t i = 0; i < p->count; i++)
		if (kept == 0 || p->at[kept - 1] != p->at[i])
			p->at[kept++] = p->at[i];
	p->count = kept;
}

/* COUNT or ALL: all; else MIN, MAX and PARTIAL as they were asked for; nothing of them: all. */
static int save(const struct answer *a)
{
	_cleanup_(imap_picks_done) struct imap_picks p = {0};
	const struct search_found *f = a->found;
	unsigned some = a->returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX | IMAP_RETURN_PARTIAL);
	bool all = some == 0 || (a->returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) != 0;
	size_t from = all ? 0 : a->partial_from, count = all ? f->count : a->partial_count;

	p.at = calloc(f->count + 3, sizeof(*p.at));
	if (p.at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		p.at[p.count++] = f->at[from + i];
	if (!all && (some & IMAP_RETURN_MIN) != 0 && f->count > 0)
		p.at[p.count++] = f->at[0];
	if (!all && (some & IMAP_RETURN_MAX) != 0 && f->count > 0)
		p.at[p.count++] = f->at[f->count - 1];
	sort_once(&p);
	imap_save_result(a->c->s, &p);
	return 0;
}

/* -- the whole --------------------------------------------------------------------------------- */

static bool is_extended(
	const struct imap_call *c, const struct search_found *f, const struct imap_search *program)
{
	return program->extended ||
		((c->s->enabled & IMAP_REV2) != 0 && span_eq_str(span_str(f->command), "SEARCH"));
}

int search_answer(
	struct imap_call *c, const struct imap_search *program, const struct search_found *found)
{
	struct answer a = {.c = c, .program = program, .found = found};
	struct imap *s = c->s;
	int r = 0;

	a.returns = program->extended ? program->returns : (unsigned)IMAP_RETURN_ALL;
	if ((a.returns & IMAP_RETURN_PARTIAL) != 0)
		find_partial(&a);
	if ((a.returns & IMAP_RETURN_SAVE) != 0)
		r = save(&a);
	if (r < 0)
		return search_failed(c, program, r);
	buf_reset(&s->out);
	if (!is_extended(c, found, program))
		put_list(&a);
	else if (a.returns != IMAP_RETURN_SAVE)
		put_extended(&a);
	if (buf_error(&s->out) < 0)
		return imap_failed(c, buf_error(&s->out));
	imap_write(s, buf_span(&s->out));
	return imap_ok(c, "Searched");
}

/* RFC 5182 section 2.1: NO empties what is saved, BAD does not. */
static void forget_saved(struct imap *s, const struct imap_search *program)
{
	if (program->extended && (program->returns & IMAP_RETURN_SAVE) != 0)
		imap_save_result(s, &(struct imap_picks){0});
}

bool search_refused(struct imap_call *c, const struct imap_search *program, int *ret_result)
{
	if (program->charset.len == 0 || mime_charset_known(program->charset))
		return false;
	forget_saved(c->s, program);
	*ret_result = imap_no(c, "[BADCHARSET (US-ASCII UTF-8)] Unknown character set");
	return true;
}

int search_failed(struct imap_call *c, const struct imap_search *program, int error)
{
	if (c->s->error != 0)
		return c->s->error;
	forget_saved(c->s, program);
	return imap_failed(c, error);
}
