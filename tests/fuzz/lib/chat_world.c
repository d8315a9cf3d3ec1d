/* The house of chat_world.h: accounts, what was said before, and how it is put back. */
#include "tests/fuzz/lib/chat_world.h"

#include "base/timefmt.h"
#include "service/internal.h"
#include "services/chatd/chatd.h"

#include <errno.h>
#include <unistd.h>

static const struct service_def def = {.name = "chatd", .bell = true};
static const struct service_door door = {
	.name = "ircs", .tls = true, .idle_s = 1000, .login_s = 1000};
static const unsigned char guest_key[32] = {1};
static const unsigned char bucket[] = {198, 51, 100, 77};
const char chat_world_peer[] = "198.51.100.77";

static struct world world;
static struct bell *bell; /* bob's */

/* -- people ------------------------------------------------------------------------------------ */

#define CAPS_OF_BOB                                                                  \
	"CAP REQ :message-tags batch labeled-response echo-message draft/multiline " \
	"draft/metadata-3 draft/channel-rename draft/message-redaction quintet/calls\r\n"

static const struct chat_person people[] = {
	{"dan", "", "", "NICK dan\r\nUSER dan 0 * :Dan\r\n"},
	{"ann", "ann", "", "NICK ann\r\nUSER ann 0 * :Ann\r\n"},
	{"eve", "eve", "", "NICK eve\r\nUSER eve 0 * :Eve\r\nOPER eve *\r\n"},
	{"carl", "carl", "", "NICK carl\r\nUSER carl 0 * :Carl\r\n"},
	{"bob", "bob", "", CAPS_OF_BOB "NICK bob\r\nUSER bob 0 * :Bob\r\nCAP END\r\n"},
	{"fay", "", "the certificate has expired", "NICK fay\r\nUSER fay 0 * :Fay\r\n"},
};

const struct chat_person *chat_person_at(unsigned index)
{
	return &people[index % (sizeof(people) / sizeof(people[0]))];
}

const struct chat_person *chat_person_find(struct span name)
{
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
		if (span_eq_str(name, people[i].name))
			return &people[i];
	return NULL;
}

/* The certificate's serial number is made of the name. */
static void serial_of(const char *account, unsigned char ret[CERT_SERIAL_LEN])
{
	memset(ret, 1, CERT_SERIAL_LEN);
	memcpy(ret, account, strlen(account));
}

/* Nobody's, once the keeper has removed the account. */
static void identity_of(const struct chat_person *p, struct auth_identity *ret)
{
	if (p->account[0] == '\0' || account_get(world.store, p->account, &ret->account) < 0)
		return;
	ret->proof = AUTH_CERTIFICATE;
	serial_of(p->account, ret->serial);
}

static void describe(struct service *s, const struct chat_person *p)
{
	*s = SERVICE_INIT;
	s->def = &def;
	s->door = &door;
	s->settings = world.settings;
	s->store = world.store;
	s->started_ms = time_monotonic_ms();
	s->source = (struct auth_source){.bucket = span_of(bucket, sizeof(bucket)),
		.peer = chat_world_peer,
		.service = "chatd",
		.runtime = world.settings.runtime,
		.domain = world.settings.domain};
	(void)snprintf(s->peer.text, sizeof(s->peer.text), "%s", chat_world_peer);
	memcpy(s->peer.bucket, bucket, sizeof(bucket));
	s->peer.bucket_len = sizeof(bucket);
	(void)snprintf(s->cert_reason, sizeof(s->cert_reason), "%s", p->certificate_fault);
	identity_of(p, &s->who);
}

void chat_world_session(const struct chat_person *p, struct span in, size_t step, struct buf *out)
{
	struct service s;
	int r;

	describe(&s, p);
	require(conn_new_memory(in, step, out, &s.conn) == 0);
	r = chatd_run(&s, guest_key);
	/* poll() is not begun again after libFuzzer's alarm. */
	if (r != 0 && r != -ECONNRESET && r != -EINTR) {
		(void)fprintf(stderr, "the session ended by: %s\n", err_text(r));
		abort();
	}
	service_live_end(&s);
	s.store = NULL;
	service_done(&s);
	bell_drain(bell);
}

/* -- the world, made once ---------------------------------------------------------------------- */

static void remove_world(void)
{
	bell_close(bell);
	world_end(&world);
}

void chat_world_policy(const char *name, const char *value)
{
	world_policy(&world, name, value);
}

void chat_world_wait(unsigned seconds)
{
	world_wait(seconds);
}

static void make_account(const char *name, uint32_t flags)
{
	struct cert row = {.profile = CERT_PROFILE_USER, .ca_id = 1};
	struct cert_issued_args issued = {.der = SPAN_LIT("0"), .proof = "fuzz"};

	world_account(&world, name, flags);
	(void)snprintf(row.account, sizeof(row.account), "%s", name);
	serial_of(name, row.serial);
	serial_of(name, issued.serial);
	row.created_us = row.not_before_us = issued.now_us = time_now_us();
	row.not_after_us = row.created_us + WORLD_YEAR_US;
	require(store_call(world.store, STORE_OP_CERT_INTENT, &row, NULL) == 0);
	require(store_call(world.store, STORE_OP_CERT_ISSUED, &issued, NULL) == 0);
}

/* A session of bob's that says nothing and is there all the time. */
static void let_bob_in(void)
{
	struct session_row row = {
		.pid = getpid(), .service = "chatd", .account = "bob", .since_us = time_now_us()};
	struct chat_attach_args args = {.account = "bob",
		.nick = SPAN_LIT("bob"),
		.ident = SPAN_LIT("bob"),
		.host = SPAN_LIT("user.bob"),
		.realname = SPAN_LIT("Bob"),
		.device = SPAN_LIT("desk")};
	struct chat_attach_result result = {.seen = 0};

	require(bell_open(world.settings.runtime, &bell) == 0);
	(void)snprintf(row.bell, sizeof(row.bell), "%s", bell_name(bell));
	require(session_start_ticks(row.pid, &row.start_ticks) == 0);
	require(store_call(world.store, STORE_OP_SESSION_ADD, &row, &args.by.session) == 0);
	args.by.who = "";
	args.by.now_us = time_now_us();
	args.bell = row.bell;
	require(store_call(world.store, STORE_OP_CHAT_ATTACH, &args, &result) == 0);
	require(result.result.answer == CHAT_DONE);
}

/* What happened before. */
static void tell(const char *name, const char *lines)
{
	const struct chat_person *p = chat_person_find(span_str(name));
	struct buf in = BUF_INIT(1 << 14), out = BUF_INIT(1 << 20);

	buf_addf(&in, "%s%s", p->greeting, lines);
	chat_world_session(p, buf_span(&in), 0, &out);
	buf_done(&in);
	buf_done(&out);
}

static void tell_all(void)
{
	tell("bob",
		"JOIN #house,#secret\r\nMODE #secret +sk word\r\n"
		"TOPIC #house :Whatever you like\r\nMODE #house +be *!*@bad a:ann\r\n"
		"METADATA #house SET url :https://example.org/\r\nMETADATA * SET color :#f00\r\n"
		"PRIVMSG #house :Good morning\r\n");
	tell("carl", "JOIN #house\r\nPRIVMSG #house :Hello bob\r\nPRIVMSG bob :psst\r\n");
	tell("bob",
		"MODE #house +v carl\r\nPRIVMSG #house :\001ACTION waves\001\r\n"
		"PRIVMSG carl :Are you coming?\r\nNOTICE ann :You are invited\r\n"
		"INVITE ann #secret\r\nBATCH +1 draft/multiline #house\r\n"
		"@batch=1 PRIVMSG #house :one\r\n@batch=1 PRIVMSG #house :two\r\nBATCH -1\r\n"
		"@+draft/reply=1 PRIVMSG #house :a reply\r\n");
	tell("dan", "JOIN #house\r\nPRIVMSG #house :only passing by\r\nQUIT :bye\r\n");
}

static void make_people(void)
{
	make_account("ann", 0);
	make_account("bob", 0);
	make_account("carl", 0);
	make_account("eve", ACCOUNT_ADMIN);
	chat_world_policy("chat_accounts", "optional");
	chat_world_policy("chat_flood_rate", "0");
	chat_world_policy("signup", "open");
	let_bob_in();
	tell_all();
}

/* -- before and after an input ----------------------------------------------------------------- */

void chat_world_reset(void)
{
	if (world.file.len == 0) {
		world_begin(&world, "chat.example.org");
		require(atexit(remove_world) == 0);
		make_people();
		world_keep(&world);
	}
	world_reset(&world);
}

struct store *chat_world_store(void)
{
	return world.store;
}

static int count_people(struct store_txn *txn, void *arg)
{
	return chat_count(txn, arg);
}

static int count_session(void *arg, const struct session_row *row)
{
	require(strcmp(row->service, "chatd") == 0 && strcmp(row->account, "bob") == 0);
	++*(unsigned *)arg;
	return 0;
}

void chat_world_check(bool thorough)
{
	struct chat_counts counts;
	unsigned sessions = 0;

	require(store_view(world.store, count_people, &counts) == 0);
	require(counts.users <= 1);
	require(session_each(world.store, NULL, count_session, &sessions) == 0);
	require(sessions == 1);
	if (thorough)
		world_check(&world);
	world_clock(false);
}
