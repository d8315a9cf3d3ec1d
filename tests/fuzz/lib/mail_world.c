/* The house of mail_world.h: who lives there, and what happens meanwhile. */
#include "tests/fuzz/lib/mail_world.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "service/internal.h"
#include "services/maild/maild.h"
#include "store/policy.h"

#include <errno.h>

enum { LETTER_MAX = 1 << 18, WAIT_MAX_S = 200 * 86400 };

static const struct service_def def = {.name = "maild", .bell = true};
static const unsigned char bucket[] = {198, 51, 100, 77};

static struct world world;
/* The letter that lies in a file, which a sweep may have taken away. */
static struct {
	unsigned char id[BLOB_ID_LEN];
} file;

const struct world *mail_world(void)
{
	return &world;
}

/* -- mail -------------------------------------------------------------------------------------- */

static void set_account(char ret[ACCOUNT_NAME_SIZE], const char *name)
{
	require(span_copy_str(span_str(name), ret, ACCOUNT_NAME_SIZE) == 0);
}

/* Who is gone, or has no room, gets none. */
void mail_world_deliver(unsigned letter, const char *to)
{
	struct buf text = BUF_INIT(LETTER_MAX);
	struct maild_body body;
	char recipient[1][ACCOUNT_NAME_SIZE];
	struct mail_deliver_args args = {.sender = "bob",
		.recipients = recipient,
		.count = 1,
		.track = true,
		.from = "bob@example.org",
		.subject = "a subject",
		.now_us = time_now_us()};
	struct mail_deliver_result result = {.bad = 0};
	int r;

	mail_letter(letter, &text);
	(void)snprintf(args.msgid, sizeof(args.msgid), "<%u@example.org>", letter + 1);
	set_account(recipient[0], to);
	require(maild_body_make(world.store, buf_span(&text), &body) == 0);
	args.body = body.body;
	r = store_call(world.store, STORE_OP_MAIL_DELIVER, &args, &result);
	/* Without bob: -EINVAL. */
	require(r == 0 || r == -ENOENT || r == -EDQUOT || r == -EINVAL);
	if (letter == MAIL_LETTER_LARGE)
		memcpy(file.id, body.body.blob.id, sizeof(file.id));
	maild_body_done(&body);
	buf_done(&text);
}

static void make_box(const char *name)
{
	struct mail_create_args args = {.name = span_str(name), .now_us = time_now_us()};
	struct mail_box_result result;

	set_account(args.account, "ann");
	require(store_call(world.store, STORE_OP_MAIL_CREATE, &args, &result) == 0);
}

static int find_inbox(struct store_txn *txn, void *arg)
{
	return mail_box_find(txn, "ann", SPAN_LIT("INBOX"), arg);
}

/* Some are read, one is deleted, one has words of ann's own. */
static void make_flags(void)
{
	static const uint32_t first[] = {1, 4}, second[] = {3};
	const struct span words[] = {SPAN_LIT("$Label1"), SPAN_LIT("Later")};
	struct mail_box box;
	struct mail_flags_args args = {.uids = first,
		.count = 2,
		.how = MAIL_FLAGS_ADD,
		.flags = {.system = MAIL_SEEN, .keywords = words, .count = 2},
		.now_us = time_now_us()};
	struct mail_expunge_args gone = {
		.uids = second, .count = 1, .any_flags = true, .now_us = args.now_us};
	struct mail_flags_result result;
	struct mail_expunge_result expunged;

	require(store_view(world.store, find_inbox, &box) == 0);
	set_account(args.account, "ann");
	set_account(gone.account, "ann");
	args.box = gone.box = box.id;
	require(store_call(world.store, STORE_OP_MAIL_FLAGS, &args, &result) == 0);
	args.uids = second;
	args.count = 1;
	args.flags = (struct mail_flag_names){.system = MAIL_DELETED};
	require(store_call(world.store, STORE_OP_MAIL_FLAGS, &args, &result) == 0);
	require(store_call(world.store, STORE_OP_MAIL_EXPUNGE, &gone, &expunged) == 0);
}

static void remove_world(void)
{
	world_end(&world);
}

static void make(void)
{
	world_begin(&world, "mail.example.org");
	require(atexit(remove_world) == 0);
	world_account(&world, "ann", 0);
	world_account(&world, "bob", ACCOUNT_ADMIN);
	mime_charset_warm();
	for (unsigned i = 0; i < MAIL_LETTERS; i++)
		mail_world_deliver(i, "ann");
	mail_world_deliver(0, "bob");
	make_box("a/b/c");
	make_box("Entw\xc3\xbcrfe");
	make_flags();
	world_keep(&world);
}

/* -- before and after an input ----------------------------------------------------------------- */

static void put_file_back(void)
{
	struct buf text = BUF_INIT(LETTER_MAX);
	struct maild_body body;
	uint64_t size;
	unsigned char byte;
	size_t got;

	if (blob_size(world.store, file.id, &size) == 0 &&
		blob_read(world.store, file.id, 0, &byte, 1, &got) == 0)
		return;
	mail_letter(MAIL_LETTER_LARGE, &text);
	require(maild_body_make(world.store, buf_span(&text), &body) == 0);
	maild_body_done(&body);
	buf_done(&text);
}

void mail_world_reset(void)
{
	if (world.file.len == 0)
		make();
	world_reset(&world);
	put_file_back();
}

static int no_session(void *arg, const struct session_row *row)
{
	(void)arg;
	(void)row;
	return -EEXIST;
}

void mail_world_check(bool thorough)
{
	require(session_each(world.store, NULL, no_session, NULL) == 0);
	if (thorough)
		world_check(&world);
	world_clock(false);
}

/* -- sessions ---------------------------------------------------------------------------------- */

void mail_world_begin(struct service *s, const struct service_door *door)
{
	*s = SERVICE_INIT;
	s->def = &def;
	s->door = door;
	s->settings = world.settings;
	s->store = world.store;
	s->started_ms = time_monotonic_ms();
	s->source = (struct auth_source){.bucket = span_of(bucket, sizeof(bucket)),
		.peer = "198.51.100.77",
		.service = "maild",
		.runtime = world.settings.runtime,
		.domain = world.settings.domain};
	(void)snprintf(s->peer.text, sizeof(s->peer.text), "%s", s->source.peer);
	memcpy(s->peer.bucket, bucket, sizeof(bucket));
	s->peer.bucket_len = sizeof(bucket);
}

void mail_world_end(struct service *s)
{
	service_live_end(s);
	s->store = NULL;
	service_done(s);
}

/* -- meanwhile --------------------------------------------------------------------------------- */

static bool act_deliver(struct span words)
{
	struct span number, rest = words;
	char to[ACCOUNT_NAME_SIZE];
	uint64_t letter;

	if (!span_split(&rest, ' ', &number) || num_parse_u64(number, 0, 99, &letter) < 0 ||
		span_copy_str(rest, to, sizeof(to)) < 0 || rest.len == 0)
		return false;
	mail_world_deliver((unsigned)letter % MAIL_LETTERS, to);
	return true;
}

static bool act_wait(struct span words)
{
	uint64_t seconds;

	if (num_parse_u64(words, 1, WAIT_MAX_S, &seconds) < 0)
		return false;
	world_wait((unsigned)seconds);
	return true;
}

static bool act_sweep(struct span words)
{
	struct sweep_args args = {.now_us = time_now_us()};
	struct sweep_result result;

	(void)words;
	require(store_call(world.store, STORE_OP_SWEEP, &args, &result) == 0);
	return true;
}

static bool act_remove(struct span words)
{
	struct account_remove_args args = {.now_us = time_now_us()};
	struct account_remove_result result = {.revoked = 0};

	if (span_copy_str(words, args.name, sizeof(args.name)) < 0)
		return false;
	(void)store_call(world.store, STORE_OP_ACCOUNT_REMOVE, &args, &result);
	return true;
}

static bool act_policy(struct span words)
{
	struct policy_set_args args = {.now_us = time_now_us()};
	struct span name, rest = words;

	if (!span_starts(words, "mail_") || !span_split(&rest, ' ', &name) ||
		span_copy_str(name, args.name, sizeof(args.name)) < 0 ||
		span_copy_str(rest, args.value, sizeof(args.value)) < 0)
		return false;
	(void)store_call(world.store, STORE_OP_POLICY_SET, &args, NULL);
	return true;
}

bool mail_world_act(struct span line)
{
	static const struct {
		const char *head;
		bool (*act)(struct span words);
	} acts[] = {
		{"deliver> ", act_deliver},
		{"wait> ", act_wait},
		{"sweep> ", act_sweep},
		{"remove> ", act_remove},
		{"policy> ", act_policy},
	};

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		size_t len = strlen(acts[i].head);

		if (span_starts(line, acts[i].head))
			return acts[i].act(span_of(line.p + len, line.len - len));
	}
	return false;
}
