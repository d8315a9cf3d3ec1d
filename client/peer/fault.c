/* See fault.h. */
#include "client/peer/fault.h"

#include "base/text.h"

static const struct {
	const char *word;
	const char *text; /* behind the name */
	const char *theirs; /* behind "...'s client refuses this device: "; NULL: the word */
} faults[] = {
	[FAULT_NONE] = {"none", "is believed", NULL},
	[FAULT_UNREACHABLE] = {"unreachable", "cannot be reached directly", NULL},
	[FAULT_SLOW] = {"slow", "did not finish the handshake in time",
		"the handshake took too long"},
	[FAULT_CUT] = {"cut", "cut the line before it was known who it is", NULL},
	[FAULT_PLAIN] = {"plain", "does not speak TLS but plain text", NULL},
	[FAULT_TLS] = {"tls", "could not agree on TLS", NULL},
	[FAULT_ALPN] = {"alpn",
		"does not speak the protocol of calls (no ALPN name "
		"quintet-call/1)",
		"no ALPN name"},
	[FAULT_CA] = {"ca", "shows a certificate that this profile's authority has not issued",
		"its authority did not issue our certificate"},
	[FAULT_EXPIRED] = {"expired",
		"shows a certificate that has expired (or this machine's clock "
		"is off)",
		"our certificate has expired by its clock: try \"quintet renew\""},
	[FAULT_EARLY] = {"early",
		"shows a certificate that is not valid yet (or this machine's clock "
		"is off)",
		"our certificate is not valid yet by its clock"},
	[FAULT_PURPOSE] = {"purpose",
		"shows a certificate that is not meant for calls between people",
		"our certificate is not one for calls"},
	[FAULT_ACCOUNT] = {"account", "shows the certificate of another account",
		"our certificate is of another account than expected"},
	[FAULT_KEY] = {"key", "shows another key than the one that the server has seen",
		"our key is another than the one that its server has seen"},
	[FAULT_REVOKED] = {"revoked", "shows a certificate that is revoked",
		"our certificate is revoked: enroll again"},
	[FAULT_UNCHECKED] = {"unchecked",
		"is not believed: it could not be learned whether the "
		"certificate is revoked",
		"it could not learn whether our certificate is revoked"},
	[FAULT_BINDING] = {"binding",
		"speaks over another line than the one that was agreed on: "
		"somebody may be in between",
		"this is not the line that was agreed on: somebody may be in between"},
	[FAULT_WORDS] = {"words", "breaks the rules of the protocol",
		"we break the rules of the protocol"},
	[FAULT_REFUSED] = {"refused", "'s client refuses this device", NULL},
	[FAULT_MEMORY] = {"memory", "cannot be served: out of memory", NULL},
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

const char *fault_word(enum fault f)
{
	return faults[f].word;
}

/* What the other side's word means for us. Words from afar are shown harmless. */
static void refusal_text(struct buf *b, const char *word)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (strcmp(faults[i].word, word) == 0 && faults[i].theirs != NULL) {
			buf_add_str(b, faults[i].theirs);
			return;
		}
	text_escape(b, span_str(word));
}

void fault_text(struct buf *b, enum fault f, const char *who, const char *why)
{
	buf_addf(b, "%s%s%s", who, *faults[f].text == '\'' ? "" : " ", faults[f].text);
	if (why == NULL || *why == '\0')
		return;
	buf_add_str(b, ": ");
	if (f == FAULT_REFUSED)
		refusal_text(b, why);
	else
		text_escape(b, span_str(why));
}
