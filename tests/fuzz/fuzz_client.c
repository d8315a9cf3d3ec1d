/*
 * The client reading a hostile server: authority certificates, the directory, enrol answers,
 * refusals, daytime lines, lists, time-stamp tokens, first lines. The first byte chooses what is
 * asked, the second in what pieces the answer arrives; the outcome must not depend on it.
 */
#include "client/ca.h"
#include "client/daytime.h"
#include "client/est.h"
#include "client/probe.h"
#include "client/token.h"

#include "base/text.h"
#include "proto/daytime.h"

#include <errno.h>
#include <stdlib.h>

#define STORY_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The authority that the stored corpus is of; its keys are kept nowhere. */
static const char root_pem[] = "-----BEGIN CERTIFICATE-----\n"
			       "MIIBkjCCATigAwIBAgIUIGpHt6gq8/daR02WsyjrPz9wHNYwCgYIKoZIzj0EAwIw\n"
			       "FDESMBAGA1UEAwwJZnV6eiByb290MCAXDTI2MTEyMDA1MDcxOVoYDzIxMjYxMDI4\n"
			       "MDUwNzE5WjAUMRIwEAYDVQQDDAlmdXp6IHJvb3QwWTATBgcqhkjOPQIBBggqhkjO\n"
			       "PQMBBwNCAATUDwL56Z+oOpgzCezP4VMeY4z/aQbgieN4h/ckjy8lpg6bXmnTffin\n"
			       "cxTyylPWgXccjhL+whjEb8bIx9loymUVo2YwZDAdBgNVHQ4EFgQUrnVqjN/Gjnyq\n"
			       "fz7J51taSfzQ3akwHwYDVR0jBBgwFoAUrnVqjN/Gjnyqfz7J51taSfzQ3akwEgYD\n"
			       "VR0TAQH/BAgwBgEB/wIBATAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwIDSAAw\n"
			       "RQIgMVEl/ZB+BkZUY1x0VC95bHeO/NCblfkjvk8plPwqqYECIQC/8ulJUSQ1NC1Y\n"
			       "eIyNYy0uohlkIBSFaEZ829qtwoJulQ==\n"
			       "-----END CERTIFICATE-----\n";
static const char chain_pem[] = "-----BEGIN CERTIFICATE-----\n"
				"MIIBljCCATugAwIBAgIUFkiFLcAFWyTNSeyvkLDQszk1OOUwCgYIKoZIzj0EAwIw\n"
				"FDESMBAGA1UEAwwJZnV6eiByb290MCAXDTI2MTEyMDA1MDcxOVoYDzIxMjYxMDI4\n"
				"MDUwNzE5WjAXMRUwEwYDVQQDDAxmdXp6IGlzc3VpbmcwWTATBgcqhkjOPQIBBggq\n"
				"hkjOPQMBBwNCAATuVpd1QFog5SIlh+Yy0R9YItpookPSSPJZX6oe7WvUZmEUPTCI\n"
				"BPGYs0r2QuzuS08gMT+sywHdsjKRPTIeGIyUo2YwZDAdBgNVHQ4EFgQUgG+lUkuF\n"
				"rDSeGkZyv3QGJF66IuUwHwYDVR0jBBgwFoAUrnVqjN/Gjnyqfz7J51taSfzQ3akw\n"
				"EgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwID\n"
				"SQAwRgIhAMCo/ppEUXH8BNhr/saplq+sGnJ4Ipy/httWspIbPA0jAiEAwa800DpJ\n"
				"oQq1tbxcU+hwUIgOqLCppTZgx9NAKUlFpAs=\n"
				"-----END CERTIFICATE-----\n";

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Conversations with a server that says what the input says. */
struct talk {
	struct link l;
	struct buf said; /* what the client sent */
};

static void talk_begin(struct talk *t, struct span in, size_t step)
{
	*t = (struct talk){.l = {.timeout_s = 1, .host = "h", .authority = "h:1"},
		.said = BUF_INIT(STORY_MAX)};
	must(conn_new_memory(in, step, &t->said, &t->l.conn) == 0);
}

static void talk_end(struct talk *t)
{
	link_done(&t->l);
	buf_done(&t->said);
}

static void ask_cacerts(struct span in, size_t step, struct buf *story)
{
	struct buf root = BUF_INIT(PROFILE_FILE_MAX), chain = BUF_INIT(PROFILE_FILE_MAX);
	unsigned char fingerprint[32] = {0};
	struct pki_cert_info info;
	struct buf der = BUF_INIT(4096);
	struct talk t;
	int r;

	must(pki_unarmor(span_str(root_pem), "CERTIFICATE", &der) == 0);
	must(pki_cert_read(buf_span(&der), &info) == 0);
	memcpy(fingerprint, info.sha256, sizeof fingerprint);
	talk_begin(&t, in, step);
	r = est_cacerts(&t.l, fingerprint, &root, &chain);
	/* Only the root that was asked for, whatever else came with it. */
	if (r == 0)
		must(span_eq_str(buf_span(&root), root_pem));
	buf_add_u32(story, (uint32_t)r);
	buf_add(story, buf_span(&chain));
	talk_end(&t);
	buf_done(&der);
	buf_done(&root);
	buf_done(&chain);
}

static void ask_directory(struct span in, size_t step, struct buf *story)
{
	struct directory d = {.door_count = 0};
	struct talk t;
	int r;

	talk_begin(&t, in, step);
	r = est_directory(&t.l, &d);
	if (r == 0) {
		must(d.door_count <= DIRECTORY_MAX_DOORS);
		must(directory_write(story, &d) == 0);
	}
	buf_add_u32(story, (uint32_t)r);
	talk_end(&t);
}

static void ask_certificate(struct span in, size_t step, struct buf *story)
{
	struct profile p = PROFILE_INIT;
	struct buf body = BUF_INIT(65536), der = BUF_INIT(65536), pem = BUF_INIT(PROFILE_FILE_MAX);
	const struct link_question q = {.method = "GET", .target = "/"};
	struct pki_key *key = NULL;
	const char *reason = NULL;
	unsigned status = 0;
	struct talk t;
	int r;

	snprintf(p.user, sizeof p.user, "mallory");
	buf_add_str(&p.root_pem, root_pem);
	buf_add_str(&p.chain_pem, chain_pem);
	talk_begin(&t, in, step);
	r = link_ask(&t.l, &q, &status, &body);
	if (r == 0)
		r = est_read_certificate(buf_span(&body), &der);
	if (r == 0) {
		must(pki_key_new(&key) == 0);
		/* Nobody can have a certificate for a key that was made just now. */
		must(est_accept(&p, buf_span(&der), key, &pem, &reason) < 0);
	}
	buf_add_u32(story, (uint32_t)r);
	pki_key_freep(&key);
	talk_end(&t);
	buf_done(&body);
	buf_done(&der);
	buf_done(&pem);
	profile_done(&p);
}

static void ask_refusal(struct span in, size_t step, struct buf *story)
{
	struct buf body = BUF_INIT(4096);
	const struct link_question q = {.method = "POST",
		.target = "/",
		.content_type = LINK_FORM_TYPE,
		.body = SPAN_LIT("a=b"),
		.user = "u",
		.password = SPAN_LIT("p")};
	unsigned status = 0;
	struct talk t;
	int r;

	talk_begin(&t, in, step);
	r = link_ask(&t.l, &q, &status, &body);
	if (r == 0) {
		link_refusal(status, buf_span(&body), story);
		must(text_is_clean(buf_span(story)) && story->len > 0);
		buf_add_u32(story, t.l.retry_s);
	}
	buf_add_u32(story, (uint32_t)r);
	talk_end(&t);
	buf_done(&body);
}

static void ask_time(struct span in, size_t step, struct buf *story)
{
	struct span answer;
	int64_t at_us = 0;
	struct talk t;
	int r;

	talk_begin(&t, in, step);
	while ((r = daytime_request(t.l.conn, "daytime", &answer)) == 0) {
		if (daytime_read_line(answer, &at_us) == 0)
			buf_add_u64(story, (uint64_t)at_us);
		text_escape(story, answer);
	}
	buf_add_u32(story, (uint32_t)r);
	talk_end(&t);
}

/* No answer that was there before the question can be the answer to it. */
static void ask_exchange(struct span in, size_t step, struct buf *story)
{
	struct daytime_measure m;
	struct talk t;

	talk_begin(&t, in, step);
	must(daytime_measure_over(t.l.conn, 1, &m) < 0);
	buf_add(story, SPAN_LIT("done"));
	talk_end(&t);
}

static void read_list(struct span in, size_t step, struct buf *story)
{
	static const struct table_column columns[] = {
		{"A", NULL}, {"B", NULL}, {"C", NULL}, {"D", NULL}, {"E", NULL}, {NULL, NULL}};
	struct table table;

	(void)step;
	table_init(&table, columns);
	if (ca_list_read(in, &table) == 0)
		table_json(&table, story);
	table_done(&table);
}

static void read_token(struct span in, size_t step, struct buf *story)
{
	const struct token_trust trust = {span_str(root_pem), span_str(chain_pem)};
	unsigned char digest[HASH_SHA256_LEN];
	struct token_info info = {.at_us = 0};
	const char *reason = NULL;

	(void)step;
	must(hash_sha256(SPAN_LIT("quintet"), digest) == 0);
	if (token_check(in, &trust, NULL, digest, &info, &reason) == 0)
		buf_addf(story, "%lld %s", (long long)info.at_us, info.serial);
	else
		must(reason != NULL);
}

static void read_first(struct span in, size_t step, struct buf *story)
{
	static const char *const protocols[] = {
		"https", "imaps", "submissions", "daytimes", "ircs", "gopher"};

	(void)step;
	for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
		buf_add_byte(story, probe_answer_fits(protocols[i], in));
}

static void (*const kinds[])(struct span in, size_t step, struct buf *story) = {ask_cacerts,
	ask_directory, ask_certificate, ask_refusal, ask_time, ask_exchange, read_list, read_token,
	read_first};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(STORY_MAX), pieces = BUF_INIT(STORY_MAX);
	size_t kind, step;
	struct span in;

	if (size < 2)
		return 0;
	kind = data[0] % (sizeof kinds / sizeof kinds[0]);
	step = 1U + data[1] % 32;
	in = span_of(data + 2, size - 2);
	kinds[kind](in, 0, &whole);
	kinds[kind](in, step, &pieces);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
