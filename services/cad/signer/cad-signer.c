/*
 * cad-signer: holds the issuing, OCSP and CMP keys and signs for cad and quintetctl, over a Unix
 * socket that systemd (or whoever starts it) owns. See cad-signer(8).
 */
#include "services/cad/signer/sign.h"

#include "base/cleanup.h"
#include "base/timefmt.h"

#include <errno.h>

static const struct service_door doors[] = {
	{.name = "signer", .tls = false, .idle_s = 60},
	{.name = NULL},
};

static const struct service_def def = {
	.name = "cad-signer",
	.doors = doors,
	.sandbox = SANDBOX_SIGNER,
	.client_certs = false,
	.passwords = true,
	.max_total = 500, /* each session of cad's doors may hold one */
	.idle_exit_s = 60,
};

/*
 * What OpenSSL sets up when first used is set up once by the listener, so that no connection pays
 * for it again after the fork: the authority certifies itself, for nobody.
 */
static void warm_up(const struct sign *g)
{
	_cleanup_(buf_done) struct buf spki = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf der = BUF_INIT(CERT_DER_MAX);
	struct pki_template t = {.profile = PKI_ROOT,
		.cn = "warm-up",
		.not_before_us = time_now_us(),
		.not_after_us = time_now_us() + 3600 * TIME_S_US};

	if (!g->s->sockets.listening || pki_serial_new(t.serial) < 0 ||
		pki_key_spki(g->keys.issuing[0], &spki) < 0)
		return;
	t.spki = buf_span(&spki);
	(void)pki_issue(&t, span_of(NULL, 0), g->keys.issuing[0], &der);
}

static int start(struct sign *g, int argc, char **argv)
{
	int r = service_start(g->s, &def, argc, argv);

	if (r == 0)
		r = sign_admin_find(g);
	if (r == 0)
		r = sign_keys_load(g->s, &g->keys);
	g->s->misconfigured = g->s->misconfigured || r < 0;
	if (r == 0)
		warm_up(g);
	return r;
}

static int serve(struct sign *g)
{
	int r = service_connection(g->s);

	if (r <= 0)
		return r;
	r = service_handshake(g->s);
	if (r != 0)
		return r < 0 ? r : 0;
	r = service_store(g->s, true);
	if (r == 0)
		r = sign_authorities_load(g);
	return r < 0 ? r : sign_run(g);
}

int main(int argc, char **argv)
{
	struct service s = SERVICE_INIT;
	struct sign g = {.s = &s};
	int r = start(&g, argc, argv);
	int status;

	if (r == 0)
		r = serve(&g);
	sign_done(&g);
	status = service_finish(&s, r);
	service_done(&s);
	return status;
}
