/*
 * ftpd: files over TLS for everyone of the house: implicit TLS on the door "ftps", AUTH TLS on the
 * door "ftp". See ftpd(8).
 */
#include "services/ftpd/ftpd.h"

#include "base/cleanup.h"
#include "services/ftpd/tree.h"

enum { IDLE_S = 300, LOGIN_S = 60, SESSIONS = 100, PER_SOURCE = 30, IDLE_EXIT_S = 300 };

static const char *const alpn[] = {"ftp", "x-filezilla-ftp", "ftp-data", NULL};

static const struct service_door doors[] = {
	{.name = "ftps",
		.tls = true,
		.alpn = alpn,
		.idle_s = IDLE_S,
		.login_s = LOGIN_S,
		.resumable = true},
	{.name = "ftp",
		.tls = true,
		.starttls = true,
		.alpn = alpn,
		.idle_s = IDLE_S,
		.login_s = LOGIN_S,
		.resumable = true},
	{.name = NULL},
};

static const struct service_def definition = {
	.name = "ftpd",
	.doors = doors,
	.sandbox = SANDBOX_SESSION_IP,
	.client_certs = true,
	.passwords = true,
	.files = true,
	.tcp = SANDBOX_TCP_BIND | SANDBOX_TCP_CONNECT,
	.max_total = SESSIONS,
	.max_per_source = PER_SOURCE,
	.idle_exit_s = IDLE_EXIT_S,
};

static int open_tree(struct service *s, struct tree **ret)
{
	int r = tree_open(s->settings.state, ret);

	if (r < 0)
		log_event(LOG_LEVEL_ERR, "the file tree (STATE/files) cannot be opened",
			log_fields({"ERROR", span_str(err_text(r))}));
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(service_done) struct service s = SERVICE_INIT;
	_cleanup_(tree_freep) struct tree *tree = NULL;
	int r;

	r = service_start(&s, &definition, argc, argv);
	if (r == 0)
		r = service_credentials(&s);
	if (r != 0)
		return service_finish(&s, r);
	r = service_connection(&s);
	if (r <= 0)
		return service_finish(&s, r);
	r = open_tree(&s, &tree);
	if (r == 0 && s.door->starttls)
		r = ftpd_clear(&s);
	if (r == 0)
		r = service_handshake(&s);
	if (r == 0)
		r = service_store(&s, true);
	if (r == 0)
		r = ftpd_run(&s, tree);
	return service_finish(&s, r);
}
