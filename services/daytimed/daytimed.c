/*
 * daytimed: a line with the time for everyone who connects, a short dialogue for those who stay,
 * and RFC 3161 time stamps for those who speak HTTP. Anonymous; a client certificate is looked at
 * when shown. See daytimed(8).
 */
#include "services/daytimed/daytimed.h"

#include "base/cleanup.h"
#include "base/timefmt.h"
#include "services/daytimed/zone.h"

enum { IDLE_S = 30, SESSIONS = 20, IDLE_EXIT_S = 300 };

static const char *const daytime_alpn[] = {"quintet-daytime", "http/1.1", NULL};
static const char *const timestamp_alpn[] = {"http/1.1", NULL};

static const struct service_door doors[] = {
	{.name = "daytime", .tls = true, .alpn = daytime_alpn, .idle_s = IDLE_S},
	{.name = "timestamp", .tls = true, .alpn = timestamp_alpn, .idle_s = IDLE_S},
	{.name = NULL},
};

static const struct sandbox_path zone_paths[] = {{ZONE_FOLDER, SANDBOX_READ}, {NULL, 0}};

static const struct service_def definition = {
	.name = "daytimed",
	.doors = doors,
	.sandbox = SANDBOX_SESSION_TIME,
	.extra_paths = zone_paths,
	.client_certs = true,
	.max_total = SESSIONS,
	.max_per_source = SESSIONS,
	.idle_exit_s = IDLE_EXIT_S,
};

/* Once for all sessions of a listener, and in a process of one connection only when it is HTTP. */
static int load_tsa(struct service *s, struct tsa **ret)
{
	_cleanup_(buf_wipe) struct buf key = BUF_INIT(SERVICE_PEM_MAX);
	_cleanup_(buf_wipe) struct buf cert = BUF_INIT(SERVICE_PEM_MAX);
	int r;

	if (*ret != NULL)
		return 0;
	r = service_read_credential(s, "tsa.key", &key);
	if (r == 0)
		r = service_read_credential(s, "tsa.pem", &cert);
	if (r == 0)
		r = tsa_new(buf_span(&key), buf_span(&cert), ret);
	if (r < 0) {
		s->misconfigured = true;
		log_event(LOG_LEVEL_ERR, "tsa.key and tsa.pem are not usable for time stamps",
			log_fields({"ERROR", span_str(err_text(r))}));
	}
	return r;
}

static int serve(struct service *s, struct tsa **tsa)
{
	bool http = daytimed_wants_http(s);
	int r = http ? load_tsa(s, tsa) : 0;

	if (r == 0)
		r = service_store(s, false);
	if (r < 0)
		return r;
	return http ? daytimed_http(s, *tsa) : daytimed_dialogue(s, ZONE_FOLDER);
}

int main(int argc, char **argv)
{
	_cleanup_(service_done) struct service s = SERVICE_INIT;
	_cleanup_(tsa_freep) struct tsa *tsa = NULL;
	int r;

	r = service_start(&s, &definition, argc, argv);
	if (r == 0)
		r = service_credentials(&s);
	if (r == 0 && s.sockets.listening)
		r = load_tsa(&s, &tsa);
	if (r != 0)
		return service_finish(&s, r);
	/* The C library reads the local zone once: now, before the walls and for all sessions. */
	tzset();
	r = service_connection(&s);
	if (r <= 0)
		return service_finish(&s, r);
	r = service_handshake(&s);
	if (r == 0)
		r = serve(&s, &tsa);
	return service_finish(&s, r);
}
