/*
 * The log through a pipe, a file and a journal of our own: connect() is replaced, so that the
 * address of journald leads to a socket of this test.
 */
#include "base/log.h"

#include "base/cleanup.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cmocka.h>

static char folder[] = "/tmp/quintet-log-XXXXXX";
static struct sockaddr_un our_journal = {.sun_family = AF_UNIX};
static int journal_fd = -1, pipe_fds[2] = {-1, -1};
static char text[20000];

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)address;

	if (un->sun_family == AF_UNIX && strcmp(un->sun_path, "/run/systemd/journal/socket") == 0) {
		address = (const struct sockaddr *)&our_journal;
		len = sizeof(our_journal);
	}
	return (int)syscall(SYS_connect, fd, address, len);
}

static int set_up(void **state)
{
	(void)state;
	(void)unsetenv("QUINTET_LOG");
	(void)unsetenv("JOURNAL_STREAM");
	return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	(void)log_open("base_log", STDERR_FILENO, "stderr");
	return rmdir(folder);
}

static int open_pipe(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	return log_open("daytimed", pipe_fds[1], "stderr");
}

static int close_pipe(void **state)
{
	(void)state;
	cleanup_close(&pipe_fds[0]);
	cleanup_close(&pipe_fds[1]);
	return log_open("base_log", STDERR_FILENO, "stderr");
}

/* What is in the descriptor now, as one string in text; its length. */
static size_t take(int fd)
{
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? 0 : (size_t)n;
}

/* The one line behind its time, which is checked to look like one. */
static const char *line(void)
{
	static const char mask[] = "0000-00-00T00:00:00Z ";
	size_t len = take(pipe_fds[0]);

	assert_true(len > sizeof(mask));
	for (size_t i = 0; i < sizeof(mask) - 1; i++)
		if (mask[i] == '0')
			assert_in_range(text[i], '0', '9');
		else
			assert_int_equal(text[i], mask[i]);
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	return text + sizeof(mask) - 1;
}

static void assert_line(const char *want)
{
	char full[1000];

	(void)snprintf(full, sizeof(full), "daytimed[%d] %s\n", (int)getpid(), want);
	assert_string_equal(line(), full);
}

static void test_plain_line(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_INFO, "session ended",
		log_fields({"PEER", SPAN_LIT("[::1]:5")}, {"COUNT", SPAN_LIT("")}));
	assert_line("info: session ended PEER=\"[::1]:5\" COUNT=\"\"");
	log_event(LOG_LEVEL_ERR, "no fields", NULL);
	assert_line("error: no fields");
	log_msg(LOG_LEVEL_WARNING, "%s is %d", "x", 5);
	assert_line("warning: x is 5");
}

static void test_nothing_forges_a_line_or_a_field(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_NOTICE, "a\n2026 x\"\x1b[2J",
		log_fields({"NAME", SPAN_LIT("x\" ROOT=\"yes\r\n\\\0\xff\xc2\x9b\xc3\xa9")}));
	assert_line("notice: a\\x0a2026 x\\x22\\x1b[2J"
		    " NAME=\"x\\x22 ROOT=\\x22yes\\x0d\\x0a\\x5c\\x00\\xff\\xc2\\x9b\xc3\xa9\"");
}

static void test_levels(void **state)
{
	(void)state;
	log_event(LOG_LEVEL_DEBUG, "hidden", NULL);
	assert_int_equal(take(pipe_fds[0]), 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_event(LOG_LEVEL_DEBUG, "seen", NULL);
	assert_line("debug: seen");
	log_set_level(LOG_LEVEL_ERR);
	log_msg(LOG_LEVEL_WARNING, "hidden");
	assert_int_equal(take(pipe_fds[0]), 0);
	log_msg(LOG_LEVEL_ERR, "seen");
	assert_line("error: seen");
}

static void test_errno_is_kept(void **state)
{
	(void)state;
	errno = ENOTTY;
	log_msg(LOG_LEVEL_INFO, "%s", "x");
	assert_int_equal(errno, ENOTTY);
	assert_line("info: x");
	/* A log that cannot be written stays silent and changes nothing. */
	assert_int_equal(log_open("daytimed", -1, "stderr"), 0);
	log_event(LOG_LEVEL_ERR, "lost", NULL);
	assert_int_equal(errno, ENOTTY);
}

static void test_long_values_are_cut_off(void **state)
{
	static char value[3000];
	static struct log_field fields[8];
	size_t len;

	(void)state;
	memset(value, 'v', sizeof(value));
	log_event(LOG_LEVEL_INFO, "one", log_fields({"KEY", span_of(value, sizeof(value))}));
	len = strspn(strchr(line(), '"') + 1, "v");
	assert_int_equal(len, 2048);
	for (size_t i = 0; i < 6; i++)
		fields[i] = (struct log_field){"KEY", span_of(value, sizeof(value))};
	log_event(LOG_LEVEL_INFO, "all", fields);
	(void)line();
	len = strlen(text);
	assert_in_range(len, 8000, 8192);
	assert_string_equal(text + len - 7, "vvv...\n");
	/* What comes after is whole again. */
	log_event(LOG_LEVEL_INFO, "after", NULL);
	assert_line("info: after");
	value[sizeof(value) - 1] = '\0';
	log_msg(LOG_LEVEL_INFO, "%s", value);
	assert_int_equal(strspn(strchr(line(), 'v'), "v"), 2047);
}

/* The rows of a datagram; those of KEY are checked to be whole. */
static size_t count_rows(struct span datagram)
{
	struct span row;
	size_t count = 0;

	for (; span_split(&datagram, '\n', &row); count++)
		if (span_starts(row, "KEY="))
			assert_int_equal(row.len, 4 + 2048);
	return count;
}

static int open_journal(void **state)
{
	if (open_pipe(state) < 0)
		return -1;
	(void)snprintf(our_journal.sun_path, sizeof(our_journal.sun_path), "%s/journal", folder);
	journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(journal_fd, (const struct sockaddr *)&our_journal, sizeof(our_journal));
}

static int close_journal(void **state)
{
	cleanup_close(&journal_fd);
	journal_fd = -1;
	(void)unlink(our_journal.sun_path);
	return close_pipe(state);
}

static void test_journal_fields(void **state)
{
	(void)state;
	assert_int_equal(log_open("daytimed", pipe_fds[1], "journal"), 0);
	log_event(LOG_LEVEL_WARNING, "slow \"peer\"", log_fields({"PEER", SPAN_LIT("::1=x")}));
	assert_true(take(journal_fd) > 0);
	assert_string_equal(text,
		"MESSAGE=slow \"peer\"\nPRIORITY=4\nSYSLOG_IDENTIFIER=daytimed\n"
		"PEER=::1=x\n");
	assert_int_equal(take(pipe_fds[0]), 0);
}

static void test_journal_newline_has_a_length(void **state)
{
	static const char want[] = "MESSAGE=m\nPRIORITY=6\nSYSLOG_IDENTIFIER=daytimed\nNAME\n";
	uint64_t len;
	size_t got;

	(void)state;
	assert_int_equal(log_open("daytimed", pipe_fds[1], "journal"), 0);
	log_event(LOG_LEVEL_INFO, "m", log_fields({"NAME", SPAN_LIT("x\nPRIORITY=0")}));
	got = take(journal_fd);
	assert_int_equal(got, sizeof(want) - 1 + 8 + 12 + 1);
	assert_memory_equal(text, want, sizeof(want) - 1);
	memcpy(&len, text + sizeof(want) - 1, sizeof(len));
	assert_int_equal(le64toh(len), 12);
	assert_memory_equal(text + sizeof(want) - 1 + 8, "x\nPRIORITY=0\n", 13);
}

static void test_journal_leaves_out_what_does_not_fit(void **state)
{
	static char value[3000];
	static struct log_field fields[8];
	size_t len;

	(void)state;
	memset(value, 'v', sizeof(value));
	for (size_t i = 0; i < 5; i++)
		fields[i] = (struct log_field){"KEY", span_of(value, sizeof(value))};
	fields[5] = (struct log_field){"LAST", SPAN_LIT("short")};
	assert_int_equal(log_open("daytimed", pipe_fds[1], "journal"), 0);
	log_event(LOG_LEVEL_INFO, "m", fields);
	len = take(journal_fd);
	assert_in_range(len, 6000, 8192);
	/* Three of our own, three values of 2048, and the short one that still fits. */
	assert_int_equal(count_rows(span_of(text, len)), 7);
	assert_string_equal(text + len - 12, "\nLAST=short\n");
}

static void test_journal_gone(void **state)
{
	(void)state;
	assert_int_equal(log_open("daytimed", pipe_fds[1], "journal"), 0);
	cleanup_close(&journal_fd);
	journal_fd = -1;
	log_event(LOG_LEVEL_INFO, "still heard", NULL);
	assert_line("info: still heard");
	assert_int_equal(unlink(our_journal.sun_path), 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], "journal"), -ENOENT);
	log_event(LOG_LEVEL_INFO, "here too", NULL);
	assert_line("info: here too");
}

/* JOURNAL_STREAM is believed only when it names what standard error is. */
static void test_journal_stream(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%" PRIu64 ":%" PRIu64, (uint64_t)st.st_dev,
		(uint64_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], NULL), 0);
	log_event(LOG_LEVEL_INFO, "m", NULL);
	assert_true(take(journal_fd) > 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], "stderr"), 0);
	log_event(LOG_LEVEL_INFO, "said so", NULL);
	assert_line("info: said so");
	(void)snprintf(stream, sizeof(stream), "%" PRIu64 ":%" PRIu64, (uint64_t)st.st_dev,
		(uint64_t)st.st_ino + 1);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], NULL), 0);
	log_event(LOG_LEVEL_INFO, "another inode", NULL);
	assert_line("info: another inode");
	assert_int_equal(setenv("JOURNAL_STREAM", "nonsense", 1), 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], NULL), 0);
	log_event(LOG_LEVEL_INFO, "nonsense", NULL);
	assert_line("info: nonsense");
	assert_int_equal(take(journal_fd), 0);
	(void)unsetenv("JOURNAL_STREAM");
}

static void test_environment_chooses(void **state)
{
	(void)state;
	assert_int_equal(setenv("QUINTET_LOG", "journal", 1), 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], NULL), 0);
	log_event(LOG_LEVEL_INFO, "m", NULL);
	assert_true(take(journal_fd) > 0);
	assert_int_equal(setenv("QUINTET_LOG", "", 1), 0);
	assert_int_equal(log_open("daytimed", pipe_fds[1], NULL), 0);
	log_event(LOG_LEVEL_INFO, "m", NULL);
	assert_line("info: m");
	(void)unsetenv("QUINTET_LOG");
}

static void test_file_is_appended_to(void **state)
{
	char path[100];
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(log_open("daytimed", pipe_fds[1], path), 0);
		log_msg(LOG_LEVEL_INFO, "line %d", i);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(take(fd) > 0);
	cleanup_close(&fd);
	assert_int_equal(unlink(path), 0);
	assert_non_null(strstr(text, "info: line 1\n"));
	assert_non_null(strstr(text, "info: line 2\n"));
	assert_int_equal(take(pipe_fds[0]), 0);
	(void)snprintf(path, sizeof(path), "%s/none/file", folder);
	assert_int_equal(log_open("daytimed", pipe_fds[1], path), -ENOENT);
	log_event(LOG_LEVEL_INFO, "still heard", NULL);
	assert_line("info: still heard");
}

static void test_service_name_is_cut_off(void **state)
{
	(void)state;
	assert_int_equal(
		log_open("a-name-of-more-than-thirty-one-bytes", pipe_fds[1], "stderr"), 0);
	log_event(LOG_LEVEL_INFO, "m", NULL);
	assert_non_null(strstr(line(), "a-name-of-more-than-thirty-one-["));
}

/* Last, since context stays. */
static void test_context(void **state)
{
	char value[300], key[16];
	size_t found = 0;

	(void)state;
	log_context("PEER", SPAN_LIT("::1"));
	log_context("ACCOUNT", SPAN_LIT("x\"y"));
	log_event(LOG_LEVEL_INFO, "m", log_fields({"A", SPAN_LIT("b")}));
	assert_line("info: m PEER=\"::1\" ACCOUNT=\"x\\x22y\" A=\"b\"");
	log_context("PEER", SPAN_LIT("new"));
	log_context("ACCOUNT", span_of(NULL, 0));
	log_msg(LOG_LEVEL_INFO, "m");
	assert_line("info: m PEER=\"new\" ACCOUNT=\"\"");
	memset(value, 'v', sizeof(value));
	log_context("PEER", span_of(value, sizeof(value)));
	memset(value, 'x', sizeof(value));
	log_msg(LOG_LEVEL_INFO, "m");
	assert_int_equal(strspn(strchr(line(), '"') + 1, "v"), 256);
	log_context("A_KEY_OF_MORE_THAN_THIRTY_ONE_BYTES", SPAN_LIT("v"));
	for (int i = 0; i < 20; i++) {
		(void)snprintf(key, sizeof(key), "K%d", i);
		log_context(key, SPAN_LIT("v"));
	}
	log_msg(LOG_LEVEL_INFO, "m");
	for (const char *at = line(); (at = strchr(at, '=')) != NULL; at++)
		found++;
	assert_int_equal(found, 12);
	assert_null(strstr(text, "THIRTY"));
}

int main(void)
{
#define PLAIN(f) cmocka_unit_test_setup_teardown(f, open_pipe, close_pipe)
#define JOURNAL(f) cmocka_unit_test_setup_teardown(f, open_journal, close_journal)
	const struct CMUnitTest tests[] = {
		PLAIN(test_plain_line),
		PLAIN(test_nothing_forges_a_line_or_a_field),
		PLAIN(test_levels),
		PLAIN(test_errno_is_kept),
		PLAIN(test_long_values_are_cut_off),
		JOURNAL(test_journal_fields),
		JOURNAL(test_journal_newline_has_a_length),
		JOURNAL(test_journal_leaves_out_what_does_not_fit),
		JOURNAL(test_journal_gone),
		JOURNAL(test_journal_stream),
		JOURNAL(test_environment_chooses),
		PLAIN(test_file_is_appended_to),
		PLAIN(test_service_name_is_cut_off),
		PLAIN(test_context),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
