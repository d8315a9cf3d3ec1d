/* cad's session loop over memory, with the real signer behind it in the same process. */
#include "base/text.h"
#include "base/timefmt.h"
#include "services/cad/cad.h"
#include "tests/unit/lib/sign_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct service_def cad_def = {.name = "cad"};
static const struct service_door ca_door = {.name = "ca", .idle_s = 5};

/* The signer: the fixture's; away while broken. */
static int ask(struct cad *c, const struct signer_request *r, struct buf *scratch,
	struct signer_answer *ret)
{
	struct sign_fixture *f = c->ask_arg;

	if (f == NULL)
		return -ECONNREFUSED;
	*ret = (struct signer_answer){.status = (uint32_t)sign_fixture_call(f, r)};
	buf_reset(scratch);
	buf_add(scratch, buf_span(&f->answer));
	ret->payload = buf_span(scratch);
	ret->wait_s = f->wait_s;
	if (f->reason != NULL)
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s", f->reason);
	return buf_error(scratch);
}

struct talk {
	unsigned door;
	size_t step; /* bytes that come at once; 0 all */
	bool signer_away;
};

/* Everything the peer says; everything it hears, as text in static memory. */
static const char *hear(struct sign_fixture *f, const struct talk *how, struct span said)
{
	static char text[1 << 18];
	struct buf out = BUF_INIT(sizeof(text) - 1);
	struct service s = f->s;
	struct cad c = {.s = &s, .door = how->door, .signer_fd = -1, .ask = ask};

	s.def = &cad_def;
	s.door = &ca_door;
	s.peer = (struct net_peer){.text = "192.0.2.7", .bucket = {192, 0, 2, 7}, .bucket_len = 4};
	s.source = (struct auth_source){.bucket = net_peer_bucket(&s.peer),
		.peer = s.peer.text,
		.service = "cad",
		.runtime = s.settings.runtime,
		.domain = s.settings.domain};
	c.ask_arg = how->signer_away ? NULL : f;
	assert_int_equal(conn_new_memory(said, how->step, &out, &s.conn), 0);
	assert_true(cad_run(&c) <= 0);
	(void)conn_close(s.conn);
	conn_free(s.conn);
	assert_true(out.len < sizeof(text));
	memcpy(text, buf_str(&out), out.len + 1);
	buf_done(&out);
	return text;
}

static const struct talk on_ca = {.door = CAD_DOOR_CA};

static const char *get(struct sign_fixture *f, const char *path)
{
	char request[2048];

	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
	return hear(f, &on_ca, span_str(request));
}

static void add_auth(struct buf *b, const char *credentials)
{
	if (credentials == NULL)
		return;
	buf_add_str(b, "Authorization: Basic ");
	text_base64(b, span_str(credentials), 0);
	buf_add_str(b, "\r\n");
}

struct post {
	const char *path, *type, *credentials, *extra;
	struct span body;
};

static const char *post(struct sign_fixture *f, const struct talk *how, const struct post *p)
{
	struct buf request = BUF_INIT(1 << 17);
	const char *answer;

	buf_addf(&request, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n", p->path,
		p->body.len);
	buf_addf(&request, "Content-Type: %s\r\n", p->type);
	add_auth(&request, p->credentials);
	if (p->extra != NULL)
		buf_add_str(&request, p->extra);
	buf_add_str(&request, "\r\n");
	buf_add(&request, p->body);
	answer = hear(f, how, buf_span(&request));
	buf_done(&request);
	return answer;
}

#define STATUS(answer, status) assert_memory_equal(answer, "HTTP/1.1 " status " ", 13)
#define HAS(answer, text) assert_non_null(strstr(answer, text))
#define FORM "application/x-www-form-urlencoded"

static const char *form(
	struct sign_fixture *f, const char *path, const char *credentials, const char *body)
{
	const struct post p = {
		.path = path, .type = FORM, .credentials = credentials, .body = span_str(body)};

	return post(f, &on_ca, &p);
}

static void make_request(const char *cn, struct buf *ret)
{
	struct buf csr = BUF_INIT(PKI_CSR_MAX);
	struct pki_key *key = NULL;

	*ret = BUF_INIT(65536);
	assert_int_equal(pki_key_new(&key), 0);
	assert_int_equal(pki_csr_new(key, cn, NULL, NULL, &csr), 0);
	text_base64(ret, buf_span(&csr), 0);
	pki_key_free(key);
	buf_done(&csr);
}

static void routes(void **state)
{
	struct sign_fixture *f = *state;
	const struct talk plain = {.door = CAD_DOOR_PLAIN};

	STATUS(get(f, "/"), "404");
	STATUS(get(f, "/.well-known/est/cacerts"), "200");
	STATUS(get(f, "/.well-known/est/cacerts/"), "404");
	STATUS(get(f, "/.well-known/est/cacerts?x"), "200");
	STATUS(get(f, "/.well-known/est/host/cacerts"), "404");
	STATUS(get(f, "/.well-known/est/simpleenroll"), "405");
	HAS(get(f, "/.well-known/est/simpleenroll"), "\r\nAllow: POST\r\n");
	STATUS(get(f, "/.well-known/quintet"), "200");
	STATUS(get(f, "/ca/1.cer"), "200");
	STATUS(get(f, "/ca/1.crl"), "200");
	STATUS(get(f, "/ca/0.crl"), "404");
	STATUS(get(f, "/ca/01.cer"), "404");
	STATUS(get(f, "/ca/99999999999999999999.cer"), "404");
	STATUS(get(f, "/ca/2.cer"), "404");
	STATUS(hear(f, &plain,
		       SPAN_LIT("GET /.well-known/est/cacerts HTTP/1.1\r\nHost: a\r\n\r\n")),
		"404");
	STATUS(hear(f, &plain, SPAN_LIT("GET /ca/0.cer HTTP/1.0\r\n\r\n")), "200");
}

static void every_size_of_piece_reads_the_same(void **state)
{
	struct sign_fixture *f = *state;
	const struct span said = SPAN_LIT(
		"\r\nGET /.well-known/est/csrattrs HTTP/1.1\r\nHost: a\r\n\r\n"
		"HEAD /.well-known/quintet HTTP/1.1\r\nHost: a\r\n\r\n"
		"POST /ocsp HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\n"
		"Content-Length: 3\r\n\r\nabc\r\n"
		"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nleft over");

	for (size_t step = 0; step < 40; step++) {
		const struct talk how = {.door = CAD_DOOR_CA, .step = step};
		const char *answer = hear(f, &how, said);

		STATUS(answer, "200");
		HAS(answer, "application/csrattrs");
		HAS(answer, "text/plain; charset=utf-8\r\nContent-Length: ");
		HAS(answer, "application/ocsp-response");
		HAS(answer, "HTTP/1.1 404 ");
		assert_null(strstr(answer, "domain example.org"));
	}
}

static void enroll_by_password(void **state)
{
	struct sign_fixture *f = *state;
	struct buf body;
	struct post p = {.path = "/.well-known/est/simpleenroll",
		.type = "application/pkcs10",
		.credentials = "ann:" SIGN_FIXTURE_PASSWORD};
	const char *answer;

	make_request("ann", &body);
	p.body = buf_span(&body);
	answer = post(f, &on_ca, &p);
	STATUS(answer, "200");
	HAS(answer, "\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\n");
	HAS(answer, "\r\nContent-Transfer-Encoding: base64\r\n");
	assert_null(strchr(strstr(answer, "\r\n\r\n") + 4, '\n'));
	p.extra = "User-Agent: libest 1.0\r\n";
	answer = post(f, &on_ca, &p);
	STATUS(answer, "200");
	assert_int_equal(strcspn(strstr(answer, "\r\n\r\n") + 4, "\n"), 64);
	p.credentials = NULL;
	answer = post(f, &on_ca, &p);
	STATUS(answer, "401");
	HAS(answer, "\r\nWWW-Authenticate: Basic realm=\"quintet\"");
	p.credentials = "ann:wrong";
	STATUS(post(f, &on_ca, &p), "401");
	p.credentials = "ann:" SIGN_FIXTURE_PASSWORD;
	p.type = "text/plain";
	STATUS(post(f, &on_ca, &p), "415");
	p.type = "application/pkcs10; charset=x";
	STATUS(post(f, &on_ca, &p), "200");
	p.body = SPAN_LIT("no request");
	STATUS(post(f, &on_ca, &p), "400");
	buf_done(&body);
}

static void enroll_by_invite(void **state)
{
	struct sign_fixture *f = *state;
	char token[64], credentials[128];
	struct account account;
	struct buf body;
	struct post p = {.path = "/.well-known/est/user/simpleenroll",
		.type = "application/pkcs10",
		.credentials = credentials};

	sign_fixture_invite(f, token);
	(void)snprintf(credentials, sizeof(credentials), "Gina:%s", token);
	make_request("gina", &body);
	p.body = buf_span(&body);
	STATUS(post(f, &on_ca, &p), "200");
	assert_int_equal(account_get(f->s.store, "gina", &account), 0);
	STATUS(post(f, &on_ca, &p), "401");
	buf_done(&body);
}

static void reenrolment_needs_a_certificate(void **state)
{
	struct sign_fixture *f = *state;
	const struct post p = {.path = "/.well-known/est/simplereenroll",
		.type = "application/pkcs10",
		.credentials = "ann:" SIGN_FIXTURE_PASSWORD,
		.body = SPAN_LIT("AAAA")};

	STATUS(post(f, &on_ca, &p), "403");
}

static void the_signer_away(void **state)
{
	struct sign_fixture *f = *state;
	const struct talk away = {.door = CAD_DOOR_CA, .signer_away = true};
	struct buf body;
	struct post p = {.path = "/.well-known/est/simpleenroll",
		.type = "application/pkcs10",
		.credentials = "ann:" SIGN_FIXTURE_PASSWORD};
	const char *answer;

	make_request("ann", &body);
	p.body = buf_span(&body);
	answer = post(f, &away, &p);
	STATUS(answer, "503");
	HAS(answer, "\r\nRetry-After: ");
	buf_done(&body);
	p.path = "/.well-known/cmp";
	p.type = "application/pkixcmp";
	p.body = SPAN_LIT("x");
	STATUS(post(f, &away, &p), "503");
	STATUS(post(f, &on_ca, &p), "400");
	answer = hear(f, &away, SPAN_LIT("GET /ca/1.crl HTTP/1.1\r\nHost: a\r\n\r\n"));
	STATUS(answer, "503");
	/* Once made, the stored list is served without the signer. */
	STATUS(get(f, "/ca/1.crl"), "200");
	answer = hear(f, &away, SPAN_LIT("GET /ca/1.crl HTTP/1.1\r\nHost: a\r\n\r\n"));
	STATUS(answer, "200");
}

static void ocsp_by_get_and_post(void **state)
{
	struct sign_fixture *f = *state;
	struct fixture_cert cert;
	struct buf request = BUF_INIT(4096), text = BUF_INIT(8192), path = BUF_INIT(8192);
	unsigned char nonce[32];
	struct post p = {.path = "/ocsp", .type = "application/ocsp-request"};
	const char *answer;

	sign_fixture_enroll(f, "ann", &cert);
	assert_int_equal(pki_ocsp_request_new(buf_span(&cert.der), buf_span(&f->ca.issuing.der),
				 &request, nonce),
		0);
	p.body = buf_span(&request);
	answer = post(f, &on_ca, &p);
	STATUS(answer, "200");
	HAS(answer, "Content-Type: application/ocsp-response");
	text_base64(&text, buf_span(&request), 0);
	buf_add_str(&path, "/ocsp/");
	text_percent_encode(&path, buf_span(&text));
	STATUS(get(f, buf_str(&path)), "200");
	HAS(get(f, "/ocsp/%%%"), "Content-Length: 5\r\n");
	HAS(get(f, "/ocsp/AAAA"), "Content-Length: 5\r\n");
	buf_done(&request);
	buf_done(&text);
	buf_done(&path);
	fixture_cert_free(&cert);
}

static void accounts(void **state)
{
	struct sign_fixture *f = *state;
	const char *ann = "ann:" SIGN_FIXTURE_PASSWORD;
	struct account account;
	char token[64], body[256];

	STATUS(form(f, "/account/create", NULL, "name=hugo&password=long+enough+1"), "403");
	sign_fixture_invite(f, token);
	(void)snprintf(body, sizeof(body), "name=ann&password=long+enough+1&invite=%s", token);
	STATUS(form(f, "/account/create", NULL, body), "409");
	(void)snprintf(body, sizeof(body), "name=root&password=long+enough+1&invite=%s", token);
	STATUS(form(f, "/account/create", NULL, body), "400");
	(void)snprintf(body, sizeof(body), "name=hugo&invite=%s", token);
	STATUS(form(f, "/account/create", NULL, body), "400");
	(void)snprintf(body, sizeof(body), "name=hugo&password=long+enough+1&invite=%s", token);
	STATUS(form(f, "/account/create", NULL, body), "201");
	assert_int_equal(account_get(f->s.store, "hugo", &account), 0);
	STATUS(form(f, "/account/create", NULL, "name=%zz"), "400");
	STATUS(form(f, "/account/password", NULL, "new=long+enough+2"), "401");
	STATUS(form(f, "/account/password", ann, "new=short"), "400");
	STATUS(form(f, "/account/password", ann, "new=long+enough+2"), "200");
	STATUS(form(f, "/account/password", ann, "new=long+enough+3"), "401");
	STATUS(form(f, "/account/password", "ann:long enough 2", ""), "400");
}

static void listing_and_revoking(void **state)
{
	struct sign_fixture *f = *state;
	const char *ann = "ann:" SIGN_FIXTURE_PASSWORD;
	struct fixture_cert cert;
	struct buf body = BUF_INIT(256), listing = BUF_INIT(2048);
	const char *answer;

	sign_fixture_enroll(f, "ann", &cert);
	buf_add_str(&listing, "GET /account/certificates HTTP/1.1\r\nHost: a\r\n");
	add_auth(&listing, ann);
	buf_add_str(&listing, "\r\nGET /account HTTP/1.1\r\nHost: a\r\n");
	add_auth(&listing, ann);
	buf_add_str(&listing, "\r\n");
	answer = hear(f, &on_ca, buf_span(&listing));
	HAS(answer, " valid ");
	HAS(answer, "address ann@example.org\n");
	buf_add_str(&body, "serial=");
	text_hex(&body, span_of(cert.serial, sizeof(cert.serial)));
	STATUS(form(f, "/account/revoke", "bob:" SIGN_FIXTURE_PASSWORD, buf_str(&body)), "404");
	assert_int_equal(sign_fixture_state(f, &cert), CERT_ISSUED);
	buf_add_str(&body, "&reason=certificateHold");
	STATUS(form(f, "/account/revoke", ann, buf_str(&body)), "400");
	buf_reset(&body);
	buf_add_str(&body, "reason=keycompromise&serial=");
	text_hex(&body, span_of(cert.serial, sizeof(cert.serial)));
	STATUS(form(f, "/account/revoke", ann, buf_str(&body)), "200");
	assert_int_equal(sign_fixture_state(f, &cert), CERT_REVOKED);
	HAS(form(f, "/account/revoke", ann, buf_str(&body)), "revoked already");
	HAS(hear(f, &on_ca, buf_span(&listing)), " revoked ");
	STATUS(form(f, "/account/revoke", ann, "serial=12"), "400");
	buf_done(&body);
	buf_done(&listing);
	fixture_cert_free(&cert);
}

static void throttled_passwords(void **state)
{
	struct sign_fixture *f = *state;
	const char *answer = NULL;

	sign_fixture_policy(f, "throttle_account", "3");
	for (unsigned i = 0; i < 6; i++)
		answer = form(f, "/account/password", "ann:wrong password", "new=long+enough+2");
	STATUS(answer, "429");
	HAS(answer, "\r\nRetry-After: ");
}

static void http_10_closes(void **state)
{
	struct sign_fixture *f = *state;
	const char *answer = hear(
		f, &on_ca, SPAN_LIT("GET /nothing HTTP/1.0\r\n\r\nGET /nothing HTTP/1.0\r\n\r\n"));

	HAS(answer, "Connection: close\r\n");
	assert_null(strstr(answer + 9, "HTTP/1.1"));
}

#define SIGN_TEST(fn) cmocka_unit_test_setup_teardown(fn, sign_fixture_setup, sign_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIGN_TEST(routes),
		SIGN_TEST(every_size_of_piece_reads_the_same),
		SIGN_TEST(enroll_by_password),
		SIGN_TEST(enroll_by_invite),
		SIGN_TEST(reenrolment_needs_a_certificate),
		SIGN_TEST(the_signer_away),
		SIGN_TEST(ocsp_by_get_and_post),
		SIGN_TEST(accounts),
		SIGN_TEST(listing_and_revoking),
		SIGN_TEST(throttled_passwords),
		SIGN_TEST(http_10_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
