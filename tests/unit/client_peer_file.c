/* Files in a call: both ways at once, gone on with after a cut, never over another, never wrong. */
#include "tests/unit/lib/peer_scene.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/timefmt.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { BIG = 8 << 20 };

static struct scene s;
static struct talk *ann, *bob;
static char folder[64]; /* what is sent */

static int set_up(void **state)
{
	(void)state;
	scene_make(&s);
	ann = scene_person(&s, "ann", NULL);
	bob = scene_person(&s, "bob", NULL);
	fixture_folder(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scene_done(&s);
	fixture_remove(folder);
	return 0;
}

/* A file of size bytes that differ by seed; its path. */
static const char *file_make(const char *name, size_t size, unsigned seed)
{
	static char path[160];
	unsigned char *p = malloc(size + 1);

	assert_non_null(p);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245U + 12345U;
		p[i] = (unsigned char)(seed >> 16);
	}
	fixture_write(folder, name, span_of(p, size));
	free(p);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void read_whole(const char *dir, const char *name, struct buf *ret)
{
	char path[200];
	int fd;
	ssize_t n = 1;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while (n > 0) {
		unsigned char *p = buf_reserve(ret, 1 << 16);

		assert_non_null(p);
		n = read(fd, p, 1 << 16);
		assert_true(n >= 0);
		buf_commit(ret, (size_t)n);
	}
	cleanup_close(&fd);
}

static void same(const char *sent, const struct talk *to, const char *name)
{
	_cleanup_(buf_done) struct buf a = BUF_INIT(2 * BIG);
	_cleanup_(buf_done) struct buf b = BUF_INIT(2 * BIG);

	read_whole(folder, sent, &a);
	read_whole(to->folder, name, &b);
	assert_int_equal(a.len, b.len);
	assert_true(span_eq(buf_span(&a), buf_span(&b)));
}

static bool is_there(const struct talk *t, const char *name)
{
	char path[320];

	snprintf(path, sizeof path, "%s/%s", t->folder, name);
	return access(path, F_OK) == 0;
}

static void one_each_way(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof path, "%s", file_make("to bob", 300000, 1));
	scene_call(&s, ann, bob);
	scene_command(ann, "=bob", "send", path);
	scene_command(bob, "=ann", "send", file_make("empty", 0, 2));
	scene_asked(&s, bob, "ann offers file 1, to bob (292.9 KiB): take it?");
	assert_false(is_there(bob, "to bob"));
	scene_answer(&s, bob, true);
	scene_answer(&s, ann, true);
	scene_expect(&s, bob, "[=ann] to bob is here, whole (SHA-256 checked)\n");
	scene_expect(&s, ann, "[=bob] empty is here, whole (SHA-256 checked)\n");
	scene_expect(&s, ann, "[=bob] bob has to bob, whole");
	scene_expect(&s, bob, "[=ann] ann has empty, whole");
	same("to bob", bob, "to bob");
	same("empty", ann, "empty");
	assert_false(is_there(bob, ".to bob.ann.quintet-part"));
}

static void declined(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	scene_command(ann, "=bob", "send", file_make("a", 10, 1));
	scene_answer(&s, bob, false);
	scene_expect(&s, ann, "bob declines a");
	assert_false(is_there(bob, "a"));
}

/* A call whose first act is a file: one question for both. */
static void with_the_call(void **state)
{
	char words[200];

	(void)state;
	snprintf(words, sizeof words, "bob %s", file_make("re\"port.pdf", 50000, 3));
	scene_command(ann, "", "send", words);
	scene_asked(&s, bob, "ann calls to send re'port.pdf (48.8 KiB): take the call?");
	scene_answer(&s, bob, true);
	scene_expect(&s, bob, "re'port.pdf is here, whole");
	same("re\"port.pdf", bob, "re'port.pdf");
	assert_int_equal(bob->ask_count, 0);
	scene_command(ann, "=bob", "send", file_make("another", 5, 1));
	scene_answer(&s, bob, true);
	scene_expect(&s, bob, "another is here, whole");
}

static void several_and_talk(void **state)
{
	char name[16];

	(void)state;
	scene_call(&s, ann, bob);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "f%u", i);
		scene_command(ann, "=bob", "send", file_make(name, 2 << 20, i + 10));
	}
	for (unsigned i = 0; i < 5; i++)
		scene_answer(&s, bob, true);
	peer_calls.say(ann->calls, "=bob", SPAN_LIT("they come"));
	/* Not behind all of the files. */
	scene_said(&s, bob, "<ann> they come");
	assert_false(scene_told(bob, "f4 is here"));
	for (unsigned i = 0; i < 5; i++) {
		char text[32];

		snprintf(name, sizeof name, "f%u", i);
		snprintf(text, sizeof text, "%s is here, whole", name);
		scene_expect(&s, bob, text);
		same(name, bob, name);
	}
}

static struct call *call_of(struct talk *t)
{
	assert_non_null(t->calls->calls);
	return t->calls->calls;
}

/* Cuts the line when some of the file is there. */
static void cut_in_the_middle(const char *part)
{
	char path[200];
	struct stat st = {.st_size = 0};
	int64_t end_ms = time_monotonic_ms() + 10000;

	snprintf(path, sizeof path, "%s/%s", bob->folder, part);
	while (st.st_size < 200000) {
		assert_true(time_monotonic_ms() < end_ms);
		scene_round(&s, 5);
		if (stat(path, &st) < 0)
			st.st_size = 0;
	}
	(void)shutdown(conn_fd(call_of(ann)->conn), SHUT_RDWR);
	scene_expect(&s, bob, "the call with ann is over: the line was cut");
	scene_expect(&s, bob, "that came are kept, and gone on with when it is offered again");
	scene_expect(&s, ann, "the call with bob is over");
	assert_false(is_there(bob, "big"));
	assert_true(is_there(bob, part));
}

static void after_a_cut(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	(void)file_make("big", BIG, 7);
	for (int i = 0; i < 2; i++) {
		char path[160];

		snprintf(path, sizeof path, "%s/big", folder);
		scene_command(ann, "=bob", "send", path);
		scene_answer(&s, bob, true);
		if (i == 0) {
			cut_in_the_middle(".big.ann.quintet-part");
			buf_reset(&ann->notes);
			buf_reset(&bob->notes);
			scene_call(&s, ann, bob);
		}
	}
	scene_expect(&s, ann, "big: bob has the beginning already, it goes on from there");
	scene_expect(&s, bob, "big is here, whole");
	same("big", bob, "big");
}

/* What is there is of another file: from the beginning. */
static void after_a_cut_another(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	scene_command(ann, "=bob", "send", file_make("big", BIG, 7));
	scene_answer(&s, bob, true);
	cut_in_the_middle(".big.ann.quintet-part");
	buf_reset(&ann->notes);
	buf_reset(&bob->notes);
	scene_call(&s, ann, bob);
	scene_command(ann, "=bob", "send", file_make("big", BIG, 8));
	scene_answer(&s, bob, true);
	scene_expect(&s, bob, "what was there of big is not of this file: from the beginning");
	scene_expect(&s, bob, "big is here, whole");
	same("big", bob, "big");
}

static void never_over_another(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	for (unsigned i = 0; i < 3; i++) {
		scene_command(ann, "=bob", "send", file_make("x", 100 + i, i));
		scene_answer(&s, bob, true);
		scene_expect(&s, bob,
			i == 0           ? "x is here, whole (SHA-256 checked)\n"
				: i == 1 ? ", as x.1\n"
					 : ", as x.2\n");
		same("x", bob, i == 0 ? "x" : i == 1 ? "x.1" : "x.2");
	}
}

static void not_sent(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	scene_command(ann, "=bob", "send", "/dev/zero");
	assert_true(scene_told(ann, "/dev/zero cannot be sent: it is no plain file"));
	scene_command(ann, "=bob", "send", "/nowhere/at/all");
	assert_true(scene_told(ann, "/nowhere/at/all cannot be sent: "));
	scene_command(ann, "=bob", "send", "/tmp");
	assert_true(scene_told(ann, "/tmp cannot be sent: "));
	assert_int_equal(bob->ask_count, 0);
}

/* It becomes shorter while it is sent. */
static void becomes_shorter(void **state)
{
	const char *path;

	(void)state;
	scene_call(&s, ann, bob);
	path = file_make("big", BIG, 7);
	scene_command(ann, "=bob", "send", path);
	scene_asked(&s, bob, "big");
	assert_int_equal(truncate(path, 1000), 0);
	scene_answer(&s, bob, true);
	scene_expect(&s, ann, "big cannot be sent on: the file has become shorter");
	scene_expect(&s, bob, "ann does not send big on: the file has become shorter");
	assert_false(is_there(bob, "big"));
}

/* -- what a peer that is no client of ours could say ------------------------------------------- */

static void ann_says(const char *text)
{
	struct conn *c = call_of(ann)->conn;

	assert_int_equal(conn_write(c, span_str(text)), 0);
	(void)conn_step_flush(c);
}

static void wrong_digest(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	ann_says("OFFER 1 3 three\r\n");
	scene_answer(&s, bob, true);
	ann_says("BEGIN 1 0\r\nDATA 1 3\r\nabcDONE 1 "
		 "0000000000000000000000000000000000000000000000000000000000000000\r\n");
	scene_expect(&s, bob, "three is not taken: its SHA-256 is wrong");
	assert_false(is_there(bob, "three"));
	assert_false(is_there(bob, ".three.ann.quintet-part"));
}

static void hidden_names(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	ann_says("OFFER 1 3 .bashrc\r\n");
	scene_asked(&s, bob, "ann offers file 1, _bashrc (3 B)");
	ann_says("OFFER 2 3 -rf\r\n");
	scene_answer(&s, bob, true);
	scene_asked(&s, bob, "ann offers file 2, _rf (3 B)");
	ann_says("BEGIN 1 0\r\nDATA 1 3\r\nabcDONE 1 "
		 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\r\n");
	scene_expect(&s, bob, "_bashrc is here, whole");
	assert_false(is_there(bob, ".bashrc"));
}

/* Each of these ends the call. */
static void against_the_rules(void **state)
{
	static const char *const lines[] = {
		"OFFER 1 3 ../x\r\n",
		"OFFER 1 3 /etc/passwd\r\n",
		"OFFER 1 3 ..\r\n",
		"OFFER 0 3 x\r\n",
		"OFFER 1 99999999999999999999 x\r\n",
		"OFFER 1 3 x\r\nOFFER 1 3 y\r\n",
		"OFFER 1 3 x\r\nBEGIN 1 0\r\n",
		"OFFER 1 3 x\r\nDATA 1 1\r\na",
		"DATA 1 16385\r\n",
		"ACCEPT 7 0 -\r\n",
		"HELLO 1 0000000000000000000000000000000000000000000000000000000000000000\r\n",
		"WELCOME\r\n",
		"SAY a\033[2Jb\r\n",
		"SAY bare\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		buf_reset(&bob->notes);
		buf_reset(&ann->notes);
		scene_call(&s, ann, bob);
		ann_says(lines[i]);
		scene_expect(&s, bob, "is over: the other side breaks the rules of the protocol");
		scene_expect(&s, ann, "is over");
	}
}

static void more_than_offered(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	ann_says("OFFER 1 3 x\r\n");
	scene_answer(&s, bob, true);
	ann_says("BEGIN 1 0\r\nDATA 1 4\r\nabcd");
	scene_expect(&s, bob, "is over: the other side breaks the rules of the protocol");
	assert_false(is_there(bob, "x"));
}

/* Words of later versions are skipped. */
static void unknown_words(void **state)
{
	(void)state;
	scene_call(&s, ann, bob);
	ann_says("TYPING yes\r\nSAY hello\r\n");
	scene_said(&s, bob, "<ann> hello");
}

static void progress(void **state)
{
	struct buf b = BUF_INIT(128);
	struct progress p = {.at_ms = 0};

	(void)state;
	assert_false(progress_due(&p, 0, 1000, &b));
	assert_false(progress_due(&p, 400, 1000, &b));
	p.at_ms -= 10000;
	assert_true(progress_due(&p, 500, 1000, &b));
	/* How fast depends on the machine's clock. */
	assert_true(span_starts(buf_span(&b), "50 % of 1000 B, "));
	assert_non_null(strstr(buf_str(&b), " B/s"));
	assert_false(progress_due(&p, 600, 1000, &b));
	buf_done(&b);
}

/* Parts of one name are one sender's, of one transfer at a time; long names have parts too. */
static void pieces(void **state)
{
	char name[WIRE_NAME_MAX + 1], stored[WIRE_NAME_MAX + 16];
	struct piece a = PIECE_INIT, b = PIECE_INIT, c = PIECE_INIT;
	struct span long_name = span_of(name, WIRE_NAME_MAX);
	int dir_fd = bob->calls->downloads_fd;
	uint64_t have;

	(void)state;
	memset(name, 'n', sizeof name);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(piece_open(dir_fd, long_name, "ann", &a, &have), 0);
		assert_int_equal(piece_open(dir_fd, long_name, "ann", &b, &have), -EBUSY);
		assert_int_equal(piece_open(dir_fd, long_name, "eve", &c, &have), 0);
		assert_int_equal(have, 0);
		assert_int_equal(piece_store(&a, stored), 0);
		assert_true(strlen(stored) <= WIRE_NAME_MAX);
		piece_close(&c, false);
	}
	assert_int_equal(symlinkat("/etc/passwd", dir_fd, ".x.ann.quintet-part"), 0);
	assert_int_equal(piece_open(dir_fd, SPAN_LIT("x"), "ann", &a, &have), -EEXIST);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_each_way),
		TEST(declined),
		TEST(with_the_call),
		TEST(several_and_talk),
		TEST(after_a_cut),
		TEST(after_a_cut_another),
		TEST(never_over_another),
		TEST(not_sent),
		TEST(becomes_shorter),
		TEST(wrong_digest),
		TEST(hidden_names),
		TEST(against_the_rules),
		TEST(more_than_offered),
		TEST(unknown_words),
		TEST(progress),
		TEST(pieces),
	};

	return cmocka_run_group_tests_name("client_peer_file", tests, NULL, NULL);
}
