/*
 * The way to cad-signer: one connection for the session, opened when first needed. CMP needs it to
 * last, since a transaction's confirmation must reach the process that issued the certificate.
 */
#include "services/cad/cad.h"

#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>

enum { ASK_MS = 20000, PATH_SIZE = 256 };

void cad_signer_close(struct cad *c)
{
	cleanup_close(&c->signer_fd);
	c->signer_fd = -1;
}

/* The signer never speaks first: whatever can be read from an idle connection is its end. */
static bool is_stale(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

static int connect_signer(struct cad *c)
{
	char path[PATH_SIZE];

	if (c->signer_fd >= 0 && is_stale(c->signer_fd))
		cad_signer_close(c);
	if (c->signer_fd >= 0)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/signer.sock", c->s->settings.runtime);
	return signer_connect(path, &c->signer_fd);
}

int cad_ask_signer(struct cad *c, const struct signer_request *r, struct buf *scratch,
	struct signer_answer *ret)
{
	int error = connect_signer(c);

	if (error == 0)
		error = signer_call(c->signer_fd, r, ASK_MS, scratch, ret);
	if (error < 0) {
		log_event(LOG_LEVEL_WARNING, "the signer does not answer",
			log_fields({"ERROR", span_str(err_text(error))}));
		cad_signer_close(c);
	}
	return error;
}

struct signer_request cad_request_of(const struct cad *c, enum signer_kind kind)
{
	struct signer_request r = {.kind = (uint8_t)kind, .bucket = net_peer_bucket(&c->s->peer)};

	_Static_assert(sizeof(r.peer) == sizeof(c->s->peer.text), "a peer's text fits");
	memcpy(r.peer, c->s->peer.text, sizeof(r.peer));
	return r;
}
