/* Invites, and CMP references: both let somebody in once. */
#include "store/account.h"

#include "store/ops.h"
#include "store/row.h"

#include <errno.h>

enum { INVITE_VERSION = 1, CMP_VERSION = 1 };

int invite_decode(struct span key, struct span value, struct invite *ret)
{
	struct rec r = row_open(value, INVITE_VERSION);
	struct invite i = {.flags = rec_u32(&r)};

	rec_str(&r, i.name, sizeof(i.name));
	i.created_us = rec_i64(&r);
	i.expires_us = rec_i64(&r);
	i.uses_left = rec_u32(&r);
	if (rec_end(&r) < 0 || key.len != 1 + sizeof(i.hash))
		return -EBADMSG;
	memcpy(i.hash, key.p + 1, sizeof(i.hash));
	*ret = i;
	return 0;
}

static struct buf encode(const struct invite *i)
{
	struct buf b = row_begin(INVITE_VERSION);

	buf_add_u32(&b, i->flags);
	row_text(&b, i->name, sizeof(i->name));
	rec_put_i64(&b, i->created_us);
	rec_put_i64(&b, i->expires_us);
	buf_add_u32(&b, i->uses_left);
	return b;
}

static int invite_read(struct store_txn *txn, const unsigned char *hash, struct invite *ret)
{
	struct key key = key_invite(hash);
	struct span value;
	int rc = row_get(txn, &key, &value);

	return rc < 0 ? rc : invite_decode(key_span(&key), value, ret);
}

int invite_use(struct store_txn *txn, const unsigned char *hash, const char *name, int64_t now_us,
	uint32_t *ret_flags)
{
	struct key key = key_invite(hash);
	struct invite i;
	struct buf b;
	int rc = invite_read(txn, hash, &i);

	if (rc < 0)
		return rc == -ENOENT ? -EKEYREJECTED : rc;
	if (now_us >= i.expires_us || i.uses_left == 0 ||
		(i.name[0] != '\0' && strcmp(i.name, name) != 0))
		return -EKEYREJECTED;
	if (--i.uses_left == 0) {
		rc = row_del(txn, &key);
	} else {
		b = encode(&i);
		rc = row_put(txn, &key, &b);
	}
	if (rc == 0)
		*ret_flags = i.flags;
	return rc;
}

int op_invite_create(struct store_txn *txn, const void *args, void *result)
{
	const struct invite *i = args;
	const struct audit_note note = {i->created_us, "invite-create", i->name, "quintetctl"};
	struct key key = key_invite(i->hash);
	struct buf b;
	int rc;

	(void)result;
	if (i->uses_left == 0 || !row_is_text(i->name, sizeof(i->name)))
		return -EINVAL;
	b = encode(i);
	rc = row_add(txn, &key, &b);
	return rc < 0 ? rc : audit_note(txn, &note, "uses=%u flags=%u", i->uses_left, i->flags);
}

int op_invite_remove(struct store_txn *txn, const void *args, void *result)
{
	const unsigned char *hash = args;
	struct key key = key_invite(hash);
	struct audit_note note = {kv_now_us(txn), "invite-remove", "", "quintetctl"};
	struct invite i;
	int rc = invite_read(txn, hash, &i);

	(void)result;
	if (rc == 0)
		rc = row_del(txn, &key);
	note.account = i.name;
	return rc < 0 ? rc : audit_note(txn, &note, "uses=%u", i.uses_left);
}

struct get_args {
	const unsigned char *hash;
	struct invite *ret;
};

static int get_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;

	return invite_read(txn, g->hash, g->ret);
}

int invite_get(struct store *s, const unsigned char hash[INVITE_HASH_LEN], struct invite *ret)
{
	struct get_args g = {hash, ret};

	return store_view(s, get_view, &g);
}

struct each_args {
	int (*each)(void *arg, const struct invite *i);
	void *arg;
};

static int each_view(struct store_txn *txn, void *arg)
{
	const struct each_args *e = arg;
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key table = key_table(KEY_INVITE);
	struct invite i;
	struct span key, value;
	int rc = kv_iter_open(txn, key_span(&table), key_span(&table), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		rc = invite_decode(key, value, &i);
		if (rc == 0)
			rc = e->each(e->arg, &i);
	}
	return rc;
}

int invite_each(struct store *s, int (*each)(void *arg, const struct invite *i), void *arg)
{
	struct each_args e = {each, arg};

	return store_view(s, each_view, &e);
}

/* -- CMP references ---------------------------------------------------------------------------- */

int cmp_ref_decode(struct span key, struct span value, struct cmp_ref *ret)
{
	struct rec r = row_open(value, CMP_VERSION);
	struct cmp_ref c = {.name = ""};

	rec_str(&r, c.name, sizeof(c.name));
	c.created_us = rec_i64(&r);
	c.expires_us = rec_i64(&r);
	if (rec_end(&r) < 0 || row_name(key, c.reference, sizeof(c.reference)) < 0)
		return -EBADMSG;
	*ret = c;
	return 0;
}

static int cmp_ref_read(struct store_txn *txn, const char *reference, struct cmp_ref *ret)
{
	struct key key = key_cmp_ref(reference);
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (reference[0] == '\0' || rc == -EINVAL)
		return -ENOENT;
	return rc < 0 ? rc : cmp_ref_decode(key_span(&key), value, ret);
}

int op_cmp_create(struct store_txn *txn, const void *args, void *result)
{
	const struct cmp_ref *c = args;
	const struct audit_note note = {c->created_us, "cmp-create", c->name, "quintetctl"};
	struct buf b = row_begin(CMP_VERSION);
	struct key key;
	int rc;

	(void)result;
	row_text(&b, c->name, sizeof(c->name));
	rec_put_i64(&b, c->created_us);
	rec_put_i64(&b, c->expires_us);
	if (!row_is_text(c->reference, sizeof(c->reference)) || c->reference[0] == '\0' ||
		buf_error(&b) == -EINVAL || c->name[0] == '\0') {
		buf_done(&b);
		return -EINVAL;
	}
	key = key_cmp_ref(c->reference);
	rc = row_add(txn, &key, &b);
	return rc < 0 ? rc : audit_note(txn, &note, "reference=%s", c->reference);
}

/* The account of a reference, made by its first use. -EACCES: locked. */
static int cmp_account(struct store_txn *txn, const struct cmp_ref *c, int64_t now_us)
{
	const struct audit_note note = {now_us, "account-create", c->name, "cmp"};
	struct account a;
	int rc = account_read(txn, c->name, &a);

	if (rc != -ENOENT)
		return rc == 0 && (a.flags & ACCOUNT_LOCKED) != 0 ? -EACCES : rc;
	rc = account_make(txn, c->name, now_us, &a);
	if (rc == 0)
		rc = account_write(txn, &a);
	return rc < 0 ? rc : audit_note(txn, &note, "reference=%s", c->reference);
}

int op_cmp_consume(struct store_txn *txn, const void *args, void *result)
{
	const struct cmp_consume_args *u = args;
	struct audit_note note = {u->now_us, "cmp-consume", "", "cmp"};
	struct cmp_ref c;
	struct key key;
	int rc;

	(void)result;
	if (!row_is_text(u->reference, sizeof(u->reference)))
		return -EINVAL;
	rc = cmp_ref_read(txn, u->reference, &c);
	if (rc < 0)
		return rc;
	if (u->now_us >= c.expires_us)
		return -ENOENT;
	key = key_cmp_ref(u->reference);
	rc = row_del(txn, &key);
	if (rc == 0)
		rc = cmp_account(txn, &c, u->now_us);
	note.account = c.name;
	return rc < 0 ? rc : audit_note(txn, &note, "reference=%s", c.reference);
}

struct cmp_get_args {
	const char *reference;
	struct cmp_ref *ret;
};

static int cmp_get_view(struct store_txn *txn, void *arg)
{
	const struct cmp_get_args *g = arg;

	return cmp_ref_read(txn, g->reference, g->ret);
}

int cmp_ref_get(struct store *s, const char *reference, struct cmp_ref *ret)
{
	struct cmp_get_args g = {reference, ret};

	return store_view(s, cmp_get_view, &g);
}
