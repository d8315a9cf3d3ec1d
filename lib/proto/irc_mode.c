/* The words of MODE. */
#include "proto/irc.h"

static bool in(const char *letters, char c)
{
	return c != '\0' && strchr(letters, c) != NULL;
}

enum need { NEVER, IF_THERE, ALWAYS };

static enum need need_of(const struct irc_mode_types *t, const struct irc_mode *m)
{
	if (in(t->lists, m->letter))
		return IF_THERE;
	if (in(t->always, m->letter) || in(t->prefix, m->letter))
		return ALWAYS;
	return m->set && in(t->when_set, m->letter) ? ALWAYS : NEVER;
}

static bool is_known(const struct irc_mode_types *t, char c)
{
	return in(t->lists, c) || in(t->always, c) || in(t->when_set, c) || in(t->never, c) ||
		in(t->prefix, c);
}

struct words {
	const struct span *v;
	size_t count, at;
};

static void take_argument(struct irc_mode *m, struct words *w)
{
	m->has_argument = w->at < w->count;
	if (m->has_argument)
		m->argument = w->v[w->at++];
}

size_t irc_modes(const struct irc_mode_types *types, const struct span *words, size_t count,
	struct irc_mode *ret, size_t max)
{
	struct words w = {words, count, 0};
	bool set = true;
	size_t n = 0;

	/* Letters may go on behind the arguments of those before. */
	while (w.at < w.count) {
		struct span letters = w.v[w.at++];

		for (size_t i = 0; i < letters.len; i++) {
			struct irc_mode m = {.set = set, .letter = (char)letters.p[i]};

			if (m.letter == '+' || m.letter == '-') {
				set = m.letter == '+';
				continue;
			}
			if (n == max)
				return n;
			m.known = is_known(types, m.letter);
			if (m.known && need_of(types, &m) != NEVER)
				take_argument(&m, &w);
			ret[n++] = m;
		}
	}
	return n;
}
