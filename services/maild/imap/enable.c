/* ENABLE (RFC 5161): what changes the way this session is spoken to. */
#include "services/maild/imap/imap.h"

static const struct {
	const char *name;
	unsigned bits;
} known[] = {
	{"CONDSTORE", IMAP_CONDSTORE},
	{"QRESYNC", IMAP_QRESYNC | IMAP_CONDSTORE},
	{"UTF8=ACCEPT", IMAP_UTF8},
	{"IMAP4rev2", IMAP_REV2},
};

void imap_enable_condstore(struct imap *s)
{
	if ((s->enabled & IMAP_CONDSTORE) != 0)
		return;
	s->enabled |= IMAP_CONDSTORE;
	if (s->state == IMAP_SELECTED)
		imap_untagged(
			s, "OK [HIGHESTMODSEQ %llu] Highest", (unsigned long long)s->box.modseq);
}

int imap_cmd_enable(struct imap_call *c)
{
	struct imap *s = c->s;
	bool wanted[sizeof(known) / sizeof(known[0])] = {false};
	unsigned enabled = s->enabled;
	struct span word;

	do {
		if (imap_in_space(&c->in) < 0 || imap_in_atom(&c->in, &word) < 0)
			return imap_bad(c, "ENABLE takes names of capabilities");
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			wanted[i] = wanted[i] || span_caseeq_str(word, known[i].name);
	} while (!imap_in_end(&c->in));
	buf_reset(&s->out);
	buf_add_str(&s->out, "* ENABLED");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!wanted[i] || (enabled & known[i].bits) == known[i].bits)
			continue;
		enabled |= known[i].bits;
		buf_addf(&s->out, " %s", known[i].name);
	}
	buf_add_str(&s->out, "\r\n");
	imap_write(s, buf_span(&s->out));
	if ((enabled & IMAP_CONDSTORE) != 0)
		imap_enable_condstore(s);
	s->enabled = enabled;
	return imap_ok(c, "Enabled");
}
