/*
 * The service directory: "key value" lines. Its values end up in commands, file names and on
 * terminals, so only letters that host names and protocol words are made of pass.
 */
#include "base/num.h"
#include "base/text.h"
#include "proto/form.h"

#include <errno.h>

enum { DIRECTORY_MAX_BYTES = 8192, DIRECTORY_MAX_LINES = 64 };

static bool is_word_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '-' || c == '.' || c == ':';
}

static int read_word(struct span s, char *ret, size_t size)
{
	if (s.len == 0 || s.len >= size || s.p[0] == '-')
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++)
		if (!is_word_char(s.p[i]))
			return -EBADMSG;
	return span_copy_str(s, ret, size);
}

/* A key that may come once: ret must still be empty. */
static int read_once(struct span s, char *ret, size_t size)
{
	return ret[0] != '\0' ? -EBADMSG : read_word(s, ret, size);
}

static int read_domain(struct directory *d, struct span value)
{
	return read_once(value, d->domain, sizeof(d->domain));
}

static int read_host(struct directory *d, struct span value)
{
	return read_once(value, d->host, sizeof(d->host));
}

static int read_root(struct directory *d, struct span value)
{
	struct buf digest = BUF_INIT(sizeof(d->root_sha256));
	int r = -EBADMSG;

	if (value.len == 2 * sizeof(d->root_sha256) && text_unhex(&digest, value) == 0 &&
		digest.len == sizeof(d->root_sha256)) {
		memcpy(d->root_sha256, digest.p, sizeof(d->root_sha256));
		r = 0;
	}
	buf_done(&digest);
	return r;
}

static int read_door(struct directory *d, struct span value)
{
	struct directory_door *door = &d->doors[d->door_count];
	struct span name, protocol;
	uint64_t port;

	if (d->door_count == DIRECTORY_MAX_DOORS || !span_split(&value, ' ', &name) ||
		!span_split(&value, ' ', &protocol) ||
		read_word(name, door->name, sizeof(door->name)) < 0 ||
		read_word(protocol, door->protocol, sizeof(door->protocol)) < 0 ||
		num_parse_u64(value, 1, UINT16_MAX, &port) < 0 ||
		directory_door(d, door->name) != NULL)
		return -EBADMSG;
	door->port = (uint16_t)port;
	d->door_count++;
	return 0;
}

struct key_row {
	const char *name;
	bool many; /* may come more than once */
	int (*read)(struct directory *d, struct span value);
};

static const struct key_row keys[] = {
	{"domain", false, read_domain},
	{"host", false, read_host},
	{"root-sha256", false, read_root},
	{"door", true, read_door},
};
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

/* seen: one bit for each key that was there. */
static int read_line(struct directory *d, struct span line, unsigned *seen)
{
	struct span key;

	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (!text_is_clean(line))
		return -EBADMSG;
	if (!span_split(&line, ' ', &key))
		return 0;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (!span_eq_str(key, keys[i].name))
			continue;
		if (!keys[i].many && (*seen & 1U << i) != 0)
			return -EBADMSG;
		*seen |= 1U << i;
		return keys[i].read(d, line);
	}
	return 0;
}

int directory_parse(struct span text, struct directory *ret)
{
	struct directory d = {0};
	struct span line;
	unsigned seen = 0, lines = 0;
	int r;

	if (text.len > DIRECTORY_MAX_BYTES)
		return -EBADMSG;
	while (span_split(&text, '\n', &line)) {
		if (++lines > DIRECTORY_MAX_LINES)
			return -EBADMSG;
		r = read_line(&d, line, &seen);
		if (r < 0)
			return r;
	}
	/* Doors may be missing, the rest not. */
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!keys[i].many && (seen & 1U << i) == 0)
			return -EBADMSG;
	*ret = d;
	return 0;
}

int directory_write(struct buf *b, const struct directory *d)
{
	struct directory check;
	size_t start = b->len;

	buf_addf(b, "domain %s\nhost %s\nroot-sha256 ", d->domain, d->host);
	text_hex(b, span_of(d->root_sha256, sizeof(d->root_sha256)));
	buf_add_byte(b, '\n');
	for (size_t i = 0; i < d->door_count && i < DIRECTORY_MAX_DOORS; i++)
		buf_addf(b, "door %s %s %u\n", d->doors[i].name, d->doors[i].protocol,
			(unsigned)d->doors[i].port);
	if (buf_error(b) < 0)
		return buf_error(b);
	/* What we write must be what we read. */
	if (directory_parse(span_of(b->p + start, b->len - start), &check) < 0)
		return -EINVAL;
	return 0;
}

const struct directory_door *directory_door(const struct directory *d, const char *name)
{
	for (size_t i = 0; i < d->door_count; i++)
		if (strcmp(d->doors[i].name, name) == 0)
			return &d->doors[i];
	return NULL;
}
