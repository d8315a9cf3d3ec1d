/*
 * cad's real session loop over a connection in memory, with a store and a signer that answers
 * whatever the input says. The first byte chooses door (bit 0), a client certificate (bit 1) and
 * how many bytes come at a time; the second the signer's mood; the rest is what the peer sends.
 * Whatever it is, every answer is HTTP.
 */
#include "base/timefmt.h"
#include "pki/cert.h"
#include "services/cad/cad.h"
#include "store/policy.h"

#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 26 };

static const struct service_def def = {.name = "cad"};
static const struct service_door door = {.name = "ca", .idle_s = 5};

/* Made once: the store and a certificate to hand out. */
static struct world {
	char dir[64];
	struct store *store;
	struct service_settings settings;
	struct pki_key *key;
	struct buf root;
	struct auth_identity who;
} world;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void make_root(void)
{
	struct buf spki = BUF_INIT(4096);
	struct pki_template t = {.profile = PKI_ROOT,
		.cn = "fuzz root",
		.not_before_us = time_now_us() - 3600 * TIME_S_US,
		.not_after_us = time_now_us() + INT64_C(86400000) * TIME_S_US};
	struct ca row = {.id = 0};

	world.root = BUF_INIT(65536);
	require(pki_key_new(&world.key) == 0 && pki_key_spki(world.key, &spki) == 0);
	t.spki = buf_span(&spki);
	require(pki_serial_new(t.serial) == 0);
	require(pki_issue(&t, (struct span){0}, world.key, &world.root) == 0);
	row.der = buf_span(&world.root);
	require(store_call(world.store, STORE_OP_CA_PUT, &row, NULL) == 0);
	buf_done(&spki);
}

static void make_account(void)
{
	struct account_create_args args = {
		.name = "ann", .admin_act = true, .now_us = time_now_us(), .peer = "fuzz"};
	struct policy_set_args patient = {.name = "throttle_source", .value = "3"};

	require(store_call(world.store, STORE_OP_ACCOUNT_CREATE, &args, NULL) == 0);
	/* Few failures, then no more costly checks of passwords. */
	patient.now_us = args.now_us;
	require(store_call(world.store, STORE_OP_POLICY_SET, &patient, NULL) == 0);
}

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

static void make_world(void)
{
	struct service_settings *s = &world.settings;

	log_set_level(LOG_LEVEL_ERR);
	(void)snprintf(world.dir, sizeof(world.dir), "/tmp/quintet-fuzz-XXXXXX");
	require(mkdtemp(world.dir) != NULL);
	require(atexit(remove_world) == 0);
	s->port_daytime = s->port_timestamp = s->port_ca = s->port_ca_plain = s->port_ftps =
		s->port_ftp = 8443;
	s->port_irc = s->port_imaps = s->port_submissions = 8443;
	(void)snprintf(s->state, sizeof(s->state), "%s/state", world.dir);
	(void)snprintf(s->runtime, sizeof(s->runtime), "%s/run", world.dir);
	(void)snprintf(s->domain, sizeof(s->domain), "example.org");
	(void)snprintf(s->host, sizeof(s->host), "localhost");
	make_folder("run");
	make_folder("run/bells");
	make_folder("run/locks");
	require(store_open(s->state, STORE_CREATE, &world.store) == 0);
	make_root();
	make_account();
}

/* The identity that the connection's certificate gives; anew after the input has revoked it. */
static void make_identity(void)
{
	struct cert row = {.account = "ann", .profile = CERT_PROFILE_USER, .ca_id = 1};
	struct cert_issued_args issued = {.der = buf_span(&world.root), .proof = "fuzz"};

	if (world.who.proof == AUTH_CERTIFICATE && auth_still_valid(world.store, &world.who) == 0)
		return;
	row.created_us = row.not_before_us = issued.now_us = time_now_us();
	row.not_after_us = row.created_us + INT64_C(86400) * TIME_S_US;
	require(pki_serial_new(row.serial) == 0);
	require(store_call(world.store, STORE_OP_CERT_INTENT, &row, NULL) == 0);
	memcpy(issued.serial, row.serial, sizeof(issued.serial));
	require(store_call(world.store, STORE_OP_CERT_ISSUED, &issued, NULL) == 0);
	world.who.proof = AUTH_CERTIFICATE;
	memcpy(world.who.serial, row.serial, sizeof(world.who.serial));
	require(account_get(world.store, "ann", &world.who.account) == 0);
}

static int ask(struct cad *c, const struct signer_request *r, struct buf *scratch,
	struct signer_answer *ret)
{
	static const uint32_t statuses[] = {
		0, 0, EACCES, EBUSY, EKEYREJECTED, EINVAL, EEXIST, EPERM, EAGAIN, EIO, 77};
	uint8_t mood = *(const uint8_t *)c->ask_arg;

	require(r->csr.len <= SIGNER_MESSAGE_MAX && r->name[sizeof(r->name) - 1] == '\0');
	if (mood >= 0xf0)
		return -ECONNREFUSED;
	*ret = (struct signer_answer){.wait_s = mood, .reason = "a reason"};
	ret->status = statuses[mood % (sizeof(statuses) / sizeof(statuses[0]))];
	buf_reset(scratch);
	buf_add(scratch, mood >= 0x80 ? SPAN_LIT("no certificate") : buf_span(&world.root));
	ret->payload = buf_span(scratch);
	return 0;
}

static void check_answers(struct span out)
{
	require(out.len == 0 || span_starts(out, "HTTP/1.1 "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char bucket[] = {192, 0, 2, 7};
	struct service s = SERVICE_INIT;
	struct cad c = {.s = &s, .signer_fd = -1, .ask = ask};
	struct buf out = BUF_INIT(OUT_MAX);
	uint8_t mood;

	if (size < 2)
		return 0;
	if (world.store == NULL)
		make_world();
	mood = data[1];
	c.ask_arg = &mood;
	c.door = (data[0] & 1) != 0 ? CAD_DOOR_PLAIN : CAD_DOOR_CA;
	s.def = &def;
	s.door = &door;
	s.settings = world.settings;
	s.store = world.store;
	s.source = (struct auth_source){.bucket = span_of(bucket, sizeof(bucket)),
		.peer = "192.0.2.7",
		.service = "cad",
		.runtime = world.settings.runtime,
		.domain = world.settings.domain};
	if ((data[0] & 2) != 0) {
		make_identity();
		s.who = world.who;
	}
	require(conn_new_memory(span_of(data + 2, size - 2), data[0] >> 2, &out, &s.conn) == 0);
	require(cad_run(&c) <= 0);
	(void)conn_close(s.conn);
	check_answers(buf_span(&out));
	conn_free(s.conn);
	buf_done(&out);
	return 0;
}
