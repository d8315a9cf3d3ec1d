/* FTP's lines: commands and the words that are none, replies, quoting. */
#include "proto/ftp.h"

#include "base/num.h"

#include <errno.h>

enum { TELNET_IAC = 255, TELNET_WILL = 251, REPLY_MIN = 100, REPLY_MAX = 659 };

/* "IAC IP IAC DM" and the like: an IAC with one command byte, from WILL on with an option too. */
static struct span skip_telnet(struct span line)
{
	size_t len;

	while (line.len >= 2 && line.p[0] == TELNET_IAC) {
		len = line.p[1] >= TELNET_WILL && line.p[1] != TELNET_IAC ? 3 : 2;
		if (len > line.len)
			len = line.len;
		line = span_of(line.p + len, line.len - len);
	}
	return line;
}

static bool is_verb_byte(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char upper(unsigned char c)
{
	int folded = c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c;

	return (char)folded;
}

int ftp_command_parse(struct span line, struct ftp_command *ret)
{
	struct ftp_command c = {.has_argument = false};
	size_t len = 0;

	line = skip_telnet(line);
	while (len < line.len && line.p[len] != ' ') {
		if (!is_verb_byte(line.p[len]) || len + 1 >= sizeof(c.verb))
			return -EINVAL;
		c.verb[len] = upper(line.p[len]);
		len++;
	}
	if (len == 0)
		return -EINVAL;
	c.has_argument = len < line.len;
	if (c.has_argument)
		len++;
	c.argument = span_of(line.p + len, line.len - len);
	*ret = c;
	return 0;
}

bool ftp_line_is_foreign(struct span line)
{
	static const char *const words[] = {"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE",
		"CONNECT", "OPTIONS", "TRACE", "PRI", "EHLO", "HELO", "LHLO", "MAIL", "RCPT",
		"HOST:", "CAP", "NICK"};
	struct span rest = line, word = {0};

	if (span_starts(line, "SSH-"))
		return true;
	(void)span_split(&rest, ' ', &word);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_caseeq_str(word, words[i]))
			return true;
	return false;
}

static bool read_code(struct span line, unsigned *ret)
{
	uint64_t code;

	if (line.len < 3 || num_parse_u64(span_of(line.p, 3), REPLY_MIN, REPLY_MAX, &code) < 0)
		return false;
	*ret = (unsigned)code;
	return true;
}

int ftp_reply_parse(struct span line, unsigned inside, struct ftp_reply_line *ret, bool *ret_done)
{
	struct ftp_reply_line r = {.text = line};
	unsigned code = 0;
	bool has_code = read_code(line, &code);
	bool ends = has_code && (line.len == 3 || line.p[3] == ' ');
	bool more = has_code && line.len > 3 && line.p[3] == '-';

	if (inside == 0 && !ends && !more)
		return -EPROTO;
	/* Inside, only the same code ends it or is taken off. */
	if (inside != 0 && code != inside)
		ends = more = false;
	if (ends || more) {
		size_t skip = line.len > 3 ? 4 : 3;

		r.code = code;
		r.more = more;
		r.text = span_of(line.p + skip, line.len - skip);
	}
	*ret = r;
	*ret_done = ends;
	return 0;
}

void ftp_quote(struct buf *b, const char *path)
{
	buf_add_byte(b, '"');
	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '"')
			buf_add_byte(b, '"');
		buf_add_byte(b, (unsigned char)*p);
	}
	buf_add_byte(b, '"');
}

int ftp_unquote(struct span text, char ret[FTP_PATH_SIZE])
{
	char path[FTP_PATH_SIZE];
	size_t len = 0, i = 1;

	if (text.len < 2 || text.p[0] != '"')
		return -EPROTO;
	for (;; i++) {
		if (i >= text.len || text.p[i] == '\0')
			return -EPROTO;
		if (text.p[i] == '"' && (i + 1 >= text.len || text.p[i + 1] != '"'))
			break;
		if (len >= FTP_PATH_MAX)
			return -EPROTO;
		if (text.p[i] == '"')
			i++;
		path[len++] = (char)text.p[i];
	}
	path[len] = '\0';
	memcpy(ret, path, len + 1);
	return 0;
}
