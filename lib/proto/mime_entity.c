/* Characters by their names in HTML: those that mail has. */
#include "proto/mime_i.h"

/* U+00A0 to U+00FF in their order. */
static const char *const latin[] = {"nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar",
	"sect", "uml", "copy", "ordf", "laquo", "not", "shy", "reg", "macr", "deg", "plusmn",
	"sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm", "raquo",
	"frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml",
	"Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
	"Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times",
	"Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave",
	"aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute",
	"ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute",
	"ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml",
	"yacute", "thorn", "yuml"};

static const struct {
	const char *name;
	uint32_t cp;
} others[] = {
	{"amp", '&'},
	{"lt", '<'},
	{"gt", '>'},
	{"quot", '"'},
	{"apos", '\''},
	{"OElig", 0x152},
	{"oelig", 0x153},
	{"Scaron", 0x160},
	{"scaron", 0x161},
	{"Zcaron", 0x17d},
	{"zcaron", 0x17e},
	{"ensp", 0x2002},
	{"emsp", 0x2003},
	{"thinsp", 0x2009},
	{"zwnj", 0x200c},
	{"zwj", 0x200d},
	{"ndash", 0x2013},
	{"mdash", 0x2014},
	{"lsquo", 0x2018},
	{"rsquo", 0x2019},
	{"sbquo", 0x201a},
	{"ldquo", 0x201c},
	{"rdquo", 0x201d},
	{"bdquo", 0x201e},
	{"dagger", 0x2020},
	{"bull", 0x2022},
	{"hellip", 0x2026},
	{"permil", 0x2030},
	{"lsaquo", 0x2039},
	{"rsaquo", 0x203a},
	{"euro", 0x20ac},
	{"trade", 0x2122},
	{"larr", 0x2190},
	{"uarr", 0x2191},
	{"rarr", 0x2192},
	{"darr", 0x2193},
	{"minus", 0x2212},
	{"infin", 0x221e},
	{"ne", 0x2260},
	{"le", 0x2264},
	{"ge", 0x2265},
	{"check", 0x2713},
};

static uint32_t named(struct span name)
{
	for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++)
		if (span_eq_str(name, latin[i]))
			return (uint32_t)(0xa0 + i);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (span_eq_str(name, others[i].name))
			return others[i].cp;
	return 0;
}

/* "#123" or "#x7b". */
static uint32_t numbered(struct span s)
{
	bool hex = s.len > 1 && mime_lower(s.p[1]) == 'x';
	uint32_t cp = 0;

	s = mime_skip(s, hex ? 2 : 1);
	if (s.len == 0 || s.len > 7)
		return 0;
	for (size_t i = 0; i < s.len; i++) {
		int v = mime_hex(s.p[i]);

		if (v < 0 || (!hex && v > 9))
			return 0;
		cp = cp * (hex ? 16 : 10) + (uint32_t)v;
	}
	return cp;
}

uint32_t mime_entity(struct span s, size_t *ret_len)
{
	size_t n = 1;
	uint32_t cp;

	while (n < s.len && n < 12 && s.p[n] > ' ' && s.p[n] < 0x7f && s.p[n] != ';' &&
		s.p[n] != '&' && s.p[n] != '<')
		n++;
	if (n < 2)
		return 0;
	cp = s.p[1] == '#' ? numbered(span_of(s.p + 1, n - 1)) : named(span_of(s.p + 1, n - 1));
	if (n < s.len && s.p[n] == ';')
		n++;
	else if (s.p[1] != '#')
		return 0;
	*ret_len = n;
	return cp;
}
