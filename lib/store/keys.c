/* The typed key builders. */
#include "store/keys.h"

#include "base/hash.h"
#include "store/blob.h"
#include "store/cert.h"

#define SIGN_BIT (UINT64_C(1) << 63)
#define PATH_MARK 0xffU

void key_add(struct key *k, const void *p, size_t len)
{
	if (k->bad || len > sizeof(k->p) - k->len) {
		k->bad = true;
		k->len = 0;
		return;
	}
	memcpy(k->p + k->len, p, len);
	k->len += len;
}

void key_add_number(struct key *k, uint64_t v, size_t size)
{
	unsigned char bytes[sizeof(v)];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(v >> 8 * (size - 1 - i));
	key_add(k, bytes, size);
}

void key_add_time(struct key *k, int64_t at_us)
{
	key_add_number(k, (uint64_t)at_us ^ SIGN_BIT, 8);
}

void key_add_name(struct key *k, const char *name)
{
	key_add(k, name, strlen(name) + 1);
}

struct key key_table(enum key_table table)
{
	struct key k = {.p = {(unsigned char)table}, .len = 1};

	return k;
}

static struct key of_text(enum key_table table, const char *name)
{
	struct key k = key_table(table);

	key_add(&k, name, strlen(name));
	return k;
}

static struct key of_bytes(enum key_table table, const unsigned char *p, size_t len)
{
	struct key k = key_table(table);

	key_add(&k, p, len);
	return k;
}

static struct key of_u32(enum key_table table, uint32_t v)
{
	struct key k = key_table(table);

	key_add_number(&k, v, sizeof(v));
	return k;
}

static struct key of_u64(enum key_table table, uint64_t v)
{
	struct key k = key_table(table);

	key_add_number(&k, v, sizeof(v));
	return k;
}

static struct key of_name(enum key_table table, const char *name)
{
	struct key k = key_table(table);

	key_add_name(&k, name);
	return k;
}

struct key key_meta(const char *name)
{
	return of_text(KEY_META, name);
}

struct key key_account(const char *name)
{
	return of_text(KEY_ACCOUNT, name);
}

struct key key_tombstone(const char *name)
{
	return of_text(KEY_TOMBSTONE, name);
}

struct key key_invite(const unsigned char *hash)
{
	return of_bytes(KEY_INVITE, hash, INVITE_HASH_LEN);
}

struct key key_cmp_ref(const char *reference)
{
	return of_text(KEY_CMP_REF, reference);
}

struct key key_cert(const unsigned char *serial)
{
	return of_bytes(KEY_CERT, serial, CERT_SERIAL_LEN);
}

struct key key_cert_account(const char *account)
{
	return of_name(KEY_CERT_ACCOUNT, account);
}

struct key key_cert_account_row(
	const char *account, int64_t not_after_us, const unsigned char *serial)
{
	struct key k = key_cert_account(account);

	key_add_time(&k, not_after_us);
	key_add(&k, serial, CERT_SERIAL_LEN);
	return k;
}

struct key key_cert_expiry(int64_t not_after_us, const unsigned char *serial)
{
	struct key k = key_table(KEY_CERT_EXPIRY);

	key_add_time(&k, not_after_us);
	key_add(&k, serial, CERT_SERIAL_LEN);
	return k;
}

struct key key_revoked(uint32_t ca_id)
{
	return of_u32(KEY_REVOKED, ca_id);
}

struct key key_revoked_row(uint32_t ca_id, const unsigned char *serial)
{
	struct key k = key_revoked(ca_id);

	key_add(&k, serial, CERT_SERIAL_LEN);
	return k;
}

struct key key_ca(uint32_t ca_id)
{
	return of_u32(KEY_CA, ca_id);
}

struct key key_crl(uint32_t ca_id)
{
	return of_u32(KEY_CRL, ca_id);
}

struct key key_crl_revision(uint32_t ca_id)
{
	return of_u32(KEY_CRL_REVISION, ca_id);
}

struct key key_audit(uint64_t seq)
{
	return of_u64(KEY_AUDIT, seq);
}

struct key key_throttle(uint8_t kind, struct span bytes)
{
	struct key k = key_table(KEY_THROTTLE);

	key_add_number(&k, kind, 1);
	key_add(&k, bytes.p, bytes.len);
	return k;
}

struct key key_session(const char *service)
{
	return of_name(KEY_SESSION, service);
}

struct key key_session_row(const char *service, uint64_t id)
{
	struct key k = key_session(service);

	key_add_number(&k, id, sizeof(id));
	return k;
}

struct key key_bell(const char *topic)
{
	return of_name(KEY_BELL, topic);
}

struct key key_bell_row(const char *topic, const char *bell)
{
	struct key k = key_bell(topic);

	key_add(&k, bell, strlen(bell));
	return k;
}

struct key key_bell_session(uint64_t session_id)
{
	return of_u64(KEY_BELL_SESSION, session_id);
}

struct key key_bell_session_row(uint64_t session_id, const char *topic, const char *bell)
{
	struct key k = key_bell_session(session_id);

	key_add_name(&k, topic);
	key_add(&k, bell, strlen(bell));
	return k;
}

struct key key_policy(const char *name)
{
	return of_text(KEY_POLICY, name);
}

struct key key_blob(const unsigned char *id)
{
	return of_bytes(KEY_BLOB, id, BLOB_ID_LEN);
}

static void add_path(struct key *k, struct span path)
{
	unsigned char digest[HASH_SHA256_LEN];

	if (path.len <= KEY_PATH_WHOLE) {
		key_add(k, path.p, path.len);
		return;
	}
	key_add(k, path.p, KEY_PATH_PREFIX);
	key_add_number(k, PATH_MARK, 1);
	if (hash_sha256(path, digest) < 0)
		k->bad = true;
	key_add(k, digest, sizeof(digest));
}

struct key key_file(struct span path)
{
	struct key k = key_table(KEY_FILE);

	add_path(&k, path);
	return k;
}

struct key key_partial(struct span path)
{
	struct key k = key_table(KEY_PARTIAL);

	add_path(&k, path);
	key_add_number(&k, 0, 1);
	return k;
}

struct key key_partial_row(struct span path, const char *account)
{
	struct key k = key_partial(path);

	key_add(&k, account, strlen(account));
	return k;
}

struct key key_below(enum key_table table, struct span folder)
{
	struct key k = key_table(table);

	if (folder.len == 0)
		return k;
	key_add(&k, folder.p, folder.len < KEY_PATH_PREFIX ? folder.len : KEY_PATH_PREFIX);
	if (folder.len < KEY_PATH_PREFIX)
		key_add(&k, "/", 1);
	return k;
}

struct key key_usage(const char *account)
{
	return of_text(KEY_USAGE, account);
}

struct key key_answer(uint64_t life, uint16_t part)
{
	struct key k = of_u64(KEY_ANSWER, life);

	key_add_number(&k, part, sizeof(part));
	return k;
}

struct key key_reservation(const char *account)
{
	return of_name(KEY_RESERVATION, account);
}

struct key key_reservation_row(const char *account, uint64_t id)
{
	struct key k = key_reservation(account);

	key_add_number(&k, id, sizeof(id));
	return k;
}

struct key key_copy(struct span key)
{
	struct key k = {.len = 0};

	key_add(&k, key.p, key.len);
	return k;
}

struct span key_tail(struct span key, size_t len)
{
	if (key.len < len)
		return span_of(NULL, 0);
	return span_of(key.p + (key.len - len), len);
}

uint64_t key_number(struct span eight)
{
	uint64_t v = 0;

	for (size_t i = 0; i < eight.len; i++)
		v = v << 8 | eight.p[i];
	return v;
}

int64_t key_time(struct span eight)
{
	return (int64_t)(key_number(eight) ^ SIGN_BIT);
}
