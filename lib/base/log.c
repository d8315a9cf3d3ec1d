/*
 * The log: what is said, kept in static memory, so that logging neither allocates nor fails. How a
 * line is built and where it goes:
 *   journal   a datagram of journald's native protocol: KEY=value lines, or, where the value has a
 *             newline, KEY, newline, length (64 bits, little-endian), value, newline
 *   else      one line in one write(): time service[pid] level: message KEY="value" ...
 */
#include "base/log.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
	CONTEXT_MAX = 12,
	KEY_SIZE = 32,
	CONTEXT_VALUE_MAX = 256,
	VALUE_MAX = 2048, /* longer ones are cut off */
	SERVICE_SIZE = 32,
	EVENT_SIZE = 8192,
	TAIL_SIZE = 16, /* kept free for what closes a line that was cut off */
};

struct context {
	char key[KEY_SIZE];
	unsigned char value[CONTEXT_VALUE_MAX];
	size_t len;
};

static struct {
	char service[SERVICE_SIZE];
	enum log_level level;
	int plain_fd;
	int file_fd; /* of a file that log_open() opened, else -1 */
	int journal_fd; /* connected to journald, else -1 */
	size_t context_count;
	struct context context[CONTEXT_MAX];
} state = {.service = "quintet",
	.level = LOG_LEVEL_INFO,
	.plain_fd = STDERR_FILENO,
	.file_fd = -1,
	.journal_fd = -1};

static const char *const level_names[] = {
	"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"};

/* Is standard error the stream that the service manager connected to the journal? */
static bool stderr_is_journal(void)
{
	struct span dev, rest = span_str(getenv("JOURNAL_STREAM"));
	uint64_t device, inode;
	struct stat st;

	return span_split(&rest, ':', &dev) && num_parse_u64(dev, 0, UINT64_MAX, &device) == 0 &&
		num_parse_u64(rest, 0, UINT64_MAX, &inode) == 0 && fstat(STDERR_FILENO, &st) == 0 &&
		st.st_dev == device && st.st_ino == inode;
}

static int open_journal(void)
{
	static const struct sockaddr_un journal = {
		.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&journal, sizeof(journal)) < 0)
		return -errno;
	state.journal_fd = take_fd(&fd);
	return 0;
}

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return -errno;
	state.file_fd = fd;
	return 0;
}

int log_open(const char *service, int fd, const char *target)
{
	struct span name = span_str(service);

	if (name.len >= SERVICE_SIZE)
		name.len = SERVICE_SIZE - 1;
	(void)span_copy_str(name, state.service, sizeof(state.service));
	cleanup_close(&state.journal_fd);
	cleanup_close(&state.file_fd);
	state.journal_fd = state.file_fd = -1;
	state.plain_fd = fd;
	if (target == NULL || *target == '\0')
		target = getenv("QUINTET_LOG");
	if (target == NULL || *target == '\0')
		target = stderr_is_journal() ? "journal" : "stderr";
	if (strcmp(target, "stderr") == 0)
		return 0;
	return strcmp(target, "journal") == 0 ? open_journal() : open_file(target);
}

void log_context(const char *key, struct span value)
{
	struct span name = span_str(key);
	struct context *c = state.context;
	struct context *end = state.context + state.context_count;

	while (c < end && strcmp(c->key, key) != 0)
		c++;
	if (c == end && state.context_count == CONTEXT_MAX)
		return;
	if (span_copy_str(name, c->key, sizeof(c->key)) < 0)
		return;
	if (c == end)
		state.context_count++;
	c->len = value.len < CONTEXT_VALUE_MAX ? value.len : CONTEXT_VALUE_MAX;
	if (c->len > 0)
		memcpy(c->value, value.p, c->len);
}

void log_set_level(enum log_level level)
{
	state.level = level;
}

static struct span clipped(struct span value)
{
	return span_of(value.p, value.len < VALUE_MAX ? value.len : VALUE_MAX);
}

/* One field in journald's form; a field that does not fit is left out whole. */
static void journal_field(struct buf *b, const char *key, struct span value)
{
	size_t start = b->len;
	uint64_t len = htole64(value.len);

	buf_add_str(b, key);
	if (value.len > 0 && memchr(value.p, '\n', value.len) != NULL) {
		buf_add_byte(b, '\n');
		buf_add(b, span_of(&len, sizeof(len)));
	} else {
		buf_add_byte(b, '=');
	}
	buf_add(b, value);
	buf_add_byte(b, '\n');
	if (b->error != 0) {
		b->len = start;
		b->error = 0;
	}
}

static void plain_field(struct buf *b, const char *key, struct span value)
{
	buf_addf(b, " %s=\"", key);
	text_escape(b, value);
	buf_add_byte(b, '"');
}

/* The context and the event's own fields, each by way of add. */
static void add_fields(struct buf *b, const struct log_field *fields,
	void (*add)(struct buf *b, const char *key, struct span value))
{
	for (size_t i = 0; i < state.context_count; i++)
		add(b, state.context[i].key, span_of(state.context[i].value, state.context[i].len));
	for (; fields != NULL && fields->key != NULL; fields++)
		add(b, fields->key, clipped(fields->value));
}

static int send_journal(
	struct buf *b, enum log_level level, struct span message, const struct log_field *fields)
{
	char priority = (char)('0' + (int)level);

	journal_field(b, "MESSAGE", message);
	journal_field(b, "PRIORITY", span_of(&priority, 1));
	journal_field(b, "SYSLOG_IDENTIFIER", span_str(state.service));
	add_fields(b, fields, journal_field);
	return send(state.journal_fd, b->p, b->len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void write_plain(
	struct buf *b, enum log_level level, struct span message, const struct log_field *fields)
{
	ssize_t n;

	time_rfc3339_utc(b, time_now_us());
	buf_addf(b, " %s[%d] %s: ", state.service, (int)getpid(), level_names[level]);
	text_escape(b, message);
	add_fields(b, fields, plain_field);
	if (b->error != 0) {
		/* Cut off: the reserve takes the end of the line. */
		b->error = 0;
		b->max += TAIL_SIZE;
		buf_add_str(b, "...");
	}
	buf_add_byte(b, '\n');
	do
		n = write(state.file_fd >= 0 ? state.file_fd : state.plain_fd, b->p, b->len);
	while (n < 0 && errno == EINTR);
}

void log_event(enum log_level level, const char *message, const struct log_field *fields)
{
	static unsigned char memory[EVENT_SIZE];
	/* A buffer over static memory whose maximum keeps it from ever growing. */
	struct buf b = {.p = memory, .cap = sizeof(memory), .max = sizeof(memory) - 1 - TAIL_SIZE};
	struct span text = clipped(span_str(message));
	int saved = errno;

	if (level > state.level)
		return;
	if (state.journal_fd < 0 || send_journal(&b, level, text, fields) < 0) {
		buf_reset(&b);
		write_plain(&b, level, text, fields);
	}
	errno = saved;
}

void log_msg(enum log_level level, const char *format, ...)
{
	char message[VALUE_MAX];
	int saved = errno;
	va_list args;

	va_start(args, format);
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		message[0] = '\0';
	va_end(args);
	errno = saved;
	log_event(level, message, NULL);
}
