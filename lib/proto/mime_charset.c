/*
 * Character sets to UTF-8. Only those in the table below are known: what mail comes in, and what
 * a converter may be trusted with. Sets of one byte a character have tables of ours, so that the
 * usual ones need nothing from outside; the rest goes through iconv, whose converters stay open.
 */
#include "base/text.h"
#include "proto/mime_i.h"

#include <errno.h>
#include <iconv.h>

enum { CHARSET_NAME_SIZE = 32 };

/* How a set is read. */
enum reader { READ_UTF8, READ_UTF16, READ_UTF16LE, READ_UTF32, READ_TABLE, READ_ICONV };

struct set {
	const char *alias; /* lower case, without '-', '_' and blanks */
	enum reader reader;
	const char *name;
};

static const struct set sets[] = {
	{"utf8", READ_UTF8, NULL},
	{"usascii", READ_UTF8, NULL},
	{"ascii", READ_UTF8, NULL},
	{"ansix3.41968", READ_UTF8, NULL},
	{"unicode11utf8", READ_UTF8, NULL},
	{"iso88591", READ_TABLE, "windows-1252"},
	{"latin1", READ_TABLE, "windows-1252"},
	{"l1", READ_TABLE, "windows-1252"},
	{"windows1252", READ_TABLE, "windows-1252"},
	{"cp1252", READ_TABLE, "windows-1252"},
	{"iso88592", READ_TABLE, "ISO-8859-2"},
	{"latin2", READ_TABLE, "ISO-8859-2"},
	{"iso88593", READ_TABLE, "ISO-8859-3"},
	{"latin3", READ_TABLE, "ISO-8859-3"},
	{"iso88594", READ_TABLE, "ISO-8859-4"},
	{"latin4", READ_TABLE, "ISO-8859-4"},
	{"iso88595", READ_TABLE, "ISO-8859-5"},
	{"iso88596", READ_TABLE, "ISO-8859-6"},
	{"iso88597", READ_TABLE, "ISO-8859-7"},
	{"iso88598", READ_TABLE, "ISO-8859-8"},
	{"iso88598i", READ_TABLE, "ISO-8859-8"},
	{"iso88599", READ_TABLE, "windows-1254"},
	{"latin5", READ_TABLE, "windows-1254"},
	{"iso885910", READ_TABLE, "ISO-8859-10"},
	{"iso885911", READ_TABLE, "windows-874"},
	{"tis620", READ_TABLE, "windows-874"},
	{"windows874", READ_TABLE, "windows-874"},
	{"iso885913", READ_TABLE, "ISO-8859-13"},
	{"iso885914", READ_TABLE, "ISO-8859-14"},
	{"iso885915", READ_TABLE, "ISO-8859-15"},
	{"latin9", READ_TABLE, "ISO-8859-15"},
	{"iso885916", READ_TABLE, "ISO-8859-16"},
	{"windows1250", READ_TABLE, "windows-1250"},
	{"cp1250", READ_TABLE, "windows-1250"},
	{"windows1251", READ_TABLE, "windows-1251"},
	{"cp1251", READ_TABLE, "windows-1251"},
	{"windows1253", READ_TABLE, "windows-1253"},
	{"cp1253", READ_TABLE, "windows-1253"},
	{"windows1254", READ_TABLE, "windows-1254"},
	{"cp1254", READ_TABLE, "windows-1254"},
	{"windows1255", READ_TABLE, "windows-1255"},
	{"cp1255", READ_TABLE, "windows-1255"},
	{"windows1256", READ_TABLE, "windows-1256"},
	{"cp1256", READ_TABLE, "windows-1256"},
	{"windows1257", READ_TABLE, "windows-1257"},
	{"cp1257", READ_TABLE, "windows-1257"},
	{"windows1258", READ_TABLE, "windows-1258"},
	{"cp1258", READ_TABLE, "windows-1258"},
	{"koi8r", READ_TABLE, "KOI8-R"},
	{"koi8u", READ_TABLE, "KOI8-U"},
	{"koi8ru", READ_TABLE, "KOI8-U"},
	{"macintosh", READ_TABLE, "macintosh"},
	{"ibm437", READ_TABLE, "IBM437"},
	{"cp437", READ_TABLE, "IBM437"},
	{"ibm850", READ_TABLE, "IBM850"},
	{"cp850", READ_TABLE, "IBM850"},
	{"ibm852", READ_TABLE, "IBM852"},
	{"cp852", READ_TABLE, "IBM852"},
	{"ibm866", READ_TABLE, "IBM866"},
	{"cp866", READ_TABLE, "IBM866"},
	{"utf16", READ_UTF16, NULL},
	{"utf16be", READ_UTF16, NULL},
	{"utf16le", READ_UTF16LE, NULL},
	{"utf32", READ_UTF32, NULL},
	{"utf32be", READ_UTF32, NULL},
	{"utf7", READ_ICONV, "UTF-7"},
	{"unicode11utf7", READ_ICONV, "UTF-7"},
	{"iso2022jp", READ_ICONV, "ISO-2022-JP-2"},
	{"iso2022jp2", READ_ICONV, "ISO-2022-JP-2"},
	{"iso2022jpms", READ_ICONV, "ISO-2022-JP-2"},
	{"shiftjis", READ_ICONV, "CP932"},
	{"sjis", READ_ICONV, "CP932"},
	{"xsjis", READ_ICONV, "CP932"},
	{"cp932", READ_ICONV, "CP932"},
	{"windows31j", READ_ICONV, "CP932"},
	{"eucjp", READ_ICONV, "EUC-JP"},
	{"gb2312", READ_ICONV, "GB18030"},
	{"gbk", READ_ICONV, "GB18030"},
	{"cp936", READ_ICONV, "GB18030"},
	{"gb18030", READ_ICONV, "GB18030"},
	{"big5", READ_ICONV, "BIG5-HKSCS"},
	{"cp950", READ_ICONV, "BIG5-HKSCS"},
	{"big5hkscs", READ_ICONV, "BIG5-HKSCS"},
	{"euckr", READ_ICONV, "CP949"},
	{"ksc56011987", READ_ICONV, "CP949"},
	{"cp949", READ_ICONV, "CP949"},
	{"windows949", READ_ICONV, "CP949"},
	{"iso2022kr", READ_ICONV, "ISO-2022-KR"},
};

/* Those that iconv reads, once opened: the process's, like the C library's own state of them. */
static struct converter {
	const char *name;
	iconv_t cd;
	bool tried, open;
} converters[] = {
	{.name = "UTF-7"},
	{.name = "ISO-2022-JP-2"},
	{.name = "CP932"},
	{.name = "EUC-JP"},
	{.name = "GB18030"},
	{.name = "BIG5-HKSCS"},
	{.name = "CP949"},
	{.name = "ISO-2022-KR"},
};

enum { CONVERTERS = sizeof(converters) / sizeof(converters[0]) };

/* -- finding ----------------------------------------------------------------------------------- */

static const struct set *find_set(struct span charset)
{
	char alias[CHARSET_NAME_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < charset.len; i++) {
		unsigned char c = charset.p[i];

		if (c == '-' || c == '_' || c == ' ')
			continue;
		if (n == sizeof(alias) - 1)
			return NULL;
		alias[n++] = (char)mime_lower(c);
	}
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (span_eq_str(span_of(alias, n), sets[i].alias))
			return &sets[i];
	return NULL;
}

static struct converter *open_converter(const char *name)
{
	for (size_t i = 0; i < CONVERTERS; i++) {
		struct converter *c = &converters[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (!c->tried) {
			c->tried = true;
			c->cd = iconv_open("UTF-8", name);
			c->open = c->cd != (iconv_t)-1; /* NOLINT(performance-no-int-to-ptr) */
		}
		return c->open ? c : NULL;
	}
	return NULL;
}

void mime_charset_warm(void)
{
	for (size_t i = 0; i < CONVERTERS; i++)
		(void)open_converter(converters[i].name);
}

bool mime_charset_known(struct span charset)
{
	const struct set *set = find_set(charset);

	return set != NULL && (set->reader != READ_ICONV || open_converter(set->name) != NULL);
}

/* -- reading ----------------------------------------------------------------------------------- */

static void read_utf8(struct buf *b, struct span bytes)
{
	struct span rest = bytes;
	uint32_t cp;
	bool bad;

	if (text_is_utf8(bytes)) {
		buf_add(b, bytes);
		return;
	}
	while (buf_error(b) == 0 && mime_utf8_next(&rest, &cp, &bad))
		mime_utf8_put(b, cp);
}

static void read_table(struct buf *b, struct span bytes, const struct mime_table *table)
{
	size_t start = 0;

	for (size_t i = 0; i < bytes.len && buf_error(b) == 0; i++) {
		if (bytes.p[i] < 0x80)
			continue;
		buf_add(b, span_of(bytes.p + start, i - start));
		mime_utf8_put(b, table->high[bytes.p[i] - 0x80]);
		start = i + 1;
	}
	buf_add(b, mime_skip(bytes, start));
}

static uint32_t utf16_unit(struct span s, bool little)
{
	return little ? (uint32_t)(s.p[1] << 8 | s.p[0]) : (uint32_t)(s.p[0] << 8 | s.p[1]);
}

static void read_utf16(struct buf *b, struct span s, bool little, bool marked)
{
	if (marked && s.len >= 2 && s.p[0] == 0xff && s.p[1] == 0xfe)
		little = true;
	while (s.len >= 2 && buf_error(b) == 0) {
		uint32_t cp = utf16_unit(s, little);

		s = mime_skip(s, 2);
		if (cp >= 0xd800 && cp < 0xdc00 && s.len >= 2) {
			uint32_t low = utf16_unit(s, little);

			if (low >= 0xdc00 && low < 0xe000) {
				cp = 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
				s = mime_skip(s, 2);
			}
		}
		if (cp != 0xfeff)
			mime_utf8_put(b, cp);
	}
	if (s.len > 0)
		mime_utf8_put(b, 0xfffd);
}

static void read_utf32(struct buf *b, struct span s)
{
	for (; s.len >= 4 && buf_error(b) == 0; s = mime_skip(s, 4)) {
		uint32_t cp = (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 |
			(uint32_t)s.p[2] << 8 | s.p[3];

		if (cp != 0xfeff)
			mime_utf8_put(b, cp);
	}
	if (s.len > 0)
		mime_utf8_put(b, 0xfffd);
}

/* One byte that is none of the set's is U+FFFD, and the next is looked at. */
static void run_iconv(struct buf *b, char *in, size_t left, iconv_t cd)
{
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	while (left > 0 && buf_error(b) == 0) {
		char out[4096], *to = out;
		size_t room = sizeof(out);
		size_t r = iconv(cd, &in, &left, &to, &room);
		int e = errno;

		buf_add(b, span_of(out, sizeof(out) - room));
		if (r != (size_t)-1 || e == E2BIG)
			continue;
		mime_utf8_put(b, 0xfffd);
		if (e != EILSEQ || left == 0)
			break;
		in++;
		left--;
	}
}

/* It wants what it reads to be writable. */
static void read_iconv(struct buf *b, struct span bytes, const struct converter *c)
{
	struct buf copy = BUF_INIT(bytes.len);

	buf_add(&copy, bytes);
	if (buf_error(&copy) == 0)
		run_iconv(b, (char *)copy.p, copy.len, c->cd);
	else if (b->error == 0)
		b->error = buf_error(&copy);
	buf_done(&copy);
}

/* Not in a known set: mostly one of these two. */
static void read_unknown(struct buf *b, struct span bytes)
{
	if (text_is_utf8(bytes))
		buf_add(b, bytes);
	else
		read_table(b, bytes, mime_table_find("windows-1252"));
}

static void read_set(struct buf *b, const struct set *set, struct span bytes)
{
	struct converter *c;

	switch (set->reader) {
	case READ_UTF8:
		if (set->alias[0] == 'u' && set->alias[1] == 't')
			read_utf8(b, bytes);
		else
			read_unknown(b, bytes); /* more than ASCII, all the same */
		break;
	case READ_UTF16:
	case READ_UTF16LE:
		read_utf16(b, bytes, set->reader == READ_UTF16LE, set->reader == READ_UTF16);
		break;
	case READ_UTF32:
		read_utf32(b, bytes);
		break;
	case READ_TABLE:
		read_table(b, bytes, mime_table_find(set->name));
		break;
	case READ_ICONV:
		c = open_converter(set->name);
		if (c != NULL)
			read_iconv(b, bytes, c);
		else
			read_unknown(b, bytes);
		break;
	}
}

int mime_to_utf8(struct buf *b, struct span charset, struct span bytes)
{
	const struct set *set = find_set(charset);

	if (set == NULL)
		read_unknown(b, bytes);
	else
		read_set(b, set, bytes);
	return buf_error(b);
}
