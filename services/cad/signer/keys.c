/* The signer's credentials: issuing.pem, ocsp.key, cmp.key and cmp.secret. */
#include "services/cad/signer/sign.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/text.h"

#include <errno.h>

static int take_issuing(void *arg, struct pki_key *key)
{
	struct sign_keys *k = arg;

	if (k->issuing_count == SIGN_MAX_CAS) {
		pki_key_free(key);
		return -E2BIG;
	}
	k->issuing[k->issuing_count++] = key;
	return 0;
}

static int load_issuing(struct sign_keys *k, struct span bytes)
{
	int r = pki_key_each_pem(bytes, take_issuing, k);

	return r == 0 && k->issuing_count == 0 ? -EINVAL : r;
}

static int load_ocsp(struct sign_keys *k, struct span bytes)
{
	return pki_key_from_pem(bytes, &k->ocsp);
}

static int load_cmp(struct sign_keys *k, struct span bytes)
{
	struct pki_key *probe = NULL;
	int r = pki_key_from_pem(bytes, &probe);

	pki_key_free(probe);
	if (r < 0)
		return r;
	k->cmp_pem = BUF_INIT(SERVICE_PEM_MAX);
	buf_add(&k->cmp_pem, bytes);
	return buf_error(&k->cmp_pem);
}

static int load_cmp_secret(struct sign_keys *k, struct span bytes)
{
	_cleanup_(buf_wipe) struct buf raw = BUF_INIT(SIGN_CMP_SECRET_LEN);

	while (bytes.len > 0 && bytes.p[bytes.len - 1] <= ' ')
		bytes.len--;
	if (text_unhex(&raw, bytes) < 0 || raw.len != SIGN_CMP_SECRET_LEN)
		return -EINVAL;
	memcpy(k->cmp_secret, raw.p, SIGN_CMP_SECRET_LEN);
	return 0;
}

static const struct credential {
	const char *name;
	int (*load)(struct sign_keys *k, struct span bytes);
} credentials_table[] = {
	{"issuing.pem", load_issuing},
	{"ocsp.key", load_ocsp},
	{"cmp.key", load_cmp},
	{"cmp.secret", load_cmp_secret},
};

int sign_keys_load(const struct service *s, struct sign_keys *ret)
{
	for (size_t i = 0; i < sizeof(credentials_table) / sizeof(credentials_table[0]); i++) {
		const struct credential *c = &credentials_table[i];
		_cleanup_(buf_wipe) struct buf bytes = BUF_INIT(SERVICE_PEM_MAX);
		int r = service_read_credential(s, c->name, &bytes);

		if (r == 0)
			r = c->load(ret, buf_span(&bytes));
		if (r < 0) {
			log_msg(LOG_LEVEL_ERR, "credential %s in %s: %s", c->name,
				s->settings.credentials, err_text(r));
			sign_keys_done(ret);
			return r;
		}
	}
	return 0;
}

void sign_keys_done(struct sign_keys *k)
{
	for (size_t i = 0; i < k->issuing_count; i++)
		pki_key_free(k->issuing[i]);
	pki_key_free(k->ocsp);
	buf_wipe(&k->cmp_pem);
	explicit_bzero(k, sizeof(*k));
}

int sign_cmp_derive(
	const struct sign_keys *k, const char *reference, char ret[SIGN_CMP_PASSWORD_SIZE])
{
	unsigned char mac[HASH_SHA256_LEN];
	_cleanup_(buf_wipe) struct buf text = BUF_INIT(64);
	int r = hash_hmac_sha256(
		span_of(k->cmp_secret, sizeof(k->cmp_secret)), span_str(reference), mac);

	if (r == 0)
		text_base64url(&text, span_of(mac, sizeof(mac)));
	explicit_bzero(mac, sizeof(mac));
	if (r == 0)
		r = buf_error(&text);
	if (r == 0)
		r = span_copy_str(
			span_of(text.p, SIGN_CMP_PASSWORD_SIZE - 1), ret, SIGN_CMP_PASSWORD_SIZE);
	return r;
}
