/* A signer without a process. */
#include "tests/unit/lib/sign_fixture.h"

#include "auth/password.h"
#include "base/timefmt.h"
#include "store/policy.h"
#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct service_def test_def = {.name = "cad-signer"};
static const struct service_door test_door = {.name = "signer", .idle_s = 5};
static const unsigned char test_bucket[] = {192, 0, 2, 7};

static void put_ca(struct sign_fixture *f, uint32_t id, const struct fixture_cert *c)
{
	struct ca row = {.id = id, .der = buf_span(&c->der)};

	if (id > 0) {
		row.ocsp_der = buf_span(&f->ca.ocsp.der);
		row.cmp_der = buf_span(&f->cmp.der);
	}
	assert_int_equal(store_call(f->s.store, STORE_OP_CA_PUT, &row, NULL), 0);
}

static struct pki_key *copy_key(const struct pki_key *key)
{
	struct buf pem = BUF_INIT(65536);
	struct pki_key *copy = NULL;

	assert_int_equal(pki_key_to_pem(key, &pem), 0);
	assert_int_equal(pki_key_from_pem(buf_span(&pem), &copy), 0);
	buf_done(&pem);
	return copy;
}

static void make_keys(struct sign_fixture *f)
{
	struct sign_keys *k = &f->g.keys;

	k->issuing[k->issuing_count++] = copy_key(f->ca.issuing.key);
	k->ocsp = copy_key(f->ca.ocsp.key);
	k->cmp_pem = BUF_INIT(65536);
	assert_int_equal(pki_key_to_pem(f->cmp.key, &k->cmp_pem), 0);
	memset(k->cmp_secret, 7, sizeof(k->cmp_secret));
}

static void make_folder(const char *dir, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0770), 0);
}

static void make_service(struct sign_fixture *f)
{
	struct service_settings *s = &f->s.settings;

	f->s = SERVICE_INIT;
	f->s.def = &test_def;
	f->s.door = &test_door;
	f->s.peer = (struct net_peer){.text = "unix:1000", .is_unix = true, .uid = 1000};
	(void)snprintf(s->domain, sizeof(s->domain), "example.org");
	(void)snprintf(s->host, sizeof(s->host), "localhost");
	(void)snprintf(s->state, sizeof(s->state), "%s/state", f->dir);
	(void)snprintf(s->runtime, sizeof(s->runtime), "%s/run", f->dir);
	(void)snprintf(s->plain_url, sizeof(s->plain_url), "http://localhost:8080");
	s->port_daytime = 13;
	s->port_timestamp = 318;
	s->port_ca = 8443;
	s->port_ca_plain = 8080;
	s->port_ftps = 990;
	s->port_ftp = 21;
	s->port_irc = 6697;
	s->port_imaps = 993;
	s->port_submissions = 465;
	make_folder(f->dir, "run");
	make_folder(f->dir, "run/bells");
	make_folder(f->dir, "run/locks");
}

int sign_fixture_setup(void **state)
{
	struct sign_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	log_set_level(LOG_LEVEL_ERR);
	scratch_make(f->dir, sizeof(f->dir));
	make_service(f);
	fixture_ca_make(&f->ca);
	fixture_leaf(&f->ca, PKI_CMP, &f->cmp);
	f->g.s = &f->s;
	f->answer = BUF_INIT(SIGNER_ANSWER_MAX);
	make_keys(f);
	assert_int_equal(store_open(f->s.settings.state, STORE_CREATE, &f->s.store), 0);
	put_ca(f, 0, &f->ca.root);
	put_ca(f, 1, &f->ca.issuing);
	assert_int_equal(sign_authorities_load(&f->g), 0);
	sign_fixture_account(f, "ann");
	sign_fixture_account(f, "bob");
	*state = f;
	return 0;
}

int sign_fixture_teardown(void **state)
{
	struct sign_fixture *f = *state;

	cmp_talk_end(&f->g);
	sign_done(&f->g);
	store_close(f->s.store);
	fixture_ca_free(&f->ca);
	fixture_cert_free(&f->cmp);
	buf_done(&f->answer);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

int sign_fixture_call(struct sign_fixture *f, const struct signer_request *r)
{
	struct sign_reply reply = SIGN_REPLY_INIT;

	sign_serve(&f->g, r, &reply);
	buf_reset(&f->answer);
	buf_add(&f->answer, buf_span(&reply.payload));
	buf_done(&reply.payload);
	f->wait_s = reply.wait_s;
	f->reason = reply.reason;
	return (int)reply.status;
}

struct signer_request sign_fixture_request(enum signer_kind kind)
{
	return (struct signer_request){
		.kind = (uint8_t)kind,
		.peer = "192.0.2.7",
		.bucket = span_of(test_bucket, sizeof(test_bucket)),
	};
}

void sign_fixture_policy(struct sign_fixture *f, const char *name, const char *value)
{
	struct policy_set_args args = {.now_us = time_now_us(), .by = "test"};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	assert_int_equal(store_call(f->s.store, STORE_OP_POLICY_SET, &args, NULL), 0);
}

void sign_fixture_account(struct sign_fixture *f, const char *name)
{
	static char hash[PASSWORD_HASH_SIZE];
	struct account_create_args args = {
		.admin_act = true, .now_us = time_now_us(), .peer = "test", .service = "test"};

	if (hash[0] == '\0')
		assert_int_equal(password_hash(span_str(SIGN_FIXTURE_PASSWORD), NULL, hash), 0);
	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.password, sizeof(args.password), "%s", hash);
	assert_int_equal(store_call(f->s.store, STORE_OP_ACCOUNT_CREATE, &args, NULL), 0);
}

void sign_fixture_invite(struct sign_fixture *f, char ret[64])
{
	struct invite invite = {.created_us = time_now_us(), .uses_left = 1};

	invite.expires_us = invite.created_us + 3600 * TIME_S_US;
	assert_int_equal(auth_token_new(ret, 64, invite.hash), 0);
	assert_int_equal(store_call(f->s.store, STORE_OP_INVITE_CREATE, &invite, NULL), 0);
}

void sign_fixture_cmp_ref(struct sign_fixture *f, const char *reference, const char *account,
	char ret_secret[SIGN_CMP_PASSWORD_SIZE])
{
	struct cmp_ref ref = {.created_us = time_now_us()};

	ref.expires_us = ref.created_us + 3600 * TIME_S_US;
	(void)snprintf(ref.reference, sizeof(ref.reference), "%s", reference);
	(void)snprintf(ref.name, sizeof(ref.name), "%s", account);
	assert_int_equal(store_call(f->s.store, STORE_OP_CMP_CREATE, &ref, NULL), 0);
	assert_int_equal(sign_cmp_derive(&f->g.keys, reference, ret_secret), 0);
}

void sign_fixture_enroll(struct sign_fixture *f, const char *name, struct fixture_cert *ret)
{
	struct signer_request r = sign_fixture_request(SIGNER_ENROLL);
	struct buf csr = BUF_INIT(PKI_CSR_MAX);
	struct pki_cert_info info;

	fixture_key(ret);
	assert_int_equal(pki_csr_new(ret->key, name, NULL, NULL, &csr), 0);
	r.proof = SIGNER_PROOF_PASSWORD;
	(void)snprintf(r.name, sizeof(r.name), "%s", name);
	r.secret = span_str(SIGN_FIXTURE_PASSWORD);
	r.csr = buf_span(&csr);
	assert_int_equal(sign_fixture_call(f, &r), 0);
	buf_add(&ret->der, buf_span(&f->answer));
	assert_int_equal(pki_cert_read(buf_span(&ret->der), &info), 0);
	memcpy(ret->serial, info.serial, sizeof(ret->serial));
	assert_int_equal(pki_cert_to_pem(buf_span(&ret->der), &ret->pem), 0);
	buf_done(&csr);
}

void sign_fixture_revoke(struct sign_fixture *f, const struct fixture_cert *c, int reason)
{
	struct cert_revoke_args args = {.reason = reason, .now_us = time_now_us(), .by = "test"};

	memcpy(args.serial, c->serial, sizeof(args.serial));
	assert_int_equal(store_call(f->s.store, STORE_OP_CERT_REVOKE, &args, NULL), 0);
}

enum cert_state sign_fixture_state(struct sign_fixture *f, const struct fixture_cert *c)
{
	struct cert row;

	assert_int_equal(cert_get(f->s.store, c->serial, &row, NULL), 0);
	return row.state;
}
