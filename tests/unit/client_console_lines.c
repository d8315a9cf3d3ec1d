/* Lines that are typed: commands by where one looks, answers, completion; and what is told of
 * parts and transfers. */
#include "client/console/part_chat.h"

#include "base/timefmt.h"
#include "client/console/face_plain.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static const struct console_face face = {.begin = NULL};

static struct console *begin(void)
{
	struct console *c = calloc(1, sizeof *c);

	assert_non_null(c);
	c->face = &face;
	c->current = place_open(c, PLACE_HOUSE, "house");
	c->part_state[PART_CHAT] = calloc(1, sizeof(struct chat_part));
	assert_non_null(c->part_state[PART_CHAT]);
	snprintf(c->profile.user, sizeof c->profile.user, "ann");
	snprintf(c->profile.host, sizeof c->profile.host, "host.test");
	return c;
}

static void end(struct console *c)
{
	questions_end(c);
	while (c->place_count > 1)
		place_close(c, c->places[1]);
	place_clear(c->places[0]);
	free(c->places[0]);
	free(c->part_state[PART_CHAT]);
	free(c);
}

/* The newest of the client's own words, after that line. */
static const char *told(struct console *c, const char *line)
{
	size_t before = c->places[0]->count;

	console_line(c, span_str(line));
	return c->places[0]->count > before ? c->places[0]->lines[c->places[0]->count - 1].text
					    : "";
}

static void test_commands(void **state)
{
	struct console *c = begin();
	struct place *p;

	(void)state;
	assert_string_equal(told(c, "/bogus x"), "there is no command /bogus; /help lists them");
	assert_string_equal(told(c, "/STAMP"), "/stamp FILE [TOKEN]");
	assert_non_null(strstr(told(c, "words"), "nobody hears that here"));
	assert_non_null(strstr(told(c, "//words"), "nobody hears that here"));
	assert_string_equal(told(c, "   "), "");
	snprintf(c->parts[PART_CHAT].why, sizeof c->parts[PART_CHAT].why, "no route");
	assert_string_equal(told(c, "/join #x"), "/join: no chat now: no route");
	/* The same name, by where one looks. */
	assert_string_equal(told(c, "/get x"), "/get: no files now");
	p = place_open(c, PLACE_CALL, "=bob");
	place_show(c, p);
	assert_string_equal(told(c, "/get x"), "/get: no chat now");
	assert_string_equal(told(c, "hello"), "no chat now: that was not said");
	place_show(c, place_open(c, PLACE_CHANNEL, "#a"));
	assert_string_equal(told(c, "/go 0"), "");
	assert_ptr_equal(c->current, c->places[0]);
	(void)told(c, "/go =BOB");
	assert_ptr_equal(c->current, p);
	(void)told(c, "/close");
	assert_ptr_equal(c->current, c->places[0]);
	assert_null(place_find(c, "=bob"));
	assert_string_equal(told(c, "/close house"), "there is nothing of that name to be closed");
	assert_false(c->leaving);
	end(c);
}

static void test_next(void **state)
{
	struct console *c = begin();
	struct place *a = place_open(c, PLACE_CHANNEL, "#a"),
		     *b = place_open(c, PLACE_CHANNEL, "#b"),
		     *d = place_open(c, PLACE_CHANNEL, "#d");

	(void)state;
	b->unread = 1;
	d->unread = 1;
	d->called = true;
	(void)told(c, "/next");
	assert_ptr_equal(c->current, d);
	(void)told(c, "/next");
	assert_ptr_equal(c->current, b);
	(void)told(c, "/next");
	assert_ptr_equal(c->current, d);
	(void)told(c, "/next");
	assert_ptr_equal(c->current, c->places[0]);
	(void)told(c, "/next");
	assert_ptr_equal(c->current, a);
	assert_string_equal(told(c, "/unread"), "nothing is unread");
	end(c);
}

static void answered(struct console *c, int answer, void *arg)
{
	int *ret = arg;

	(void)c;
	*ret = answer;
}

static void test_questions(void **state)
{
	struct console *c = begin();
	int first = 7, second = 7, third = 7;

	(void)state;
	assert_false(console_answer(c, true));
	assert_int_equal(console_ask(c, answered, &first, "first?"), 0);
	assert_int_equal(console_ask(c, answered, &second, "%s?", "second"), 0);
	assert_int_equal(console_ask(c, answered, &third, "third?"), 0);
	assert_string_equal(c->question, "first?");
	(void)told(c, " YES ");
	assert_int_equal(first, 1);
	assert_int_equal(second, 7);
	assert_string_equal(c->question, "second?");
	(void)told(c, "n");
	assert_int_equal(second, 0);
	questions_end(c);
	assert_int_equal(third, -1);
	assert_string_equal(c->question, "");
	assert_non_null(strstr(told(c, "yes"), "nobody hears"));
	end(c);
}

/* A peer that takes its question back and asks another one gets no answer to that by chance. */
static void test_question_withdrawn(void **state)
{
	struct console *c = begin();
	int other = 7;

	(void)state;
	assert_int_equal(console_ask(c, answered, &other, "May mallory have it?"), 0);
	snprintf(c->question, sizeof c->question, "May ann have it?");
	assert_string_equal(told(c, "yes"), "that is not asked any more");
	assert_int_equal(other, 7);
	assert_string_equal(c->question, "May mallory have it?");
	(void)told(c, "no");
	assert_int_equal(other, 0);
	end(c);
}

/* What was said at once is kept together, the newest of it; what comes later, alone. */
static void test_said(void **state)
{
	struct console *c = begin();
	char text[CONSOLE_TEXT_MAX - 64];

	(void)state;
	console_say(c, "one\ntwo");
	console_error(c, "three\x1b[2J");
	assert_string_equal(c->said, "one\ntwo\nthree^[[2J");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	console_say(c, "%s", text);
	assert_memory_equal(c->said, "one\n", 4);
	console_say(c, "%s", text);
	assert_string_equal(c->said, text);
	c->said_ms -= 1000;
	console_say(c, "four");
	assert_string_equal(c->said, "four");
	end(c);
}

/* The face without a screen prints nothing that steers a terminal, whoever named it so. */
static void test_plain_is_harmless(void **state)
{
	struct plain f = {.out = BUF_INIT(4096)};

	(void)state;
	plain_line(&f, "transfer %s", "1 get a: failed: \x1b]0;x\x07\xe2\x80\xae\nno");
	assert_string_equal(buf_str(&f.out), "transfer 1 get a: failed: ^[]0;x^G<U+202E>^Jno\n");
	buf_done(&f.out);
}

static void completes(struct console *c, const char *before, const char *added, const char *names)
{
	_cleanup_(buf_done) struct buf a = BUF_INIT(4096), n = BUF_INIT(65536);
	bool any = console_complete(c, span_str(before), &a, &n);

	assert_int_equal(any, added != NULL);
	assert_string_equal(buf_str(&a), added != NULL ? added : "");
	if (names != NULL)
		assert_string_equal(buf_str(&n), names);
}

static void test_completion(void **state)
{
	struct console *c = begin();

	(void)state;
	place_open(c, PLACE_CHANNEL, "#lobby");
	place_open(c, PLACE_CHANNEL, "#lone");
	place_open(c, PLACE_PERSON, "Bob");
	place_open(c, PLACE_MAILBOX, "INBOX");
	completes(c, "/hel", "p ", "help");
	completes(c, "/nosuchcommand", NULL, "");
	completes(c, "/go #l", "o", "#lobby #lone");
	completes(c, "/go #lob", "by ", NULL);
	completes(c, "/go in", "BOX ", NULL);
	completes(c, "b", "ob: ", NULL);
	completes(c, "hello b", "ob ", NULL);
	completes(c, "/retry certi", "ficate ", NULL);
	completes(c, "/stamp /no such", NULL, NULL);
	completes(c, "/stamp /et", "c/", NULL);
	completes(c, "/stamp '/et", "c/", NULL);
	/* Quotes in what is said are none. */
	completes(c, "it's b", "ob ", NULL);
	end(c);
}

/* Names in a folder that are no text, or would steer the terminal from the line. */
static void test_completion_of_bad_names(void **state)
{
	static const char *const names[] = {
		"a\x80\x80", "a\x80\x81", "b\x1b[2J", "c\xc3\xa9", "c\xc3\xa8", "d\xe2\x80\xae"};
	char folder[] = "/tmp/console-names-XXXXXX", path[64];
	struct console *c = begin();

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
	for (const char *first = "abd"; *first != '\0'; first++) {
		snprintf(path, sizeof path, "/put %s/%c", folder, *first);
		completes(c, path, NULL, "");
	}
	snprintf(path, sizeof path, "/put %s/c", folder);
	completes(c, path, "", NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	end(c);
}

static void test_parts(void **state)
{
	struct console *c = begin();
	struct part *p = &c->parts[PART_MAIL];

	(void)state;
	part_trying(c, PART_MAIL);
	part_lost(c, PART_MAIL, "%s", "no route");
	assert_int_equal(p->state, PART_WAITING);
	assert_in_range(p->retry_ms - time_monotonic_ms(), 900, 2000);
	assert_int_equal(c->places[0]->count, 1);
	/* The same again is no news, another reason is. */
	for (unsigned i = 0; i < 20; i++) {
		part_trying(c, PART_MAIL);
		part_lost(c, PART_MAIL, "no route");
	}
	assert_in_range(p->retry_ms - time_monotonic_ms(), 29000, 60000);
	assert_int_equal(c->places[0]->count, 1);
	part_lost(c, PART_MAIL, "refused");
	assert_int_equal(c->places[0]->count, 2);
	part_retry(c, PART_MAIL);
	assert_int_equal(p->retry_ms, 0);
	part_up(c, PART_MAIL);
	assert_string_equal(c->places[0]->lines[2].text, "mail: up again");
	assert_int_equal(p->losses, 0);
	part_lost(c, PART_MAIL, "cut");
	assert_non_null(strstr(c->places[0]->lines[3].text, "mail is lost: cut"));
	part_absent(c, PART_MAIL);
	part_absent(c, PART_MAIL);
	assert_int_equal(c->places[0]->count, 5);
	end(c);
}

static void test_status(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	struct console *c = begin();

	(void)state;
	for (unsigned id = 0; id < PARTS; id++)
		part_up(c, (enum part_id)id);
	snprintf(c->parts[PART_MAIL].text, sizeof c->parts[PART_MAIL].text, "3 unread");
	part_lost(c, PART_FILES, "no route");
	c->clock = (struct clock_view){.known = true, .offset_us = -1500, .bound_us = 700};
	c->certificate.known = true;
	c->certificate.until_us = time_now_us() + INT64_C(10) * 86400 * TIME_S_US + TIME_S_US;
	console_status(c, &b, 200);
	assert_non_null(strstr(buf_str(&b),
		"ann at host.test | chat: up | mail: 3 unread | "
		"files: DOWN, retry in "));
	assert_non_null(strstr(buf_str(&b), "clock: -1.5 ms +-0.7 | cert: 10 days"));
	for (size_t width = 0; width < 120; width++) {
		buf_reset(&b);
		console_status(c, &b, width);
		assert_true(width_of(buf_span(&b)) <= width);
	}
	end(c);
}

static void test_transfers(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(4096);
	struct console *c = begin();
	struct transfer *t = transfer_new(c, true, "a\x1b[31m.bin");

	(void)state;
	assert_string_equal(t->name, "a^[[31m.bin");
	assert_int_equal(transfers_busy(c), 1);
	t->state = TRANSFER_RUNS;
	t->at = 512 << 20;
	t->size = 1 << 30;
	t->rate = 8 << 20;
	console_transfer_line(t, &b, 200);
	assert_string_equal(buf_str(&b), "1 put a^[[31m.bin: 50% of 1.0 GiB, 8.0 MiB/s, 1:04 left");
	for (size_t width = 20; width < 90; width++) {
		buf_reset(&b);
		console_transfer_line(t, &b, width);
		assert_true(width_of(buf_span(&b)) <= width);
	}
	for (unsigned i = 1; i < CONSOLE_TRANSFERS_MAX; i++)
		assert_non_null(transfer_new(c, false, "x"));
	assert_null(transfer_new(c, false, "x"));
	transfer_find(c, 5)->state = TRANSFER_DONE;
	assert_int_equal(transfer_new(c, false, "y")->number, CONSOLE_TRANSFERS_MAX + 1);
	assert_null(transfer_find(c, 5));
	assert_int_equal(c->transfer_count, CONSOLE_TRANSFERS_MAX);
	end(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_question_withdrawn),
		cmocka_unit_test(test_said),
		cmocka_unit_test(test_plain_is_harmless),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_completion_of_bad_names),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_transfers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
