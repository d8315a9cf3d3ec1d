/* Which path is served by what, on which door, to whom. */
#include "services/cad/cad.h"

#include <errno.h>

#define BOTH (CAD_DOOR_CA | CAD_DOOR_PLAIN)
#define EST "/.well-known/est"

/* The path is the whole path, or, ending in '/', its beginning. HEAD is served where GET is. */
static const struct route {
	const char *method;
	const char *path;
	unsigned doors;
	enum cad_auth auth;
	int (*handler)(struct cad_exchange *x);
} routes[] = {
	{"GET", EST "/cacerts", CAD_DOOR_CA, CAD_AUTH_NONE, cad_est_cacerts},
	{"POST", EST "/simpleenroll", CAD_DOOR_CA, CAD_AUTH_BASIC, cad_est_enroll},
	{"POST", EST "/simplereenroll", CAD_DOOR_CA, CAD_AUTH_CERTIFICATE, cad_est_reenroll},
	{"GET", EST "/csrattrs", CAD_DOOR_CA, CAD_AUTH_NONE, cad_est_csrattrs},
	{"GET", EST "/user/cacerts", CAD_DOOR_CA, CAD_AUTH_NONE, cad_est_cacerts},
	{"POST", EST "/user/simpleenroll", CAD_DOOR_CA, CAD_AUTH_BASIC, cad_est_enroll},
	{"POST", EST "/user/simplereenroll", CAD_DOOR_CA, CAD_AUTH_CERTIFICATE, cad_est_reenroll},
	{"GET", EST "/user/csrattrs", CAD_DOOR_CA, CAD_AUTH_NONE, cad_est_csrattrs},
	{"POST", "/.well-known/cmp", CAD_DOOR_CA, CAD_AUTH_NONE, cad_cmp},
	{"POST", "/.well-known/cmp/", CAD_DOOR_CA, CAD_AUTH_NONE, cad_cmp},
	{"GET", "/.well-known/quintet", CAD_DOOR_CA, CAD_AUTH_NONE, cad_directory},
	{"POST", "/ocsp", BOTH, CAD_AUTH_NONE, cad_ocsp_post},
	{"POST", "/ocsp/", BOTH, CAD_AUTH_NONE, cad_ocsp_post},
	{"GET", "/ocsp/", BOTH, CAD_AUTH_NONE, cad_ocsp_get},
	{"GET", "/ca/", BOTH, CAD_AUTH_NONE, cad_authority_file},
	{"POST", "/account/create", CAD_DOOR_CA, CAD_AUTH_NONE, cad_account_create},
	{"POST", "/account/password", CAD_DOOR_CA, CAD_AUTH_ACCOUNT, cad_account_password},
	{"POST", "/account/revoke", CAD_DOOR_CA, CAD_AUTH_ACCOUNT, cad_account_revoke},
	{"GET", "/account/certificates", CAD_DOOR_CA, CAD_AUTH_ACCOUNT, cad_account_certificates},
	{"GET", "/account", CAD_DOOR_CA, CAD_AUTH_ACCOUNT, cad_account_show},
	{"GET", "/certificates/", CAD_DOOR_CA, CAD_AUTH_ACCOUNT, cad_certificates},
};

enum { ALLOW_GET = 1, ALLOW_POST = 2 };

static const char *const allow_texts[] = {
	[ALLOW_GET] = "GET, HEAD",
	[ALLOW_POST] = "POST",
	[ALLOW_GET | ALLOW_POST] = "GET, HEAD, POST",
};

static bool path_fits(const struct route *route, struct span path, struct span *ret_rest)
{
	size_t len = strlen(route->path);

	*ret_rest = span_of(NULL, 0);
	if (route->path[len - 1] != '/')
		return span_eq_str(path, route->path);
	if (path.len <= len || !span_starts(path, route->path))
		return false;
	*ret_rest = span_of(path.p + len, path.len - len);
	return true;
}

static bool method_fits(const struct route *route, const struct cad_exchange *x)
{
	return span_eq_str(x->request->method, route->method) ||
		(x->head_only && strcmp(route->method, "GET") == 0);
}

static int serve(struct cad_exchange *x, const struct route *route)
{
	int r = cad_authorize(x, route->auth);

	return r > 0 ? route->handler(x) : r;
}

int cad_dispatch(struct cad_exchange *x)
{
	unsigned known = 0;
	struct span rest;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const struct route *route = &routes[i];

		if ((route->doors & x->cad->door) == 0 ||
			!path_fits(route, x->request->path, &rest))
			continue;
		known |= strcmp(route->method, "GET") == 0 ? ALLOW_GET : ALLOW_POST;
		if (!method_fits(route, x))
			continue;
		x->rest = rest;
		return serve(x, route);
	}
	if (known != 0)
		return cad_wrong_method(x, allow_texts[known]);
	return cad_text(x, 404, "there is nothing here");
}
