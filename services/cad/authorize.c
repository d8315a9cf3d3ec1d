/* Who is asking: name and password in the request, or the certificate of the connection. */
#include "services/cad/cad.h"

#include <errno.h>

static int refuse(int r)
{
	return r < 0 ? r : 0;
}

static bool has_basic(const struct cad_exchange *x)
{
	return http_header(x->request, "Authorization").p != NULL;
}

/* Clients post without credentials first and wait for the challenge (libest), or send them at once
 * (curl, pki). */
static int take_basic(struct cad_exchange *x)
{
	struct span value = http_header(x->request, "Authorization");

	if (value.p == NULL)
		return refuse(cad_challenge(x,
			x->cad->s->cert_reason[0] != '\0' ? x->cad->s->cert_reason
							  : "name and password, please"));
	if (http_parse_basic(value, x->user, sizeof(x->user), &x->secret) < 0)
		return refuse(cad_challenge(x, "these credentials are malformed"));
	return 1;
}

/* Identity from the handshake, asked again each time: it may have been revoked since. */
static int take_certificate(struct cad_exchange *x)
{
	struct service *s = x->cad->s;
	int r;

	if (s->who.proof != AUTH_CERTIFICATE)
		return refuse(cad_text(x, 403,
			s->cert_reason[0] != '\0' ? s->cert_reason
						  : "this needs the client certificate"));
	r = auth_still_valid(s->store, &s->who);
	if (r == -EACCES)
		return refuse(cad_text(x, 403, "the certificate no longer stands for its account"));
	if (r < 0)
		return refuse(cad_unavailable(x, r));
	x->who = s->who;
	return 1;
}

static int check_password(struct cad_exchange *x)
{
	struct service *s = x->cad->s;
	unsigned wait_s = 0;
	int r = take_basic(x);

	if (r <= 0)
		return r;
	r = service_need_store(s);
	if (r == 0)
		r = auth_password(s->store, &s->source, span_str(x->user), buf_span(&x->secret),
			&x->who, &wait_s);
	if (r == 0)
		return 1;
	if (r == -EACCES)
		return refuse(cad_challenge(x, "name or password is wrong"));
	if (r == -EBUSY)
		return refuse(cad_text_wait(x, 429, wait_s, "too many failures, try again later"));
	return refuse(cad_unavailable(x, r));
}

static int take_account(struct cad_exchange *x)
{
	if (!has_basic(x) && x->cad->s->who.proof == AUTH_CERTIFICATE)
		return take_certificate(x);
	return check_password(x);
}

int cad_authorize(struct cad_exchange *x, enum cad_auth need)
{
	static int (*const ways[])(struct cad_exchange * x) = {
		[CAD_AUTH_NONE] = NULL,
		[CAD_AUTH_BASIC] = take_basic,
		[CAD_AUTH_CERTIFICATE] = take_certificate,
		[CAD_AUTH_ACCOUNT] = take_account,
	};

	return ways[need] == NULL ? 1 : ways[need](x);
}
