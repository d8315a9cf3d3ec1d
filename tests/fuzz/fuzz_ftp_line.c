/*
 * FTP's lines of both sides: commands, replies, numbers, times, addresses. The first byte chooses;
 * what can be written again must read the same.
 */
#include "proto/ftp.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void command(struct span s)
{
	struct ftp_command c;

	(void)ftp_line_is_foreign(s);
	if (ftp_command_parse(s, &c) < 0)
		return;
	must(strlen(c.verb) > 0 && strlen(c.verb) < FTP_VERB_SIZE);
	must(c.argument.len <= s.len && c.argument.p + c.argument.len == s.p + s.len);
	must(c.has_argument || c.argument.len == 0);
}

static void reply(struct span s)
{
	struct ftp_reply_line r;
	unsigned inside = 0;
	struct span line;
	bool done;

	while (span_split(&s, '\n', &line)) {
		if (ftp_reply_parse(line, inside, &r, &done) < 0)
			return;
		must(inside == 0 || r.code == 0 || r.code == inside);
		must(r.text.len <= line.len);
		inside = done ? 0 : inside != 0 ? inside : r.code;
	}
}

static void times(struct span s)
{
	struct buf b = BUF_INIT(64);
	int64_t us, again;

	if (ftp_time_parse(s, &us) == 0) {
		ftp_time_write(&b, us, true);
		must(ftp_time_parse(buf_span(&b), &again) == 0 && again == us);
	}
	buf_done(&b);
}

static void numbers(struct span s)
{
	uint64_t a, b;
	bool set;

	if (ftp_size_parse(s, &a) == 0)
		must(a <= INT64_MAX);
	if (ftp_range_parse(s, &a, &b, &set) == 0)
		must(!set || a <= b);
}

static void addresses(struct span s)
{
	struct ftp_address a;
	uint16_t port;

	if (ftp_port_parse(s, &a) == 0)
		must(a.family == 1);
	if (ftp_eprt_parse(s, &a) == 0)
		must((a.family == 1 || a.family == 2) && a.port != 0);
	(void)ftp_pasv_read(s, &a);
	if (ftp_epsv_read(s, &port) == 0)
		must(port != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const each[])(struct span s) = {command, reply, times, numbers, addresses};
	size_t count = sizeof(each) / sizeof(each[0]);

	if (size > 0)
		each[data[0] % count](span_of(data + 1, size - 1));
	return 0;
}
