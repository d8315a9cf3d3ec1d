/*
 * Channels beside a plain model of them: random acts by whoever, and after each the answer, who is
 * in the channel with which role, its counts, modes and lists; now and then that no row is left
 * over anywhere.
 */
#include "tests/unit/lib/chat_model.h"

#include "store/chat_i.h"
#include "store/store_i.h"
#include "tests/unit/lib/chat_acts.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/store_fixture.h"

#include "base/num.h"
#include "base/timefmt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ACTS = 1200, WHOLE_EVERY = 100, CHANGES_MAX = 5, LIMIT_MAX = 5 };

struct run {
	uint64_t random;
	struct store *s;
	struct model model;
	struct chat_actor people[MODEL_PEOPLE];
	unsigned done;
};

static unsigned pick(struct run *r, unsigned n)
{
	r->random = r->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(r->random >> 33) % n;
}

static uint64_t seed(void)
{
	const char *text = getenv("QUINTET_TEST_SEED");
	uint64_t ret = (uint64_t)time_now_us();

	if (text != NULL)
		(void)num_parse_u64(span_str(text), 0, UINT64_MAX, &ret);
	print_message("QUINTET_TEST_SEED=%ju\n", (uintmax_t)ret);
	return ret;
}

static void policy(struct store *s, const char *name, const char *value)
{
	struct policy_set_args p = {.by = "test"};

	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	(void)snprintf(p.value, sizeof(p.value), "%s", value);
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &p, NULL), 0);
}

/* -- acts -------------------------------------------------------------------------------------- */

static struct chat_actor actor(struct run *r, struct model_act a)
{
	r->people[a.who].now_us++;
	return r->people[a.who];
}

static const char *nick(int who)
{
	return model_nicks[who];
}

/* What is done, and what should come of it: the same in both. */
struct pair {
	enum chat_answer should, is;
};

static struct pair act_join(struct run *r, struct model_act a)
{
	const unsigned key = pick(r, 2);

	return (struct pair){model_join(&r->model, a, (int)key),
		acts_join(r->s, actor(r, a), model_names[a.channel], model_keys[key])};
}

static struct pair act_part(struct run *r, struct model_act a)
{
	a.override = false; /* PART knows none, nor does INVITE */
	return (struct pair){
		model_part(&r->model, a), acts_part(r->s, actor(r, a), model_names[a.channel])};
}

static struct pair act_kick(struct run *r, struct model_act a)
{
	const int whom = (int)pick(r, MODEL_PEOPLE);

	return (struct pair){model_kick(&r->model, a, whom),
		acts_kick(r->s, actor(r, a), model_names[a.channel], nick(whom))};
}

static struct pair act_invite(struct run *r, struct model_act a)
{
	const int whom = (int)pick(r, MODEL_PEOPLE);

	a.override = false;
	return (struct pair){model_invite(&r->model, a, whom),
		acts_invite(r->s, actor(r, a), model_names[a.channel], nick(whom))};
}

static struct pair act_topic(struct run *r, struct model_act a)
{
	return (struct pair){model_topic(&r->model, a),
		acts_topic(r->s, actor(r, a), model_names[a.channel], "topic")};
}

static struct pair act_rename(struct run *r, struct model_act a)
{
	const int name = (int)pick(r, MODEL_CHANNELS);

	return (struct pair){model_rename(&r->model, a, name),
		acts_rename(r->s, actor(r, a), model_names[a.channel], model_names[name])};
}

static struct pair act_drop(struct run *r, struct model_act a)
{
	return (struct pair){
		model_drop(&r->model, a.channel), acts_drop(r->s, model_names[a.channel])};
}

/* Appends one change to a line of MODE; the model's answer to it. */
static enum chat_answer add_change(
	struct run *r, struct model_act a, struct buf *letters, struct buf *words)
{
	static const char modes[] = "ooohhhvvvbbbeIiiklmnstCR";
	const char mode = modes[pick(r, sizeof(modes) - 1)];
	const bool set = pick(r, 5) < 3;
	int x = (int)pick(r, MODEL_PEOPLE);

	if (mode == 'k')
		x = (int)pick(r, 2);
	if (mode == 'l')
		x = 1 + (int)pick(r, LIMIT_MAX);
	buf_addf(letters, "%c%c", set ? '+' : '-', mode);
	if (strchr("ohv", mode) != NULL)
		buf_addf(words, " %s", nick(x));
	else if (strchr("beI", mode) != NULL)
		buf_addf(words, " %s!*@*", nick(x));
	else if (mode == 'k')
		buf_addf(words, " %s", model_keys[x]);
	else if (mode == 'l' && set)
		buf_addf(words, " %d", x);
	return model_mode(&r->model, a, set, mode, x);
}

static struct pair act_mode(struct run *r, struct model_act a)
{
	struct buf letters = BUF_INIT(256), words = BUF_INIT(256);
	enum chat_answer should[CHANGES_MAX], is[CHAT_CHANGES_MAX];
	const unsigned count = 1 + pick(r, CHANGES_MAX);

	for (unsigned i = 0; i < count; i++)
		should[i] = add_change(r, a, &letters, &words);
	buf_add(&letters, buf_span(&words));
	assert_int_equal(buf_error(&letters), 0);
	(void)acts_mode(r->s, actor(r, a), model_names[a.channel], buf_str(&letters), is);
	for (unsigned i = 0; i < count; i++)
		if (should[i] != is[i])
			fail_msg("%s by %s: change %u is %d, not %d", buf_str(&letters),
				nick(a.who), i, is[i], should[i]);
	buf_done(&letters);
	buf_done(&words);
	return (struct pair){should[0], is[0]};
}

static const struct {
	unsigned weight;
	const char *name;
	struct pair (*run)(struct run *r, struct model_act a);
} kinds[] = {
	{30, "join", act_join},
	{12, "part", act_part},
	{6, "kick", act_kick},
	{10, "invite", act_invite},
	{4, "topic", act_topic},
	{4, "rename", act_rename},
	{1, "drop", act_drop},
	{33, "mode", act_mode},
};

/* Mostly an operator of the channel, when there is one, or little would ever happen. */
static struct model_act choose(struct run *r)
{
	struct model_act a = {.override = pick(r, 20) == 0};
	const struct model_channel *c;

	a.channel = (int)pick(r, MODEL_CHANNELS);
	c = &r->model.channels[a.channel];
	for (unsigned tries = pick(r, 6); tries > 0; tries--) {
		a.who = (int)pick(r, MODEL_PEOPLE);
		if (c->exists && c->members[a.who].roles >= CHAT_HALFOP)
			break;
	}
	return a;
}

/* Somebody comes or goes. */
static void turn(struct run *r, int who)
{
	const char *account = who < MODEL_ACCOUNTS ? nick(who) : NULL;

	if (r->model.present[who]) {
		chat_fixture_leave(r->s, actor(r, (struct model_act){.who = who}));
		model_go(&r->model, who);
		return;
	}
	r->people[who] = chat_fixture_person(r->s, account, nick(who));
	model_come(&r->model, who);
}

static void act(struct run *r)
{
	const struct model_act a = choose(r);
	unsigned at = pick(r, 100), kind = 0;
	struct pair p;

	if (!r->model.present[a.who] || pick(r, 15) == 0) {
		turn(r, a.who);
		return;
	}
	for (; at >= kinds[kind].weight; kind++)
		at -= kinds[kind].weight;
	acts_override = a.override;
	p = kinds[kind].run(r, a);
	acts_override = false;
	if (p.is != p.should)
		fail_msg("%s by %s in %s%s: %d, not %d", kinds[kind].name, nick(a.who),
			model_names[a.channel], a.override ? " (override)" : "", p.is, p.should);
	r->done += p.is == CHAT_DONE;
}

/* -- what holds -------------------------------------------------------------------------------- */

static void check_row(struct run *r, int channel, int who)
{
	const struct model_member *m = &r->model.channels[channel].members[who];
	const bool guest_gone = who >= MODEL_ACCOUNTS && !r->model.present[who];
	char expected[8] = "?";

	if (guest_gone)
		return;
	if (m->joined || m->roles != 0)
		(void)snprintf(expected, sizeof(expected), "%s%s%s%s",
			(m->roles & CHAT_OP) != 0 ? "@" : "",
			(m->roles & CHAT_HALFOP) != 0 ? "%" : "",
			(m->roles & CHAT_VOICE) != 0 ? "+" : "", m->joined ? "" : "-");
	assert_string_equal(acts_member(r->s, model_names[channel],
				    who < MODEL_ACCOUNTS ? nick(who) : r->people[who].who),
		expected);
}

static void check_list(struct run *r, int channel, enum chat_list list)
{
	const char *is = acts_list(r->s, model_names[channel], list);
	struct buf should = BUF_INIT(1024);

	for (int i = 0; i < MODEL_PEOPLE; i++) {
		const struct model_member *m = &r->model.channels[channel].members[i];

		if (list == CHAT_LIST_BAN                  ? m->banned
				: list == CHAT_LIST_EXCEPT ? m->excepted
							   : m->invex)
			buf_addf(&should, "%s!*@*\n", nick(i));
	}
	assert_string_equal(is, buf_str(&should)); /* both are sorted */
	buf_done(&should);
}

static void check_channel(struct run *r, int channel)
{
	const struct model_channel *m = &r->model.channels[channel];
	struct chat_channel c;

	assert_int_equal(acts_exists(r->s, model_names[channel]), m->exists);
	if (!m->exists)
		return;
	c = acts_channel(r->s, model_names[channel]);
	assert_string_equal(c.name, model_names[channel]);
	assert_string_equal(c.founder, m->founder == MODEL_NOBODY ? "" : nick(m->founder));
	assert_int_equal(c.modes, m->modes);
	if ((m->modes & CHAT_MODE_KEY) != 0)
		assert_string_equal(c.key, model_keys[m->key]);
	if ((m->modes & CHAT_MODE_LIMIT) != 0)
		assert_int_equal(c.limit, m->limit);
	assert_int_equal(c.joined, model_joined(m));
	assert_int_equal(c.present, model_present(&r->model, m));
	assert_int_equal(c.emptied_us == 0, c.joined != 0);
	for (int i = 0; i < MODEL_PEOPLE; i++)
		check_row(r, channel, i);
	check_list(r, channel, CHAT_LIST_BAN);
	check_list(r, channel, CHAT_LIST_EXCEPT);
	check_list(r, channel, CHAT_LIST_INVEX);
}

/* -- the whole --------------------------------------------------------------------------------- */

struct count {
	enum key_table table;
	size_t rows;
};

static int count_rows(struct store_txn *txn, void *arg)
{
	struct count *c = arg;
	const struct key prefix = key_table(c->table);
	_cleanup_(kv_iter_done) struct kv_iter it = {.cursor = NULL};
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&prefix), span_of(NULL, 0), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		c->rows++;
		rc = 0;
	}
	return rc;
}

static void check_rows(struct run *r, enum key_table table, size_t expected)
{
	struct count c = {.table = table};

	assert_int_equal(store_view(r->s, count_rows, &c), 0);
	if (c.rows != expected)
		fail_msg("table %c: %zu rows, not %zu", table, c.rows, expected);
}

static void check_tables(struct run *r)
{
	size_t channels = 0, members = 0, masks = 0, invites = 0;

	for (int i = 0; i < MODEL_CHANNELS; i++) {
		const struct model_channel *c = &r->model.channels[i];

		channels += c->exists;
		for (int k = 0; k < MODEL_PEOPLE; k++) {
			const struct model_member *m = &c->members[k];

			members += m->joined || m->roles != 0;
			masks += (size_t)m->banned + m->excepted + m->invex;
			invites += m->invited;
		}
	}
	check_rows(r, KEY_CHAT_CHANNEL, channels);
	check_rows(r, KEY_CHAT_NAME, channels);
	check_rows(r, KEY_CHAT_MEMBER, members);
	check_rows(r, KEY_CHAT_JOINED, members);
	check_rows(r, KEY_CHAT_LIST, masks);
	check_rows(r, KEY_CHAT_INVITE, invites);
	check_rows(r, KEY_CHAT_INVITED, invites);
}

/* How many channels of a text of lines. */
static unsigned lines(const char *text)
{
	unsigned count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static void check_person(struct run *r, int who)
{
	unsigned joined = 0, invited = 0;

	for (int i = 0; i < MODEL_CHANNELS; i++) {
		joined += r->model.channels[i].members[who].joined;
		invited += r->model.channels[i].members[who].invited;
	}
	if (r->people[who].who == NULL)
		return;
	assert_int_equal(lines(acts_joined(r->s, r->people[who].who)), joined);
	assert_int_equal(lines(acts_invites(r->s, r->people[who].who)), invited);
}

struct two {
	const char *one, *other;
};

static int ask_share(struct store_txn *txn, void *arg)
{
	const struct two *t = arg;

	return chat_share_channel(txn, t->one, t->other);
}

static void check_two(struct run *r, int one, int other)
{
	struct two t = {r->people[one].who, r->people[other].who};
	bool share = false;

	if (t.one == NULL || t.other == NULL)
		return;
	for (int i = 0; i < MODEL_CHANNELS; i++)
		share = share ||
			(r->model.channels[i].members[one].joined &&
				r->model.channels[i].members[other].joined);
	assert_int_equal(store_view(r->s, ask_share, &t), share);
}

static void check_whole(struct run *r)
{
	for (int i = 0; i < MODEL_CHANNELS; i++)
		check_channel(r, i);
	for (int i = 0; i < MODEL_PEOPLE; i++) {
		check_person(r, i);
		check_two(r, i, (int)pick(r, MODEL_PEOPLE));
	}
	check_tables(r);
	assert_int_equal(store_check(r->s, NULL, NULL), 0);
}

static void run(struct store *s, uint64_t from, bool always_on)
{
	char most[8];
	struct run r = {.random = from, .s = s, .model = {.always_on = always_on}};

	policy(s, "chat_flood_rate", "0");
	(void)snprintf(most, sizeof(most), "%d", MODEL_FOUNDED_MAX);
	policy(s, "chat_channels", most);
	policy(s, "chat_always_on", always_on ? "yes" : "no");
	for (int i = 0; i < MODEL_ACCOUNTS; i++)
		fixture_account(s, nick(i));
	for (unsigned i = 1; i <= ACTS; i++) {
		act(&r);
		check_channel(&r, (int)pick(&r, MODEL_CHANNELS));
		if (i % WHOLE_EVERY == 0)
			check_whole(&r);
	}
	assert_true(r.done > ACTS / 10); /* not all was refused */
}

static void test_always_on(void **state)
{
	run(((struct store_fixture *)*state)->s, seed(), true);
}

static void test_only_while_there(void **state)
{
	run(((struct store_fixture *)*state)->s, seed(), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_always_on, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_only_while_there, store_fixture_setup, store_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
