/* Nicks, channels, masks, message ids and times. */
#include "proto/irc.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>
#include <stdio.h>

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static bool is_letter(unsigned char c)
{
	return fold(c) >= 'a' && fold(c) <= 'z';
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_one_of(const char *set, unsigned char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

bool irc_eq(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

bool irc_nick_ok(struct span nick, size_t max)
{
	if (nick.len == 0 || nick.len > max)
		return false;
	for (size_t i = 0; i < nick.len; i++)
		if (!is_letter(nick.p[i]) && !is_one_of("[]\\`_^{|}", nick.p[i]) &&
			(i == 0 || (!is_digit(nick.p[i]) && nick.p[i] != '-')))
			return false;
	return true;
}

bool irc_channel_ok(struct span name, size_t max)
{
	if (name.len < 2 || name.len > max || *name.p != '#' || !text_is_clean(name))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (is_one_of(" ,:", name.p[i]))
			return false;
	return true;
}

void irc_ident(struct buf *b, struct span user, size_t max)
{
	size_t taken = 0;

	for (size_t i = 0; i < user.len && taken < max; i++) {
		if (!is_letter(user.p[i]) && !is_digit(user.p[i]) && !is_one_of("-._", user.p[i]))
			continue;
		buf_add_byte(b, user.p[i]);
		taken++;
	}
	if (taken == 0)
		buf_add_str(b, "user");
}

/* The parts before and behind the first sep; false without one. */
static bool cut(struct span s, unsigned char sep, struct span *ret_head, struct span *ret_tail)
{
	const unsigned char *at = s.len > 0 ? memchr(s.p, sep, s.len) : NULL;
	size_t head = at != NULL ? (size_t)(at - s.p) : 0;

	if (at == NULL)
		return false;
	*ret_head = span_of(s.p, head);
	*ret_tail = span_of(at + 1, s.len - head - 1);
	return true;
}

struct irc_source irc_source_of(struct span source)
{
	struct irc_source s = {.nick = source};

	(void)cut(s.nick, '@', &s.nick, &s.host);
	(void)cut(s.nick, '!', &s.nick, &s.user);
	return s;
}

/* -- masks ------------------------------------------------------------------------------------- */

static void add_or_star(struct buf *b, struct span s)
{
	if (s.len > 0)
		buf_add(b, s);
	else
		buf_add_byte(b, '*');
}

static bool is_host(struct span word)
{
	return memchr(word.p, '.', word.len) != NULL || memchr(word.p, '/', word.len) != NULL;
}

/* "x" is a nick, or a host when it has a dot or a slash; "x@y" user and host; "x!y" nick and user.
 */
static void full_mask(struct buf *b, struct span mask)
{
	struct span nick = {NULL, 0}, user = {NULL, 0}, host = {NULL, 0};
	struct span rest = mask;
	bool has_nick = cut(mask, '!', &nick, &rest);
	bool has_host = cut(rest, '@', &user, &host);

	if (has_nick && !has_host)
		user = rest;
	else if (!has_nick && !has_host && is_host(mask))
		host = mask;
	else if (!has_nick && !has_host)
		nick = mask;
	add_or_star(b, nick);
	buf_add_byte(b, '!');
	add_or_star(b, user);
	buf_add_byte(b, '@');
	add_or_star(b, host);
}

static bool mask_bytes_ok(struct span mask)
{
	return mask.len > 0 && text_is_clean(mask) && memchr(mask.p, ' ', mask.len) == NULL;
}

/* "~a:NAME" and "a:NAME" name an account; "m:" and "~m:" stand before a mask or another of them. */
static size_t prefix_len(struct span mask, const char *letters)
{
	size_t at = mask.len > 0 && *mask.p == '~' ? 1 : 0;

	if (mask.len < at + 2 || mask.p[at + 1] != ':' || !is_one_of(letters, mask.p[at]))
		return 0;
	return at + 2;
}

int irc_mask(struct span mask, size_t max, struct buf *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(max);
	size_t mute;

	if (!mask_bytes_ok(mask))
		return -EINVAL;
	mute = prefix_len(mask, "m");
	buf_add(&b, span_of(mask.p, mute));
	mask = span_of(mask.p + mute, mask.len - mute);
	if (mask.len == 0)
		return -EINVAL;
	if (prefix_len(mask, "a") > 0)
		buf_add(&b, mask);
	else
		full_mask(&b, mask);
	if (buf_error(&b) < 0)
		return buf_error(&b) == -ENOBUFS ? -EMSGSIZE : buf_error(&b);
	buf_add(ret, buf_span(&b));
	return buf_error(ret);
}

/* -- ids and times ----------------------------------------------------------------------------- */

static unsigned check_of(int64_t at_us)
{
	return (unsigned)((uint64_t)at_us & 0xffff);
}

void irc_msgid_write(uint64_t seq, int64_t at_us, char ret[IRC_MSGID_SIZE])
{
	(void)snprintf(ret, IRC_MSGID_SIZE, "%llu-%04x", (unsigned long long)seq, check_of(at_us));
}

int irc_msgid_parse(struct span id, uint64_t *ret_seq, unsigned *ret_check)
{
	struct span check = id, number;
	uint64_t seq;
	unsigned value = 0;

	if (!span_split(&check, '-', &number) || check.len != 4 ||
		num_parse_u64(number, 1, UINT64_MAX, &seq) < 0)
		return -EINVAL;
	for (size_t i = 0; i < check.len; i++) {
		unsigned char c = check.p[i];

		if (!is_digit(c) && (c < 'a' || c > 'f'))
			return -EINVAL;
		value = value << 4 | (is_digit(c) ? c - (unsigned)'0' : c - (unsigned)'a' + 10);
	}
	*ret_seq = seq;
	*ret_check = value;
	return 0;
}

bool irc_msgid_is(unsigned check, int64_t at_us)
{
	return check == check_of(at_us);
}

void irc_time_write(int64_t at_us, char ret[IRC_TIME_SIZE])
{
	struct time_parts p;

	if (time_utc(at_us, &p) < 0)
		(void)time_utc(0, &p);
	(void)snprintf(ret, IRC_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(unsigned)p.year % 10000, (unsigned)p.month % 100, (unsigned)p.day % 100,
		(unsigned)p.hour % 100, (unsigned)p.minute % 100, (unsigned)p.second % 100,
		(unsigned)p.nanosecond / 1000000 % 1000);
}

int irc_time_parse(struct span s, int64_t *ret_us)
{
	int64_t at_us;

	if (s.len < 20 || s.p[s.len - 1] != 'Z' || time_parse_rfc3339(s, &at_us) < 0)
		return -EINVAL;
	*ret_us = at_us;
	return 0;
}
