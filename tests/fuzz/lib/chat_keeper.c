/* What the keeper of the house does meanwhile: the same operations as quintetctl's. */
#include "tests/fuzz/lib/chat_world.h"

#include "base/timefmt.h"
#include "proto/irc.h"
#include "store/chat_i.h"

static void drop_channel(struct store *s, struct span name)
{
	struct chat_drop_args args = {.by = {.who = "", .now_us = time_now_us()}, .channel = name};
	struct chat_result result = {.answer = CHAT_DONE};

	require(store_call(s, STORE_OP_CHAT_DROP, &args, &result) == 0);
}

static void remove_account(struct store *s, struct span name)
{
	struct account_remove_args args = {.now_us = time_now_us()};
	struct account_remove_result result = {.revoked = 0};

	if (span_copy_str(name, args.name, sizeof(args.name)) == 0)
		(void)store_call(s, STORE_OP_ACCOUNT_REMOVE, &args, &result);
}

static void kill_person(struct store *s, struct span nick)
{
	struct chat_announce_args args = {.by = {.who = "", .now_us = time_now_us()},
		.kind = CHAT_KILL,
		.nick = nick,
		.text = SPAN_LIT("The keeper says so")};
	struct chat_result result = {.answer = CHAT_DONE};

	require(store_call(s, STORE_OP_CHAT_ANNOUNCE, &args, &result) == 0);
}

static void sweep(struct store *s, struct span word)
{
	uint64_t rows = 0;

	(void)word;
	require(chat_sweep(s, time_now_us(), &rows) == 0);
}

static const struct {
	const char *name;
	void (*act)(struct store *s, struct span word);
} acts[] = {
	{"drop", drop_channel},
	{"remove", remove_account},
	{"kill", kill_person},
	{"sweep", sweep},
};

bool chat_keeper_act(struct store *s, struct span words)
{
	struct span verb, word = {NULL, 0};

	if (!irc_word(&words, ' ', &verb))
		return false;
	(void)irc_word(&words, ' ', &word);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (span_eq_str(verb, acts[i].name)) {
			acts[i].act(s, word);
			return true;
		}
	return false;
}
