/*
 * Who may say what on the control connection: the door before TLS, the gate before log-in, log-in
 * by password and by certificate, sign-up, REIN, and what ends a session.
 */
#include "tests/unit/lib/ftpd_talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct row {
	const char *line;
	const char *codes;
};

/* -- before TLS -------------------------------------------------------------------------------- */

static void test_clear_commands(void **state)
{
	static const struct row rows[] = {
		{"FEAT\r\n", "211"},
		{"noop\r\n", "200"},
		{"SYST\n", "215"},
		{"HELP\r\n", "214"},
		{"USER ann\r\n", "530"},
		{"PASS x\r\n", "530"},
		{"STOR x\r\n", "530"},
		{"EPSV\r\n", "530"},
		{"XYZZY\r\n", "530"},
		{"\r\n", "500"},
		{"AUTH\r\n", "504"},
		{"AUTH GSSAPI\r\n", "504"},
		{"QUIT\r\n", "221"},
	};
	struct ftpd_talk *t = *state;
	char expected[32];

	t->door.starttls = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(expected, sizeof(expected), "220 %s", rows[i].codes);
		assert_string_equal(ftpd_talk_clear(t, rows[i].line), expected);
		assert_int_equal(t->result, 1);
	}
	(void)ftpd_talk_clear(t, "FEAT\r\n");
	assert_true(ftpd_talk_heard(t, "\r\n AUTH TLS\r\n"));
}

static void test_auth_leads_to_the_handshake(void **state)
{
	static const char *const ways[] = {
		"AUTH TLS\r\n", "auth tls\r\n", "AUTH SSL\r\n", "AUTH TLS-C\r\n"};
	struct ftpd_talk *t = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		assert_string_equal(ftpd_talk_clear(t, ways[i]), "220 234");
		assert_int_equal(t->result, 0);
	}
}

static void test_nothing_slips_in_behind_auth(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk_clear(t, "AUTH TLS\r\nUSER ann\r\n"), "220 421");
	assert_int_equal(t->result, 1);
	assert_string_equal(t->reason, "bytes in clear behind AUTH");
	/* Not even the beginning of a handshake. */
	assert_string_equal(ftpd_talk_clear(t, "AUTH TLS\r\n\x16\x03\x01"), "220 421");
}

static void test_clear_ends(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk_clear(t, "A\nUSER\nB\nC\nD\nE\nF\nG\nH\nI\nNOOP\n"),
		"220 530 530 530 530 530 530 530 530 530 530 421");
	assert_string_equal(ftpd_talk_clear(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "220 421");
	assert_string_equal(t->reason, "another protocol");
	assert_string_equal(ftpd_talk_clear(t, "\r\rNOOP\r\nNOOP\r\n"), "220 500 200");
}

/* -- the gate ---------------------------------------------------------------------------------- */

static void test_gate_before_log_in(void **state)
{
	static const struct row rows[] = {
		{"XYZZY\r\n", "500"},
		{"\r\n", "500"},
		{" NOOP\r\n", "500"},
		{"SMNT x\r\n", "502"},
		{"MIC x\r\n", "502"},
		{"LIST\r\n", "530"},
		{"CWD\r\n", "530"}, /* what is missing is told to those who may */
		{"EPSV\r\n", "530"},
		{"SIZE x\r\n", "530"},
		{"SITE RMTREE x\r\n", "530"},
		{"SITE XYZZY\r\n", "500"},
		{"STAT /shared\r\n", "530"},
		{"STAT\r\n", "211"},
		{"FEAT\r\n", "211"},
		{"FEAT x\r\n", "501"},
		{"USER\r\n", "501"},
		{"USER \r\n", "501"},
		{"PASS x\r\n", "503"},
		{"ACCT x\r\n", "202"},
		{"AUTH TLS\r\n", "503"},
		{"CCC\r\n", "534"},
		{"HELP\r\n", "214"},
		{"HELP STOR\r\n", "214"},
		{"HELP SITE\r\n", "214"},
		{"SITE HELP\r\n", "214"},
		{"HELP XYZZY\r\n", "504"},
		{"OPTS UTF8 ON\r\n", "200"},
		{"OPTS UTF8 OFF\r\n", "504"},
		{"OPTS XYZZY\r\n", "501"},
		{"CLNT x\r\n", "200"},
		{"ABOR\r\n", "226"},
		{"\xff\xf4\xff\xf2"
		 "ABOR\r\n",
			"226"},
		{"QUIT\r\n", "221"},
	};
	struct ftpd_talk *t = *state;
	char expected[32];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(expected, sizeof(expected), "220 %s", rows[i].codes);
		assert_string_equal(ftpd_talk(t, rows[i].line), expected);
		assert_int_equal(t->result, 0);
		assert_int_equal(t->commands, 1);
	}
}

static void test_protection(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk(t, "PROT P\r\nPROT C\r\nPROT S\r\nPROT E\r\nPROT X\r\n"),
		"220 200 534 536 536 504");
	t->door.starttls = true;
	assert_string_equal(
		ftpd_talk(t, "PROT P\r\nPBSZ x\r\nPBSZ 0\r\nPROT P\r\n"), "503 501 200 200");
	/* On that door nothing goes over data connections before it. */
	t->upload = SPAN_LIT("x");
	assert_string_equal(ftpd_talk(t,
				    "USER ann\r\nPASS " AUTH_PASSWORD_TEXT
				    "\r\nEPSV\r\nSTOR p\r\nPBSZ 0\r\nPROT P\r\nSTOR p\r\n"),
		"331 230 229 521 200 200 150 226");
}

/* -- log-in ------------------------------------------------------------------------------------ */

static void test_password(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk(t,
				    "USER ANN\r\nPASS " AUTH_PASSWORD_TEXT
				    "\r\nPWD\r\nUSER ann\r\nUSER bob\r\nPASS x\r\nHOST x\r\n"),
		"220 331 230 257 230 530 202 503");
	assert_true(ftpd_talk_heard(t, "257 \"/shared\" "));
	assert_true(ftpd_talk_heard(t, "230 Welcome, ann. "));
	assert_true(ftpd_talk_heard(t, "REIN"));
}

static void test_refused_passwords(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk(t,
				    "USER ann\r\nPASS wrong\r\nPASS " AUTH_PASSWORD_TEXT
				    "\r\nLIST\r\nUSER no such name!\r\nPASS x\r\n"),
		"220 331 530 503 530 331 530");
	auth_fixture_flags(t->auth, "bob", ACCOUNT_LOCKED, 0);
	assert_string_equal(ftpd_talk(t, "USER bob\r\nPASS " AUTH_PASSWORD_TEXT "\r\nLIST\r\n"),
		"220 331 530 530");
	auth_fixture_flags(t->auth, "bob", ACCOUNT_HOST, ACCOUNT_LOCKED);
	assert_string_equal(ftpd_talk(t, "USER bob\r\nPASS " AUTH_PASSWORD_TEXT "\r\nLIST\r\n"),
		"220 331 530 530");
	auth_fixture_flags(t->auth, "bob", 0, ACCOUNT_HOST);
	/* Nothing is in the replies that tells these apart. */
	assert_true(ftpd_talk_heard(t, "530 Name or password is wrong.\r\n"));
}

static void test_who_tries_too_often_has_to_call_again(void **state)
{
	struct ftpd_talk *t = *state;

	auth_fixture_policy(t->auth, "throttle_account", "2");
	assert_string_equal(
		ftpd_talk(t,
			"USER eve\nPASS 1\nUSER eve\nPASS 2\nUSER eve\nPASS 3\nUSER eve\n"
			"PASS 4\nUSER eve\nPASS 5\nUSER eve\nNOOP\n"),
		"220 331 530 331 530 331 530 331 530 331 421");
	assert_string_equal(t->reason, "too many refused log-ins");
	assert_true(ftpd_talk_heard(t, " seconds.\r\n"));
	auth_fixture_policy(t->auth, "throttle_account", "");
}

static void test_certificate(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk_as_ann(t, "PWD\r\nSTAT\r\n"), "257 211");
	assert_true(ftpd_talk_heard(t, " Logged in as ann by certificate\r\n"));
}

static void test_host(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk(t,
				    "HOST Example.ORG\r\nHOST files.example.org\r\n"
				    "HOST example.com\r\nUSER ann\r\nHOST example.org\r\n"),
		"220 220 220 504 331 503");
}

static void test_sign_up(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk(t, "SITE REGISTER carl a-good-long-word\r\n"), "220 530");
	auth_fixture_policy(t->auth, "signup", "closed");
	assert_string_equal(ftpd_talk(t, "SITE REGISTER carl a-good-long-word\r\n"), "220 550");
	auth_fixture_policy(t->auth, "signup", "open");
	assert_string_equal(
		ftpd_talk(t,
			"SITE REGISTER\r\nSITE REGISTER carl\r\nSITE REGISTER carl a b c d\r\n"
			"SITE REGISTER 1x a-good-long-word\r\n"
			"SITE REGISTER root a-good-long-word\r\n"
			"SITE REGISTER ann a-good-long-word\r\n"
			"SITE REGISTER carl a-good-long-word\r\n"
			"USER carl\r\nPASS a-good-long-word\r\n"
			"SITE REGISTER dora a-good-long-word\r\n"),
		"220 501 501 501 501 501 553 200 331 230 503");
	assert_true(ftpd_talk_heard(t, "501 No account was made: this name is reserved.\r\n"));
}

static void test_rein(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(
		ftpd_talk_as_ann(t,
			"CWD /home/ann\r\nEPSV ALL\r\nREIN\r\nPWD\r\nUSER bob\r\nPASS " AUTH_PASSWORD_TEXT
			"\r\nPWD\r\nCWD /home/ann\r\nREIN\r\n"
			"USER ann\r\nPWD\r\n"),
		"250 200 220 530 331 230 257 550 220 232 257");
	t->door.starttls = true;
	t->upload = SPAN_LIT("x");
	assert_string_equal(ftpd_talk(t, "PBSZ 0\r\nPROT P\r\nREIN\r\nPROT P\r\nUSER ann\r\n"),
		"200 200 220 503 331");
}

/* -- ends -------------------------------------------------------------------------------------- */

static void test_bad_commands_end_it(void **state)
{
	struct ftpd_talk *t = *state;

	assert_string_equal(ftpd_talk(t, "A\nB\nC\nD\nE\nF\nG\nH\nI\nNOOP\nA\nB\nNOOP\n"),
		"220 500 500 500 500 500 500 500 500 500 200 500 500 200");
	assert_string_equal(ftpd_talk(t, "A\nB\nLIST\nFEAT x\n\nE\nF\nG\nH\nI\nNOOP\n"),
		"220 500 500 530 501 500 500 500 500 500 500 421");
	assert_string_equal(t->reason, "too many bad commands");
}

static void test_foreign_protocols_end_it(void **state)
{
	static const char *const words[] = {"GET / HTTP/1.1\r\nNOOP\r\n",
		"POST /x HTTP/1.0\r\nNOOP\r\n", "EHLO mail\r\nNOOP\r\n", "SSH-2.0-x\r\nNOOP\r\n"};
	struct ftpd_talk *t = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_string_equal(ftpd_talk(t, words[i]), "220 421");
		assert_string_equal(t->reason, "another protocol");
	}
}

static void test_long_and_broken_lines(void **state)
{
	struct ftpd_talk *t = *state;
	size_t len = 300000;
	char *lines = malloc(len + 16);

	assert_non_null(lines);
	memset(lines, 'x', len);
	memcpy(lines + len, "\r\nNOOP\r\n", 9);
	for (size_t step = 0; step < 5000; step += 1021)
		for (size_t cut = 0; cut < len; cut += len - FTP_LINE_MAX - 1) {
			t->step = step;
			assert_string_equal(ftpd_talk(t, lines + cut), "220 500 200");
		}
	free(lines);
	t->step = 0;
	assert_string_equal(ftpd_talk(t, "NO\rOP\r\nNOOP\r\n"), "220 500 200");
	/* A line without an end is cut off, not run. */
	assert_string_equal(ftpd_talk(t, "NOOP\r\nQUIT"), "220 200");
	assert_int_equal(t->result, -ECONNRESET);
}

/* What comes byte by byte takes longer than the log-in's last moments. */
static void test_no_time_by_rein(void **state)
{
	static char lines[900000] = "REIN\r\n";
	struct ftpd_talk *t = *state;

	memset(lines + 6, 'x', sizeof(lines) - 7);
	t->age_ms = 59900;
	t->step = 1;
	assert_string_equal(ftpd_talk(t, lines), "220 220 500 421");
	assert_string_equal(t->reason, "no log-in in time");
}

static void test_clocks(void **state)
{
	struct ftpd_talk *t = *state;

	t->age_ms = 61000;
	assert_string_equal(ftpd_talk(t, ""), "220 421");
	assert_string_equal(t->reason, "no log-in in time");
	assert_int_equal(t->result, 0);
	t->age_ms = 0;
	t->door.idle_s = 0;
	assert_string_equal(ftpd_talk_as_ann(t, "PWD\r\n"), "257 421");
	assert_string_equal(t->reason, "idle");
}

static int reset(void **state)
{
	ftpd_talk_reset(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_clear_commands, reset),
		cmocka_unit_test_setup(test_auth_leads_to_the_handshake, reset),
		cmocka_unit_test_setup(test_nothing_slips_in_behind_auth, reset),
		cmocka_unit_test_setup(test_clear_ends, reset),
		cmocka_unit_test_setup(test_gate_before_log_in, reset),
		cmocka_unit_test_setup(test_protection, reset),
		cmocka_unit_test_setup(test_password, reset),
		cmocka_unit_test_setup(test_certificate, reset),
		cmocka_unit_test_setup(test_host, reset),
		cmocka_unit_test_setup(test_rein, reset),
		cmocka_unit_test_setup(test_sign_up, reset),
		cmocka_unit_test_setup(test_refused_passwords, reset),
		cmocka_unit_test_setup(test_bad_commands_end_it, reset),
		cmocka_unit_test_setup(test_foreign_protocols_end_it, reset),
		cmocka_unit_test_setup(test_long_and_broken_lines, reset),
		cmocka_unit_test_setup(test_no_time_by_rein, reset),
		cmocka_unit_test_setup(test_clocks, reset),
		cmocka_unit_test_setup(test_who_tries_too_often_has_to_call_again, reset),
	};

	return cmocka_run_group_tests(tests, ftpd_talk_setup, ftpd_talk_teardown);
}
