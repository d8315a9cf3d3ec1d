/* Mail in the store, done and looked at. */
#include "tests/unit/lib/mail_acts.h"

#include "base/hash.h"
#include "store/policy.h"
#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT_MAX = 65536 };

static char told[TEXT_MAX];
static size_t told_len;

static void text_begin(void)
{
	told_len = 0;
	told[0] = '\0';
}

static void text_add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void text_add(const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(told + told_len, sizeof(told) - told_len, format, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < sizeof(told) - told_len);
	told_len += (size_t)n;
}

/* -- delivering -------------------------------------------------------------------------------- */

struct mail_body mail_acts_body(const char *text)
{
	struct mail_body b = {.structure = SPAN_LIT("a structure")};

	b.blob.inline_bytes = span_str(text);
	b.blob.size = b.blob.inline_bytes.len;
	assert_int_equal(hash_sha256(b.blob.inline_bytes, b.blob.id), 0);
	return b;
}

void mail_acts_delivery(
	struct mail_delivery *d, const char *sender, const char *recipients, const char *text)
{
	struct span rest = span_str(recipients), name;
	struct mail_deliver_args a = {.now_us = FIXTURE_NOW};

	for (; span_split(&rest, ' ', &name); a.count++)
		assert_int_equal(span_copy_str(name, d->names[a.count], ACCOUNT_NAME_SIZE), 0);
	a.recipients = (const char(*)[ACCOUNT_NAME_SIZE])d->names;
	(void)snprintf(a.sender, sizeof(a.sender), "%s", sender);
	a.body = mail_acts_body(text);
	assert_int_equal(hash_sha256(span_str(text), a.key), 0);
	(void)snprintf(a.msgid, sizeof(a.msgid), "<%.40s>", text);
	(void)snprintf(a.from, sizeof(a.from), "%s@example.org", sender);
	(void)snprintf(a.subject, sizeof(a.subject), "%.100s", text);
	d->a = a;
}

int mail_acts_send(struct store *s, const struct mail_delivery *d, struct mail_deliver_result *ret)
{
	return store_call(s, STORE_OP_MAIL_DELIVER, &d->a, ret);
}

int mail_acts_deliver(struct store *s, const char *sender, const char *recipients, const char *text)
{
	struct mail_delivery d;
	struct mail_deliver_result r;

	mail_acts_delivery(&d, sender, recipients, text);
	return mail_acts_send(s, &d, &r);
}

/* -- looking ----------------------------------------------------------------------------------- */

struct looking {
	const char *account, *name;
	uint64_t box, since;
	uint32_t uid;
	void *ret;
	size_t max, count;
};

static int find_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_box_find(txn, l->account, span_str(l->name), l->ret);
}

struct mail_box mail_acts_box(struct store *s, const char *account, const char *name)
{
	struct mail_box box = {.id = 0};
	struct looking l = {.account = account, .name = name, .ret = &box};

	assert_int_equal(store_view(s, find_view, &l), 0);
	return box;
}

static int list_one(void *arg, const struct mail_message *m)
{
	struct mail_listing *l = arg;

	assert_true(l->count < MAIL_ACTS_MAX);
	l->messages[l->count++] = *m;
	return 0;
}

static int list_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_messages_each(txn, l->box, 1, list_one, l->ret);
}

void mail_acts_list(struct store *s, uint64_t box, struct mail_listing *ret)
{
	struct looking l = {.box = box, .ret = ret};

	ret->count = 0;
	assert_int_equal(store_view(s, list_view, &l), 0);
}

static int message_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_message_read(txn, l->box, l->uid, l->ret);
}

int mail_acts_message(struct store *s, uint64_t box, uint32_t uid, struct mail_message *ret)
{
	struct looking l = {.box = box, .uid = uid, .ret = ret};

	return store_view(s, message_view, &l);
}

static int change_one(void *arg, const struct mail_change *c)
{
	(void)arg;
	text_add("%s%s%u", told_len > 0 ? " " : "", c->gone ? "-" : "", c->uid);
	return 0;
}

static int changes_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_changes_each(txn, l->box, l->since, change_one, NULL);
}

const char *mail_acts_changes(struct store *s, uint64_t box, uint64_t since)
{
	struct looking l = {.box = box, .since = since};

	text_begin();
	assert_int_equal(store_view(s, changes_view, &l), 0);
	return told;
}

static int notice_one(void *arg, const struct mail_notice *n)
{
	static const char *const kinds[] = {
		[MAIL_NOTICE_NEW] = "NEW",
		[MAIL_NOTICE_READ] = "READ",
		[MAIL_NOTICE_DECLINED] = "DECLINED",
	};

	(void)arg;
	text_add("%s %s %s\n", kinds[n->kind], n->from, n->msgid);
	return 0;
}

static int notices_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_notices_each(txn, l->account, notice_one, NULL);
}

const char *mail_acts_notices(struct store *s, const char *account)
{
	struct looking l = {.account = account};

	text_begin();
	assert_int_equal(store_view(s, notices_view, &l), 0);
	return told;
}

static int sent_one(void *arg, const struct mail_sent *m)
{
	(void)arg;
	text_add("%s %s%s%s%s\n", m->recipient, m->read_us != 0 ? "read" : "",
		m->declined ? "declined" : "", m->automatic ? " automatic" : "",
		m->read_us == 0 && !m->declined ? "-" : "");
	return 0;
}

static int sent_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_sent_each(txn, l->account, span_str(l->name), sent_one, NULL);
}

const char *mail_acts_sent(struct store *s, const char *account, const char *msgid)
{
	struct looking l = {.account = account, .name = msgid};

	text_begin();
	assert_int_equal(store_view(s, sent_view, &l), 0);
	return told;
}

static int due_one(void *arg, const struct mail_due *d)
{
	struct looking *l = arg;

	if (l->count < l->max)
		((struct mail_due *)l->ret)[l->count] = *d;
	l->count++;
	return 0;
}

static int due_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_due_each(txn, l->account, due_one, arg);
}

size_t mail_acts_due(struct store *s, const char *account, struct mail_due *ret, size_t max)
{
	struct looking l = {.account = account, .ret = ret, .max = max};

	assert_int_equal(store_view(s, due_view, &l), 0);
	return l.count;
}

static int usage_view(struct store_txn *txn, void *arg)
{
	const struct looking *l = arg;

	return mail_usage_read(txn, l->account, l->ret);
}

struct mail_usage mail_acts_usage(struct store *s, const char *account)
{
	struct mail_usage u = {.bytes = 0};
	struct looking l = {.account = account, .ret = &u};

	assert_int_equal(store_view(s, usage_view, &l), 0);
	return u;
}

/* -- changing ---------------------------------------------------------------------------------- */

int mail_acts_append(struct store *s, const char *account, uint64_t box, const char *text,
	struct mail_flag_names flags, struct mail_added *ret)
{
	struct mail_append_item item = {.body = mail_acts_body(text), .flags = flags};
	struct mail_append_args a = {.box = box, .items = &item, .count = 1, .now_us = FIXTURE_NOW};

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	return store_call(s, STORE_OP_MAIL_APPEND, &a, ret);
}

int mail_acts_flag(struct store *s, struct mail_flagging f, struct mail_flags_result *ret)
{
	struct span word = span_str(f.keyword);
	struct mail_flags_args a = {.box = f.box,
		.uids = &f.uid,
		.count = 1,
		.how = f.how,
		.flags = {.system = f.system, .keywords = &word, .count = f.keyword != NULL},
		.now_us = FIXTURE_NOW};

	(void)snprintf(a.account, sizeof(a.account), "%s", f.account);
	return store_call(s, STORE_OP_MAIL_FLAGS, &a, ret);
}

int mail_acts_expunge(struct store *s, const char *account, uint64_t box, uint32_t uid)
{
	struct mail_expunge_args a = {
		.box = box, .uids = &uid, .count = 1, .any_flags = true, .now_us = FIXTURE_NOW};
	struct mail_expunge_result r;

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	return store_call(s, STORE_OP_MAIL_EXPUNGE, &a, &r);
}

void mail_acts_policy(struct store *s, const char *name, const char *value)
{
	struct policy_set_args p = {.by = "test"};

	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	(void)snprintf(p.value, sizeof(p.value), "%s", value);
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &p, NULL), 0);
}

void mail_acts_receipts(struct store *s, const char *account, enum mail_receipts receipts)
{
	struct mail_prefs_args p = {.prefs = {.receipts = receipts}};

	(void)snprintf(p.account, sizeof(p.account), "%s", account);
	assert_int_equal(store_call(s, STORE_OP_MAIL_PREFS, &p, NULL), 0);
}

static void print_fault(void *arg, const char *what)
{
	(void)arg;
	print_error("%s\n", what);
}

void mail_acts_check(struct store *s)
{
	assert_int_equal(store_check(s, print_fault, NULL), 0);
}
