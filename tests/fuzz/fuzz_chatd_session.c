/*
 * chatd's whole session over a connection in memory, in a house with people and a past. Three bytes
 * choose who connects, how many bytes of the peer come at a time, and what the house's policy is;
 * the rest is what the peer says. A line "bob> LINE || LINE" is not the peer's: bob (or carl, dan,
 * ...) connects just then and says that, so that the session hears of others; "wait> 40" lets
 * time pass, "keeper> drop #house" is quintetctl. Whatever it is, all
 * get lines of IRC, and when it is over, nothing but the past is left.
 */
#include "tests/fuzz/lib/chat_world.h"

#include "auth/password.h"
#include "base/num.h"
#include "services/chatd/chatd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	WORD_MAX = 10,
	OUT_MAX = 1 << 26,
	IN_MAX = 1 << 16,
	HEAD = 3,
	OTHERS_MAX = 16,
	WAIT_MAX_S = 86400,
	THOROUGH_EVERY = 64
};

static unsigned others, inputs;

static bool is_between(struct span line);

/* What one of the others says, as lines. */
static void let_speak(const struct chat_person *p, struct span rest)
{
	struct buf in = BUF_INIT(IN_MAX), out = BUF_INIT(OUT_MAX);

	buf_add_str(&in, p->greeting);
	while (rest.len > 0) {
		const unsigned char *end = memmem(rest.p, rest.len, " || ", 4);
		size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;
		size_t skip = end != NULL ? len + 4 : len;

		buf_add(&in, span_of(rest.p, len));
		buf_add_str(&in, "\r\n");
		rest = span_of(rest.p + skip, rest.len - skip);
	}
	chatd_between = NULL;
	chat_world_session(p, buf_span(&in), 0, &out);
	chatd_between = is_between;
	chat_answers_check(buf_span(&out));
	buf_done(&in);
	buf_done(&out);
}

/* "NAME> what NAME says", "wait> SECONDS", "keeper> what the house's keeper does" */
static bool is_between(struct span line)
{
	const unsigned char *end =
		memmem(line.p, line.len < WORD_MAX ? line.len : WORD_MAX, "> ", 2);
	const struct chat_person *p;
	struct span name, rest;
	uint64_t seconds;

	if (end == NULL)
		return false;
	name = span_of(line.p, (size_t)(end - line.p));
	rest = span_of(end + 2, line.len - name.len - 2);
	if (span_eq_str(name, "wait") && num_parse_u64(rest, 1, WAIT_MAX_S, &seconds) == 0) {
		chat_world_wait((unsigned)seconds);
		return true;
	}
	if (span_eq_str(name, "keeper") && others++ < OTHERS_MAX)
		return chat_keeper_act(chat_world_store(), rest);
	p = chat_person_find(name);
	if (p == NULL || others++ >= OTHERS_MAX)
		return false;
	let_speak(p, rest);
	return true;
}

static void ask_for_word(void)
{
	char hash[PASSWORD_HASH_SIZE];

	require(password_hash(SPAN_LIT("sesame"), NULL, hash) == 0);
	chat_world_policy("chat_password", hash);
}

static void choose_policy(unsigned choice)
{
	if ((choice & 1) != 0)
		chat_world_policy("chat_accounts", "required");
	if ((choice & 2) != 0)
		chat_world_policy("chat_auto_login", "no");
	if ((choice & 4) != 0) {
		chat_world_policy("signup", "invite");
		chat_world_policy("chat_register_early", "no");
	}
	if ((choice & 8) != 0)
		chat_world_policy("chat_motd",
			"Be kind to each other, and to those who come by, above all to those who "
			"come by for the first time. Whatever is said in #house stays there. For "
			"help ask bob, or whoever has a sign before the name.");
	switch (choice >> 4) {
	case 4:
		ask_for_word();
		break;
	case 5:
		chat_world_policy("chat_flood_rate", "2");
		chat_world_policy("chat_flood_burst", "5");
		break;
	case 6:
		chat_world_policy("chat_quota_day", "300");
		chat_world_policy("chat_channels", "1");
		chat_world_policy("chat_keep", "1h");
		break;
	case 7:
		chat_world_policy("chat_always_on", "no");
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT(OUT_MAX);
	struct span in;
	size_t step;

	if (size < HEAD || size > IN_MAX)
		return 0;
	in = span_of(data + HEAD, size - HEAD);
	step = data[1] & 15;
	chat_world_reset();
	choose_policy(data[2]);
	others = 0;
	chatd_between = is_between;
	chat_world_session(chat_person_at(data[0] & 7), in, step * step, &out);
	chatd_between = NULL;
	chat_answers_check(buf_span(&out));
	if (memmem(data, size, chat_world_peer, strlen(chat_world_peer)) == NULL && out.len > 0)
		require(memmem(out.p, out.len, chat_world_peer, strlen(chat_world_peer)) == NULL);
	chat_world_check(inputs++ % THOROUGH_EVERY == 0);
	buf_done(&out);
	return 0;
}
