/* S/MIME: making signed and encrypted messages (RFC 8551, headers protected as RFC 9788 has it). */
#include "client/mail/smime.h"

#include "base/timefmt.h"

#include <errno.h>

/* -- the outer message ------------------------------------------------------------------------- */

/* All that stays outside, in its order; secret: the subject does not. */
static void put_outside(struct buf *b, struct span header, bool secret)
{
	struct mime_field f;

	while (mime_field_next(&header, &f)) {
		if (smime_is_content(f.name) || span_caseeq_str(f.name, "MIME-Version"))
			continue;
		if (secret && span_caseeq_str(f.name, "Subject"))
			buf_add_str(b, "Subject: ...\r\n");
		else if (!secret ||
			!(span_caseeq_str(f.name, "Comments") ||
				span_caseeq_str(f.name, "Keywords")))
			buf_add(b, f.whole);
	}
	buf_add_str(b, "MIME-Version: 1.0\r\n");
}

/* -- signing ----------------------------------------------------------------------------------- */

static int sign_bytes(const struct profile *p, struct span content, struct buf *ret_der)
{
	_cleanup_(pki_key_freep) struct pki_key *key = NULL;
	_cleanup_(buf_done) struct buf leaf = BUF_INIT(PROFILE_FILE_MAX);
	_cleanup_(certs_done) struct certs chain = CERTS_INIT;
	struct pki_cms_self self = {.key = NULL};
	struct span issuer = {NULL, 0};
	int r = p->cert_pem.len > 0 ? certs_first(buf_span(&p->cert_pem), &leaf) : -EINVAL;

	if (r == 0)
		r = pki_key_from_pem(buf_span(&p->key_pem), &key);
	if (r == 0)
		r = certs_read(buf_span(&p->chain_pem), &chain);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	self.key = key;
	self.cert_der = buf_span(&leaf);
	if (certs_issuer(self.cert_der, &chain, &issuer) == 0) {
		self.chain_der = &issuer;
		self.chain_count = 1;
	}
	return pki_cms_sign(&self, content, time_now_us(), ret_der);
}

/* multipart/signed (RFC 1847) of an entity: the line end before a boundary belongs to it. */
static int put_signed(struct buf *b, struct span entity, struct span der)
{
	_cleanup_(buf_done) struct buf boundary = BUF_INIT(128);
	int r = mime_boundary_new(&boundary);

	if (r < 0)
		return r;
	buf_addf(b,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
		" micalg=sha-256; boundary=\"%s\"\r\n\r\n"
		"This is a signed message (S/MIME).\r\n\r\n--%s\r\n",
		buf_str(&boundary), buf_str(&boundary));
	buf_add(b, entity);
	buf_addf(b,
		"\r\n--%s\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
		buf_str(&boundary));
	mime_put_base64(b, der);
	buf_addf(b, "\r\n--%s--\r\n", buf_str(&boundary));
	return buf_error(b);
}

int smime_sign(struct client *c, const struct profile *p, struct span message, struct buf *ret)
{
	_cleanup_(buf_done) struct buf entity = BUF_INIT(SMIME_BYTES_MAX), der = BUF_INIT(65536);
	struct mime m = {.parts = NULL};
	int r = mime_parse(message, &m);

	(void)c;
	if (r == 0)
		r = smime_protected(&entity, &m);
	if (r == 0)
		r = sign_bytes(p, buf_span(&entity), &der);
	if (r == 0) {
		put_outside(ret, mime_header(&m, &m.parts[0]), false);
		r = put_signed(ret, buf_span(&entity), buf_span(&der));
	}
	mime_done(&m);
	return r;
}

/* -- encrypting -------------------------------------------------------------------------------- */

static bool is_signed(const struct mime *m)
{
	_cleanup_(mime_type_done) struct mime_type t = {.type = ""};

	return mime_type_of(m, &m->parts[0], &t) == 0 && strcmp(t.type, "multipart") == 0 &&
		strcmp(t.subtype, "signed") == 0;
}

/* What is signed has its headers inside already. */
static int put_entity(struct buf *b, const struct mime *m)
{
	if (!is_signed(m))
		return smime_protected(b, m);
	smime_pick(b, mime_header(m, &m->parts[0]), true);
	buf_add_str(b, "\r\n");
	buf_add(b, mime_body(m, &m->parts[0]));
	return buf_error(b);
}

int smime_encrypt(const struct span *certs_der, size_t count, struct span message, struct buf *ret)
{
	_cleanup_(buf_done) struct buf entity = BUF_INIT(SMIME_BYTES_MAX);
	_cleanup_(buf_done) struct buf der = BUF_INIT(SMIME_BYTES_MAX + (1 << 20));
	struct mime m = {.parts = NULL};
	size_t bad = 0;
	int r = mime_parse(message, &m);

	if (r == 0)
		r = put_entity(&entity, &m);
	if (r == 0)
		r = pki_cms_encrypt(certs_der, count, buf_span(&entity), &der, &bad);
	if (r == 0) {
		put_outside(ret, mime_header(&m, &m.parts[0]), true);
		buf_add_str(ret,
			"Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n"
			" name=\"smime.p7m\"\r\nContent-Transfer-Encoding: base64\r\n"
			"Content-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n");
		mime_put_base64(ret, buf_span(&der));
		r = buf_error(ret);
	}
	mime_done(&m);
	/* What was read is of no use to whoever finds the memory. */
	buf_wipe(&entity);
	return r;
}
