/*
 * The whole submission session over a connection in memory, on a store of its own. Two bytes choose
 * how many bytes of the peer come at a time, and whether ann has greeted and logged in already; the
 * rest is what the peer says. Whatever it is, the answers are replies, and what was delivered came
 * from ann, has the fields that a message has, and no bare CR, LF or NUL.
 */
#include "auth/password.h"
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/maild/smtp/smtp.h"
#include "store/policy.h"

#include <crypt.h>
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PASSWORD "correct horse"
#define LOGIN "EHLO x\r\nAUTH PLAIN AGFubgBjb3JyZWN0IGhvcnNl\r\n"
#define YEAR_US (INT64_C(365) * 86400 * TIME_S_US)

enum { OUT_MAX = 1 << 24, IN_MAX = 1 << 20, HEAD = 2, SWEEP_EVERY = 64, LINE_MAX_BYTES = 512 };

static const struct service_def def = {.name = "maild", .bell = true};
static const struct service_door door = {
	.name = "submissions", .tls = true, .idle_s = 1000, .login_s = 1000};
static const char *const people[] = {"ann", "bob"};

static struct world {
	char dir[64];
	struct store *store;
	struct service_settings settings;
	unsigned runs;
} world;

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* In the place of the C library's, which is slow on purpose: the setting ("$y$j9T$SALT") and a sum.
 */
char *crypt_r(const char *text, const char *setting, struct crypt_data *data)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	size_t len = 0;
	unsigned dollars = 0;

	while (setting[len] != '\0' && !(setting[len] == '$' && ++dollars == 4))
		len++;
	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
	(void)snprintf(data->output, sizeof(data->output), "%.*s$%016llx", (int)len, setting,
		(unsigned long long)sum);
	return data->output;
}

/* -- the world, made once ---------------------------------------------------------------------- */

static void make_folder(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", world.dir, name);
	require(mkdir(path, 0770) == 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_world(void)
{
	store_close(world.store);
	(void)nftw(world.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_account(const char *name, uint32_t flags)
{
	struct account_create_args args = {
		.flags = flags, .admin_act = true, .now_us = time_now_us(), .peer = "fuzz"};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	require(password_hash(SPAN_LIT(PASSWORD), NULL, args.password) == 0);
	require(store_call(world.store, STORE_OP_ACCOUNT_CREATE, &args, NULL) == 0);
}

static void make_world(void)
{
	struct policy_set_args policy = {
		.name = "mail_size", .value = "65536", .now_us = time_now_us()};
	struct service_settings *s = &world.settings;

	log_set_level(LOG_LEVEL_ERR - 1);
	(void)snprintf(world.dir, sizeof(world.dir), "/dev/shm/quintet-fuzz-XXXXXX");
	if (mkdtemp(world.dir) == NULL) {
		(void)snprintf(world.dir, sizeof(world.dir), "/tmp/quintet-fuzz-XXXXXX");
		require(mkdtemp(world.dir) != NULL);
	}
	require(atexit(remove_world) == 0);
	(void)snprintf(s->state, sizeof(s->state), "%s/state", world.dir);
	(void)snprintf(s->runtime, sizeof(s->runtime), "%s/run", world.dir);
	(void)snprintf(s->domain, sizeof(s->domain), "example.org");
	(void)snprintf(s->host, sizeof(s->host), "mail.example.org");
	make_folder("run");
	make_folder("run/bells");
	make_folder("run/locks");
	require(store_open(s->state, STORE_CREATE, &world.store) == 0);
	make_account("ann", 0);
	make_account("bob", ACCOUNT_ADMIN);
	require(store_call(world.store, STORE_OP_POLICY_SET, &policy, NULL) == 0);
}

/* -- what was delivered ------------------------------------------------------------------------ */

struct inbox {
	const char *account;
	struct mail_box box;
	struct mail_message newest;
	size_t count;
};

static int note_message(void *arg, const struct mail_message *m)
{
	struct inbox *in = arg;

	in->newest = *m;
	in->count++;
	return 0;
}

static int read_inbox(struct store_txn *txn, void *arg)
{
	struct inbox *in = arg;
	int r = mail_box_find(txn, in->account, SPAN_LIT("INBOX"), &in->box);

	return r < 0 ? r : mail_messages_each(txn, in->box.id, 1, note_message, in);
}

static void check_message(const struct mail_message *m)
{
	static const char *const names[] = {
		"Return-Path", "Received", "From", "Date", "Message-ID"};
	const struct smtp_house house = {
		.account = "ann", .domain = "example.org", .host = "mail.example.org"};
	struct buf text = BUF_INIT(IN_MAX), who = BUF_INIT(4096);
	struct mime_field field;
	struct span header;

	require(maild_body_read(world.store, m->blob, 0, (size_t)m->size, &text) == 0);
	require(smtp_bytes_check(buf_span(&text)) == 0);
	require(span_starts(buf_span(&text), "Return-Path: <"));
	header = span_of(text.p, smtp_header_length(buf_span(&text)));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		require(mime_field(header, names[i], 0, &field) == 0);
	require(mime_field(header, "Bcc", 0, &field) == -ENOENT);
	require(smtp_header_authors(header, &house, &who) == 0);
	buf_done(&text);
	buf_done(&who);
}

static void check_inboxes(void)
{
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		struct inbox in = {.account = people[i]};
		int r = store_view(world.store, read_inbox, &in);

		require(r == 0 || r == -ENOENT);
		if (in.count > 0)
			check_message(&in.newest);
	}
}

static void clear_inboxes(void)
{
	struct sweep_args sweep = {.now_us = time_now_us() + 2 * YEAR_US};

	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		struct inbox in = {.account = people[i]};
		struct mail_expunge_args args = {.any_flags = true, .now_us = time_now_us()};
		struct mail_expunge_result result = {.more = true};

		if (store_view(world.store, read_inbox, &in) < 0)
			continue;
		(void)snprintf(args.account, sizeof(args.account), "%s", people[i]);
		args.box = in.box.id;
		while (result.more)
			require(store_call(world.store, STORE_OP_MAIL_EXPUNGE, &args, &result) ==
				0);
	}
	require(store_call(world.store, STORE_OP_SWEEP, &sweep, NULL) == 0);
}

/* -- what was said ----------------------------------------------------------------------------- */

static void check_replies(struct span out)
{
	struct smtp_reply reply = {.more = false};
	struct span line = {0};

	while (span_split(&out, '\n', &line)) {
		unsigned inside = reply.more ? reply.code : 0;

		require(line.len > 0 && line.len < LINE_MAX_BYTES && line.p[line.len - 1] == '\r');
		line.len--;
		for (size_t i = 0; i < line.len; i++)
			require(line.p[i] >= 0x20 && line.p[i] != 0x7f);
		require(smtp_reply_parse(line, &reply) == 0);
		require(inside == 0 || inside == reply.code);
	}
	require(!reply.more);
}

/* Each input comes from elsewhere, so that no address has to wait for what others did. */
static void describe(struct service *s, unsigned char bucket[4])
{
	*s = SERVICE_INIT;
	s->def = &def;
	s->door = &door;
	s->settings = world.settings;
	s->store = world.store;
	s->started_ms = time_monotonic_ms();
	memcpy(bucket, &world.runs, 4);
	s->source = (struct auth_source){.bucket = span_of(bucket, 4),
		.peer = "192.0.2.7",
		.service = "maild",
		.domain = world.settings.domain};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = BUF_INIT(IN_MAX), out = BUF_INIT(OUT_MAX);
	unsigned char bucket[4];
	struct service s;
	int r;

	if (size < HEAD || size > IN_MAX / 2)
		return 0;
	if (world.store == NULL)
		make_world();
	world.runs++;
	if ((data[1] & 1) == 0)
		buf_add_str(&in, LOGIN);
	buf_add(&in, span_of(data + HEAD, size - HEAD));
	describe(&s, bucket);
	require(conn_new_memory(buf_span(&in), data[0], &out, &s.conn) == 0);
	r = smtp_run(&s);
	require(r == 0 || r == -ECONNRESET || r == -EINTR);
	(void)conn_close(s.conn);
	check_replies(buf_span(&out));
	check_inboxes();
	if (world.runs % SWEEP_EVERY == 0)
		clear_inboxes();
	conn_free(s.conn);
	buf_done(&in);
	buf_done(&out);
	return 0;
}
