/* quintet mail's letters as the editor has them, its long texts on a screen, its words. */
#include "client/mail/draft.h"
#include "client/mail/screen.h"
#include "client/term/width.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* -- the editor's text --------------------------------------------------------------------------
 */

static int read_text(struct draft *d, const char *text)
{
	return draft_read(span_str(text), d);
}

static void a_letter_goes_through_the_editor(void **state)
{
	_cleanup_(draft_done) struct draft d = DRAFT_INIT, again = DRAFT_INIT;
	_cleanup_(buf_done) struct buf shown = BUF_INIT(65536), second = BUF_INIT(65536);

	(void)state;
	buf_add_str(&d.to, "bob, \"C. Id\" <cid@quintet.test>");
	buf_add_str(&d.subject, "Re: Grüße: mit Doppelpunkt");
	buf_add_str(&d.text, "\nTo: no head any more\n\n> quoted\n");
	draft_show(&d, &shown);
	assert_string_equal(buf_str(&shown),
		"To: bob, \"C. Id\" <cid@quintet.test>\nCc: \n"
		"Subject: Re: Grüße: mit Doppelpunkt\n\n\nTo: no head any more\n\n> quoted\n");
	assert_int_equal(draft_read(buf_span(&shown), &again), 0);
	draft_show(&again, &second);
	assert_string_equal(buf_str(&second), buf_str(&shown));
	assert_int_equal(again.bcc.len, 0);
}

static void heads_are_read_as_people_write_them(void **state)
{
	_cleanup_(draft_done) struct draft d = DRAFT_INIT;

	(void)state;
	assert_int_equal(
		read_text(&d, "to:bob,\r\n\t cid\r\nBCC:  dan \r\nSUBJECT: x\r\n\r\ntext\r\n"), 0);
	assert_string_equal(buf_str(&d.to), "bob, cid");
	assert_string_equal(buf_str(&d.cc), "");
	assert_string_equal(buf_str(&d.bcc), "dan");
	assert_string_equal(buf_str(&d.subject), "x");
	assert_string_equal(buf_str(&d.text), "text\r\n");
	/* What was there before is gone. */
	assert_int_equal(read_text(&d, "To: ann\n"), 0);
	assert_string_equal(buf_str(&d.to), "ann");
	assert_string_equal(buf_str(&d.bcc), "");
	assert_string_equal(buf_str(&d.text), "");
	assert_int_equal(read_text(&d, ""), 0);
}

static void what_is_no_head_is_refused(void **state)
{
	static const char *const bad[] = {"Hello Bob\n\n", "To bob\n", "From: eve\n\n",
		" To: bob\n\n", "To: bob\nand more text\n", ": x\n"};
	_cleanup_(draft_done) struct draft d = DRAFT_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(read_text(&d, bad[i]), -EBADMSG);
}

/* -- texts on a screen --------------------------------------------------------------------------
 */

static const char *row(const struct screen_text *t, size_t i)
{
	static char text[256];

	assert_true(i < t->count);
	(void)snprintf(text, sizeof text, "%.*s", (int)t->lines[i].len,
		(const char *)t->text.p + t->lines[i].at);
	return text;
}

static void lines_are_wrapped_at_words(void **state)
{
	_cleanup_(text_done) struct screen_text t = SCREEN_TEXT_INIT;

	(void)state;
	text_set(&t, SPAN_LIT("one two three\n\n日本語日本語\nabcdefghijklm\nexactly te\n"));
	assert_int_equal(text_wrap(&t, 10), 0);
	assert_int_equal(t.count, 8);
	assert_string_equal(row(&t, 0), "one two ");
	assert_string_equal(row(&t, 1), "three");
	assert_string_equal(row(&t, 2), "");
	assert_string_equal(row(&t, 3), "日本語日本");
	assert_string_equal(row(&t, 4), "語");
	assert_string_equal(row(&t, 5), "abcdefghij");
	assert_string_equal(row(&t, 6), "klm");
	assert_string_equal(row(&t, 7), "exactly te");
	/* Wider than a row is no character; narrower than one, each goes alone. */
	assert_int_equal(text_wrap(&t, 1), 0);
	assert_true(t.count > 30);
}

static void nothing_in_a_text_steers_the_terminal(void **state)
{
	_cleanup_(text_done) struct screen_text t = SCREEN_TEXT_INIT;

	(void)state;
	text_set(&t, SPAN_LIT("a\tb\x1b[2J\xc2\x9b\xe2\x80\xae\r\n\xff\n12345678\tx"));
	assert_int_equal(text_wrap(&t, 80), 0);
	assert_string_equal(row(&t, 0), "a       b^[[2J<U+009B><U+202E>");
	assert_string_equal(row(&t, 1), "\xef\xbf\xbd");
	assert_string_equal(row(&t, 2), "12345678        x");
}

static void moving_stays_within_the_text(void **state)
{
	_cleanup_(text_done) struct screen_text t = SCREEN_TEXT_INIT;

	(void)state;
	text_set(&t, SPAN_LIT("1\n2\n3\n4\n5\n6\n7 7 7 7 7 7 7\n8\n"));
	assert_int_equal(text_wrap(&t, 80), 0);
	text_move(&t, 3, 3);
	assert_int_equal(t.top, 3);
	text_move(&t, 3, 3);
	assert_int_equal(t.top, 5);
	text_move(&t, 100, 3);
	assert_int_equal(t.top, 5);
	/* Another width: what stood on top still does. */
	assert_int_equal(text_wrap(&t, 3), 0);
	assert_string_equal(row(&t, t.top), "6");
	text_move(&t, -100, 3);
	assert_int_equal(t.top, 0);
	text_move(&t, 2, 100);
	assert_int_equal(t.top, 0);
}

/* -- words --------------------------------------------------------------------------------------
 */

static const char *verdict(const struct smime_verdict *v, bool *ret_bad)
{
	static char text[512];
	_cleanup_(buf_done) struct buf b = BUF_INIT(sizeof text);

	mailui_verdict(v, &b, ret_bad);
	(void)snprintf(text, sizeof text, "%s", buf_str(&b));
	return text;
}

static void what_is_not_good_is_said_loudly(void **state)
{
	struct smime_verdict v = {.was_signed = false};
	bool bad = true;

	(void)state;
	assert_string_equal(verdict(&v, &bad), "");
	assert_false(bad);
	v = (struct smime_verdict){.was_signed = true, .good = true, .signer = "ann@x"};
	assert_string_equal(verdict(&v, &bad), "signed by ann@x");
	assert_false(bad);
	v.was_encrypted = true;
	assert_string_equal(verdict(&v, &bad), "encrypted, signed by ann@x");
	assert_false(bad);
	v.good = false;
	(void)snprintf(v.reason, sizeof v.reason, "altered");
	assert_non_null(strstr(verdict(&v, &bad), "SIGNATURE NOT GOOD: altered"));
	assert_true(bad);
	v = (struct smime_verdict){.was_encrypted = true, .reason = "no key"};
	assert_non_null(strstr(verdict(&v, &bad), "CANNOT BE OPENED: no key"));
	assert_true(bad);
	v = (struct smime_verdict){.was_encrypted = true};
	assert_non_null(strstr(verdict(&v, &bad), "NOT SIGNED"));
	assert_true(bad);
}

static void receipts_are_counted(void **state)
{
	const struct mail_receipt list[] = {
		{.msgid = "<1@x>", .recipient = "bob", .delivered_us = 1, .read_us = 2},
		{.msgid = "<2@x>", .recipient = "bob", .delivered_us = 1},
		{.msgid = "<1@x>", .recipient = "cid", .delivered_us = 1},
		{.msgid = "<3@x>", .recipient = "bob"}};
	_cleanup_(buf_done) struct buf line = BUF_INIT(1024);
	char text[32];

	(void)state;
	mailui_receipt_short(list, 4, "<1@x>", text);
	assert_string_equal(text, "read 1/2");
	mailui_receipt_short(list, 4, "<2@x>", text);
	assert_string_equal(text, "delivered");
	mailui_receipt_short(list, 4, "<3@x>", text);
	assert_string_equal(text, "sent");
	mailui_receipt_short(list, 4, "<4@x>", text);
	assert_string_equal(text, "");
	mailui_receipt_line(list, 4, "<3@x>", &line);
	assert_string_equal(buf_str(&line), "bob sent");
}

static void marks_are_letters(void **state)
{
	struct mail_item item = {.flags = IMAP_FLAG_FLAGGED | IMAP_FLAG_ANSWERED,
		.encrypted = true,
		.is_signed = true,
		.attachments = true};
	char marks[8], size[16];

	(void)state;
	mailui_marks(&item, marks);
	assert_string_equal(marks, "NFRESA");
	item = (struct mail_item){.flags = IMAP_FLAG_SEEN};
	mailui_marks(&item, marks);
	assert_string_equal(marks, "");
	mailui_size(1023, size);
	assert_string_equal(size, "1023");
	mailui_size(1536, size);
	assert_string_equal(size, "2K");
	mailui_size(UINT64_C(26214400), size);
	assert_string_equal(size, "25.0M");
	mailui_size(UINT64_MAX, size);
	assert_true(strlen(size) < sizeof size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_goes_through_the_editor),
		cmocka_unit_test(heads_are_read_as_people_write_them),
		cmocka_unit_test(what_is_no_head_is_refused),
		cmocka_unit_test(lines_are_wrapped_at_words),
		cmocka_unit_test(nothing_in_a_text_steers_the_terminal),
		cmocka_unit_test(moving_stays_within_the_text),
		cmocka_unit_test(what_is_not_good_is_said_loudly),
		cmocka_unit_test(receipts_are_counted),
		cmocka_unit_test(marks_are_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
