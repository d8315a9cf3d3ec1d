/*
 * quintet mail's messages: composed, read, answered; addresses as they are typed; the outbox's
 * files.
 */
#include "base/cleanup.h"
#include "client/mail/mail.h"
#include "client/mail/outbox_i.h"
#include "tests/unit/lib/pki_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* -- composing and reading --------------------------------------------------------------------- */

static void test_compose_and_view(void **state)
{
	_cleanup_(buf_done) struct buf m = BUF_INIT(1 << 20), file = BUF_INIT(4096);
	const struct mime_mailbox to[] = {{SPAN_LIT("J\xc3\xb6rg, der Gro\xc3\x9f"
						    "e"),
						  SPAN_LIT("bob@x.org")},
		{SPAN_LIT(""), SPAN_LIT("cid@x.org")}};
	const struct mime_mailbox hidden = {SPAN_LIT(""), SPAN_LIT("eve@x.org")};
	const struct mime_attachment files[] = {
		{"image/png", SPAN_LIT("\xc3\xa4.png"), SPAN_LIT("\x89PNG\0\1")},
		{"text/plain", SPAN_LIT("../../etc/passwd"), SPAN_LIT("root")}};
	struct mail_draft d = {.to = to,
		.to_count = 2,
		.bcc = &hidden,
		.bcc_count = 1,
		.from_address = SPAN_LIT("ann@x.org"),
		.subject = SPAN_LIT("Gr\xc3\xbc\xc3\x9f"
				    "e\r\nX-Evil: 1"),
		.text = SPAN_LIT("line\n.\n\xc3\xbc\n"),
		.attachments = files,
		.attachment_count = 2,
		.references = SPAN_LIT("<a@b> <c@d>"),
		.want_receipt = true};
	char msgid[256];
	struct mail_view v;

	(void)state;
	assert_int_equal(mail_compose(&d, &m, msgid), 0);
	assert_null(strstr(buf_str(&m), "eve"));
	assert_null(strstr(buf_str(&m), "\nX-Evil"));
	assert_int_equal(mail_view_make(buf_span(&m), &v), 0);
	assert_string_equal(v.msgid, msgid);
	assert_string_equal(v.subject,
		"Gr\xc3\xbc\xc3\x9f"
		"e  X-Evil: 1");
	assert_string_equal(buf_str(&v.text), "line\n.\n\xc3\xbc\n");
	assert_int_equal(v.file_count, 2);
	assert_string_equal(v.files[0].name, "\xc3\xa4.png");
	assert_null(strchr(v.files[1].name, '/'));
	assert_int_equal(mail_view_file(&v, 0, &file), 0);
	assert_true(span_eq(buf_span(&file), files[0].bytes));
	assert_int_equal(mail_view_file(&v, 2, &file), -ENOENT);
	mail_view_done(&v);
	d.to_count = d.bcc_count = 0;
	assert_int_equal(mail_compose(&d, &m, msgid), -EINVAL);
	d.to_count = 1;
	d.from_address = SPAN_LIT("ann@x.org>\r\nBcc: x");
	assert_int_equal(mail_compose(&d, &m, msgid), -EINVAL);
}

#define MIXED                                                                                     \
	"From: =?utf-8?q?Ann?= <ann@x.org>\r\nTo: me@x.org, Bob <bob@x.org>, ANN@x.org\r\n"       \
	"Cc: cid@x.org, bob@X.org\r\nSubject: \x1b[31mred\r\nMessage-ID: <3@x>\r\n"               \
	"References: <1@x> <2@x>\r\nDate: Sat, 21 Nov 2026 14:00:00 +0000\r\n"                    \
	"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n"                                \
	"Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n"                          \
	"Content-Type: text/html\r\n\r\n<b>rich</b><img src=http://evil/x>\r\n--a\r\n"            \
	"Content-Type: text/plain\r\n\r\nplain\x1b]0;title\x07 text\r\n> older\r\n-- \r\nAnn\r\n" \
	"--a--\r\n--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n"    \
	"--m--\r\n"

static void test_view_of_others(void **state)
{
	struct mail_view v;

	(void)state;
	assert_int_equal(mail_view_make(SPAN_LIT(MIXED), &v), 0);
	assert_null(strchr(v.subject, 0x1b));
	assert_non_null(strstr(buf_str(&v.text), "plain]0;title text"));
	assert_null(strstr(buf_str(&v.text), "rich"));
	assert_null(strstr(buf_str(&v.text), "inside"));
	assert_int_equal(v.file_count, 1);
	assert_string_equal(v.files[0].name, "attachment-1.eml");
	mail_view_done(&v);
	assert_int_equal(mail_view_make(SPAN_LIT("Content-Type: text/html\r\n\r\n<p>a<br>b"
						 "<script>x()</script><img src=http://e/>"),
				 &v),
		0);
	assert_true(v.html);
	assert_non_null(strstr(buf_str(&v.text), "a\nb"));
	assert_null(strstr(buf_str(&v.text), "x()"));
	mail_view_done(&v);
	assert_int_equal(mail_view_make(SPAN_LIT(""), &v), 0);
	assert_string_equal(v.from, "");
	mail_view_done(&v);
}

static void address_is(const struct mime_mailbox *m, const char *address)
{
	assert_true(span_eq_str(m->address, address));
}

static void test_answers(void **state)
{
	struct mail_answer a;

	(void)state;
	assert_int_equal(mail_answer_make(SPAN_LIT(MIXED), MAIL_REPLY, "me@x.org", &a), 0);
	assert_int_equal(a.to_count, 1);
	address_is(&a.to[0], "ann@x.org");
	assert_true(span_eq_str(a.to[0].name, "Ann"));
	assert_string_equal(buf_str(&a.in_reply_to), "<3@x>");
	assert_string_equal(buf_str(&a.references), "<1@x> <2@x> <3@x>");
	assert_non_null(strstr(buf_str(&a.text), "\n> plain"));
	assert_non_null(strstr(buf_str(&a.text), "\n>> older\n"));
	assert_null(strstr(buf_str(&a.text), "> Ann"));
	mail_answer_done(&a);
	assert_int_equal(mail_answer_make(SPAN_LIT(MIXED), MAIL_REPLY_ALL, "me@x.org", &a), 0);
	assert_int_equal(a.to_count, 2);
	address_is(&a.to[1], "bob@x.org");
	assert_int_equal(a.cc_count, 1);
	address_is(&a.cc[0], "cid@x.org");
	mail_answer_done(&a);
	/* One's own goes to those it went to. */
	assert_int_equal(mail_answer_make(SPAN_LIT(MIXED), MAIL_REPLY, "ann@x.org", &a), 0);
	assert_int_equal(a.to_count, 2);
	address_is(&a.to[0], "me@x.org");
	mail_answer_done(&a);
	assert_int_equal(mail_answer_make(SPAN_LIT(MIXED), MAIL_FORWARD, "me@x.org", &a), 0);
	assert_int_equal(a.to_count, 0);
	assert_int_equal(a.attachment_count, 1);
	assert_true(span_eq_str(a.attachments[0].bytes, "Subject: inner\r\n\r\ninside"));
	assert_non_null(strstr(buf_str(&a.subject), "Fwd: "));
	assert_int_equal(a.in_reply_to.len, 0);
	mail_answer_done(&a);
	assert_int_equal(
		mail_answer_make(SPAN_LIT("From: ann@x.org\r\n\r\n"), MAIL_REPLY, "ann@x.org", &a),
		0);
	assert_int_equal(a.to_count, 1);
	mail_answer_done(&a);
}

static void test_typed_addresses(void **state)
{
	struct mail_people p;
	char bad[128];

	(void)state;
	assert_int_equal(mail_people_parse(SPAN_LIT(" bob, \"Doe, J\" <j@y.org>;cid@z.org, "),
				 "x.org", &p, bad),
		0);
	assert_int_equal(p.count, 3);
	address_is(&p.list[0], "bob@x.org");
	assert_int_equal(p.list[0].name.len, 0);
	address_is(&p.list[1], "j@y.org");
	assert_true(span_eq_str(p.list[1].name, "Doe, J"));
	address_is(&p.list[2], "cid@z.org");
	mail_people_done(&p);
	assert_int_equal(mail_people_parse(SPAN_LIT(""), "x.org", &p, bad), 0);
	assert_int_equal(p.count, 0);
	mail_people_done(&p);
	assert_int_equal(mail_people_parse(SPAN_LIT("bob, two words"), "x.org", &p, bad), -EINVAL);
	assert_string_equal(bad, "two words");
}

/* -- the outbox -------------------------------------------------------------------------------- */

static char folder[64];
static struct profile profile;

static int set_up(void **state)
{
	(void)state;
	fixture_folder(folder);
	profile = PROFILE_INIT;
	profile.dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return profile.dir_fd < 0;
}

static int tear_down(void **state)
{
	char path[80];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/outbox", folder);
	fixture_remove(path);
	fixture_remove(folder);
	profile_done(&profile);
	return 0;
}

struct seen {
	char text[512];
};

static int see(void *arg, const struct outbox_entry *e)
{
	struct seen *s = arg;
	size_t len = strlen(s->text);

	(void)snprintf(s->text + len, sizeof s->text - len, "%s:%s:%.*s|", e->state, e->why,
		(int)(e->recipients.len > 0 ? e->recipients.len - 1 : 0),
		(const char *)e->recipients.p);
	return 0;
}

static void assert_outbox(const char *wanted)
{
	struct seen s = {.text = ""};

	assert_int_equal(outbox_each(&profile, see, &s), 0);
	assert_string_equal(s.text, wanted);
}

static void test_outbox(void **state)
{
	const struct span to[] = {SPAN_LIT("bob@x"), SPAN_LIT("cid@x")};
	const struct span evil[] = {SPAN_LIT("bob@x>\r\nRCPT TO:<eve@x")};
	struct outbox_letter l = {.from = "ann@x",
		.to = to,
		.to_count = 1,
		.keep = true,
		.message = SPAN_LIT("Subject: x\n\nbare\r\nend")};
	struct outbox_file f;
	char one[64], two[64];
	int dir_fd = -1, lock_fd = -1;

	(void)state;
	assert_outbox("");
	assert_int_equal(outbox_add(&profile, &l, one), 0);
	l.to_count = 2;
	l.how = SMIME_ENCRYPT;
	assert_int_equal(outbox_add(&profile, &l, two), 0);
	assert_true(strcmp(one, two) < 0);
	assert_outbox("waiting::bob@x|waiting::bob@x\ncid@x|");
	assert_int_equal(outbox_open(&profile, &dir_fd), 0);
	assert_int_equal(outbox_read(dir_fd, one, OUTBOX_WAITING, &f), 0);
	assert_true(span_eq_str(f.message, "Subject: x\r\n\r\nbare\r\nend\r\n"));
	assert_string_equal(f.from, "ann@x");
	assert_true(f.keep);
	assert_int_equal(f.how, SMIME_PLAIN);
	outbox_file_done(&f);
	assert_int_equal(outbox_read(dir_fd, two, OUTBOX_WAITING, &f), 0);
	assert_int_equal(f.how, SMIME_ENCRYPT);
	outbox_file_done(&f);
	/* Refused, and once more. */
	assert_int_equal(outbox_why_write(dir_fd, one, "nobody there"), 0);
	assert_int_equal(outbox_turn(dir_fd, one, OUTBOX_WAITING, OUTBOX_REFUSED), 0);
	assert_outbox("waiting::bob@x\ncid@x|refused:nobody there:bob@x|");
	assert_int_equal(outbox_retry(&profile, one), 0);
	assert_outbox("waiting::bob@x|waiting::bob@x\ncid@x|");
	/* While it is being sent it is not touched. */
	assert_int_equal(outbox_lock(dir_fd, &lock_fd), 0);
	assert_int_equal(outbox_remove(&profile, one), -EBUSY);
	cleanup_close(&lock_fd);
	assert_int_equal(outbox_remove(&profile, "../../etc/passwd"), -ENOENT);
	assert_int_equal(outbox_remove(&profile, one), 0);
	assert_int_equal(outbox_remove(&profile, one), -ENOENT);
	assert_outbox("waiting::bob@x\ncid@x|");
	l.to = evil;
	l.to_count = 1;
	assert_int_equal(outbox_add(&profile, &l, one), -EINVAL);
	l.to_count = 0;
	assert_int_equal(outbox_add(&profile, &l, one), -EINVAL);
	assert_int_equal(outbox_remove(&profile, two), 0);
	cleanup_close(&dir_fd);
}

static void test_damaged_letter(void **state)
{
	const struct span to[] = {SPAN_LIT("bob@x")};
	const struct outbox_letter l = {
		.from = "", .to = to, .to_count = 1, .message = SPAN_LIT("\r\nhi\r\n")};
	struct outbox_file f;
	char name[64], path[200];
	int dir_fd = -1;

	(void)state;
	assert_int_equal(outbox_add(&profile, &l, name), 0);
	assert_int_equal(outbox_open(&profile, &dir_fd), 0);
	(void)snprintf(path, sizeof path, "%s/outbox/%s.wait", folder, name);
	assert_int_equal(truncate(path, 40), 0);
	assert_int_equal(outbox_read(dir_fd, name, OUTBOX_WAITING, &f), -EBADMSG);
	assert_outbox("waiting:its file is damaged:|");
	assert_int_equal(outbox_remove(&profile, name), 0);
	cleanup_close(&dir_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose_and_view),
		cmocka_unit_test(test_view_of_others),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_typed_addresses),
		cmocka_unit_test(test_outbox),
		cmocka_unit_test(test_damaged_letter),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
