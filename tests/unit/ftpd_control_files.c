/*
 * The control connection after log-in: names and replies about them, what is kept for the next
 * command and what is forgotten, and the order of lines and transfers, whole and in pieces.
 */
#include "tests/unit/lib/ftpd_talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define PUT(name) "EPSV\r\nSTOR " name "\r\n"

/* -- names ------------------------------------------------------------------------------------- */

static void test_folders(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(
		ftpd_talk_as_ann(t,
			"MKD a\r\nMKD a\r\nMKD a/b\r\nCWD a\r\nPWD\r\nCDUP\r\nXPWD\r\nCWD nothing\r\n"
			"CWD /\r\nCDUP\r\nPWD\r\nMKD x\r\nRMD /shared/a\r\nRMD /shared/a/b\r\n"
			"RMD /shared/a\r\nRMD /shared\r\nCWD /home/bob\r\nCWD ../../etc\r\n"),
		"257 553 257 250 257 250 257 550 250 250 257 550 550 250 250 550 550 550");
	assert_true(ftpd_talk_heard(t, "\r\n257 \"/shared/a/b\" is made.\r\n"));
	assert_true(ftpd_talk_heard(t, "\r\n257 \"/\" "));
}

static void test_paths_are_quoted(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk_as_ann(t,
				    "CWD /home/ann\r\nMKD say \"hi\"\r\nCWD say \"hi\"\r\n"
				    "PWD\r\nCDUP\r\nRMD say \"hi\"\r\n"
				    "MKD gr\xc3\xbc\xc3\x9f\r\nRMD gr\xc3\xbc\xc3\x9f\r\n"),
		"250 257 250 257 250 250 257 250");
	assert_true(
		ftpd_talk_heard(t, "\r\n257 \"/home/ann/say \"\"hi\"\"\" is where you are.\r\n"));
	assert_true(ftpd_talk_heard(t, "\r\n257 \"/home/ann/gr\xc3\xbc\xc3\x9f\" is made.\r\n"));
}

static void test_names_that_cannot_be(void **state)
{
	static const char *const lines[] = {"MKD a\tb\r\n", "MKD a\x1b[2J\r\n", "MKD \xff\xfe\r\n",
		"MKD .quintet-x\r\n", "MKD \xc2\x85\r\n", "STOR \x7f\r\n", "RNTO a\x01\r\n",
		"SITE DROP a\x02\r\n", "MFMT 20200101000000 a\x03\r\n"};
	struct ftpd_talk *t = *state;
	char text[700] = "MKD ";

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_string_equal(ftpd_talk_as_ann(t, lines[i]), "553");
		for (size_t at = 0; at < t->said.len; at++)
			assert_true(t->said.p[at] >= 0x20 || t->said.p[at] == '\r' ||
				t->said.p[at] == '\n');
	}
	memset(text + 4, 'x', 256);
	memcpy(text + 260, "\r\n", 3);
	assert_string_equal(ftpd_talk_as_ann(t, text), "553");
}

static void test_facts_of_files(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("hello");
	assert_string_equal(
		ftpd_talk_as_ann(t,
			"CWD /home/ann\r\n" PUT(
				"f") "SIZE f\r\nMFMT 20011224180000 f\r\n"
				     "MDTM f\r\nMFMT x f\r\nMFMT 20011224180000\r\nMLST f\r\n"
				     "OPTS MLST size;type;x\r\nMLST f\r\nMLST\r\nMLST g\r\nSIZE g\r\n"
				     "SIZE .\r\nSTAT f\r\nSTAT -l\r\nDELE f\r\nDELE f\r\nRMD f\r\n"),
		"250 229 150 226 213 213 213 501 501 250 200 250 250 550 550 550 213 211 250 550 550");
	assert_true(ftpd_talk_heard(t,
		"\r\n213 5\r\n213 Modify=20011224180000; /home/ann/f\r\n"
		"213 20011224180000\r\n"));
	assert_true(ftpd_talk_heard(t,
		"\r\n200 MLST OPTS type;size;\r\n250-Facts:\r\n"
		" type=file;size=5; /home/ann/f\r\n250 End\r\n"));
	assert_true(ftpd_talk_heard(t, "\r\n -rw"));
}

static void test_rename(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("x");
	assert_string_equal(
		ftpd_talk_as_ann(t,
			"CWD /home/ann\r\n" PUT(
				"a") "RNTO b\r\nRNFR nothing\r\nRNTO b\r\n"
				     "RNFR a\r\nRNTO b\r\nRNTO c\r\nRNFR b\r\nCWD .\r\nRNTO c\r\n"
				     "RNFR b\r\nNOOP\r\nRNTO c\r\nDELE c\r\n"),
		"250 229 150 226 503 550 503 350 250 503 350 250 503 350 200 250 250");
}

static void test_room(void **state)
{
	struct ftpd_talk *t = *state;

	auth_fixture_policy(t->auth, "files_quota", "1M");
	t->upload = SPAN_LIT("x");
	assert_string_equal(
		ftpd_talk_as_ann(t,
			"CWD /home/ann\r\nAVBL\r\nALLO 100\r\nALLO 1048577\r\nALLO x\r\n"
			"ALLO 100 R 10\r\nALLO 9223372036854775808\r\n" PUT(
				"q") "AVBL\r\nDELE q\r\n"),
		"250 213 200 552 501 200 501 229 150 226 213 250");
	assert_true(ftpd_talk_heard(t, "\r\n213 1048576\r\n"));
	assert_true(ftpd_talk_heard(t, "\r\n213 1048575\r\n"));
	auth_fixture_policy(t->auth, "files_quota", "0");
	assert_string_equal(ftpd_talk_as_ann(t, "ALLO 9223372036854775807\r\n"), "452");
	auth_fixture_policy(t->auth, "files_quota", "");
}

/* -- for the next command ---------------------------------------------------------------------- */

static void assert_download(const struct ftpd_talk *t, const char *bytes)
{
	assert_string_equal(buf_str(&t->download), bytes);
}

static void test_rest_is_for_one_transfer(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("0123456789");
	(void)ftpd_talk_as_ann(t, "CWD /home/ann\r\n" PUT("r"));
	t->upload = SPAN_LIT("");
	assert_string_equal(ftpd_talk_as_ann(t,
				    "CWD /home/ann\r\nREST 7\r\nEPSV\r\nTYPE I\r\nRETR r\r\n"
				    "EPSV\r\nRETR r\r\n"),
		"250 350 229 200 150 226 229 150 226");
	assert_download(t, "7890123456789");
	/* What is no transfer and no preparation of one ends it. */
	assert_string_equal(ftpd_talk_as_ann(t, "REST 7\r\nCWD /home/ann\r\nEPSV\r\nRETR r\r\n"),
		"350 250 229 150 226");
	assert_download(t, "0123456789");
	assert_string_equal(ftpd_talk_as_ann(t,
				    "CWD /home/ann\r\nRANG 2 4\r\nEPSV\r\nRETR r\r\nRANG 2 4\r\n"
				    "RANG 1 0\r\nEPSV\r\nRETR r\r\nRANG 2 4\r\nREST 8\r\nEPSV\r\n"
				    "RETR r\r\nREST 8\r\nRANG 0 0\r\nEPSV\r\nRETR r\r\n"),
		"250 350 229 150 226 350 350 229 150 226 350 350 229 150 226 350 350 229 150 226");
	assert_download(t,
		"234"
		"0123456789"
		"89"
		"0");
	assert_string_equal(ftpd_talk_as_ann(t,
				    "REST 11\r\nEPSV\r\nRETR /home/ann/r\r\n"
				    "REST x\r\nRANG 4 2\r\nRANG x\r\n"),
		"350 229 554 501 501 501");
}

static void test_rmtree_is_asked_twice(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("x");
	assert_string_equal(
		ftpd_talk_as_ann(t,
			"CWD /home/ann\r\nMKD d\r\nMKD d/e\r\n" PUT(
				"d/e/f") "SITE RMTREE d\r\nPWD\r\nCWD .\r\nSITE RMTREE d\r\n"
					 "SITE RMTREE d\r\nCWD d\r\n"),
		"250 257 257 229 150 226 350 257 250 350 250 550");
}

/* -- lines and transfers ----------------------------------------------------------------------- */

/* What waits, waits for as long as the peer has something to say: bytes that nobody reads. */
#define PATIENCE                                                                        \
	"PWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\n" \
	"PWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\n" \
	"PWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\nPWD\r\n"

static void test_lines_keep_their_order(void **state)
{
	static const char lines[] =
		"CWD /home/ann\r\nEPSV\r\nSTOR o\r\nSIZE o\r\nEPSV\r\n"
		"RETR o\r\nPWD\r\nEPSV\r\nMLSD\r\nHASH o\r\nDELE o\r\nQUIT\r\n" PATIENCE;
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("order");
	for (size_t step = 0; step < 100; step += step < 8 ? 1 : 13)
		for (int waits = 0; waits < 6; waits = waits * 4 + 1) {
			t->step = step;
			t->connect_waits = step > 0 && step < 8 ? waits : 0;
			t->secure_waits = t->connect_waits / 2;
			assert_string_equal(ftpd_talk_as_ann(t, lines),
				"250 229 150 226 213 229 150 226 257 229 150 226 213 250 221");
			assert_int_equal(t->result, 0);
			assert_string_equal(t->reason, "quit");
			assert_memory_equal(buf_str(&t->download), "order", 5);
		}
}

static void test_urgent_lines_do_not_wait(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("urgent");
	t->step = 5;
	t->secure_waits = 10;
	assert_string_equal(
		ftpd_talk_as_ann(t,
			"CWD /home/ann\r\n" PUT("u") "NOOP\r\nSTAT\r\nSIZE u\r\nQUIT\r\n" PATIENCE),
		"250 229 150 200 211 226 213 221");
	assert_true(ftpd_talk_heard(t, " STOR /home/ann/u: 0 bytes in 0 s"));
	/* Behind one that waits they wait as well. */
	assert_string_equal(ftpd_talk_as_ann(t,
				    "CWD /home/ann\r\n" PUT(
					    "u") "SIZE u\r\nNOOP\r\nDELE u\r\nQUIT\r\n" PATIENCE),
		"250 229 150 226 213 200 250 221");
}

static void test_abort(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("aborted");
	t->step = 3;
	for (int waits = 0; waits < 2; waits++) {
		t->connect_waits = waits == 0 ? 200 : 0;
		t->secure_waits = waits == 0 ? 0 : 200;
		assert_string_equal(
			ftpd_talk_as_ann(t,
				"CWD /home/ann\r\n" PUT("x") "ABOR\r\n"
							     "SIZE x\r\nABOR\r\nQUIT\r\n"),
			waits == 0 ? "250 229 426 226 550 226 221"
				   : "250 229 150 426 226 550 226 221");
	}
}

static void test_end_of_input_completes_the_transfer(void **state)
{
	struct ftpd_talk *t = *state;

	t->upload = SPAN_LIT("completed");
	t->connect_waits = 0;
	assert_string_equal(ftpd_talk_as_ann(t, "CWD /home/ann\r\n" PUT("c")), "250 229 150 226");
	assert_int_equal(t->result, 0);
	assert_string_equal(t->reason, "end of input");
	/* But what never comes is not awaited for ever. */
	t->connect_waits = INT32_MAX;
	assert_string_equal(ftpd_talk_as_ann(t, "CWD /home/ann\r\n" PUT("c2")), "250 229 421");
	t->connect_waits = 0;
	assert_string_equal(ftpd_talk_as_ann(t, "CWD /home/ann\r\nSIZE c\r\nSIZE c2\r\nDELE c\r\n"),
		"250 213 550 250");
}

static void test_a_transfer_wants_an_address(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk_as_ann(t, "LIST\r\nSTOR x\r\nEPSV\r\nABOR\r\nLIST\r\n"),
		"425 425 229 226 425");
}

/* More lines than are run in a row, and more replies than are held. */
static void test_many_lines(void **state)
{
	enum { LINES = 1000 };
	struct ftpd_talk *t = *state;
	char lines[8 * LINES + 1] = "";
	const char *codes;

	for (int i = 0; i < LINES; i++)
		memcpy(lines + 6 * i, "NOOP\r\n", 7);
	t->step = 1000;
	codes = ftpd_talk_as_ann(t, lines);
	assert_int_equal(strlen(codes), 4 * LINES - 1);
	assert_int_equal(t->commands, LINES + 1);
}

static int reset(void **state)
{
	ftpd_talk_reset(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_folders, reset),
		cmocka_unit_test_setup(test_paths_are_quoted, reset),
		cmocka_unit_test_setup(test_names_that_cannot_be, reset),
		cmocka_unit_test_setup(test_facts_of_files, reset),
		cmocka_unit_test_setup(test_rename, reset),
		cmocka_unit_test_setup(test_room, reset),
		cmocka_unit_test_setup(test_rest_is_for_one_transfer, reset),
		cmocka_unit_test_setup(test_rmtree_is_asked_twice, reset),
		cmocka_unit_test_setup(test_lines_keep_their_order, reset),
		cmocka_unit_test_setup(test_urgent_lines_do_not_wait, reset),
		cmocka_unit_test_setup(test_abort, reset),
		cmocka_unit_test_setup(test_end_of_input_completes_the_transfer, reset),
		cmocka_unit_test_setup(test_a_transfer_wants_an_address, reset),
		cmocka_unit_test_setup(test_many_lines, reset),
	};

	return cmocka_run_group_tests(tests, ftpd_talk_setup, ftpd_talk_teardown);
}
