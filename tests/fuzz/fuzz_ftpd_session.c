/*
 * ftpd's whole session over a connection in memory, on a store and a tree of its own, with a
 * scripted data side. Four bytes choose the rest: the door, a client certificate and how many bytes
 * of the peer come at a time; how many looks a data connection lets wait, before and behind its
 * 150; what becomes of data connections (refused, much sent, little at a time); and how long the
 * upload is that follows them. The rest is what the peer says. Whatever it is, the answers are
 * replies, and what is left in the tree belongs to somebody.
 */
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/ftpd/data_internal.h"
#include "services/ftpd/tree.h"
#include "store/policy.h"

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 26, HEAD = 4, MUCH = 5 << 20 };

static const struct service_def def = {.name = "ftpd"};
static const struct service_door doors[] = {
	{.name = "ftps", .tls = true, .idle_s = 5, .login_s = 5},
	{.name = "ftp", .tls = true, .starttls = true, .idle_s = 5, .login_s = 5},
};

static struct world {
	char dir[64], files[256];
	struct store *store;
	struct service_settings settings;
	struct auth_identity who;
	unsigned char *much;
	unsigned entries, temps; /* of the tree, while it is walked */
} world;

static void require(bool condition)
{
	if (!condition)
		abort();
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
	free(world.much);
	(void)nftw(world.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void set_policy(const char *name, const char *value)
{
	struct policy_set_args args = {.now_us = time_now_us()};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	require(store_call(world.store, STORE_OP_POLICY_SET, &args, NULL) == 0);
}

static void make_account(void)
{
	struct account_create_args args = {
		.name = "ann", .admin_act = true, .now_us = time_now_us(), .peer = "fuzz"};

	require(store_call(world.store, STORE_OP_ACCOUNT_CREATE, &args, NULL) == 0);
	/* Few failures, then no more costly checks of passwords. */
	set_policy("throttle_source", "3");
	set_policy("files_quota", "12M");
}

static void make_identity(void)
{
	struct cert row = {.account = "ann",
		.profile = CERT_PROFILE_USER,
		.ca_id = 1,
		.serial = {1, 2, 3},
		.created_us = time_now_us()};
	struct cert_issued_args issued = {
		.der = SPAN_LIT("0"), .proof = "fuzz", .now_us = row.created_us};

	row.not_before_us = row.created_us;
	row.not_after_us = row.created_us + INT64_C(86400000) * TIME_S_US;
	require(store_call(world.store, STORE_OP_CERT_INTENT, &row, NULL) == 0);
	memcpy(issued.serial, row.serial, sizeof(issued.serial));
	require(store_call(world.store, STORE_OP_CERT_ISSUED, &issued, NULL) == 0);
	world.who.proof = AUTH_CERTIFICATE;
	memcpy(world.who.serial, row.serial, sizeof(world.who.serial));
	require(account_get(world.store, "ann", &world.who.account) == 0);
}

/* In memory if there is room for that: what is looked for is not the disk's speed. */
static void make_world(void)
{
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
	(void)snprintf(s->host, sizeof(s->host), "localhost");
	(void)snprintf(world.files, sizeof(world.files), "%s/files", s->state);
	make_folder("run");
	make_folder("run/bells");
	make_folder("run/locks");
	require(store_open(s->state, STORE_CREATE, &world.store) == 0);
	make_account();
	make_identity();
	world.much = calloc(1, MUCH);
	require(world.much != NULL);
}

/* -- what is left ------------------------------------------------------------------------------ */

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	world.temps += strncmp(path + ftw->base, FILE_TEMP_PREFIX, strlen(FILE_TEMP_PREFIX)) == 0;
	world.entries++;
	return 0;
}

static int count_partial(void *arg, struct span path, const struct file_partial *p)
{
	require(path.len > 0 && p->temp[0] != '\0');
	++*(unsigned *)arg;
	return 0;
}

/* Interrupted uploads are somebody's, and nothing is reserved any more. */
static void check_tree(void)
{
	struct file_usage usage = {0};
	unsigned partials = 0;

	world.entries = world.temps = 0;
	require(nftw(world.files, count_one, 16, FTW_PHYS) == 0);
	require(file_partial_each(world.store, count_partial, &partials) == 0);
	require(partials == world.temps);
	require(file_usage_get(world.store, "ann", &usage) == 0 && usage.reserved == 0);
}

/* Each input begins with an empty tree: files, shared, home, home/ann. */
static void clear_tree(void)
{
	struct file_remove_args args = {
		.paths = {SPAN_LIT("/shared"), SPAN_LIT("/home")}, .count = 2, .below = true};

	if (world.entries <= 4)
		return;
	require(store_call(world.store, STORE_OP_FILE_REMOVE, &args, NULL) == 0);
	(void)nftw(world.files, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void check_replies(struct span out)
{
	struct ftp_reply_line reply;
	struct span line = {0};
	unsigned inside = 0;
	bool done;

	while (span_split(&out, '\n', &line)) {
		require(line.len > 0 && line.p[line.len - 1] == '\r');
		line.len--;
		for (size_t i = 0; i < line.len; i++)
			require(line.p[i] >= 0x20 && line.p[i] != 0x7f);
		require(ftp_reply_parse(line, inside, &reply, &done) == 0);
		if (done)
			inside = 0;
		else if (inside == 0)
			inside = reply.code;
	}
	require(inside == 0);
}

/* -- data connections -------------------------------------------------------------------------- */

struct script {
	uint8_t waits, kind;
	unsigned connect_waits, secure_waits;
	struct span upload;
	struct buf *out;
};

static int connect_data(void *arg)
{
	struct script *s = arg;

	if (s->connect_waits == 0)
		return (s->kind & 7) == 7 ? -ECONNREFUSED : 0;
	s->connect_waits--;
	return -EAGAIN;
}

static int open_data(void *arg, struct conn **ret)
{
	struct script *s = arg;

	if (s->secure_waits > 0) {
		s->secure_waits--;
		return -EAGAIN;
	}
	s->connect_waits = s->waits & 15;
	s->secure_waits = s->waits >> 4;
	if ((s->kind & 7) == 6)
		return -EKEYREJECTED;
	if ((s->kind & 7) == 5)
		return -EPROTO;
	buf_reset(s->out);
	return conn_new_memory(s->upload, s->kind >> 3, s->out, ret);
}

/* -- one session ------------------------------------------------------------------------------- */

static void describe(struct service *s, uint8_t choice)
{
	static const unsigned char bucket[] = {192, 0, 2, 7};

	s->def = &def;
	s->door = &doors[choice & 1];
	s->settings = world.settings;
	s->store = world.store;
	s->started_ms = time_monotonic_ms();
	s->source = (struct auth_source){.bucket = span_of(bucket, sizeof(bucket)),
		.peer = "192.0.2.7",
		.service = "ftpd",
		.runtime = world.settings.runtime,
		.domain = world.settings.domain};
	if ((choice & 2) != 0)
		s->who = world.who;
}

static void run(struct service *s)
{
	_cleanup_(tree_freep) struct tree *tree = NULL;
	int r = 0;

	require(tree_open(world.settings.state, &tree) == 0);
	if (s->door->starttls)
		r = ftpd_clear(s);
	if (r == 0)
		r = ftpd_run(s, tree);
	require(r <= 1);
	(void)conn_close(s->conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct service s = SERVICE_INIT;
	struct buf out = BUF_INIT(OUT_MAX), data_out = BUF_INIT(OUT_MAX);
	struct script script = {.out = &data_out};
	struct span rest = span_of(data, size);

	if (size < HEAD)
		return 0;
	if (world.store == NULL)
		make_world();
	script.waits = data[1];
	script.connect_waits = data[1] & 15;
	script.secure_waits = data[1] >> 4;
	script.kind = data[2];
	rest = span_of(data + HEAD, size - HEAD);
	script.upload = span_of(rest.p, rest.len < data[3] ? rest.len : data[3]);
	rest = span_of(rest.p + script.upload.len, rest.len - script.upload.len);
	if (script.kind == 4) {
		script.kind = 0;
		script.upload = span_of(world.much, MUCH);
	}
	describe(&s, data[0]);
	data_hook = (struct data_hook){connect_data, open_data, &script};
	require(conn_new_memory(rest, data[0] >> 2, &out, &s.conn) == 0);
	run(&s);
	check_replies(buf_span(&out));
	check_tree();
	clear_tree();
	conn_free(s.conn);
	buf_done(&out);
	buf_done(&data_out);
	return 0;
}
