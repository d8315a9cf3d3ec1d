/* cad: the certificate authority's network side. See cad(8). */
#include "services/cad/cad.h"

static const char *const alpn[] = {"http/1.1", NULL};

static const struct service_door doors[] = {
	{.name = "ca", .tls = true, .alpn = alpn, .idle_s = 30},
	{.name = "plain", .tls = false, .idle_s = 15},
	{.name = NULL},
};

static const struct service_def def = {
	.name = "cad",
	.doors = doors,
	.sandbox = SANDBOX_SESSION,
	.client_certs = true,
	.passwords = true,
	.max_total = 200,
	.max_per_source = 50,
	.idle_exit_s = 60,
};

static int serve(struct service *s)
{
	struct cad c = {.s = s, .signer_fd = -1, .ask = cad_ask_signer};
	int r = service_connection(s);

	if (r <= 0)
		return r;
	r = service_handshake(s);
	if (r != 0)
		return r < 0 ? r : 0;
	r = service_store(s, false);
	if (r < 0)
		return r;
	c.door = s->door->tls ? CAD_DOOR_CA : CAD_DOOR_PLAIN;
	r = cad_run(&c);
	cad_signer_close(&c);
	return r;
}

int main(int argc, char **argv)
{
	struct service s = SERVICE_INIT;
	int r = service_start(&s, &def, argc, argv);
	int status;

	if (r == 0)
		r = service_credentials(&s);
	if (r == 0)
		r = serve(&s);
	status = service_finish(&s, r);
	service_done(&s);
	return status;
}
