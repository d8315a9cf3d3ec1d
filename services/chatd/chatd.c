/*
 * chatd: IRC over TLS for everyone of the house, on a log that keeps what was said. See chatd(8).
 */
#include "services/chatd/chatd.h"

#include "base/cleanup.h"
#include "base/hash.h"

enum { IDLE_S = 240, LOGIN_S = 60, SESSIONS = 4000, PER_SOURCE = 200, IDLE_EXIT_S = 300 };

static const char *const alpn[] = {"irc", NULL};

static const struct service_door doors[] = {
	{.name = "ircs", .tls = true, .alpn = alpn, .idle_s = IDLE_S, .login_s = LOGIN_S},
	{.name = NULL},
};

static const struct service_def definition = {
	.name = "chatd",
	.doors = doors,
	.sandbox = SANDBOX_SESSION,
	.client_certs = true,
	.passwords = true,
	.bell = true,
	.max_total = SESSIONS,
	.max_per_source = PER_SOURCE,
	.idle_exit_s = IDLE_EXIT_S,
};

/* The hosts of guests are keyed by what the server keeps secret anyhow: they change with its key.
 */
static int read_guest_key(struct service *s, unsigned char ret[HASH_SHA256_LEN])
{
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(SERVICE_PEM_MAX);
	int r = service_read_credential(s, "tls.key", &key);

	if (r == 0)
		r = hash_hmac_sha256(buf_span(&key), SPAN_LIT("quintet guest hosts"), ret);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(service_done) struct service s = SERVICE_INIT;
	unsigned char guest_key[HASH_SHA256_LEN];
	int r;

	r = service_start(&s, &definition, argc, argv);
	if (r == 0)
		r = service_credentials(&s);
	if (r == 0)
		r = read_guest_key(&s, guest_key);
	if (r != 0)
		return service_finish(&s, r);
	r = service_connection(&s);
	if (r <= 0)
		return service_finish(&s, r);
	r = service_handshake(&s);
	if (r == 0)
		r = service_store(&s, true);
	if (r == 0)
		r = chatd_run(&s, guest_key);
	return service_finish(&s, r);
}
