/*
 * A call with a hostile peer: what comes over the line, once it is known who it is. The first byte
 * chooses whether questions are answered by yes and whether we send a file ourselves, the second in
 * what pieces the bytes arrive. What we say keeps to the protocol, and nothing is written but in
 * the folder for it. The reader alone must not depend on the pieces at all.
 */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { STORY_MAX = 8 << 20, STEPS_MAX = 4000, OWN_SIZE = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* -- a talk that answers ----------------------------------------------------------------------- */

struct talk {
	struct talk_source *source; /* of the call */
	bool yes;
	void (*answer)(void *arg, bool yes);
	void *answer_arg;
	struct profile profile;
};

const struct client_command client_commands[] = {{NULL, NULL, NULL, NULL}};

int talk_source_add(struct talk *t, struct talk_source *s)
{
	t->source = s;
	return 0;
}

void talk_source_remove(struct talk *t, struct talk_source *s)
{
	if (t->source == s)
		t->source = NULL;
}

bool talk_is_ready(const struct talk *t)
{
	return t != NULL;
}

bool talk_has_calls(const struct talk *t)
{
	return t != NULL;
}

int talk_line(struct talk *t, const char *format, ...)
{
	(void)t;
	(void)format;
	return -ENOTCONN;
}

const char *talk_nick(const struct talk *t)
{
	(void)t;
	return "bob";
}

const struct profile *talk_profile(const struct talk *t)
{
	return &t->profile;
}

int talk_socket(const struct talk *t)
{
	(void)t;
	return -1;
}

void talk_note(struct talk *t, const char *window, const char *format, ...)
{
	char text[2048];
	va_list ap;

	(void)t;
	(void)window;
	va_start(ap, format);
	must(vsnprintf(text, sizeof text, format, ap) < (int)sizeof text);
	va_end(ap);
	must(text_is_clean(span_str(text)));
}

int talk_call_open(struct talk *t, const char *window, bool focus)
{
	(void)t;
	(void)window;
	(void)focus;
	return 0;
}

void talk_call_said(struct talk *t, const char *window, const char *from, struct span text)
{
	(void)t;
	(void)window;
	(void)from;
	must(text_is_clean(text) && text.len > 0 && text.len <= WIRE_TEXT_MAX);
}

bool talk_file(struct talk *t, const struct talk_file *f)
{
	(void)t;
	must(text_is_clean(span_str(f->name)) && text_is_clean(span_str(f->nick)));
	must(f->at <= f->size);
	return false;
}

int talk_ask(struct talk *t, const char *question, void (*answer)(void *arg, bool yes), void *arg)
{
	must(text_is_clean(span_str(question)));
	if (t->answer != NULL)
		return -ENOSPC;
	t->answer = answer;
	t->answer_arg = arg;
	return 0;
}

void talk_unask(struct talk *t, const void *arg)
{
	if (t->answer_arg == arg)
		t->answer = NULL;
}

/* -- the folder -------------------------------------------------------------------------------- */

static char folder[64];
static int folder_fd = -1;

static void folder_make(void)
{
	snprintf(folder, sizeof folder, "/dev/shm/fuzz_client_peer.XXXXXX");
	must(mkdtemp(folder) != NULL);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(folder_fd >= 0);
}

/* What came is plain files in it, none hidden but parts; and nothing is left open. */
static void folder_drop(void)
{
	DIR *dir = fdopendir(folder_fd);
	const struct dirent *e;

	must(dir != NULL);
	while ((e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		must(e->d_name[0] != '.' || strstr(e->d_name, ".quintet-part") != NULL);
		must(unlinkat(dirfd(dir), e->d_name, 0) == 0);
	}
	closedir(dir);
	must(rmdir(folder) == 0);
}

/* -- one call ---------------------------------------------------------------------------------- */

/* What we have said is the protocol. */
static void check_said(struct span said)
{
	struct wire_reader reader = {0};
	struct wire w = {.kind = WIRE_PING};
	size_t used = 0;

	while (said.len > 0) {
		int r = wire_next(&reader, said, &w, &used);

		must(r >= 0);
		said = span_of(said.p + used, said.len - used);
		if (r == 0)
			break;
	}
}

static int own_file(void)
{
	int fd = memfd_create("own", MFD_CLOEXEC);

	must(fd >= 0 && ftruncate(fd, OWN_SIZE) == 0);
	return fd;
}

static void run(struct talk *t)
{
	for (int i = 0; i < STEPS_MAX && t->source != NULL; i++) {
		void (*answer)(void *arg, bool yes) = t->answer;

		t->source->step(t->source->arg, 1);
		if (answer == NULL || t->answer != answer)
			continue;
		t->answer = NULL;
		answer(t->answer_arg, t->yes);
	}
}

static void play(const uint8_t *data, struct span in, size_t step)
{
	struct talk t = {.yes = (data[0] & 1) != 0, .profile = PROFILE_INIT};
	struct peers p = {.talk = &t, .downloads_fd = -1};
	struct offer o = {.nick = "ann", .expect = {.account = "ann"}};
	struct buf said = BUF_INIT(STORY_MAX);
	struct conn *conn = NULL;
	struct call *c = NULL;

	folder_make();
	p.downloads_fd = folder_fd;
	must(conn_new_memory(in, step, &said, &conn) == 0);
	must(call_new(&p, &o, conn, &c) == 0);
	if ((data[0] & 2) != 0)
		must(give_begin(c, own_file(), "own") == 0);
	if ((data[0] & 4) != 0)
		call_say(c, SPAN_LIT("hello\nthere"));
	run(&t);
	if (p.calls != NULL)
		call_free(p.calls);
	check_said(buf_span(&said));
	buf_done(&said);
	folder_drop();
}

/* -- the reader alone -------------------------------------------------------------------------- */

static void tell(const struct wire *w, struct buf *story)
{
	struct buf line = BUF_INIT(WIRE_LINE_MAX + 2);
	struct wire again, copy = *w;
	struct wire_reader reader = {0};
	size_t used = 0;

	if (w->kind == WIRE_DATA) {
		buf_add(story, w->text);
		return;
	}
	/* What was read can be written, and is then read as the same. */
	wire_write(&line, &copy);
	must(buf_error(&line) == 0);
	must(wire_next(&reader, buf_span(&line), &again, &used) == 1 && used == line.len);
	must(again.kind == w->kind && again.id == w->id && again.number == w->number);
	must(span_eq(again.text, w->text));
	buf_add(story, buf_span(&line));
	buf_done(&line);
}

static void read_all(struct span in, size_t step, struct buf *story)
{
	struct buf have = BUF_INIT(STORY_MAX);
	struct wire_reader reader = {0};
	struct wire w = {.kind = WIRE_PING};
	size_t used = 0;
	int r = 0;

	while (r >= 0 && in.len > 0) {
		size_t now = step == 0 || step > in.len ? in.len : step;

		buf_add(&have, span_of(in.p, now));
		in = span_of(in.p + now, in.len - now);
		while ((r = wire_next(&reader, buf_span(&have), &w, &used)) >= 0) {
			if (r == 1)
				tell(&w, story);
			buf_consume(&have, used);
			if (r == 0)
				break;
		}
	}
	buf_addf(story, "%d", r < 0);
	buf_done(&have);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(STORY_MAX), pieces = BUF_INIT(STORY_MAX);
	struct span in;
	size_t step;

	if (size < 2)
		return 0;
	step = 1U + data[1] % 64;
	in = span_of(data + 2, size - 2);
	read_all(in, 0, &whole);
	read_all(in, step, &pieces);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	play(data, in, step);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
