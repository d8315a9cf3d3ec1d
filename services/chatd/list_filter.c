/* What LIST shows: masks and the conditions of ELIST=CMNTU. */
#include "services/chatd/show.h"

#include "base/match.h"
#include "base/num.h"
#include "base/timefmt.h"

/* Decades of minutes, so that no product overflows. */
enum { MINUTES_MAX = 100000000 };

static bool passes_count(struct span number, bool more, uint64_t count)
{
	uint64_t n;

	if (num_parse_u64(number, 0, UINT32_MAX, &n) < 0)
		return false;
	return more ? count > n : count < n;
}

/* Less or more than so many minutes ago; what lies ahead of a clock that was set back is now. */
static bool passes_age(struct span number, bool more, int64_t since_us, int64_t now_us)
{
	int64_t age_us = now_us > since_us ? now_us - since_us : 0;
	uint64_t n;
	bool old;

	if (num_parse_u64(number, 0, MINUTES_MAX, &n) < 0)
		return false;
	old = age_us >= (int64_t)n * 60 * TIME_S_US;
	return more ? old : !old;
}

static struct span behind(struct span s, size_t len)
{
	return span_of(s.p + len, s.len - len);
}

static bool is_sign(unsigned char c)
{
	return c == '<' || c == '>';
}

struct verdict {
	bool refused; /* by a condition */
	bool masks, matched; /* there are some; one matches */
};

static void judge(struct span word, const struct chat_channel *c, int64_t now_us, struct verdict *v)
{
	if (is_sign(*word.p)) {
		v->refused |= !passes_count(behind(word, 1), *word.p == '>', c->present);
	} else if (*word.p == '!') {
		v->refused |= match_mask(behind(word, 1), span_str(c->name));
	} else if (word.len > 1 && is_sign(word.p[1]) && (*word.p == 'C' || *word.p == 'T')) {
		int64_t since_us = *word.p == 'C' ? c->created_us : c->topic_us;

		v->refused |= since_us == 0 ||
			!passes_age(behind(word, 2), word.p[1] == '>', since_us, now_us);
	} else {
		v->masks = true;
		v->matched |= match_mask(word, span_str(c->name));
	}
}

bool chatd_list_passes(struct span words, const struct chat_channel *channel, int64_t now_us)
{
	struct verdict v = {.refused = false};
	struct span word;

	while (irc_word(&words, ',', &word))
		judge(word, channel, now_us, &v);
	return !v.refused && (!v.masks || v.matched);
}
