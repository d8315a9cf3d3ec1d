/* Facts of MLST and MLSD (RFC 3659 section 7), and LIST's lines in the form that people know. */
#include "proto/ftp.h"

#include "base/num.h"
#include "base/text.h"
#include "base/timefmt.h"

#include <errno.h>

static const struct {
	enum ftp_fact fact;
	const char *name;
} facts[] = {
	{FTP_FACT_TYPE, "type"},
	{FTP_FACT_SIZE, "size"},
	{FTP_FACT_MODIFY, "modify"},
	{FTP_FACT_PERM, "perm"},
	{FTP_FACT_UNIQUE, "unique"},
	{FTP_FACT_OWNER, "UNIX.ownername"},
	{FTP_FACT_DIGEST, "X.sha256"},
};

#define FACTS (sizeof(facts) / sizeof(facts[0]))

static const char *const types[] = {
	[FTP_ENTRY_FILE] = "file",
	[FTP_ENTRY_FOLDER] = "dir",
	[FTP_ENTRY_SELF] = "cdir",
	[FTP_ENTRY_PARENT] = "pdir",
};

#define TYPES (sizeof(types) / sizeof(types[0]))

/* -- writing ----------------------------------------------------------------------------------- */

/* Folders have no size that means something, only files have digests; owners may be unknown. */
static bool has_fact(const struct ftp_entry *e, enum ftp_fact fact)
{
	switch (fact) {
	case FTP_FACT_SIZE:
		return e->type == FTP_ENTRY_FILE;
	case FTP_FACT_OWNER:
		return e->owner[0] != '\0';
	case FTP_FACT_DIGEST:
		return e->has_digest;
	default:
		return true;
	}
}

static void write_value(struct buf *b, const struct ftp_entry *e, enum ftp_fact fact)
{
	switch (fact) {
	case FTP_FACT_TYPE:
		buf_add_str(b, types[e->type]);
		break;
	case FTP_FACT_SIZE:
		buf_addf(b, "%llu", (unsigned long long)e->size);
		break;
	case FTP_FACT_MODIFY:
		ftp_time_write(b, e->modify_us, false);
		break;
	case FTP_FACT_PERM:
		buf_add_str(b, e->perm);
		break;
	case FTP_FACT_UNIQUE:
		buf_addf(b, "%llxg%llx", (unsigned long long)e->unique[0],
			(unsigned long long)e->unique[1]);
		break;
	case FTP_FACT_OWNER:
		buf_add_str(b, e->owner);
		break;
	case FTP_FACT_DIGEST:
		text_hex(b, span_of(e->digest, sizeof(e->digest)));
		break;
	case FTP_FACT_ALL:
		break;
	}
}

void ftp_facts_write(struct buf *b, const struct ftp_entry *e, unsigned wanted, const char *name)
{
	for (size_t i = 0; i < FACTS; i++) {
		if ((wanted & facts[i].fact) == 0 || !has_fact(e, facts[i].fact))
			continue;
		buf_addf(b, "%s=", facts[i].name);
		write_value(b, e, facts[i].fact);
		buf_add_byte(b, ';');
	}
	buf_addf(b, " %s", name);
}

void ftp_facts_names(struct buf *b, unsigned on, bool stars)
{
	for (size_t i = 0; i < FACTS; i++) {
		bool is_on = (on & facts[i].fact) != 0;

		if (stars || is_on)
			buf_addf(b, "%s%s;", facts[i].name, stars && is_on ? "*" : "");
	}
}

static unsigned find_fact(struct span name)
{
	for (size_t i = 0; i < FACTS; i++)
		if (span_caseeq_str(name, facts[i].name))
			return facts[i].fact;
	return 0;
}

unsigned ftp_facts_select(struct span argument)
{
	struct span name;
	unsigned on = 0;

	while (span_split(&argument, ';', &name))
		on |= find_fact(name);
	return on;
}

/* -- reading ----------------------------------------------------------------------------------- */

static int read_type(struct span value, struct ftp_entry *e)
{
	for (size_t i = 0; i < TYPES; i++)
		if (span_caseeq_str(value, types[i])) {
			e->type = (enum ftp_entry_type)i;
			return 0;
		}
	/* "OS.unix=symlink" and the like: nothing that we would fetch. */
	return -EPROTO;
}

static int read_hex(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0 || s.len > 16)
		return -EPROTO;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return -EPROTO;
	}
	*ret = v;
	return 0;
}

/* Other servers' forms of "unique" are opaque: 0 0. */
static int read_unique(struct span value, struct ftp_entry *e)
{
	struct span device = {0};
	uint64_t a, b;

	(void)span_split(&value, 'g', &device);
	if (read_hex(device, &a) == 0 && read_hex(value, &b) == 0) {
		e->unique[0] = a;
		e->unique[1] = b;
	}
	return 0;
}

static int read_digest(struct span value, struct ftp_entry *e)
{
	struct buf b = BUF_INIT(sizeof(e->digest));
	int r = text_unhex(&b, value) < 0 || b.len != sizeof(e->digest) ? -EPROTO : 0;

	if (r == 0) {
		memcpy(e->digest, b.p, sizeof(e->digest));
		e->has_digest = true;
	}
	buf_done(&b);
	return r;
}

static int read_value(enum ftp_fact fact, struct span value, struct ftp_entry *e)
{
	int r = 0;

	switch (fact) {
	case FTP_FACT_TYPE:
		return read_type(value, e);
	case FTP_FACT_SIZE:
		r = num_parse_u64(value, 0, INT64_MAX, &e->size);
		break;
	case FTP_FACT_MODIFY:
		r = ftp_time_parse(value, &e->modify_us);
		break;
	case FTP_FACT_PERM:
		r = text_is_print(value) ? span_copy_str(value, e->perm, sizeof(e->perm)) : -EPROTO;
		break;
	case FTP_FACT_UNIQUE:
		return read_unique(value, e);
	case FTP_FACT_OWNER:
		r = text_is_clean(value) ? span_copy_str(value, e->owner, sizeof(e->owner))
					 : -EPROTO;
		break;
	case FTP_FACT_DIGEST:
		return read_digest(value, e);
	case FTP_FACT_ALL:
		break;
	}
	return r < 0 ? -EPROTO : 0;
}

int ftp_facts_read(
	struct span line, struct ftp_entry *ret, unsigned *ret_facts, struct span *ret_name)
{
	struct ftp_entry e = {.type = FTP_ENTRY_FILE};
	struct span list = {0}, item, name;
	unsigned there = 0;

	if (!span_split(&line, ' ', &list) || line.len == 0)
		return -EPROTO;
	while (span_split(&list, ';', &item)) {
		unsigned fact;

		if (!span_split(&item, '=', &name))
			return -EPROTO;
		fact = find_fact(name);
		if (fact == 0)
			continue;
		if (read_value((enum ftp_fact)fact, item, &e) < 0)
			return -EPROTO;
		there |= fact;
	}
	*ret = e;
	*ret_facts = there;
	*ret_name = line;
	return 0;
}

/* -- LIST -------------------------------------------------------------------------------------- */

static void write_when(struct buf *b, int64_t at_us, int64_t now_us)
{
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	static const int64_t half_year_us = INT64_C(182) * 86400 * TIME_S_US;
	struct time_parts p;

	if (time_utc(at_us, &p) < 0)
		(void)time_utc(0, &p);
	buf_addf(b, "%s %2d ", months[p.month - 1], p.day);
	if (at_us > now_us + TIME_S_US || at_us < now_us - half_year_us)
		buf_addf(b, " %04d", p.year);
	else
		buf_addf(b, "%02d:%02d", p.hour, p.minute);
}

void ftp_list_write(struct buf *b, const struct ftp_entry *e, int64_t now_us, const char *name)
{
	bool file = e->type == FTP_ENTRY_FILE;
	bool writable = strpbrk(e->perm, "wadfmcp") != NULL;

	buf_addf(b, "%c%s   %s %-8s quintet  %12llu ", file ? '-' : 'd',
		file ? (writable ? "rw-r-----" : "r--r-----")
		     : (writable ? "rwxr-x---" : "r-xr-x---"),
		file ? "1" : "2", e->owner[0] != '\0' ? e->owner : "nobody",
		(unsigned long long)(file ? e->size : 0));
	write_when(b, e->modify_us, now_us);
	buf_addf(b, " %s", name);
}
