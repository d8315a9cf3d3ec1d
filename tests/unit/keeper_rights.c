/* Who may have what done: what each service needs, nothing else, and no more than that of it. */
#include "services/keeper/rights.h"

#include "base/timefmt.h"
#include "store/audit.h"
#include "store/cert.h"
#include "store/chat.h"
#include "store/file.h"
#include "store/shape_i.h"
#include "store/throttle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PID = 4711 };

/* What it calls, by reading it. */
static const enum store_op of_all[] = {STORE_OP_SESSION_ADD, STORE_OP_SESSION_UPDATE,
	STORE_OP_SESSION_REMOVE, STORE_OP_BELL_ADD, STORE_OP_BELL_REMOVE};
static const enum store_op of_log_ins[] = {
	STORE_OP_AUDIT_APPEND, STORE_OP_THROTTLE_FAIL, STORE_OP_THROTTLE_CLEAR};
static const enum store_op of_ftpd[] = {STORE_OP_ACCOUNT_CREATE, STORE_OP_FILE_PUT,
	STORE_OP_FILE_REMOVE, STORE_OP_FILE_RENAME, STORE_OP_FILE_NOTE, STORE_OP_FILE_RESERVE,
	STORE_OP_PARTIAL_PUT, STORE_OP_PARTIAL_REMOVE};
static const enum store_op of_chatd[] = {STORE_OP_ACCOUNT_CREATE, STORE_OP_CHAT_ATTACH,
	STORE_OP_CHAT_DETACH, STORE_OP_CHAT_SEEN, STORE_OP_CHAT_LOGIN, STORE_OP_CHAT_NICK,
	STORE_OP_CHAT_USER, STORE_OP_CHAT_JOIN, STORE_OP_CHAT_PART, STORE_OP_CHAT_KICK,
	STORE_OP_CHAT_INVITE, STORE_OP_CHAT_TOPIC, STORE_OP_CHAT_RENAME, STORE_OP_CHAT_MODE,
	STORE_OP_CHAT_POST, STORE_OP_CHAT_REDACT, STORE_OP_CHAT_MARK, STORE_OP_CHAT_META,
	STORE_OP_CHAT_ANNOUNCE};
static const enum store_op of_maild[] = {STORE_OP_MAIL_OPEN, STORE_OP_MAIL_CREATE,
	STORE_OP_MAIL_DELETE, STORE_OP_MAIL_RENAME, STORE_OP_MAIL_SUBSCRIBE, STORE_OP_MAIL_DELIVER,
	STORE_OP_MAIL_APPEND, STORE_OP_MAIL_COPY, STORE_OP_MAIL_MOVE, STORE_OP_MAIL_FLAGS,
	STORE_OP_MAIL_EXPUNGE, STORE_OP_MAIL_RECENT, STORE_OP_MAIL_RECEIPT, STORE_OP_MAIL_SHOWN,
	STORE_OP_MAIL_PREFS};
static const enum store_op of_cad[] = {
	STORE_OP_ACCOUNT_CREATE, STORE_OP_ACCOUNT_PASSWORD, STORE_OP_CERT_REVOKE};
static const enum store_op of_signer[] = {STORE_OP_ACCOUNT_CREATE, STORE_OP_CMP_CONSUME,
	STORE_OP_CERT_INTENT, STORE_OP_CERT_ISSUED, STORE_OP_CERT_REVOKE, STORE_OP_CRL_PUT};

struct needs {
	const char *session, *says;
	bool logs_in;
	const enum store_op *ops;
	size_t count;
};
#define OPS(list) list, sizeof(list) / sizeof((list)[0])
static const struct needs needs[CALLER_ADMIN] = {
	[CALLER_DAYTIMED] = {"daytimed", "daytimed", false, NULL, 0},
	[CALLER_FTPD] = {"ftpd", "ftpd", true, OPS(of_ftpd)},
	[CALLER_CHATD] = {"chatd", "chatd", true, OPS(of_chatd)},
	[CALLER_MAILD] = {"maild", "maild", true, OPS(of_maild)},
	[CALLER_CAD] = {"cad", "cad", true, OPS(of_cad)},
	[CALLER_SIGNER] = {"cad-signer", "cad", true, OPS(of_signer)},
};

static bool has(const enum store_op *ops, size_t count, enum store_op op)
{
	for (size_t i = 0; i < count; i++)
		if (ops[i] == op)
			return true;
	return false;
}

static bool is_needed(enum keeper_caller c, enum store_op op)
{
	return has(OPS(of_all), op) || (needs[c].logs_in && has(OPS(of_log_ins), op)) ||
		has(needs[c].ops, needs[c].count, op);
}

/* -- arguments in their right mind ------------------------------------------------------------- */

struct call {
	enum keeper_caller caller;
	enum store_op op;
	union {
		unsigned char bytes[8192];
		struct account_create_args create;
		struct account_password_args password;
		struct audit_row audit;
		struct throttle_args throttle;
		struct session_row session;
		struct session_remove_args end;
		struct bell_args bell;
		struct cert_revoke_args revoke;
		struct file_reserve_args reserve;
		struct chat_actor by;
	} a;
	struct keeper_house house;
};

static void say_now(const struct shape *s, unsigned char *p)
{
	const int64_t now_us = time_now_us();

	for (size_t i = 0; i < s->count; i++) {
		if (s->fields[i].kind == SHAPE_STRUCT)
			say_now(s->fields[i].of, p + s->fields[i].offset);
		if (s->fields[i].kind == SHAPE_NOW)
			memcpy(p + s->fields[i].offset, &now_us, sizeof(now_us));
	}
}

#define SAY(to, ...) ((void)snprintf(to, sizeof(to), __VA_ARGS__))

static void fill(struct call *c)
{
	const struct needs *n = &needs[c->caller];

	switch (c->op) {
	case STORE_OP_ACCOUNT_CREATE:
		SAY(c->a.create.name, "alice");
		SAY(c->a.create.service, "%s", n->says);
		c->a.create.need_invite = true;
		break;
	case STORE_OP_ACCOUNT_PASSWORD:
		SAY(c->a.password.name, "alice");
		SAY(c->a.password.service, "%s", n->says);
		break;
	case STORE_OP_AUDIT_APPEND:
		SAY(c->a.audit.event, "login-refused");
		SAY(c->a.audit.detail, "%s: wrong password", n->says);
		break;
	case STORE_OP_THROTTLE_CLEAR:
		c->a.throttle.count = 1;
		c->a.throttle.keys[0].kind = THROTTLE_ACCOUNT;
		break;
	case STORE_OP_SESSION_ADD:
	case STORE_OP_SESSION_UPDATE:
		SAY(c->a.session.service, "%s", n->session);
		c->a.session.pid = PID;
		break;
	case STORE_OP_SESSION_REMOVE:
		SAY(c->a.end.service, "%s", n->session);
		break;
	case STORE_OP_BELL_ADD:
	case STORE_OP_BELL_REMOVE:
		SAY(c->a.bell.service, "%s", n->session);
		break;
	case STORE_OP_CERT_REVOKE:
		SAY(c->a.revoke.account, "alice");
		break;
	case STORE_OP_FILE_RESERVE:
		c->a.reserve.pid = PID;
		c->a.reserve.bytes = 1;
		break;
	default:
		if (strncmp(op_find(c->op)->name, "chat-", 5) == 0)
			c->a.by.session = 3;
	}
}

static struct call call_of(enum keeper_caller caller, enum store_op op)
{
	struct call c = {.caller = caller, .op = op, .house = {"invite", "example.org"}};

	assert_true(op_find(op)->args_size <= sizeof(c.a));
	say_now(shape_find(op), c.a.bytes);
	if (caller > CALLER_NOBODY && caller < CALLER_ADMIN)
		fill(&c);
	return c;
}

static int ask(const struct call *c)
{
	return rights_check(c->caller, PID, c->op, c->a.bytes, &c->house);
}

/* -- the table --------------------------------------------------------------------------------- */

static void test_matrix(void **state)
{
	(void)state;
	for (enum keeper_caller caller = CALLER_DAYTIMED; caller < CALLER_ADMIN; caller++)
		for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
			const struct call c = call_of(caller, op);
			const int want = is_needed(caller, op) ? 0 : -EPERM;

			/* The signer keeps no password but a better hash of the same. */
			if (caller == CALLER_SIGNER && op == STORE_OP_ACCOUNT_PASSWORD)
				continue;
			if (ask(&c) != want)
				fail_msg("%s, %s: %d", rights_name(caller), op_find(op)->name,
					ask(&c));
		}
}

static void test_all_or_nothing(void **state)
{
	(void)state;
	for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
		struct call c = call_of(CALLER_ADMIN, op);

		assert_int_equal(ask(&c), 0);
		c.caller = CALLER_ALL;
		assert_int_equal(ask(&c), 0);
		c.caller = CALLER_NOBODY;
		assert_int_equal(ask(&c), -EPERM);
		c.caller = CALLER_ALL + 1;
		assert_int_equal(ask(&c), -EPERM);
	}
	assert_int_equal(rights_check(CALLER_ADMIN, PID, STORE_OP_COUNT, "", NULL), -EPERM);
}

/* -- arguments --------------------------------------------------------------------------------- */

static const enum keeper_caller makers[] = {CALLER_FTPD, CALLER_CHATD, CALLER_CAD, CALLER_SIGNER};

static void test_sign_up(void **state)
{
	const size_t count = sizeof(makers) / sizeof(makers[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct call good = call_of(makers[i], STORE_OP_ACCOUNT_CREATE);
		struct call c = good;

		c.a.create.flags = ACCOUNT_ADMIN;
		assert_int_equal(ask(&c), -EPERM);
		c.a.create.flags = ACCOUNT_HOST;
		assert_int_equal(ask(&c), -EPERM);
		c = good;
		c.a.create.admin_act = true;
		assert_int_equal(ask(&c), -EPERM);
		c = good;
		SAY(c.a.create.service, "quintetctl");
		assert_int_equal(ask(&c), -EPERM);
		c = good;
		c.house.sign_up = "closed";
		assert_int_equal(ask(&c), -EPERM);
		c.house.sign_up = "open";
		assert_int_equal(ask(&c), 0);
		c.a.create.need_invite = false;
		assert_int_equal(ask(&c), 0);
		c.house.sign_up = "invite";
		assert_int_equal(ask(&c), -EPERM);
		c.house.sign_up = "";
		assert_int_equal(ask(&c), -EPERM);
	}
}

/* The audit table says that the administrator did it when he did. */
static void test_by(void **state)
{
	struct call c = call_of(CALLER_CAD, STORE_OP_CERT_REVOKE);

	(void)state;
	assert_int_equal(ask(&c), 0);
	SAY(c.a.revoke.by, "quintetctl");
	assert_int_equal(ask(&c), -EPERM);
	c.caller = CALLER_ADMIN;
	assert_int_equal(ask(&c), 0);
	SAY(c.a.revoke.account, "quintet"); /* the services' own */
	assert_int_equal(ask(&c), 0);
	c.caller = CALLER_CAD;
	SAY(c.a.revoke.by, "quintet");
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_FTPD, STORE_OP_ACCOUNT_CREATE);
	SAY(c.a.create.peer, "quintetctl");
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_CAD, STORE_OP_ACCOUNT_PASSWORD);
	SAY(c.a.password.peer, "quintetctl");
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_MAILD, STORE_OP_AUDIT_APPEND);
	SAY(c.a.audit.by, "quintetctl");
	assert_int_equal(ask(&c), -EPERM);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", "Alice", "1alice", "a b", "a/b", "a\n", "root",
		"quintet-x", "example", "localhost", "*1"};
	struct call c = call_of(CALLER_FTPD, STORE_OP_ACCOUNT_CREATE);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SAY(c.a.create.name, "%s", bad[i]);
		if (ask(&c) != -EPERM)
			fail_msg("'%s' may be made", bad[i]);
	}
}

static void test_password(void **state)
{
	struct call c = call_of(CALLER_CAD, STORE_OP_ACCOUNT_PASSWORD);

	(void)state;
	assert_int_equal(ask(&c), 0);
	SAY(c.a.password.service, "quintetctl");
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_SIGNER, STORE_OP_ACCOUNT_PASSWORD);
	assert_int_equal(ask(&c), -EPERM);
	c.a.password.only_rehash = true;
	assert_int_equal(ask(&c), 0);
	c = call_of(CALLER_MAILD, STORE_OP_ACCOUNT_PASSWORD);
	c.a.password.only_rehash = true;
	assert_int_equal(ask(&c), -EPERM);
}

static void test_log_ins(void **state)
{
	struct call c = call_of(CALLER_MAILD, STORE_OP_AUDIT_APPEND);

	(void)state;
	SAY(c.a.audit.detail, "ftpd: wrong password");
	assert_int_equal(ask(&c), -EPERM);
	SAY(c.a.audit.detail, "maildx: wrong password");
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_MAILD, STORE_OP_AUDIT_APPEND);
	SAY(c.a.audit.event, "account-create");
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_MAILD, STORE_OP_THROTTLE_CLEAR);
	c.a.throttle.keys[1].kind = THROTTLE_SOURCE;
	assert_int_equal(ask(&c), 0); /* not one of those counted */
	c.a.throttle.count = 2;
	assert_int_equal(ask(&c), -EPERM);
}

static void test_sessions(void **state)
{
	struct call c = call_of(CALLER_FTPD, STORE_OP_SESSION_ADD);

	(void)state;
	c.a.session.pid++;
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_FTPD, STORE_OP_SESSION_UPDATE);
	c.a.session.since_us = INT64_MAX;
	assert_int_equal(ask(&c), -EPERM);
	for (enum keeper_caller caller = CALLER_DAYTIMED; caller < CALLER_ADMIN; caller++)
		for (size_t i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++) {
			c = call_of(caller, of_all[i]);
			c.caller = caller == CALLER_CHATD ? CALLER_MAILD : CALLER_CHATD;
			assert_int_equal(ask(&c), -EPERM);
		}
}

static void test_others(void **state)
{
	struct call c = call_of(CALLER_CAD, STORE_OP_CERT_REVOKE);

	(void)state;
	c.a.revoke.account[0] = '\0';
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_FTPD, STORE_OP_FILE_RESERVE);
	c.a.reserve.pid++;
	assert_int_equal(ask(&c), -EPERM);
	c.a.reserve.bytes = 0;
	assert_int_equal(ask(&c), 0);
	for (enum store_op op = STORE_OP_CHAT_ATTACH; op <= STORE_OP_CHAT_ANNOUNCE; op++) {
		c = call_of(CALLER_CHATD, op);
		c.a.by.session = 0;
		assert_int_equal(ask(&c), -EPERM);
	}
}

static void test_time(void **state)
{
	struct call c = call_of(CALLER_CHATD, STORE_OP_CHAT_POST);

	(void)state;
	c.a.by.now_us += INT64_C(3600) * 1000000;
	assert_int_equal(ask(&c), -EPERM);
	c.a.by.now_us = INT64_MIN;
	assert_int_equal(ask(&c), -EPERM);
	c = call_of(CALLER_FTPD, STORE_OP_ACCOUNT_CREATE);
	c.a.create.now_us = 0;
	assert_int_equal(ask(&c), -EPERM);
	c.caller = CALLER_ADMIN;
	assert_int_equal(ask(&c), 0);
}

/* -- who it is --------------------------------------------------------------------------------- */

static void test_callers(void **state)
{
	struct keeper_users u = {.one = false};
	struct ucred peer = {.pid = PID, .uid = 1000};

	(void)state;
	for (enum keeper_caller c = CALLER_NOBODY; c < CALLER_ALL; c++)
		u.of[c] = (uid_t)-1;
	u.of[CALLER_FTPD] = 1001;
	u.of[CALLER_ADMIN] = 1002;
	u.of[CALLER_MAILD] = 65534;
	assert_int_equal(rights_caller(&u, &peer), CALLER_NOBODY);
	peer.uid = 1001;
	assert_int_equal(rights_caller(&u, &peer), CALLER_FTPD);
	peer.uid = 1002;
	assert_int_equal(rights_caller(&u, &peer), CALLER_ADMIN);
	peer.uid = 0;
	assert_int_equal(rights_caller(&u, &peer), CALLER_ADMIN);
	peer.uid = 65534;
	assert_int_equal(rights_caller(&u, &peer), CALLER_NOBODY);
	peer.uid = (uid_t)-1;
	assert_int_equal(rights_caller(&u, &peer), CALLER_NOBODY);
	peer.uid = 1001;
	peer.pid = 0; /* of another PID namespace */
	assert_int_equal(rights_caller(&u, &peer), CALLER_NOBODY);
}

static void test_one_user(void **state)
{
	struct keeper_users u;
	struct ucred peer = {.pid = PID, .uid = geteuid()};

	(void)state;
	rights_users("", &u);
	assert_true(u.one);
	assert_int_equal(rights_caller(&u, &peer), CALLER_ALL);
	peer.uid = 4242;
	assert_int_equal(rights_caller(&u, &peer), CALLER_NOBODY);
	rights_users("root", &u);
	assert_false(u.one);
	assert_int_equal(u.of[CALLER_ADMIN], 0);
	rights_users("nobody-has-this-name", &u);
	assert_int_equal(u.of[CALLER_ADMIN], (uid_t)-1);
}

static void test_callers_names(void **state)
{
	(void)state;
	for (enum keeper_caller c = CALLER_DAYTIMED; c < CALLER_ADMIN; c++)
		assert_string_equal(rights_name(c), needs[c].session);
	assert_string_equal(rights_name(CALLER_ADMIN), "quintetctl");
	assert_string_equal(rights_name(CALLER_ALL + 1), "nobody");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_sign_up),
		cmocka_unit_test(test_by),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_log_ins),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_callers),
		cmocka_unit_test(test_one_user),
		cmocka_unit_test(test_callers_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
