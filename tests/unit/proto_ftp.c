/* FTP's lines and paths: what they mean, and everything that must be refused. */
#include "proto/ftp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_command(void **state)
{
	static const struct {
		const char *line, *verb, *argument;
		bool has;
	} rows[] = {
		{"USER anna", "USER", "anna", true},
		{"user anna", "USER", "anna", true},
		{"NOOP", "NOOP", "", false},
		{"NOOP ", "NOOP", "", true},
		{"STOR  two blanks ", "STOR", " two blanks ", true},
		{"XSHA256 a", "XSHA256", "a", true},
		{"\xff\xf4\xff\xf2"
		 "ABOR",
			"ABOR", "", false},
		{"\xff\xf2"
		 "ABOR",
			"ABOR", "", false},
		{"\xff\xfb\x01"
		 "ABOR x",
			"ABOR", "x", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ftp_command c;

		assert_int_equal(ftp_command_parse(span_str(rows[i].line), &c), 0);
		assert_string_equal(c.verb, rows[i].verb);
		assert_int_equal(c.has_argument, rows[i].has);
		assert_true(span_eq_str(c.argument, rows[i].argument));
	}
}

static void test_no_command(void **state)
{
	static const char *const lines[] = {"", " ", " USER x", "US-ER x", "US\tER", "\xff",
		"\xff\xfb", "ABCDEFGHIJKL", "\xc3\xa4", "USER\x01 x"};
	struct ftp_command c = {.verb = "KEPT"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(ftp_command_parse(span_str(lines[i]), &c), -EINVAL);
	assert_int_equal(ftp_command_parse(span_of("US\0R x", 6), &c), -EINVAL);
	assert_string_equal(c.verb, "KEPT");
}

static void test_foreign(void **state)
{
	(void)state;
	assert_true(ftp_line_is_foreign(SPAN_LIT("GET / HTTP/1.1")));
	assert_true(ftp_line_is_foreign(SPAN_LIT("post /x HTTP/1.0")));
	assert_true(ftp_line_is_foreign(SPAN_LIT("EHLO me")));
	assert_true(ftp_line_is_foreign(SPAN_LIT("Host: localhost")));
	assert_true(ftp_line_is_foreign(SPAN_LIT("SSH-2.0-OpenSSH")));
	assert_false(ftp_line_is_foreign(SPAN_LIT("HOST localhost")));
	assert_false(ftp_line_is_foreign(SPAN_LIT("")));
	assert_false(ftp_line_is_foreign(SPAN_LIT("RETR GET")));
}

static void test_reply(void **state)
{
	struct ftp_reply_line r;
	bool done = false;

	(void)state;
	assert_int_equal(ftp_reply_parse(SPAN_LIT("226 all there"), 0, &r, &done), 0);
	assert_true(done && r.code == 226 && !r.more && span_eq_str(r.text, "all there"));
	assert_int_equal(ftp_reply_parse(SPAN_LIT("226"), 0, &r, &done), 0);
	assert_true(done && r.code == 226 && r.text.len == 0);
	assert_int_equal(ftp_reply_parse(SPAN_LIT("211-Features:"), 0, &r, &done), 0);
	assert_true(!done && r.more && r.code == 211);
	assert_int_equal(ftp_reply_parse(SPAN_LIT(" UTF8"), 211, &r, &done), 0);
	assert_true(!done && r.code == 0 && span_eq_str(r.text, " UTF8"));
	assert_int_equal(ftp_reply_parse(SPAN_LIT("226 other code"), 211, &r, &done), 0);
	assert_true(!done && r.code == 0 && span_eq_str(r.text, "226 other code"));
	assert_int_equal(ftp_reply_parse(SPAN_LIT("211 End"), 211, &r, &done), 0);
	assert_true(done && r.code == 211 && span_eq_str(r.text, "End"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const bad[] = {"", "22 x", "hello"};

		assert_int_equal(ftp_reply_parse(span_str(bad[i]), 0, &r, &done), -EPROTO);
	}
	assert_int_equal(ftp_reply_parse(SPAN_LIT("099 x"), 0, &r, &done), -EPROTO);
	assert_int_equal(ftp_reply_parse(SPAN_LIT("700 x"), 0, &r, &done), -EPROTO);
	assert_int_equal(ftp_reply_parse(SPAN_LIT("226x"), 0, &r, &done), -EPROTO);
}

static void test_quote(void **state)
{
	static const char *const paths[] = {"/", "/a b", "/\"", "/a\"\"b\"", "/\xc3\xa4"};
	char back[FTP_PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct buf b = BUF_INIT((size_t)2 * FTP_PATH_MAX + 16);

		ftp_quote(&b, paths[i]);
		buf_add_str(&b, " is it");
		assert_int_equal(ftp_unquote(buf_span(&b), back), 0);
		assert_string_equal(back, paths[i]);
		buf_done(&b);
	}
	assert_int_equal(ftp_unquote(SPAN_LIT("\"/open"), back), -EPROTO);
	assert_int_equal(ftp_unquote(SPAN_LIT("/bare"), back), -EPROTO);
	assert_int_equal(ftp_unquote(SPAN_LIT(""), back), -EPROTO);
	assert_int_equal(ftp_unquote(SPAN_LIT("\"/a\"\""), back), -EPROTO);
}

static void test_resolve(void **state)
{
	static const struct {
		const char *cwd, *argument, *want;
	} rows[] = {
		{"/shared", "", "/shared"},
		{"/shared", "a", "/shared/a"},
		{"/shared", "./a//b/", "/shared/a/b"},
		{"/shared/a", "..", "/shared"},
		{"/shared", "../../../..", "/"},
		{"/shared", "../home/anna/x", "/home/anna/x"},
		{"/", "a", "/a"},
		{"/shared", "/", "/"},
		{"/shared", "/../x", "/x"},
		{"/shared", "a b \"c\" ", "/shared/a b \"c\" "},
		{"/shared", "...", "/shared/..."},
		{"/shared", "\xc3\xa4", "/shared/\xc3\xa4"},
		{"/shared", "-la", "/shared/-la"},
	};
	char path[FTP_PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			ftp_path_resolve(rows[i].cwd, span_str(rows[i].argument), path), 0);
		assert_string_equal(path, rows[i].want);
	}
}

static void test_resolve_refused(void **state)
{
	static const char *const bad[] = {
		"a\x01", "\x7f", "\xff", "\xc2\x80", ".quintet-x", "a/.quintet-", "a\nb"};
	char path[FTP_PATH_SIZE] = "kept", name[FTP_NAME_MAX + 2];
	struct buf deep = BUF_INIT((size_t)4 * FTP_PATH_MAX);

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(ftp_path_resolve("/", span_str(bad[i]), path), -EINVAL);
	assert_int_equal(ftp_path_resolve("/", span_of("a\0b", 3), path), -EINVAL);
	memset(name, 'n', sizeof(name));
	assert_int_equal(
		ftp_path_resolve("/", span_of(name, FTP_NAME_MAX + 1), path), -ENAMETOOLONG);
	for (size_t i = 0; i <= FTP_PATH_MAX / 2; i++)
		buf_add_str(&deep, "d/");
	assert_int_equal(ftp_path_resolve("/", buf_span(&deep), path), -ENAMETOOLONG);
	assert_string_equal(path, "kept");
	/* Exactly what fits. */
	assert_int_equal(
		ftp_path_resolve("/", span_of(deep.p, 2 * (size_t)(FTP_PATH_MAX / 2)), path), 0);
	assert_int_equal(strlen(path), FTP_PATH_MAX);
	assert_int_equal(ftp_path_resolve("/", span_of(name, FTP_NAME_MAX), path), 0);
	buf_done(&deep);
}

static void test_parts(void **state)
{
	char folder[FTP_PATH_SIZE];

	(void)state;
	assert_string_equal(ftp_path_name("/shared/a"), "a");
	assert_string_equal(ftp_path_name("/"), "");
	ftp_path_folder("/shared/a", folder);
	assert_string_equal(folder, "/shared");
	ftp_path_folder("/shared", folder);
	assert_string_equal(folder, "/");
	ftp_path_folder("/", folder);
	assert_string_equal(folder, "/");
	assert_true(ftp_path_below("/shared/a", "/shared"));
	assert_true(ftp_path_below("/shared", "/shared"));
	assert_true(ftp_path_below("/shared", "/"));
	assert_false(ftp_path_below("/shared2", "/shared"));
	assert_false(ftp_path_below("/share", "/shared"));
}

static void test_never_outside(void **state)
{
	static const char alphabet[] = "./a\"b ";
	unsigned seed = 12345;
	char cwd[FTP_PATH_SIZE] = "/shared", path[FTP_PATH_SIZE], text[24];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		assert_int_equal(ftp_path_resolve(cwd, span_of(text, len), path), 0);
		assert_true(path[0] == '/');
		assert_null(strstr(path, "//"));
		assert_null(strstr(path, "/../"));
		assert_null(strstr(path, "/./"));
		assert_true(strlen(path) == 1 || path[strlen(path) - 1] != '/');
		memcpy(cwd, strlen(path) < 1500 ? path : "/",
			strlen(path) < 1500 ? strlen(path) + 1 : 2);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_no_command),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_resolve_refused),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_never_outside),
	};

	return cmocka_run_group_tests_name("proto_ftp", tests, NULL, NULL);
}
