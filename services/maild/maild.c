/*
 * maild: mail for everyone of the house: IMAP on the door "imaps", submission on the door
 * "submissions", both behind TLS from the first byte. See maild(8).
 */
#include "services/maild/maild.h"

#include "base/cleanup.h"

enum {
	IMAP_IDLE_S = 1860, /* RFC 3501 section 5.4: at least 30 minutes */
	SUBMISSION_IDLE_S = 300, /* RFC 5321 section 4.5.3.2.7 */
	LOGIN_S = 60,
	SESSIONS = 2000,
	PER_SOURCE = 100,
	IDLE_EXIT_S = 300,
};

static const char *const imap_alpn[] = {"imap", NULL};

static const struct service_door doors[] = {
	{.name = "imaps",
		.tls = true,
		.alpn = imap_alpn,
		.idle_s = IMAP_IDLE_S,
		.login_s = LOGIN_S},
	{.name = "submissions", .tls = true, .idle_s = SUBMISSION_IDLE_S, .login_s = LOGIN_S},
	{.name = NULL},
};

static const struct service_def definition = {
	.name = "maild",
	.doors = doors,
	.sandbox = SANDBOX_SESSION,
	.client_certs = true,
	.passwords = true,
	.blobs = true,
	.bell = true,
	.max_total = SESSIONS,
	.max_per_source = PER_SOURCE,
	.idle_exit_s = IDLE_EXIT_S,
};

/* What the handshake proved waits until the client asks for it, by EXTERNAL. */
static int run(struct service *s)
{
	const struct auth_identity nobody = {.proof = AUTH_NONE};

	if (s->who.proof != AUTH_NONE)
		(void)service_logged_in(s, &nobody);
	return s->door == &doors[0] ? imap_run(s) : smtp_run(s);
}

int main(int argc, char **argv)
{
	_cleanup_(service_done) struct service s = SERVICE_INIT;
	int r;

	r = service_start(&s, &definition, argc, argv);
	if (r == 0)
		r = service_credentials(&s);
	if (r != 0)
		return service_finish(&s, r);
	/* Character sets come from modules: behind the walls no code can be loaded. */
	mime_charset_warm();
	r = service_connection(&s);
	if (r <= 0)
		return service_finish(&s, r);
	r = service_handshake(&s);
	if (r == 0)
		r = service_store(&s, true);
	if (r == 0)
		r = run(&s);
	return service_finish(&s, r);
}
