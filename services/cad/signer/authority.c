/* The authorities in the store, each with its key; and who may ask for what. */
#include "services/cad/signer/sign.h"

#include "base/cleanup.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

static bool key_fits(const struct pki_key *key, struct span cert_der)
{
	_cleanup_(buf_done) struct buf ours = BUF_INIT(4096);
	_cleanup_(buf_done) struct buf theirs = BUF_INIT(4096);

	return pki_key_spki(key, &ours) == 0 && pki_cert_spki(cert_der, &theirs) == 0 &&
		span_eq(buf_span(&ours), buf_span(&theirs));
}

static const struct pki_key *key_of(const struct sign_keys *k, struct span cert_der)
{
	for (size_t i = 0; i < k->issuing_count; i++)
		if (key_fits(k->issuing[i], cert_der))
			return k->issuing[i];
	return NULL;
}

static void copy(struct buf *to, struct span from)
{
	*to = BUF_INIT(CERT_DER_MAX);
	buf_add(to, from);
}

static int take_ca(void *arg, const struct ca *row)
{
	struct sign *g = arg;
	struct sign_ca *ca = &g->cas[g->ca_count];

	if (g->ca_count == SIGN_MAX_CAS)
		return -E2BIG;
	*ca = (struct sign_ca){.id = row->id, .retired = row->retired};
	copy(&ca->der, row->der);
	copy(&ca->ocsp_der, row->ocsp_der);
	copy(&ca->cmp_der, row->cmp_der);
	g->ca_count++;
	if (buf_error(&ca->der) < 0 || buf_error(&ca->ocsp_der) < 0 || buf_error(&ca->cmp_der) < 0)
		return -ENOMEM;
	return 0;
}

static void drop_authorities(struct sign *g)
{
	for (size_t i = 0; i < g->ca_count; i++) {
		buf_done(&g->cas[i].der);
		buf_done(&g->cas[i].ocsp_der);
		buf_done(&g->cas[i].cmp_der);
	}
	g->ca_count = 0;
}

int sign_authorities_load(struct sign *g)
{
	int r;

	drop_authorities(g);
	r = ca_each(g->s->store, take_ca, g);
	if (r < 0)
		return r;
	for (size_t i = 0; i < g->ca_count; i++)
		g->cas[i].key = key_of(&g->keys, buf_span(&g->cas[i].der));
	return 0;
}

const struct sign_ca *sign_ca_find(const struct sign *g, uint32_t id)
{
	for (size_t i = 0; i < g->ca_count; i++)
		if (g->cas[i].id == id)
			return &g->cas[i];
	return NULL;
}

const struct sign_ca *sign_ca_current(const struct sign *g)
{
	const struct sign_ca *best = NULL;

	for (size_t i = 0; i < g->ca_count; i++) {
		const struct sign_ca *ca = &g->cas[i];

		if (ca->id != 0 && !ca->retired && (best == NULL || ca->id > best->id))
			best = ca;
	}
	return best != NULL && best->key != NULL ? best : NULL;
}

/* Looked up at start: the account data base is out of reach once the sandbox stands. */
int sign_admin_find(struct sign *g)
{
	char scratch[4096];
	struct passwd entry;
	struct passwd *found = NULL;
	int r;

	if (g->s->settings.admin_user[0] == '\0') {
		g->has_admin_uid = true;
		g->admin_uid = geteuid();
		return 0;
	}
	r = getpwnam_r(g->s->settings.admin_user, &entry, scratch, sizeof(scratch), &found);
	if (r != 0 && r != ENOENT)
		return -r;
	g->has_admin_uid = found != NULL;
	g->admin_uid = found != NULL ? entry.pw_uid : 0;
	return 0;
}

bool sign_caller_allowed(const struct net_peer *peer)
{
	return peer->is_unix && peer->uid != SIGN_UID_NOBODY;
}

bool sign_caller_is_admin(const struct sign *g, const struct net_peer *peer)
{
	if (!sign_caller_allowed(peer))
		return false;
	return peer->uid == 0 || (g->has_admin_uid && peer->uid == g->admin_uid);
}

void sign_done(struct sign *g)
{
	drop_authorities(g);
	sign_keys_done(&g->keys);
}
