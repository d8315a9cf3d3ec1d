/* Settings from the environment: defaults, what is derived, what is refused; and small files. */
#include "base/cleanup.h"
#include "service/service.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const names[] = {"QUINTET_DOMAIN", "QUINTET_HOST", "QUINTET_STATE",
	"QUINTET_RUNTIME", "QUINTET_CONF", "QUINTET_CREDENTIALS", "QUINTET_PLAIN_URL",
	"QUINTET_PORT_DAYTIME", "QUINTET_PORT_TIMESTAMP", "QUINTET_PORT_CA",
	"QUINTET_PORT_CA_PLAIN", "QUINTET_ADMIN_USER", "QUINTET_PORT_FTPS", "QUINTET_PORT_FTP",
	"QUINTET_PORT_IRC", "QUINTET_PORT_IMAPS", "QUINTET_PORT_SUBMISSIONS", "QUINTET_FTP_PASSIVE",
	"QUINTET_FTP_ADDRESS", "QUINTET_KEEPER", "CREDENTIALS_DIRECTORY"};

static int clear_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(unsetenv(names[i]), 0);
	/* What is refused is logged: not into the test's output. */
	log_set_level(LOG_LEVEL_ERR - 1);
	return 0;
}

static struct service_settings read_settings(void)
{
	struct service_settings s;

	assert_int_equal(service_settings_read("daytimed", &s), 0);
	return s;
}

static void test_defaults(void **state)
{
	struct service_settings s = read_settings();

	(void)state;
	assert_string_equal(s.domain, "localhost");
	assert_string_equal(s.host, "localhost");
	assert_string_equal(s.state, "/var/lib/quintet");
	assert_string_equal(s.runtime, "/run/quintet");
	assert_string_equal(s.conf, "/etc/quintet");
	assert_string_equal(s.credentials, "/etc/quintet/credentials/daytimed");
	assert_string_equal(s.plain_url, "http://localhost:8080");
	assert_string_equal(s.admin_user, "quintet-admin");
	assert_int_equal(s.port_daytime, 13);
	assert_int_equal(s.port_timestamp, 318);
	assert_int_equal(s.port_ca, 8443);
	assert_int_equal(s.port_ca_plain, 8080);
	assert_int_equal(s.port_ftps, 990);
	assert_int_equal(s.port_ftp, 21);
	assert_int_equal(s.port_irc, 6697);
	assert_int_equal(s.port_imaps, 993);
	assert_int_equal(s.port_submissions, 465);
	assert_int_equal(s.ftp_passive_first, 49152);
	assert_int_equal(s.ftp_passive_last, 65534);
	assert_string_equal(s.ftp_address, "");
	assert_string_equal(s.keeper, "/run/quintet/keeper.sock");
}

static void test_keeper(void **state)
{
	struct service_settings s;

	(void)state;
	setenv("QUINTET_RUNTIME", "runtime", 1);
	s = read_settings();
	assert_string_equal(s.keeper, "runtime/keeper.sock");
	setenv("QUINTET_KEEPER", "elsewhere.sock", 1);
	s = read_settings();
	assert_string_equal(s.keeper, "elsewhere.sock");
	setenv("QUINTET_KEEPER", "none", 1);
	s = read_settings();
	assert_string_equal(s.keeper, "");
	setenv("QUINTET_KEEPER", "", 1);
	assert_int_equal(service_settings_read("daytimed", &s), -EINVAL);
}

static void test_derived(void **state)
{
	struct service_settings s;

	(void)state;
	setenv("QUINTET_DOMAIN", "example.org", 1);
	setenv("QUINTET_CONF", "conf", 1);
	setenv("QUINTET_PORT_CA_PLAIN", "80", 1);
	setenv("QUINTET_ADMIN_USER", "", 1);
	s = read_settings();
	assert_string_equal(s.host, "example.org");
	assert_string_equal(s.plain_url, "http://example.org");
	assert_string_equal(s.credentials, "conf/credentials/daytimed");
	assert_string_equal(s.admin_user, "");
	setenv("QUINTET_HOST", "time.example.org", 1);
	setenv("QUINTET_PORT_CA_PLAIN", "9080", 1);
	setenv("QUINTET_CREDENTIALS", "elsewhere", 1);
	s = read_settings();
	assert_string_equal(s.plain_url, "http://time.example.org:9080");
	assert_string_equal(s.credentials, "elsewhere");
	setenv("QUINTET_PLAIN_URL", "http://pki.example.org", 1);
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	s = read_settings();
	assert_string_equal(s.plain_url, "http://pki.example.org");
	/* The service manager's word goes before ours. */
	assert_string_equal(s.credentials, "/run/credentials/x");
}

static void test_ftp(void **state)
{
	struct service_settings s;

	(void)state;
	setenv("QUINTET_PORT_FTPS", "9990", 1);
	setenv("QUINTET_FTP_PASSIVE", "50000-50000", 1);
	setenv("QUINTET_FTP_ADDRESS", "192.0.2.1", 1);
	s = read_settings();
	assert_int_equal(s.port_ftps, 9990);
	assert_int_equal(s.ftp_passive_first, 50000);
	assert_int_equal(s.ftp_passive_last, 50000);
	assert_string_equal(s.ftp_address, "192.0.2.1");
	setenv("QUINTET_FTP_PASSIVE", "1024-65535", 1);
	setenv("QUINTET_FTP_ADDRESS", "", 1);
	s = read_settings();
	assert_int_equal(s.ftp_passive_first, 1024);
	assert_int_equal(s.ftp_passive_last, 65535);
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{"QUINTET_DOMAIN", ""},
		{"QUINTET_DOMAIN", "Example.org"},
		{"QUINTET_DOMAIN", "example..org"},
		{"QUINTET_DOMAIN", ".example.org"},
		{"QUINTET_DOMAIN", "example.org."},
		{"QUINTET_DOMAIN", "-example.org"},
		{"QUINTET_DOMAIN", "example-.org"},
		{"QUINTET_DOMAIN", "exa mple.org"},
		{"QUINTET_DOMAIN", "exa\nmple.org"},
		{"QUINTET_HOST", "a/b"},
		{"QUINTET_STATE", ""},
		{"QUINTET_STATE", "a\nb"},
		{"QUINTET_PLAIN_URL", "https://example.org"},
		{"QUINTET_PLAIN_URL", "http://"},
		{"QUINTET_PLAIN_URL", "http://example.org/"},
		{"QUINTET_PLAIN_URL", "http://exa mple.org"},
		{"QUINTET_PORT_CA", "0"},
		{"QUINTET_PORT_CA", "65536"},
		{"QUINTET_PORT_CA", ""},
		{"QUINTET_PORT_DAYTIME", "13x"},
		{"QUINTET_FTP_PASSIVE", ""},
		{"QUINTET_FTP_PASSIVE", "50000"},
		{"QUINTET_FTP_PASSIVE", "50000-"},
		{"QUINTET_FTP_PASSIVE", "-50000"},
		{"QUINTET_FTP_PASSIVE", "50000-50001-"},
		{"QUINTET_FTP_PASSIVE", "50001-50000"},
		{"QUINTET_FTP_PASSIVE", "1023-2000"},
		{"QUINTET_FTP_PASSIVE", "50000-65536"},
		{"QUINTET_FTP_PASSIVE", "50000 - 50001"},
		{"QUINTET_FTP_ADDRESS", "localhost"},
		{"QUINTET_FTP_ADDRESS", "192.0.2"},
		{"QUINTET_FTP_ADDRESS", "192.0.2.1 "},
		{"QUINTET_FTP_ADDRESS", "0.0.0.0"},
		{"QUINTET_FTP_ADDRESS", "224.0.0.1"},
		{"QUINTET_FTP_ADDRESS", "255.255.255.255"},
		{"QUINTET_FTP_ADDRESS", "::1"},
		{"QUINTET_ADMIN_USER", "Root"},
		{"QUINTET_ADMIN_USER", "a b"},
		{"QUINTET_ADMIN_USER", "a-name-that-is-longer-than-any-unix"},
	};
	struct service_settings s = {.port_ca = 42};

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)clear_environment(state);
		setenv(rows[i].name, rows[i].value, 1);
		if (service_settings_read("cad", &s) != -EINVAL)
			fail_msg("taken: %s=%s", rows[i].name, rows[i].value);
	}
	assert_int_equal(s.port_ca, 42);
}

static void test_too_long(void **state)
{
	char text[400];
	struct service_settings s;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < 6; i++) {
		(void)clear_environment(state);
		setenv(names[i], text, 1);
		assert_int_equal(service_settings_read("cad", &s), -EINVAL);
	}
	(void)clear_environment(state);
	setenv("CREDENTIALS_DIRECTORY", text, 1);
	assert_int_equal(service_settings_read("cad", &s), -EINVAL);
}

static void test_files(void **state)
{
	char path[] = "/tmp/quintet-file-XXXXXX";
	_cleanup_(cleanup_close) int fd = mkstemp(path);
	static const size_t sizes[] = {0, 1, 100, 16384, 16385, 40000};

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buf b = BUF_INIT(sizes[i]),
			   small = BUF_INIT(sizes[i] > 0 ? sizes[i] - 1 : 0);

		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		/* A buffer of just the size takes it, one byte less does not. */
		assert_int_equal(service_read_file(path, &b), 0);
		assert_int_equal(b.len, sizes[i]);
		assert_int_equal(buf_error(&b), 0);
		if (sizes[i] > 0)
			assert_int_equal(service_read_file(path, &small), -EFBIG);
		buf_done(&b);
		buf_done(&small);
	}
	assert_int_equal(unlink(path), 0);
	struct buf b = BUF_INIT(10);

	assert_int_equal(service_read_file(path, &b), -ENOENT);
	assert_int_equal(service_read_file("/tmp", &b), -EISDIR);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_defaults, clear_environment),
		cmocka_unit_test_setup(test_derived, clear_environment),
		cmocka_unit_test_setup(test_keeper, clear_environment),
		cmocka_unit_test_setup(test_ftp, clear_environment),
		cmocka_unit_test_setup(test_refused, clear_environment),
		cmocka_unit_test_setup(test_too_long, clear_environment),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
