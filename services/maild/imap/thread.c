/* THREAD and UID THREAD. */
#include "services/maild/imap/thread.h"
#include "services/maild/imap/gather.h"
#include "services/maild/imap/search.h"

#include "base/cleanup.h"

#include <errno.h>

enum { THREAD_SLICE = 64 << 10 };

struct job {
	struct imap_call *c;
	struct threads threads;
};

static int add(void *arg, const struct gathered *g)
{
	struct job *j = arg;
	struct thread_message m = {
		.number = j->c->uid ? g->message->uid : g->at + 1,
		.sent_us = gathered_sent_us(g),
		.subject = g->record->subject,
		.reply = g->record->reply,
		.msgid = g->record->msgid,
		.references = g->record->references,
	};

	return thread_add(&j->threads, &m);
}

static int tell(struct job *j)
{
	struct imap *s = j->c->s;
	int r = 0;

	buf_reset(&s->out);
	buf_add(&s->out, SPAN_LIT("* THREAD"));
	for (size_t i = 0; r == 0 && i < j->threads.root_count; i++) {
		if (i == 0)
			buf_add_byte(&s->out, ' ');
		r = thread_put(&j->threads, i, &s->out);
		if (r == 0 && s->out.len >= THREAD_SLICE) {
			imap_write(s, buf_span(&s->out));
			buf_reset(&s->out);
		}
	}
	buf_add(&s->out, SPAN_LIT("\r\n"));
	if (r == 0)
		r = buf_error(&s->out);
	/* What was begun cannot be taken back. */
	if (r < 0)
		s->error = r;
	imap_write(s, buf_span(&s->out));
	return r < 0 ? r : imap_ok(j->c, "Threads told");
}

static int run(struct imap_call *c, const struct imap_thread_command *command)
{
	_cleanup_(imap_picks_done) struct imap_picks picks = {0};
	struct job j = {.c = c};
	uint64_t modseq;
	int r = imap_search_run(c->s, &command->search, &picks, &modseq);

	if (r == 0)
		r = thread_begin(command->how, &j.threads);
	if (r == 0)
		r = gather_each(c->s, &picks, true, add, &j);
	if (r == 0)
		r = thread_finish(&j.threads);
	r = r < 0 ? search_failed(c, &command->search, r) : tell(&j);
	thread_done(&j.threads);
	return r;
}

int imap_cmd_thread(struct imap_call *c)
{
	struct imap_thread_command command = {0};
	int r = imap_in_space(&c->in);

	if (r == 0)
		r = imap_in_thread(&c->in, &command);
	if (r == -EBADMSG || r == -ENOTSUP)
		return imap_bad(c, "THREAD REFERENCES or ORDEREDSUBJECT, charset, keys");
	if (r < 0)
		return imap_failed(c, r);
	if (!search_refused(c, &command.search, &r))
		r = run(c, &command);
	imap_search_done(&command.search);
	return r;
}
