/* The signer's messages as records. A version byte comes first, so that an old cad beside a new
 * signer is refused instead of misread. */
#include "proto/signer.h"

#include <errno.h>

enum {
	VERSION = 1,
	SECRET_MAX = 512,
	SERIAL_MAX = 20,
	HOSTS_MAX = 4096,
	BUCKET_MAX = 32,
};

/* Puts the length in front of what was appended behind start + 4. */
static int finish(struct buf *b, size_t start, size_t max)
{
	size_t len;

	if (buf_error(b) < 0)
		return buf_error(b);
	len = b->len - start - 4;
	if (len > max) {
		b->len = start;
		b->p[start] = '\0';
		return -EMSGSIZE;
	}
	for (size_t i = 0; i < 4; i++)
		b->p[start + i] = (unsigned char)(len >> (24 - 8 * i) & 0xff);
	return 0;
}

int signer_request_write(struct buf *b, const struct signer_request *r)
{
	size_t start = b->len;

	buf_add_u32(b, 0);
	buf_add_byte(b, VERSION);
	buf_add_byte(b, r->kind);
	buf_add_byte(b, r->proof);
	rec_put_str(b, r->name);
	rec_put_bytes(b, r->secret);
	rec_put_bytes(b, r->serial);
	rec_put_bytes(b, r->csr);
	buf_add_u32(b, r->ca_id);
	buf_add_byte(b, r->profile);
	rec_put_bytes(b, r->hosts);
	rec_put_str(b, r->peer);
	rec_put_bytes(b, r->bucket);
	return finish(b, start, SIGNER_MESSAGE_MAX);
}

int signer_answer_write(struct buf *b, const struct signer_answer *a)
{
	size_t start = b->len;

	buf_add_u32(b, 0);
	buf_add_byte(b, VERSION);
	buf_add_u32(b, a->status);
	buf_add_u32(b, a->wait_s);
	rec_put_bytes(b, a->payload);
	rec_put_str(b, a->reason);
	return finish(b, start, SIGNER_ANSWER_MAX);
}

int signer_request_read(struct span record, struct signer_request *ret)
{
	struct rec rec = rec_of(record);
	struct signer_request r = {0};
	uint8_t version = rec_u8(&rec);

	r.kind = rec_u8(&rec);
	r.proof = rec_u8(&rec);
	rec_str(&rec, r.name, sizeof(r.name));
	r.secret = rec_bytes(&rec, SECRET_MAX);
	r.serial = rec_bytes(&rec, SERIAL_MAX);
	r.csr = rec_bytes(&rec, SIGNER_MESSAGE_MAX);
	r.ca_id = rec_u32(&rec);
	r.profile = rec_u8(&rec);
	r.hosts = rec_bytes(&rec, HOSTS_MAX);
	rec_str(&rec, r.peer, sizeof(r.peer));
	r.bucket = rec_bytes(&rec, BUCKET_MAX);
	if (rec_end(&rec) < 0 || version != VERSION || r.kind < SIGNER_ENROLL ||
		r.kind > SIGNER_CMP_SECRET || r.proof > SIGNER_PROOF_RENEW)
		return -EBADMSG;
	*ret = r;
	return 0;
}

int signer_answer_read(struct span record, struct signer_answer *ret)
{
	struct rec rec = rec_of(record);
	struct signer_answer a = {0};
	uint8_t version = rec_u8(&rec);

	a.status = rec_u32(&rec);
	a.wait_s = rec_u32(&rec);
	a.payload = rec_bytes(&rec, SIGNER_ANSWER_MAX);
	rec_str(&rec, a.reason, sizeof(a.reason));
	if (rec_end(&rec) < 0 || version != VERSION)
		return -EBADMSG;
	*ret = a;
	return 0;
}
