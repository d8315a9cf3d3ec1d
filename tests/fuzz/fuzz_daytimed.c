/*
 * The real session loops of daytimed over a connection in memory. The first byte chooses the door
 * (even: dialogue, odd: HTTP) and how many bytes come at a time; the rest is what the peer sends.
 * Whatever it is, the dialogue answers in whole lines that begin with the banner.
 */
#include "base/timefmt.h"
#include "pki/cert.h"
#include "proto/daytime.h"
#include "services/daytimed/daytimed.h"
#include "services/daytimed/zone.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 24 };

static const struct service_door dialogue_door = {.name = "daytime", .idle_s = 5};
static const struct service_door http_door = {.name = "timestamp", .idle_s = 5};

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A signer of its own making: what it signs is nobody's business here. */
static struct tsa *make_tsa(void)
{
	struct buf root = BUF_INIT(65536), leaf = BUF_INIT(65536), spki = BUF_INIT(4096);
	struct buf key_pem = BUF_INIT(65536), cert_pem = BUF_INIT(65536);
	struct pki_key *key = NULL;
	struct tsa *tsa = NULL;
	struct pki_template t = {.cn = "tsa.example",
		.hosts = {"tsa.example"},
		.serial = {1, 2, 3},
		.not_before_us = time_now_us() - 3600 * TIME_S_US,
		.not_after_us = time_now_us() + 86400 * TIME_S_US};

	require(pki_key_new(&key) == 0 && pki_key_spki(key, &spki) == 0);
	t.spki = buf_span(&spki);
	t.profile = PKI_ROOT;
	require(pki_issue(&t, (struct span){0}, key, &root) == 0);
	t.profile = PKI_TSA;
	t.host_count = 1;
	require(pki_issue(&t, buf_span(&root), key, &leaf) == 0);
	require(pki_cert_to_pem(buf_span(&leaf), &cert_pem) == 0);
	require(pki_key_to_pem(key, &key_pem) == 0);
	require(tsa_new(buf_span(&key_pem), buf_span(&cert_pem), &tsa) == 0);
	pki_key_free(key);
	buf_done(&root);
	buf_done(&leaf);
	buf_done(&spki);
	buf_done(&key_pem);
	buf_done(&cert_pem);
	return tsa;
}

static void check_dialogue(struct span out)
{
	struct span line = {0};
	int64_t at_us;

	require(span_split(&out, '\n', &line) && line.len > 0);
	line.len--;
	require(daytime_read_line(line, &at_us) == 0);
	while (span_split(&out, '\n', &line))
		require(line.len > 0 && line.len <= DAYTIME_LINE_MAX + 1 &&
			line.p[line.len - 1] == '\r');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tsa *tsa;
	struct service s = SERVICE_INIT;
	struct buf out = BUF_INIT(OUT_MAX);
	bool http;
	int r;

	if (size == 0)
		return 0;
	if (tsa == NULL) {
		log_set_level(LOG_LEVEL_ERR);
		tsa = make_tsa();
	}
	http = (data[0] & 1) != 0;
	s.door = http ? &http_door : &dialogue_door;
	require(conn_new_memory(span_of(data + 1, size - 1), data[0] >> 1, &out, &s.conn) == 0);
	r = http ? daytimed_http(&s, tsa) : daytimed_dialogue(&s, ZONE_FOLDER);
	require(r <= 0);
	(void)conn_close(s.conn);
	if (!http)
		check_dialogue(buf_span(&out));
	conn_free(s.conn);
	buf_done(&out);
	return 0;
}
