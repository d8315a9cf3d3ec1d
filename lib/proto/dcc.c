/* The words of DCC. */
#include "proto/dcc.h"

#include "base/num.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

enum { QUOTE = '"', LIMITED_NET = 0xe0 };

static bool next_word(struct span *rest, struct span *ret)
{
	return span_split(rest, ' ', ret) && ret->len > 0;
}

/* A file's name; in quotes when it has blanks. */
static bool next_name(struct span *rest, struct span *ret)
{
	if (rest->len == 0 || *rest->p != QUOTE)
		return next_word(rest, ret);
	*rest = span_of(rest->p + 1, rest->len - 1);
	if (!span_split(rest, QUOTE, ret) || ret->len == 0 || rest->len == 0 || *rest->p != ' ')
		return false;
	*rest = span_of(rest->p + 1, rest->len - 1);
	return true;
}

static bool name_ok(struct span name)
{
	return name.len > 0 && name.len < DCC_NAME_SIZE && text_is_clean(name) &&
		memchr(name.p, '/', name.len) == NULL && memchr(name.p, QUOTE, name.len) == NULL &&
		!span_eq_str(name, ".") && !span_eq_str(name, "..");
}

static int read_token(struct span word, char ret[DCC_TOKEN_SIZE])
{
	if (word.len != DCC_TOKEN_SIZE - 1)
		return -EBADMSG;
	for (size_t i = 0; i < word.len; i++)
		if ((word.p[i] < '0' || word.p[i] > '9') && (word.p[i] < 'a' || word.p[i] > 'f'))
			return -EBADMSG;
	return span_copy_str(word, ret, DCC_TOKEN_SIZE);
}

static int read_four(struct span word, char ret[DCC_ADDRESS_SIZE])
{
	uint64_t number;
	unsigned char bytes[4];

	if (num_parse_u64(word, 1, UINT32_MAX, &number) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(number >> (24 - 8 * i));
	if (bytes[0] == 0 || bytes[0] >= LIMITED_NET)
		return -EBADMSG;
	(void)snprintf(
		ret, DCC_ADDRESS_SIZE, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
	return 0;
}

static int read_six(struct span word, char ret[DCC_ADDRESS_SIZE])
{
	char text[DCC_ADDRESS_SIZE];
	struct in6_addr a;

	if (span_copy_str(word, text, sizeof(text)) < 0 || inet_pton(AF_INET6, text, &a) != 1 ||
		IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_MULTICAST(&a) ||
		IN6_IS_ADDR_V4MAPPED(&a))
		return -EBADMSG;
	return inet_ntop(AF_INET6, &a, ret, DCC_ADDRESS_SIZE) != NULL ? 0 : -EBADMSG;
}

/* Address and port: of a request the port is 0 and the address says nothing. */
static int read_place(struct span *rest, struct dcc *d)
{
	struct span address, port;
	uint64_t number;

	if (!next_word(rest, &address) || !next_word(rest, &port) ||
		num_parse_u64(port, 0, UINT16_MAX, &number) < 0)
		return -EBADMSG;
	d->port = (uint16_t)number;
	if (number == 0)
		return 0;
	if (memchr(address.p, ':', address.len) != NULL)
		return read_six(address, d->address);
	return read_four(address, d->address);
}

static int read_end(struct span rest, struct dcc *d)
{
	struct span word;

	if (!next_word(&rest, &word) || rest.len > 0)
		return -EBADMSG;
	return read_token(word, d->token);
}

static int read_chat(struct span rest, struct dcc *d)
{
	struct span word;
	int r;

	if (!next_word(&rest, &word) || !span_caseeq_str(word, "chat"))
		return -EBADMSG;
	r = read_place(&rest, d);
	return r < 0 ? r : read_end(rest, d);
}

static int read_send(struct span rest, struct dcc *d)
{
	struct span word;
	int r;

	if (!next_name(&rest, &word) || !name_ok(word))
		return -EBADMSG;
	(void)span_copy_str(word, d->name, sizeof(d->name));
	r = read_place(&rest, d);
	if (r < 0)
		return r;
	if (!next_word(&rest, &word) || num_parse_u64(word, 0, INT64_MAX, &d->size) < 0)
		return -EBADMSG;
	return read_end(rest, d);
}

static int read_reject(struct span rest, struct dcc *d)
{
	struct span word;

	if (!next_word(&rest, &word))
		return -EBADMSG;
	if (!span_caseeq_str(word, "SCHAT") && !span_caseeq_str(word, "SSEND"))
		return -ENOMSG;
	d->of = span_caseeq_str(word, "SCHAT") ? DCC_SCHAT : DCC_SSEND;
	if (!next_name(&rest, &word) || (d->of == DCC_SSEND && !name_ok(word)))
		return -EBADMSG;
	if (d->of == DCC_SSEND)
		(void)span_copy_str(word, d->name, sizeof(d->name));
	return read_end(rest, d);
}

static const struct {
	const char *word;
	enum dcc_kind kind;
	int (*read)(struct span rest, struct dcc *d);
} kinds[] = {
	{"SCHAT", DCC_SCHAT, read_chat},
	{"SSEND", DCC_SSEND, read_send},
	{"REJECT", DCC_REJECT, read_reject},
};

int dcc_parse(struct span rest, struct dcc *ret)
{
	struct span word;
	struct dcc d = {.kind = DCC_SCHAT};
	int r;

	if (!next_word(&rest, &word))
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!span_caseeq_str(word, kinds[i].word))
			continue;
		d.kind = kinds[i].kind;
		r = kinds[i].read(rest, &d);
		if (r == 0)
			*ret = d;
		return r;
	}
	return -ENOMSG;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void write_name(struct buf *b, const struct dcc *d, enum dcc_kind kind)
{
	if (kind == DCC_SCHAT)
		buf_add_str(b, "chat");
	else if (strchr(d->name, ' ') != NULL)
		buf_addf(b, "\"%s\"", d->name);
	else
		buf_add_str(b, d->name);
}

static void write_address(struct buf *b, const struct dcc *d)
{
	struct in_addr four;

	if (d->port == 0)
		buf_add_str(b, " 0");
	else if (inet_pton(AF_INET, d->address, &four) == 1)
		buf_addf(b, " %lu", (unsigned long)ntohl(four.s_addr));
	else
		buf_addf(b, " %s", d->address);
}

void dcc_write(struct buf *b, const struct dcc *d)
{
	static const char *const words[] = {"SCHAT", "SSEND", "REJECT"};
	enum dcc_kind about = d->kind == DCC_REJECT ? d->of : d->kind;

	buf_addf(b, "\001DCC %s ", words[d->kind]);
	if (d->kind == DCC_REJECT)
		buf_addf(b, "%s ", words[about]);
	write_name(b, d, about);
	if (d->kind != DCC_REJECT) {
		write_address(b, d);
		buf_addf(b, " %u", d->port);
	}
	if (d->kind == DCC_SSEND)
		buf_addf(b, " %llu", (unsigned long long)d->size);
	buf_addf(b, " %s\001", d->token);
}
