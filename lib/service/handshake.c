/* TLS with its deadline, the identity in the client's certificate, and the walls that close before
 * the session begins. */
#include "service/internal.h"

#include <errno.h>

enum {
	HANDSHAKE_S = 10,
	PATHS_MAX = 24,
	PATH_SIZE = 256,
};

int service_handshake(struct service *s)
{
	int r;

	conn_set_timeout_s(s->conn, HANDSHAKE_S);
	if (!s->door->tls)
		return 0;
	r = conn_tls_accept(s->conn, s->tls);
	if (r == 0)
		return 0;
	s->end_reason = "no TLS handshake";
	log_event(LOG_LEVEL_INFO, "no TLS handshake",
		log_fields({"REASON", span_str(conn_tls_reason(s->conn))},
			{"ERROR", span_str(err_text(r))}));
	return r == -ENOMEM ? r : 1;
}

/* Paths of the settings, and what every session may need late: /proc tells whether a neighbour
 * still lives, the journal's socket takes the log. */
static const struct {
	const char *name;
	enum { BELOW_STATE, BELOW_RUNTIME, BELOW_CONF, ABSOLUTE } root;
	unsigned access;
} common_paths[] = {
	{"store", BELOW_STATE, SANDBOX_WRITE},
	{"blobs", BELOW_STATE, SANDBOX_WRITE},
	{"bells", BELOW_RUNTIME, SANDBOX_WRITE},
	{"locks", BELOW_RUNTIME, SANDBOX_WRITE},
	{"pki", BELOW_CONF, SANDBOX_READ},
	{"/proc", ABSOLUTE, SANDBOX_READ},
	{"/run/systemd/journal", ABSOLUTE, SANDBOX_WRITE},
};

#define COMMON_PATHS (sizeof(common_paths) / sizeof(common_paths[0]))

static int name_path(const struct service_settings *settings, size_t i, char ret[PATH_SIZE])
{
	const char *const roots[] = {
		[BELOW_STATE] = settings->state,
		[BELOW_RUNTIME] = settings->runtime,
		[BELOW_CONF] = settings->conf,
		[ABSOLUTE] = "",
	};
	const char *root = roots[common_paths[i].root];
	int len = snprintf(
		ret, PATH_SIZE, "%s%s%s", root, *root != '\0' ? "/" : "", common_paths[i].name);

	return len < 0 || len >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static int close_paths(struct service *s)
{
	const struct sandbox_path *extra = s->def->extra_paths;
	struct sandbox_path paths[PATHS_MAX];
	char names[COMMON_PATHS][PATH_SIZE];
	size_t count = 0;
	int r = 0;

	for (; r == 0 && count < COMMON_PATHS; count++) {
		r = name_path(&s->settings, count, names[count]);
		paths[count] = (struct sandbox_path){names[count], common_paths[count].access};
	}
	for (; extra != NULL && extra->path != NULL && count < PATHS_MAX; extra++)
		paths[count++] = *extra;
	if (r == 0)
		r = sandbox_paths(paths, count);
	if (r > 0)
		log_msg(LOG_LEVEL_NOTICE, "this kernel has no Landlock: files stay reachable");
	return r < 0 ? service_fault(s, r, "Landlock was refused by what started the service") : 0;
}

static int raise_walls(struct service *s)
{
	int r = close_paths(s);

	if (r < 0)
		return r;
	r = sandbox_calls(s->def->sandbox);
	if (r < 0)
		return service_fault(s, r, "the system call filter was refused");
#ifdef QUINTET_TEST
	return service_test_walls();
#else
	return 0;
#endif
}

static void refuse_certificate(struct service *s, const char *reason)
{
	(void)snprintf(s->cert_reason, sizeof(s->cert_reason), "%s", reason);
}

/* A certificate that gives no identity never stands in the way of the session itself. */
static void identify(struct service *s)
{
	const struct tls_info *tls = conn_tls(s->conn);
	const char *reason = "the store is not available";
	struct auth_identity who = {0};
	int r;

	if (tls == NULL || tls->peer_der.len == 0)
		return;
	if (!tls->peer_ok) {
		refuse_certificate(s, tls->peer_reason);
		return;
	}
	r = service_need_store(s);
	if (r == 0)
		r = auth_certificate(s->store, &s->source, tls->peer_der, &who, &reason);
	if (r < 0)
		refuse_certificate(s, reason);
	else
		(void)service_logged_in(s, &who);
}

int service_store(struct service *s, bool open_now)
{
	int r = raise_walls(s);

	if (r == 0 && open_now)
		r = service_need_store(s);
	if (r < 0)
		return r;
	identify(s);
	service_live_begin(s);
	return 0;
}

int service_need_store(struct service *s)
{
	int r;

	if (s->store != NULL)
		return 0;
	r = store_open(s->settings.state, STORE_READ, &s->store);
	if (r < 0)
		log_event(LOG_LEVEL_ERR, "the store cannot be opened",
			log_fields({"ERROR", span_str(err_text(r))},
				{"REASON", span_str(store_open_reason())}));
	return r;
}
