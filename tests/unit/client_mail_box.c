/*
 * quintet mail's mailboxes against servers of words: the first look, the second in one round trip
 * from what is on disk, whatever the server tells meanwhile, and damaged files.
 */
#include "base/cleanup.h"
#include "client/mail/cache.h"
#include "client/mail/imapc.h"
#include "tests/unit/lib/pki_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct profile profile;
static char folder[64];

static void folder_clean(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s/mail", folder);
	assert_int_equal(fixture_run((const char *const[]){"sh", "-c", command, NULL},
				 &(struct buf)BUF_INIT(4096)),
		0);
}

static int set_up(void **state)
{
	(void)state;
	fixture_folder(folder);
	profile = PROFILE_INIT;
	profile.dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(profile.user, sizeof profile.user, "ann");
	return profile.dir_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	folder_clean();
	profile_done(&profile);
	fixture_remove(folder);
	return 0;
}

struct scene {
	struct buf sent;
	struct imapc *m;
	struct mailbox *b;
};

#define CAPS "IMAP4rev1 QRESYNC CONDSTORE MOVE UIDPLUS ESEARCH LITERAL+ IDLE"

/* Logged in; q1 and so on are the tags from here on. */
static void begin(struct scene *s, const char *server, bool qresync)
{
	struct conn *conn = NULL;

	*s = (struct scene){.sent = BUF_INIT(1 << 20)};
	assert_int_equal(conn_new_memory(span_str(server), 0, &s->sent, &conn), 0);
	assert_int_equal(imapc_new(NULL, conn, &s->m), 0);
	buf_add_str(&s->m->caps, qresync ? " " CAPS " " : " IMAP4rev1 ");
	s->m->qresync = s->m->condstore = qresync;
	s->m->utf8 = qresync;
}

static int look(struct scene *s)
{
	return mailbox_open(s->m, &profile, "INBOX", false, &s->b);
}

static void end(struct scene *s)
{
	mailbox_close(s->b);
	imapc_free(s->m);
	buf_done(&s->sent);
}

#define ITEM(seq, uid, flags, subject, size)                                                    \
	"* " #seq " FETCH (UID " #uid " FLAGS (" flags ") INTERNALDATE "                        \
	"\"21-Nov-2026 14:00:00 +0000\" RFC822.SIZE " #size " ENVELOPE "                        \
	"(\"Sat, 21 Nov 2026 13:59:00 +0000\" \"" subject "\" ((\"=?utf-8?q?J=C3=B6rg?=\" NIL " \
	"\"joe\" \"x.org\")) NIL NIL ((NIL NIL \"ann\" \"x.org\")(NIL NIL \"bob\" \"x.org\")) " \
	"NIL NIL NIL \"<" #uid "@x.org>\") BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" "     \
	"\"utf-8\") NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL) MODSEQ (7) "                          \
	"BODY[HEADER.FIELDS (DISPOSITION-NOTIFICATION-TO)] {2}\r\n\r\n)\r\n"

#define SELECTED(exists, validity, next, modseq)                                             \
	"* FLAGS (\\Seen)\r\n* " #exists " EXISTS\r\n* OK [UIDVALIDITY " #validity "] x\r\n" \
	"* OK [UIDNEXT " #next "] x\r\n* OK [HIGHESTMODSEQ " #modseq "] x\r\n"

#define FIRST                                                           \
	SELECTED(2, 5, 12, 100)                                         \
	"q1 OK [READ-WRITE]\r\n" ITEM(1, 10, "\\Seen $Label", "one", 5) \
		ITEM(2, 11, "", "two", 7) "q2 OK\r\n"

static void first_look(void)
{
	struct scene s;
	const struct mail_item *i;
	size_t count;

	folder_clean();
	begin(&s, FIRST, true);
	assert_int_equal(look(&s), 0);
	i = mailbox_items(s.b, &count);
	assert_int_equal(count, 2);
	assert_int_equal(i[0].uid, 10);
	assert_int_equal(i[0].flags, IMAP_FLAG_SEEN);
	assert_string_equal(i[0].keywords, "$Label");
	assert_string_equal(i[0].from, "J\xc3\xb6rg <joe@x.org>");
	assert_string_equal(i[0].to, "ann@x.org, bob@x.org");
	assert_string_equal(i[0].subject, "one");
	assert_string_equal(i[0].msgid, "<10@x.org>");
	assert_true(i[0].sent_us < i[0].date_us);
	assert_int_equal(i[1].size, 7);
	assert_false(i[1].asks || i[1].attachments || i[1].encrypted || i[1].is_signed);
	assert_string_equal(buf_str(&s.sent),
		"q1 SELECT \"INBOX\" (CONDSTORE)\r\nq2 UID FETCH 1:* " ITEM_DETAILS "\r\n");
	end(&s);
}

static void test_second_look(void **state)
{
	struct scene s;
	size_t count;

	(void)state;
	first_look();
	/* One is gone, the other has another flag, a new one is there: all in one round trip. */
	begin(&s,
		SELECTED(2, 5, 14, 120) "* VANISHED (EARLIER) 1:10\r\n"
					"* 1 FETCH (UID 11 FLAGS (\\Flagged) MODSEQ (119))\r\n"
					"q1 OK [READ-WRITE]\r\n" ITEM(
						2, 13, "", "three", 9) "q2 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	(void)mailbox_items(s.b, &count);
	assert_int_equal(count, 2);
	assert_null(mailbox_item(s.b, 10));
	assert_int_equal(mailbox_item(s.b, 11)->flags, IMAP_FLAG_FLAGGED);
	assert_string_equal(mailbox_item(s.b, 11)->subject, "two");
	assert_string_equal(mailbox_item(s.b, 13)->subject, "three");
	assert_string_equal(buf_str(&s.sent),
		"q1 SELECT \"INBOX\" (QRESYNC (5 100))\r\nq2 UID FETCH 12:* " ITEM_DETAILS "\r\n");
	end(&s);
	/* And a third, from what was kept of the second. */
	begin(&s, SELECTED(2, 5, 14, 120) "q1 OK\r\n" ITEM(2, 13, "", "three", 9) "q2 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	(void)mailbox_items(s.b, &count);
	assert_int_equal(count, 2);
	assert_non_null(strstr(buf_str(&s.sent), "(QRESYNC (5 120))"));
	assert_non_null(strstr(buf_str(&s.sent), "UID FETCH 14:*"));
	end(&s);
}

static void test_another_validity(void **state)
{
	struct scene s;
	size_t count;

	(void)state;
	first_look();
	begin(&s, SELECTED(1, 6, 3, 200) "q1 OK\r\n" ITEM(1, 2, "", "new", 3) "q2 OK\r\n", true);
	assert_int_equal(look(&s), 0);
	(void)mailbox_items(s.b, &count);
	assert_int_equal(count, 1);
	assert_string_equal(mailbox_item(s.b, 2)->subject, "new");
	end(&s);
}

/* The server's numbers do not fit ours: everything is compared. */
static void test_wrong_count(void **state)
{
	struct scene s;
	size_t count;

	(void)state;
	first_look();
	begin(&s,
		SELECTED(2, 5, 12, 130) "q1 OK\r\n" ITEM(
			2, 11, "", "two", 7) "q2 OK\r\n"
					     "* 1 EXISTS\r\nq3 OK\r\n"
					     "* 1 FETCH (UID 11 FLAGS (\\Seen))\r\nq4 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	assert_int_equal(mailbox_refresh(s.b), 0);
	(void)mailbox_items(s.b, &count);
	assert_int_equal(count, 1);
	assert_int_equal(mailbox_item(s.b, 11)->flags, IMAP_FLAG_SEEN);
	assert_non_null(strstr(buf_str(&s.sent), "q4 UID FETCH 1:* (UID FLAGS)"));
	end(&s);
}

static void test_old_server(void **state)
{
	struct scene s;
	size_t count;

	(void)state;
	folder_clean();
	begin(&s,
		"* 2 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 12] x\r\nq1 OK\r\n" ITEM(
			1, 10, "", "one", 5) ITEM(2, 11, "", "two", 7) "q2 OK\r\n* 1 EXPUNGE\r\nq3 "
								       "OK\r\n",
		false);
	assert_int_equal(look(&s), 0);
	assert_int_equal(mailbox_refresh(s.b), 0);
	(void)mailbox_items(s.b, &count);
	assert_int_equal(count, 1);
	assert_non_null(mailbox_item(s.b, 11));
	end(&s);
	/* What is known is compared by flags. */
	begin(&s,
		"* 1 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\nq1 OK\r\n" ITEM(1, 11, "", "two",
			7) "q2 OK\r\n* 1 FETCH (UID 11 FLAGS (\\Draft))\r\nq3 OK\r\n",
		false);
	assert_int_equal(look(&s), 0);
	assert_int_equal(mailbox_item(s.b, 11)->flags, IMAP_FLAG_DRAFT);
	end(&s);
}

/* -- files ------------------------------------------------------------------------------------- */

/* Calls for every file below mail/. */
static unsigned damage(const char *only)
{
	char path[600], sub[300];
	unsigned count = 0;
	DIR *top;
	const struct dirent *e;

	(void)snprintf(path, sizeof path, "%s/mail", folder);
	top = opendir(path);
	assert_non_null(top);
	while ((e = readdir(top)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(sub, sizeof sub, "%s/mail/%.100s", folder, e->d_name);
		(void)snprintf(path, sizeof path, "%s/%s", sub, only);
		if (access(path, F_OK) != 0)
			continue;
		assert_int_equal(truncate(path, 20), 0);
		count++;
	}
	(void)closedir(top);
	return count;
}

static void test_damaged_index(void **state)
{
	struct scene s;

	(void)state;
	first_look();
	assert_int_equal(damage("index"), 1);
	begin(&s, FIRST, true);
	assert_int_equal(look(&s), 0);
	assert_non_null(strstr(buf_str(&s.sent), "(CONDSTORE)"));
	end(&s);
}

#define BODY(uid, text, size) "* 1 FETCH (UID " #uid " BODY[] {" #size "}\r\n" text ")\r\n"

static void test_bodies(void **state)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(1000);
	struct scene s;

	(void)state;
	folder_clean();
	begin(&s, FIRST BODY(11, "wrong\r\n", 7) BODY(10, "five\n", 5) "q3 OK\r\nq4 OK\r\n", true);
	assert_int_equal(look(&s), 0);
	assert_int_equal(mailbox_message(s.b, 10, &b), 0);
	assert_string_equal(buf_str(&b), "five\n");
	/* Gone, and never there. */
	assert_int_equal(mailbox_message(s.b, 11, &b), -ENOENT);
	assert_int_equal(mailbox_message(s.b, 12, &b), -ENOENT);
	/* From the file: without a word to the server, who has nothing more to say. */
	buf_reset(&b);
	assert_int_equal(mailbox_message(s.b, 10, &b), 0);
	assert_string_equal(buf_str(&b), "five\n");
	end(&s);
	/* Cut, it is asked for again. */
	(void)damage("5-10");
	begin(&s,
		SELECTED(2, 5, 12, 100) "q1 OK\r\n" ITEM(2, 11, "", "two", 7) "q2 OK\r\n" BODY(
			10, "five\n", 5) "q3 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	buf_reset(&b);
	assert_int_equal(mailbox_message(s.b, 10, &b), 0);
	assert_string_equal(buf_str(&b), "five\n");
	end(&s);
}

/* -- acts -------------------------------------------------------------------------------------- */

static void test_acts(void **state)
{
	const uint32_t both[] = {11, 10}, one = 10;
	_cleanup_(buf_done) struct buf uids = BUF_INIT(1000), words = BUF_INIT(1000);
	char *typed[] = {(char *)(uintptr_t) "a\"b", NULL};
	struct scene s;
	size_t count;

	(void)state;
	folder_clean();
	begin(&s,
		FIRST
		"* 1 FETCH (UID 10 FLAGS (\\Seen \\Flagged) MODSEQ (101))\r\n"
		"q3 OK [HIGHESTMODSEQ 101]\r\n* ESEARCH (TAG \"q4\") UID ALL 1:10,4000\r\nq4 OK\r\n"
		"q5 NO [TRYCREATE] no such\r\nq6 OK\r\n* VANISHED 10\r\nq7 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	assert_int_equal(mailbox_flag(s.b, both, 2, IMAP_FLAG_FLAGGED, true), 0);
	assert_int_equal(mailbox_item(s.b, 10)->flags, IMAP_FLAG_SEEN | IMAP_FLAG_FLAGGED);
	mailbox_criteria(&words, typed, 1);
	assert_int_equal(mailbox_search(s.b, buf_span(&words), &uids), 0);
	assert_int_equal(uids.len, sizeof one);
	assert_memory_equal(uids.p, &one, sizeof one);
	buf_reset(&s.sent);
	assert_int_equal(mailbox_move(s.b, &one, 1, "Old & new"), 0);
	assert_string_equal(buf_str(&s.sent),
		"q5 UID MOVE 10 \"Old & new\"\r\nq6 CREATE \"Old & new\"\r\n"
		"q7 UID MOVE 10 \"Old & new\"\r\n");
	(void)mailbox_items(s.b, &count);
	assert_int_equal(count, 1);
	end(&s);
}

/* Put there once; and what was selected is selected again. */
static void test_append(void **state)
{
	const struct span message = SPAN_LIT("Message-ID: <new@x>\r\n\r\nhi\r\n");
	struct scene s;

	(void)state;
	folder_clean();
	begin(&s,
		FIRST
		"* OK [CLOSED] x\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 99] x\r\nq3 OK\r\n"
		"* ESEARCH (TAG \"q4\") UID\r\nq4 OK\r\nq5 OK [APPENDUID 99 1]\r\n"
		"* OK [CLOSED] x\r\n" SELECTED(2, 5, 12, 100) "q6 OK\r\n" ITEM(2, 11, "", "two",
			7) "q7 OK\r\n"
			   "* OK [CLOSED] x\r\nq8 OK\r\n* ESEARCH (TAG \"q9\") UID ALL 1\r\nq9 OK\r\n"
			   "* OK [CLOSED] x\r\n" SELECTED(2, 5, 12, 100) "q10 OK\r\nq11 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	buf_reset(&s.sent);
	assert_int_equal(mailbox_append(s.m, "Sent", message, IMAP_FLAG_SEEN), 0);
	assert_non_null(strstr(buf_str(&s.sent),
		"q3 EXAMINE \"Sent\"\r\n"
		"q4 UID SEARCH HEADER Message-ID \"<new@x>\"\r\n"
		"q5 APPEND \"Sent\" (\\Seen) {27+}\r\nMessage-ID: <new@x>\r\n\r\nhi\r\n\r\n"
		"q6 SELECT \"INBOX\" (QRESYNC (5 100))\r\n"));
	assert_non_null(mailbox_item(s.b, 10));
	assert_int_equal(mailbox_append(s.m, "Sent", message, IMAP_FLAG_SEEN), 0);
	assert_int_equal(s.m->tag, 11);
	end(&s);
}

static void test_folders(void **state)
{
	struct mail_folder *f = NULL;
	struct scene s;
	size_t count = 0;

	(void)state;
	begin(&s,
		"* LIST () \"/\" INBOX\r\n* STATUS INBOX (MESSAGES 4 UNSEEN 2 UIDNEXT 9 UIDVALIDITY 5)\r\n"
		"* LIST (\\Sent) \"/\" \"Gesendet \xc3\xbc\"\r\n* LIST (\\Noselect) \"/\" \"a\"\r\nq1 OK\r\n",
		true);
	buf_add_str(&s.m->caps, "LIST-STATUS SPECIAL-USE ");
	assert_int_equal(mail_folders(s.m, &f, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(f[0].unseen, 2);
	assert_false(f[2].selectable);
	assert_ptr_equal(mail_folder_find(f, count, "\\Sent", "Sent"), &f[1]);
	assert_string_equal(f[1].name, "Gesendet \xc3\xbc");
	mail_folders_free(f, count);
	end(&s);
}

/* Whatever a server says, what is kept stays bounded and clean. */
static void test_hostile(void **state)
{
	struct scene s;
	size_t count;

	(void)state;
	folder_clean();
	begin(&s,
		"* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 4294967295] x\r\n"
		"q1 OK\r\n* 1 FETCH (UID 4294967295 FLAGS (\\Seen) ENVELOPE NIL)\r\n"
		"* 1 FETCH (UID 0 FLAGS ())\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH\r\n"
		"* 9 FETCH (UID 9 FLAGS () ENVELOPE (NIL {9}\r\na\r\nb\x1b[31m ((NIL NIL {5}\r\nx\r\n>y "
		"\"h\")) NIL) BODYSTRUCTURE (((((NIL))))))\r\n"
		"* VANISHED 1:*\r\n* VANISHED nonsense\r\n* 99 EXPUNGE\r\n* FETCH 1 2\r\nq2 OK\r\n"
		"q3 OK\r\nq4 OK\r\nq5 OK\r\n",
		true);
	assert_int_equal(look(&s), 0);
	(void)mailbox_items(s.b, &count);
	assert_true(count <= 2);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_look),
		cmocka_unit_test(test_another_validity),
		cmocka_unit_test(test_wrong_count),
		cmocka_unit_test(test_old_server),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
