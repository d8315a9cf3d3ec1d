/*
 * Services that were taken over: whatever they may call, with whatever arguments the keeper takes,
 * thousands of times. The sanitizer watches, each operation runs twice and must do the same, and in
 * the end every row must decode and agree with the others: nobody's rows but their own have come to
 * harm, and the store goes on.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "services/keeper/rights.h"
#include "store/batch.h"
#include "store/chat.h"
#include "store/file.h"
#include "store/mail.h"
#include "tests/unit/lib/chat_fixture.h"
#include "tests/unit/lib/shape_fill.h"
#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLS = 6000, AT_ONCE = 400, SPAN_MAX = 400, LIST_MAX = 20, BODY_KINDS = 4 };

static const char *const words[] = {"alice", "bob", "carol", "*1", "*2", "Alice", "mallory", "#a",
	"#b", "#A", "INBOX", "Sent", "Sent/x", "a", "a/b", "a/b/c", "inbox", "/shared", "/shared/a",
	"/shared/a/b", "/home/alice/x", "/shared/a/../b", "/", "", "chatd", "ftpd", "maild", "cad",
	"cad-signer", "daytimed", "login-refused", "ftpd: x", "cad: x", "account/alice", "bell-1",
	"bell-2", "*!*@*", "m:*!*@*", "~a:alice", "avatar", "<a@b>", "<c@d>", "+draft/reply=1",
	"\001ACTION x\001", "\001PING\001", "two\nlines", "\001one\n\001two\n", "$seen", "work",
	".quintet-1", "web", "phone", "$y$j9T$x$y"};

struct hostile {
	struct store_fixture *f;
	struct shape_fill fill;
	struct shape_arena kept; /* arguments of the batch */
	struct store_batch_item items[AT_ONCE];
	size_t count;
	unsigned done[STORE_OP_COUNT], tried[STORE_OP_COUNT];
};

static const struct keeper_house house = {"open", "example.org"};

/* -- arguments that get somewhere -------------------------------------------------------------- */

#define SAY(to, ...) ((void)snprintf(to, sizeof(to), __VA_ARGS__))

static void own_name(char ret[16], enum keeper_caller caller)
{
	(void)snprintf(ret, 16, "%s", rights_name(caller));
}

static size_t below(struct hostile *h, size_t n)
{
	return shape_fill_below(&h->fill, n);
}

/* Bodies of a few sizes under their digests; seldom another's. */
static void bend_body(struct hostile *h, struct mail_body *body)
{
	static const unsigned char bytes[BODY_KINDS * 10];
	const size_t kind = below(h, BODY_KINDS);

	body->blob.size = kind * 10;
	body->blob.inline_bytes = span_of(bytes, kind * 10);
	if (below(h, 100) != 0)
		assert_int_equal(hash_sha256(body->blob.inline_bytes, body->blob.id), 0);
}

static void bend_append(struct hostile *h, struct mail_append_args *a)
{
	struct mail_append_item *items = NULL;

	memcpy(&items, &a->items, sizeof(items));
	for (size_t i = 0; items != NULL && i < a->count; i++) {
		bend_body(h, &items[i].body);
		if (below(h, 4) != 0)
			items[i].flags.count = 0;
	}
}

static void bend_delivery(struct hostile *h, struct mail_deliver_args *a)
{
	char(*names)[ACCOUNT_NAME_SIZE] = NULL;

	bend_body(h, &a->body);
	SAY(a->sender, "alice");
	memcpy(&names, &a->recipients, sizeof(names));
	for (size_t i = 0; names != NULL && i < a->count; i++)
		SAY(names[i], "%s", below(h, 2) == 0 ? "alice" : "bob");
}

static void bend_posts(struct hostile *h, struct chat_post_args *a)
{
	struct chat_post *posts = NULL;

	memcpy(&posts, &a->posts, sizeof(posts));
	for (size_t i = 0; posts != NULL && i < a->count; i++) {
		posts[i].status = "\0\0@%+"[below(h, 5)];
		posts[i].flags &= ~(unsigned)CHAT_EVENT_MULTILINE;
		posts[i].text = posts[i].kind == CHAT_TAGMSG ? span_of(NULL, 0) : SPAN_LIT("Hi");
		posts[i].target = span_str(below(h, 2) == 0 ? "#a" : "bob");
	}
}

/* Some session that there may be becomes somebody's. */
static void bend_attach(struct hostile *h, struct chat_attach_args *a)
{
	static const char *const who[] = {"alice", "bob", ""};

	a->by.session = 5 + below(h, 300);
	a->by.who = "";
	a->account = who[below(h, 3)];
	a->nick = span_str(words[below(h, 7)]);
	a->ident = a->host = a->realname = SPAN_LIT("x");
	a->bell = NULL;
}

/* Sessions 1 to 4 are alice's twice, bob's and a guest's. */
static void bend_actor(struct hostile *h, enum store_op op, void *args)
{
	static const char *const who[] = {"alice", "alice", "bob", "*1"};
	struct chat_actor *by = args;

	by->session = 1 + below(h, 4);
	by->who = who[by->session - 1];
	by->source = SPAN_LIT("source");
	if (op == STORE_OP_CHAT_ATTACH)
		bend_attach(h, args);
	if (op == STORE_OP_CHAT_POST)
		bend_posts(h, args);
	if (op == STORE_OP_CHAT_ANNOUNCE)
		((struct chat_announce_args *)args)->kind = CHAT_KILL + below(h, 3);
}

/* The first spans are paths. */
static void bend_paths(struct hostile *h, enum store_op op, void *args)
{
	static const char *const paths[] = {"/shared/a", "/shared/a/b", "/shared/a/b/c",
		"/shared/ab", "/home/alice/x", "/home/alice", "/shared/d/e"};
	const size_t count = op == STORE_OP_FILE_RENAME ? 2 : 1;
	struct span *path = args;

	for (size_t i = 0; i < count; i++)
		path[i] = span_str(paths[below(h, sizeof(paths) / sizeof(paths[0]))]);
	if (op == STORE_OP_FILE_PUT)
		SAY(((struct file_put_args *)args)->row.owner, "%s",
			below(h, 2) == 0 ? "alice" : "bob");
	if (op == STORE_OP_PARTIAL_PUT || op == STORE_OP_PARTIAL_REMOVE)
		SAY(((struct partial_args *)args)->partial.temp, "%s",
			below(h, 4) != 0 ? ".quintet-1" : "");
}

static void bend_bell(struct hostile *h, enum keeper_caller caller, struct bell_args *b)
{
	own_name(b->service, caller);
	b->session_id = 1 + below(h, 8);
	SAY(b->topic, "%s", below(h, 2) == 0 ? "account/alice" : "chatd");
	SAY(b->bell, "%s", below(h, 2) == 0 ? "bell-1" : "bell-2");
}

static void bend_create(struct account_create_args *c, enum keeper_caller caller)
{
	c->flags = 0;
	c->need_invite = c->admin_act = false;
	own_name(c->service, caller == CALLER_SIGNER ? CALLER_CAD : caller);
}

static void bend_session(struct session_row *row, enum keeper_caller caller)
{
	own_name(row->service, caller);
	row->pid = getpid();
}

/* Of two accounts, and their first mailboxes. */
static void bend_mail(struct hostile *h, enum store_op op, void *args)
{
	struct mail_copy_args *copy = args;

	if (below(h, 16) != 0)
		SAY(copy->account, "%s", below(h, 2) == 0 ? "alice" : "bob");
	if (op == STORE_OP_MAIL_APPEND)
		bend_append(h, args);
	if (op == STORE_OP_MAIL_RECEIPT)
		bend_delivery(h, &((struct mail_receipt_args *)args)->deliver);
	if (op == STORE_OP_MAIL_DELIVER)
		bend_delivery(h, args);
	if (op == STORE_OP_MAIL_FLAGS && below(h, 4) != 0)
		((struct mail_flags_args *)args)->flags.count = 0;
	if ((op == STORE_OP_MAIL_COPY || op == STORE_OP_MAIL_MOVE) && copy->count > 1)
		copy->count = 1;
	if (op >= STORE_OP_MAIL_APPEND && op <= STORE_OP_MAIL_RECENT)
		copy->from = 1 + below(h, 12); /* the box of all of them */
}

static void bend(struct hostile *h, enum keeper_caller caller, enum store_op op, void *args)
{
	if (op == STORE_OP_SESSION_ADD || op == STORE_OP_SESSION_UPDATE)
		bend_session(args, caller);
	else if (op == STORE_OP_SESSION_REMOVE)
		own_name(((struct session_remove_args *)args)->service, caller);
	else if (op == STORE_OP_BELL_ADD || op == STORE_OP_BELL_REMOVE)
		bend_bell(h, caller, args);
	else if (op == STORE_OP_ACCOUNT_CREATE)
		bend_create(args, caller);
	else if (op == STORE_OP_CERT_INTENT)
		SAY(((struct cert *)args)->account, "alice");
	else if (op == STORE_OP_CERT_REVOKE)
		SAY(((struct cert_revoke_args *)args)->account, "alice");
	else if (op == STORE_OP_ACCOUNT_PASSWORD)
		own_name(((struct account_password_args *)args)->service, CALLER_CAD);
	else if (op >= STORE_OP_MAIL_OPEN && op <= STORE_OP_MAIL_PREFS)
		bend_mail(h, op, args);
	else if (below(h, 8) == 0)
		return;
	else if (op >= STORE_OP_FILE_PUT && op <= STORE_OP_PARTIAL_REMOVE &&
		op != STORE_OP_FILE_RESERVE)
		bend_paths(h, op, args);
	else if (op >= STORE_OP_CHAT_ATTACH && op <= STORE_OP_CHAT_ANNOUNCE)
		bend_actor(h, op, args);
}

/* -- calls ------------------------------------------------------------------------------------- */

static void flush(struct hostile *h)
{
	assert_int_equal(store_batch(h->f->s, h->items, h->count), 0);
	for (size_t i = 0; i < h->count; i++)
		h->done[h->items[i].op] += h->items[i].rc == 0;
	shape_done(&h->kept);
	h->count = 0;
}

/* The bytes stay as long as what is taken from them. */
static void *travel(struct hostile *h, enum store_op op, const void *args)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT(SHAPE_MESSAGE_MAX);
	unsigned char *bytes;
	void *taken = NULL;

	assert_int_equal(shape_put(op, args, &b), 0);
	bytes = shape_fill_keep(&h->kept, b.len + 1);
	if (b.len > 0)
		memcpy(bytes, b.p, b.len);
	assert_int_equal(shape_take(op, span_of(bytes, b.len), &h->kept, &taken), 0);
	return taken;
}

/* As the keeper does it: taken from bytes, asked for rights, gathered. */
static bool call(struct hostile *h, enum keeper_caller caller, enum store_op op)
{
	void *args;

	h->fill.now_us = time_now_us();
	args = shape_fill(&h->fill, op);
	bend(h, caller, op, args);
	args = travel(h, op, args);
	shape_done(&h->fill.arena);
	if (rights_check(caller, getpid(), op, args, &house) < 0)
		return false;
	h->items[h->count] = (struct store_batch_item){.op = op, .args = args};
	h->items[h->count].ticket.number = h->tried[op]++;
	if (++h->count == AT_ONCE)
		flush(h);
	return true;
}

/* Somebody does it who may, if anybody. */
static void call_any(struct hostile *h, enum store_op op)
{
	const size_t first = below(h, CALLER_SIGNER);
	bool done = false;

	for (size_t i = 0; !done && i < CALLER_SIGNER; i++)
		done = call(
			h, (enum keeper_caller)(CALLER_DAYTIMED + (first + i) % CALLER_SIGNER), op);
}

/* -- the test ---------------------------------------------------------------------------------- */

static void report(void *arg, const char *what)
{
	(void)arg;
	print_error("%s\n", what);
}

/* What is never carried out is not tried either. */
static void look_back(const struct hostile *h)
{
	unsigned never = 0;

	for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
		if (h->tried[op] > 0 && h->done[op] == 0)
			print_message("never: %s\n", op_find(op)->name);
		never += h->tried[op] > 0 && h->done[op] == 0;
	}
	assert_true(never <= 14); /* chance, and what needs an administrator before */
}

static void test_hostile(void **state)
{
	static struct hostile h;
	static const char *const people[] = {"alice", "alice", "bob", NULL};
	uint64_t seed = 0;

	h.f = *state;
	if (num_parse_u64(span_str(getenv("QUINTET_TEST_SEED")), 1, UINT64_MAX, &seed) < 0)
		seed = (uint64_t)time_now_us();
	h.fill = (struct shape_fill){.state = seed,
		.words = words,
		.word_count = sizeof(words) / sizeof(words[0]),
		.span_max = SPAN_MAX,
		.list_max = LIST_MAX};
	print_message("QUINTET_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
		(void)chat_fixture_person(
			h.f->s, people[i], people[i] != NULL ? people[i] : "gast");
	for (unsigned i = 0; i < CALLS; i++)
		call_any(&h, (enum store_op)below(&h, STORE_OP_COUNT));
	flush(&h);
	assert_int_equal(store_check(h.f->s, report, NULL), 0);
	look_back(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_hostile, store_fixture_setup, store_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
