/*
 * S/MIME: opening what others made. Layers are taken off from the outside, each the whole of what
 * is inside the one before: nothing that lies beside a signed or encrypted part is ever mixed with
 * it, and parts of a message are not opened at all.
 */
#include "client/mail/smime.h"

#include "base/text.h"

#include <errno.h>

enum { LAYERS_MAX = 4, CMS_MAX = SMIME_BYTES_MAX };

struct opening {
	struct client *c;
	const struct profile *p;
	struct smime_keys keys;
	bool keys_loaded;
	struct smime_verdict *v;
	struct pki_cms_signer signer;
	struct buf entity; /* what is inside the layers so far */
	bool covered; /* the entity was signed or encrypted as a whole */
};

static void say(struct opening *o, const char *reason)
{
	o->v->good = false;
	snprintf(o->v->reason, sizeof o->v->reason, "%s", reason);
}

/* -- what kind of layer ------------------------------------------------------------------------ */

enum layer { LAYER_NONE, LAYER_ENCRYPTED, LAYER_OPAQUE, LAYER_SIGNED };

static bool is_either(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

static bool param_is(const struct mime_type *t, const char *name, const char *value)
{
	const char *v = mime_param(&t->params, name);

	return v != NULL && span_caseeq_str(span_str(v), value);
}

static enum layer layer_of(const struct mime *m, const struct mime_part *p)
{
	_cleanup_(mime_type_done) struct mime_type t = {.type = ""};

	if (mime_type_of(m, p, &t) < 0)
		return LAYER_NONE;
	if (strcmp(t.type, "multipart") == 0 && strcmp(t.subtype, "signed") == 0)
		return param_is(&t, "protocol", "application/pkcs7-signature") ||
				param_is(&t, "protocol", "application/x-pkcs7-signature")
			? LAYER_SIGNED
			: LAYER_NONE;
	if (strcmp(t.type, "application") != 0 ||
		!is_either(t.subtype, "pkcs7-mime", "x-pkcs7-mime") ||
		param_is(&t, "smime-type", "certs-only") ||
		param_is(&t, "smime-type", "compressed-data"))
		return LAYER_NONE;
	return param_is(&t, "smime-type", "signed-data") ? LAYER_OPAQUE : LAYER_ENCRYPTED;
}

/* Is there a layer somewhere inside? Of the parts of a mailing list's frame, say. */
static bool has_inner_layer(const struct mime *m)
{
	for (size_t i = 1; i < m->count; i++) {
		const struct mime_part *p = &m->parts[i];

		if (layer_of(m, p) != LAYER_NONE)
			return true;
	}
	return false;
}

static int decoded(const struct mime *m, const struct mime_part *p, struct buf *ret)
{
	struct mime_decoder d = {.encoding = p->encoding};
	int r = mime_decode(&d, mime_body(m, p), ret);

	return r == 0 ? mime_decode_end(&d, ret) : r;
}

/* -- a layer off ------------------------------------------------------------------------------- */

static int take_inside(struct opening *o, struct buf *inside)
{
	buf_done(&o->entity);
	o->entity = *inside;
	*inside = BUF_INIT(0);
	o->covered = true;
	return 0;
}

static int decrypt(struct opening *o, const struct mime *m)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(CMS_MAX), inside = BUF_INIT(SMIME_BYTES_MAX);
	int r = decoded(m, &m->parts[0], &der);

	o->v->was_encrypted = true;
	/* A signature around it says who sent the secret on, not who wrote it. */
	if (o->v->was_signed)
		say(o, "it is signed outside of the encryption only");
	if (!o->keys_loaded)
		smime_keys_load(o->p, &o->keys);
	o->keys_loaded = true;
	if (r == 0)
		r = pki_cms_decrypt(buf_span(&der), o->keys.list, o->keys.count, &inside);
	if (r == -ENOKEY)
		say(o, "no key of this profile opens it");
	else if (r < 0 && r != -ENOMEM)
		say(o, "it is encrypted, and damaged");
	if (r < 0)
		return r == -ENOKEY || r == -ENOMEM ? r : -EBADMSG;
	return take_inside(o, &inside);
}

/* What was said of a signature is the word on the message: from the innermost one. */
static int verify(struct opening *o, struct span der, struct span content, struct buf *ret)
{
	const struct span roots[] = {buf_span(&o->p->root_pem), buf_span(&o->p->chain_pem)};
	const struct pki_cms_judge judge = {roots, 2, 0};
	const char *reason = "";
	int r;

	o->v->was_signed = true;
	o->v->signer[0] = '\0';
	pki_cms_signer_done(&o->signer);
	r = pki_cms_verify(der, content, &judge, ret, &o->signer, &reason);
	snprintf(o->v->signer, sizeof o->v->signer, "%s", o->signer.email);
	o->v->signed_us = o->signer.signed_us;
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		say(o, r == -EKEYREJECTED ? reason : "its signature is malformed");
	o->v->good = r == 0;
	if (r == 0)
		o->v->reason[0] = '\0';
	return 0;
}

static int open_opaque(struct opening *o, const struct mime *m)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(CMS_MAX), inside = BUF_INIT(SMIME_BYTES_MAX);
	int r = decoded(m, &m->parts[0], &der);

	if (r == 0)
		r = verify(o, buf_span(&der), span_of(NULL, 0), &inside);
	if (r < 0)
		return r;
	/* What is not vouched for is not shown as if it were: it stays packed. */
	return o->v->good ? take_inside(o, &inside) : 1;
}

/* Two parts, neither more nor less: what is signed, with its header, and the signature. */
static int open_signed(struct opening *o, const struct mime *m)
{
	_cleanup_(buf_done) struct buf der = BUF_INIT(CMS_MAX), inside = BUF_INIT(SMIME_BYTES_MAX);
	uint32_t first = m->parts[0].first;
	uint32_t second = first < m->count ? m->parts[first].next : MIME_NONE;
	struct span content;
	int r;

	if (second >= m->count || m->parts[second].next != MIME_NONE ||
		m->parts[second].kind != MIME_LEAF) {
		o->v->was_signed = true;
		say(o, "it is not made as signed messages are");
		return 1;
	}
	content = span_of(m->bytes.p + m->parts[first].header,
		(size_t)(m->parts[first].header_len + m->parts[first].body_len));
	r = decoded(m, &m->parts[second], &der);
	if (r == 0)
		r = verify(o, buf_span(&der), content, NULL);
	if (r < 0)
		return r;
	buf_add(&inside, content);
	r = buf_error(&inside);
	if (r == 0)
		r = take_inside(o, &inside);
	/* Its text may be read; its header is not better than the outer one. */
	o->covered = o->v->good || o->v->was_encrypted;
	return r;
}

/* 0: a layer is off; 1: there is none, or it stays on. */
static int peel(struct opening *o, bool *ret_sealed)
{
	struct mime m = {.parts = NULL};
	enum layer layer;
	int r = mime_parse(buf_span(&o->entity), &m);

	if (r < 0)
		return r;
	layer = layer_of(&m, &m.parts[0]);
	/* Signed once more inside of a signature: the outer one is the word. */
	if (layer == LAYER_NONE || (*ret_sealed && layer != LAYER_ENCRYPTED)) {
		if (!o->v->was_signed && !*ret_sealed && has_inner_layer(&m)) {
			o->v->was_signed = true;
			say(o, "only a part of it is signed or encrypted");
		}
		r = 1;
	} else if (layer == LAYER_ENCRYPTED) {
		r = decrypt(o, &m);
		*ret_sealed = false;
	} else {
		r = layer == LAYER_OPAQUE ? open_opaque(o, &m) : open_signed(o, &m);
		*ret_sealed = true;
	}
	mime_done(&m);
	return r;
}

/* -- the readable message ---------------------------------------------------------------------- */

static bool has_field(struct span header, struct span name)
{
	struct mime_field f;

	while (mime_field_next(&header, &f))
		if (f.name.len == name.len &&
			strncasecmp((const char *)f.name.p, (const char *)name.p, name.len) == 0)
			return true;
	return false;
}

/* Where the outer header could send what is inside to somebody else. */
static bool is_tempting(struct span name)
{
	static const char *const names[] = {"Reply-To", "Cc", "Disposition-Notification-To",
		"Mail-Reply-To", "Mail-Followup-To"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_caseeq_str(name, names[i]))
			return true;
	return false;
}

/* Header of the outer message, or of the inside where it has one of its own; the entity's body. */
static int put_readable(
	const struct opening *o, struct span outer, const struct mime *m, struct buf *ret)
{
	struct span inner = mime_header(m, &m->parts[0]);
	bool inside = o->covered && smime_is_protected(m);
	struct mime_field f;

	if (inside)
		smime_pick(ret, inner, false);
	while (mime_field_next(&outer, &f))
		if (!smime_is_content(f.name) &&
			!(inside && (is_tempting(f.name) || has_field(inner, f.name))))
			buf_add(ret, f.whole);
	smime_pick(ret, inner, true);
	buf_add_str(ret, "\r\n");
	buf_add(ret, mime_body(m, &m->parts[0]));
	return buf_error(ret);
}

/* Whose name does it go by, outside and inside? */
static void check_from(struct opening *o, struct span outer, struct span shown)
{
	_cleanup_(buf_done) struct buf from = BUF_INIT(2048), inside = BUF_INIT(2048);
	bool one = smime_from(outer, &from) == 0 && smime_from(shown, &inside) == 0;

	o->v->from_matches = one && smime_same_address(o->v->signer, buf_span(&inside));
	if (!o->v->good)
		return;
	if (!one || !smime_same_address(buf_str(&from), buf_span(&inside)))
		say(o, "it does not have one sender, the same outside and inside");
	else if (!o->v->from_matches)
		say(o, "it is signed by somebody else than its sender");
}

static int finish(struct opening *o, struct span message, struct buf *ret)
{
	struct mime outer = {.parts = NULL}, m = {.parts = NULL}, shown = {.parts = NULL};
	size_t before = ret->len;
	int r = mime_parse(message, &outer);

	if (r == 0)
		r = mime_parse(buf_span(&o->entity), &m);
	if (r == 0)
		r = put_readable(o, mime_header(&outer, &outer.parts[0]), &m, ret);
	if (r == 0)
		r = mime_parse(span_of(ret->p + before, ret->len - before), &shown);
	if (r == 0 && o->v->was_signed)
		check_from(o, mime_header(&outer, &outer.parts[0]),
			mime_header(&shown, &shown.parts[0]));
	mime_done(&outer);
	mime_done(&m);
	mime_done(&shown);
	return r;
}

static int open_layers(struct opening *o, struct span message, struct buf *ret)
{
	bool sealed = false;
	int r = 0;

	buf_add(&o->entity, message);
	r = buf_error(&o->entity);
	for (int i = 0; r == 0 && i < LAYERS_MAX; i++)
		r = peel(o, &sealed);
	if (r < 0)
		return r;
	if (!o->v->was_signed && !o->v->was_encrypted) {
		buf_add(ret, message);
		return buf_error(ret);
	}
	r = finish(o, message, ret);
	if (r == 0 && o->v->good && o->c != NULL) {
		char reason[sizeof o->v->reason] = "";

		if (trust_signer(o->c, o->p, &o->signer, reason) < 0)
			say(o, reason);
	}
	return r;
}

int smime_open(struct client *c, const struct profile *p, struct span message, struct buf *ret,
	struct smime_verdict *ret_verdict)
{
	struct opening o = {.c = c, .p = p, .v = ret_verdict, .entity = BUF_INIT(SMIME_BYTES_MAX)};
	size_t before = ret->len;
	int r;

	*ret_verdict = (struct smime_verdict){.was_signed = false};
	r = open_layers(&o, message, ret);
	if (r < 0) {
		ret_verdict->good = false;
		ret->len = before;
	}
	pki_cms_signer_done(&o.signer);
	if (o.keys_loaded)
		smime_keys_done(&o.keys);
	buf_wipe(&o.entity);
	return r;
}
