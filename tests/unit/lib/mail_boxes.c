/* Mailboxes in the store, made and listed. */
#include "tests/unit/lib/mail_boxes.h"

#include "tests/unit/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT_MAX = 65536 };

int boxes_open(struct store *s, const char *account)
{
	struct mail_open_args a = {.now_us = FIXTURE_NOW};

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	return store_call(s, STORE_OP_MAIL_OPEN, &a, NULL);
}

int boxes_create(struct store *s, const char *account, const char *name, enum mail_use use)
{
	struct mail_create_args a = {.name = span_str(name), .use = use, .now_us = FIXTURE_NOW};
	struct mail_box_result r;
	int rc;

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	rc = store_call(s, STORE_OP_MAIL_CREATE, &a, &r);
	assert_true(rc < 0 || (r.box.id != 0 && strcmp(r.box.name, name) == 0) ||
		span_caseeq_str(span_of(name, 5), "INBOX"));
	return rc;
}

int boxes_delete(struct store *s, const char *account, const char *name)
{
	struct mail_delete_args a = {.name = span_str(name), .now_us = FIXTURE_NOW};
	struct mail_box_result r;

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	return store_call(s, STORE_OP_MAIL_DELETE, &a, &r);
}

int boxes_rename(struct store *s, const char *account, const char *from, const char *to)
{
	struct mail_rename_args a = {
		.from = span_str(from), .to = span_str(to), .now_us = FIXTURE_NOW};
	struct mail_box_result r;
	int rc;

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	rc = store_call(s, STORE_OP_MAIL_RENAME, &a, &r);
	assert_true(rc < 0 || span_caseeq_str(span_str(to), r.box.name));
	return rc;
}

int boxes_subscribe(struct store *s, const char *account, const char *name, bool on)
{
	struct mail_subscribe_args a = {.name = span_str(name), .on = on};
	struct mail_box_result r;
	int rc;

	(void)snprintf(a.account, sizeof(a.account), "%s", account);
	rc = store_call(s, STORE_OP_MAIL_SUBSCRIBE, &a, &r);
	assert_true(rc < 0 || (r.box.subscribed == on && strcmp(r.box.name, name) == 0));
	return rc;
}

struct listing {
	const char *account;
	char *text;
	size_t len;
};

static int list_one(void *arg, const struct mail_box *b)
{
	struct listing *l = arg;
	char use[16] = "";
	int n;

	if (b->use != MAIL_USE_NONE)
		(void)snprintf(use, sizeof(use), "%d", (int)b->use);
	n = snprintf(l->text + l->len, TEXT_MAX - l->len, "%s%s%s%s%s%s", l->len > 0 ? " " : "",
		b->id == 0 ? "(" : "", b->name, b->id == 0 ? ")" : "", b->subscribed ? "+" : "",
		use);
	assert_true(n > 0 && (size_t)n < TEXT_MAX - l->len);
	l->len += (size_t)n;
	return 0;
}

static int list_view(struct store_txn *txn, void *arg)
{
	const struct listing *l = arg;

	return mail_boxes_each(txn, l->account, list_one, arg);
}

const char *boxes_list(struct store *s, const char *account)
{
	static char text[TEXT_MAX];
	struct listing l = {account, text, 0};

	text[0] = '\0';
	assert_int_equal(store_view(s, list_view, &l), 0);
	return text;
}

void boxes_sweep(struct store *s, int64_t now_us)
{
	const struct sweep_args a = {.now_us = now_us};
	struct sweep_result r;

	assert_int_equal(store_call(s, STORE_OP_SWEEP, &a, &r), 0);
}
