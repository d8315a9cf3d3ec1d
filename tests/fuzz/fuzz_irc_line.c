/*
 * IRC lines: parameters, tags, masks, modes, ids and times. The first byte chooses; what can be
 * written again must read the same.
 */
#include "proto/irc.h"

#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static bool inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

/* Written out in the one usual form, a message reads the same. */
static void write_again(const struct irc_message *m)
{
	struct buf b = BUF_INIT(65536);
	struct irc_message again;

	if (m->tags.len > 0) {
		buf_add_byte(&b, '@');
		buf_add(&b, m->tags);
		buf_add_byte(&b, ' ');
	}
	if (m->source.len > 0) {
		buf_add_byte(&b, ':');
		buf_add(&b, m->source);
		buf_add_byte(&b, ' ');
	}
	buf_add(&b, m->verb);
	for (size_t i = 0; i < m->count; i++) {
		buf_add_str(&b, i + 1 == m->count && m->trailing ? " :" : " ");
		buf_add(&b, m->params[i]);
	}
	/* Without its colon the rest behind the fifteenth may be longer by a blank or two. */
	if (irc_parse(buf_span(&b), IRC_SERVER_TAGS_MAX, &again) == 0) {
		must(again.count == m->count && span_eq(again.verb, m->verb));
		must(span_eq(again.tags, m->tags) && span_eq(again.source, m->source));
		for (size_t i = 0; i < m->count; i++)
			must(span_eq(again.params[i], m->params[i]));
	}
	buf_done(&b);
}

static void line(struct span s)
{
	struct irc_message m;
	struct span verb, rest;

	if (irc_parse(s, IRC_SERVER_TAGS_MAX, &m) < 0)
		return;
	must(m.count <= IRC_PARAMS_MAX && m.verb.len > 0);
	must(inside(m.tags, s) && inside(m.source, s) && inside(m.verb, s));
	for (size_t i = 0; i < m.count; i++) {
		must(inside(m.params[i], s));
		must(m.trailing || i + 1 < m.count || m.params[i].len > 0);
		if (irc_ctcp(m.params[i], &verb, &rest))
			must(inside(verb, s) && inside(rest, s) && verb.len > 0);
	}
	(void)irc_source_of(m.source);
	(void)irc_isupport(&m, "CHANMODES", &rest);
	write_again(&m);
}

static void tags(struct span s)
{
	struct span rest = s, key, value;

	while (irc_tag_next(&rest, &key, &value)) {
		must(inside(key, s) && inside(value, s));
		(void)irc_tag_key_ok(key);
	}
}

static void names(struct span s)
{
	struct buf mask = BUF_INIT(300), again = BUF_INIT(300);

	must(!irc_nick_ok(s, 32) || (s.len <= 32 && text_is_print(s)));
	must(!irc_channel_ok(s, 64) || text_is_clean(s));
	if (irc_mask(s, 200, &mask) == 0) {
		must(mask.len <= 200 && memchr(mask.p, ' ', mask.len) == NULL);
		must(irc_mask(buf_span(&mask), 200, &again) == 0);
		must(span_eq(buf_span(&mask), buf_span(&again)));
	}
	buf_reset(&mask);
	irc_ident(&mask, s, 18);
	must(mask.len > 0 && mask.len <= 18 && text_is_print(buf_span(&mask)));
	buf_done(&mask);
	buf_done(&again);
}

static void modes(struct span s)
{
	static const struct irc_mode_types types = {"beI", "k", "l", "imnst", "ohv"};
	struct irc_mode out[32];
	struct span words[16];
	size_t count = 0, n;

	while (count < 16 && irc_word(&s, ' ', &words[count]))
		count++;
	n = irc_modes(&types, words, count, out, 32);
	must(n <= 32);
	for (size_t i = 0; i < n; i++)
		must(out[i].letter != '+' && out[i].letter != '-');
}

static void ids(struct span s)
{
	char text[IRC_MSGID_SIZE], time[IRC_TIME_SIZE];
	int64_t at_us, again_us;
	uint64_t seq;
	unsigned check;

	if (irc_msgid_parse(s, &seq, &check) == 0) {
		irc_msgid_write(seq, (int64_t)check, text);
		must(span_eq_str(s, text) && irc_msgid_is(check, (int64_t)check));
	}
	if (irc_time_parse(s, &at_us) == 0) {
		irc_time_write(at_us, time);
		must(irc_time_parse(span_str(time), &again_us) == 0);
		must(again_us / 1000 == at_us / 1000 || at_us < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const each[])(struct span s) = {line, tags, names, modes, ids};
	size_t count = sizeof(each) / sizeof(each[0]);

	if (size > 0)
		each[data[0] % count](span_of(data + 1, size - 1));
	return 0;
}
