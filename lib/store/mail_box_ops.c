/* The operations on mailboxes but for renaming. */
#include "store/mail_i.h"

#include <errno.h>

enum { NAME_ROWS_MAX = 2 * MAIL_BOXES_MAX };

int op_mail_open(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_open_args *o = args;
	struct mail_account a;

	(void)result;
	return mail_account_ready(txn, o->account, o->now_us, &a);
}

/* -- making ------------------------------------------------------------------------------------ */

static int check_room(struct store_txn *txn, const struct mail_account *a)
{
	uint64_t max = 0;
	int rc = policy_number_read(txn, "mail_boxes", &max);

	return rc == 0 && a->boxes >= max ? -EDQUOT : rc;
}

/* 0, or -EEXIST: it is a mailbox. */
static int check_free(struct store_txn *txn, const char *account, const char *name)
{
	uint64_t id = 0;
	int rc = mail_name_read(txn, account, name, &id);

	if (rc == 0 && id != 0)
		return -EEXIST;
	return rc == -ENOENT ? 0 : rc;
}

int mail_box_make_named(struct store_txn *txn, struct mail_account *a, const struct mail_box_new *n,
	struct mail_box *ret)
{
	int rc = check_room(txn, a);

	return rc < 0 ? rc : mail_box_make(txn, a, n, ret);
}

int mail_levels_make(
	struct store_txn *txn, struct mail_account *a, const char *name, int64_t now_us)
{
	const char *slash = name;
	struct mail_box_new n = {.now_us = now_us};
	struct mail_box b;
	int rc = 0;

	while (rc == 0 && (slash = strchr(slash, '/')) != NULL) {
		n.name = span_of(name, (size_t)(slash - name));
		rc = mail_box_make_named(txn, a, &n, &b);
		if (rc == -EEXIST)
			rc = 0;
		slash++;
	}
	return rc;
}

static int find_use(void *arg, const struct mail_box *b)
{
	const enum mail_use *use = arg;

	return b->use == *use ? -EBUSY : 0;
}

static int check_use(struct store_txn *txn, const char *account, enum mail_use use)
{
	if (use == MAIL_USE_NONE)
		return 0;
	if ((unsigned)use >= MAIL_USE_ALL)
		return -EINVAL;
	return mail_boxes_each(txn, account, find_use, &use);
}

int op_mail_create(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_create_args *c = args;
	struct mail_box_result *res = result;
	char name[MAIL_NAME_SIZE];
	struct mail_box_new n = {.use = c->use, .now_us = c->now_us};
	struct mail_account a;
	int rc = mail_name_canon(c->name, name);

	if (rc == 0)
		rc = mail_account_ready(txn, c->account, c->now_us, &a);
	if (rc == 0)
		rc = check_free(txn, a.name, name);
	if (rc == 0)
		rc = check_use(txn, a.name, c->use);
	if (rc == 0)
		rc = mail_levels_make(txn, &a, name, c->now_us);
	n.name = span_str(name);
	if (rc == 0)
		rc = mail_box_make_named(txn, &a, &n, &res->box);
	return rc < 0 ? rc : mail_account_write(txn, &a);
}

/* -- deleting ---------------------------------------------------------------------------------- */

/* Its messages go with the sweep: until then sessions that have it open can still read them. */
static int drop_box(
	struct store_txn *txn, struct mail_account *a, const struct mail_box *b, int64_t now_us)
{
	struct key key = key_mail_box_row(a->name, b->id);
	int rc = row_del(txn, &key);

	a->boxes--;
	a->messages -= b->messages;
	a->bytes -= b->bytes;
	a->held += mail_row_cost(b->messages, b->bytes);
	if (rc == 0)
		rc = mail_box_bury(txn, a->name, b->id, now_us);
	if (rc == 0 && b->subscribed)
		return mail_name_write(txn, a->name, b->name, 0);
	return rc < 0 ? rc : mail_name_remove(txn, a->name, b->name);
}

int op_mail_delete(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_delete_args *d = args;
	struct mail_box_result *res = result;
	struct mail_account a;
	int rc = mail_account_ready(txn, d->account, d->now_us, &a);

	if (rc == 0)
		rc = mail_box_find(txn, a.name, d->name, &res->box);
	if (rc == 0 && strcmp(res->box.name, MAIL_INBOX) == 0)
		rc = -EPERM;
	if (rc == 0)
		rc = drop_box(txn, &a, &res->box, d->now_us);
	return rc < 0 ? rc : mail_account_write(txn, &a);
}

/* -- subscriptions ----------------------------------------------------------------------------- */

/* May there be one more name that is no mailbox? */
static int check_names(struct store_txn *txn, const char *account)
{
	_cleanup_(kv_iter_done) struct kv_iter it = {0};
	struct key prefix = key_mail_name(account);
	struct span key, value;
	unsigned count = 0;
	int rc = kv_iter_open(txn, key_span(&prefix), key_span(&prefix), &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1)
		rc = ++count >= NAME_ROWS_MAX ? -EDQUOT : 0;
	return rc;
}

static int subscribe_name(struct store_txn *txn, const char *account, const char *name, bool on)
{
	int rc;

	if (!on)
		return mail_name_remove(txn, account, name);
	rc = check_names(txn, account);
	return rc < 0 ? rc : mail_name_write(txn, account, name, 0);
}

int op_mail_subscribe(struct store_txn *txn, const void *args, void *result)
{
	const struct mail_subscribe_args *s = args;
	struct mail_box_result *res = result;
	char name[MAIL_NAME_SIZE];
	struct mail_account a;
	uint64_t id = 0;
	int rc = mail_name_canon(s->name, name);

	if (rc == 0)
		rc = mail_account_ready(txn, s->account, kv_now_us(txn), &a);
	if (rc < 0) /* -ENOENT of the account is not that of the name */
		return rc;
	rc = mail_name_read(txn, a.name, name, &id);
	if (rc == -ENOENT && s->on)
		rc = 0;
	if (rc == 0 && id != 0)
		rc = mail_box_read(txn, a.name, id, &res->box);
	if (rc < 0)
		return rc;
	if (id != 0 && !s->on && !res->box.subscribed)
		return -ENOENT;
	res->box.subscribed = s->on;
	if (id != 0)
		return mail_box_write(txn, a.name, &res->box);
	memcpy(res->box.name, name, strlen(name));
	return subscribe_name(txn, a.name, name, s->on);
}
