/* Tokens of requests: made of chance, good once, for two minutes. */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"

int token_new(char ret[DCC_TOKEN_SIZE])
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(DCC_TOKEN_SIZE);
	unsigned char bytes[DCC_TOKEN_BYTES];
	int r = hash_random(bytes, sizeof bytes);

	if (r < 0)
		return r;
	text_hex(&hex, span_of(bytes, sizeof bytes));
	return span_copy_str(buf_span(&hex), ret, DCC_TOKEN_SIZE);
}

void token_over(struct tokens *t, const char *token, enum token_end end)
{
	size_t i = t->next;

	t->next = (t->next + 1) % TOKENS_KEPT;
	snprintf(t->v[i].text, sizeof t->v[i].text, "%s", token);
	t->v[i].end = end;
	t->v[i].until_ms = time_monotonic_ms() + OFFER_MS;
}

enum token_end token_find(const struct tokens *t, const char *token)
{
	int64_t now_ms = time_monotonic_ms();

	for (size_t i = 0; i < TOKENS_KEPT; i++)
		if (strcmp(t->v[i].text, token) == 0 && now_ms < t->v[i].until_ms)
			return t->v[i].end;
	return TOKEN_UNKNOWN;
}
