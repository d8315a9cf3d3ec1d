/*
 * cad-signer: holds the issuing, OCSP and CMP keys and signs for cad and quintetctl, over a Unix
 * socket that systemd (or whoever starts it) owns. See cad-signer(8).
 */
#include "services/cad/signer/sign.h"

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
	.max_total = 64,
	.idle_exit_s = 60,
};

static int start(struct sign *g, int argc, char **argv)
{
	int r = service_start(g->s, &def, argc, argv);

	if (r == 0)
		r = sign_admin_find(g);
	if (r == 0)
		r = sign_keys_load(g->s, &g->keys);
	g->s->misconfigured = g->s->misconfigured || r < 0;
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
