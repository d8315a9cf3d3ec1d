/* TLS with its deadline, the identity in the client's certificate, and the walls that close before
 * the session begins. */
#include "service/internal.h"

#include <errno.h>
#include <malloc.h>

enum {
	HANDSHAKE_S = 10,
	PATHS_MAX = 24,
	PATH_SIZE = 256,
};

int service_handshake(struct service *s)
{
	const char *reason;
	int r;

	conn_set_timeout_s(s->conn, HANDSHAKE_S);
	if (!s->door->tls)
		return 0;
	s->tls_begun = true;
	r = s->door->resumable ? tls_server_fresh(s->tls) : 0;
	if (r < 0)
		return service_fault(s, r, tls_error_text());
	r = conn_tls_accept(s->conn, s->tls);
	if (r == 0) {
		/* What the handshake needed and left goes back: 30 to 60 kB of an idle session. */
		(void)malloc_trim(0);
		return 0;
	}
	reason = conn_tls_reason(s->conn);
	s->end_reason = *reason != '\0' ? reason : err_text(r);
	return r == -ENOMEM ? r : 1;
}

/*
 * Paths of the settings, and what every session may need late: /proc tells whether a neighbour
 * still lives, the journal's socket takes the log. With a keeper the store is read, and only what
 * readers lock is written. A socket needs no right of its own to be dialled.
 */
static const struct common_path {
	const char *name;
	enum { BELOW_STATE, BELOW_RUNTIME, BELOW_CONF, ABSOLUTE } root;
	enum { FOR_ALL, FOR_KEPT, FOR_UNKEPT, FOR_PASSWORDS, FOR_BLOBS, FOR_FILES } whom;
	unsigned access;
} common_paths[] = {
	{"store", BELOW_STATE, FOR_UNKEPT, SANDBOX_WRITE},
	{"store", BELOW_STATE, FOR_KEPT, SANDBOX_READ},
	{"store/lock.mdb", BELOW_STATE, FOR_KEPT, SANDBOX_WRITE},
	{"store/guard", BELOW_STATE, FOR_KEPT, SANDBOX_WRITE},
	{"blobs", BELOW_STATE, FOR_BLOBS, SANDBOX_WRITE},
	{"files", BELOW_STATE, FOR_FILES, SANDBOX_WRITE},
	{"bells", BELOW_RUNTIME, FOR_ALL, SANDBOX_WRITE},
	{"locks", BELOW_RUNTIME, FOR_PASSWORDS, SANDBOX_WRITE},
	{"pki", BELOW_CONF, FOR_ALL, SANDBOX_READ},
	{"/proc", ABSOLUTE, FOR_ALL, SANDBOX_READ},
	{"/run/systemd/journal", ABSOLUTE, FOR_ALL, SANDBOX_WRITE},
};

#define COMMON_PATHS (sizeof(common_paths) / sizeof(common_paths[0]))

static int name_path(
	const struct service_settings *settings, const struct common_path *p, char ret[PATH_SIZE])
{
	const char *const roots[] = {
		[BELOW_STATE] = settings->state,
		[BELOW_RUNTIME] = settings->runtime,
		[BELOW_CONF] = settings->conf,
		[ABSOLUTE] = "",
	};
	const char *root = roots[p->root];
	int len = snprintf(ret, PATH_SIZE, "%s%s%s", root, *root != '\0' ? "/" : "", p->name);

	return len < 0 || len >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

static bool is_for(const struct service *s, const struct common_path *p)
{
	bool kept = s->settings.keeper[0] != '\0';

	switch (p->whom) {
	case FOR_ALL:
		return true;
	case FOR_KEPT:
		return kept;
	case FOR_UNKEPT:
		return !kept;
	case FOR_PASSWORDS:
		return s->def->passwords;
	case FOR_BLOBS:
		return s->def->blobs;
	case FOR_FILES:
		return s->def->files;
	}
	return false;
}

static int close_paths(struct service *s)
{
	const struct sandbox_path *extra = s->def->extra_paths;
	struct sandbox_path paths[PATHS_MAX];
	char names[COMMON_PATHS][PATH_SIZE];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < COMMON_PATHS; i++) {
		if (!is_for(s, &common_paths[i]))
			continue;
		r = name_path(&s->settings, &common_paths[i], names[count]);
		paths[count] = (struct sandbox_path){names[count], common_paths[i].access};
		count++;
	}
	for (; extra != NULL && extra->path != NULL && count < PATHS_MAX; extra++)
		paths[count++] = *extra;
	if (r == 0)
		r = sandbox_paths(paths, count, s->def->tcp);
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
	r = store_open_kept(s->settings.state, s->settings.keeper, &s->store);
	if (r < 0)
		log_event(LOG_LEVEL_ERR, "the store cannot be opened",
			log_fields({"ERROR", span_str(err_text(r))},
				{"REASON", span_str(store_open_reason())}));
	return r;
}
