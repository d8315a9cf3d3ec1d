/* Arguments as bytes: nothing is forgotten, nothing is believed. */
#include "store/shape.h"

#include "store/audit.h"
#include "store/blob.h"
#include "store/cert.h"
#include "store/chat_i.h"
#include "store/file.h"
#include "store/mail_i.h"
#include "store/policy.h"
#include "store/session.h"
#include "store/throttle.h"
#include "tests/unit/lib/shape_fill.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* -- nothing is forgotten ---------------------------------------------------------------------- */

/* Bytes of a type that are no padding: 0xff. Compilers that cannot tell give nothing. */
#if defined(__GNUC__) && !defined(__clang__)
#define MASK_OF(type)                                  \
	static void mask_of_##type(unsigned char *ret) \
	{                                              \
		struct type x;                         \
                                                       \
		memset(&x, 0xff, sizeof(x));           \
		__builtin_clear_padding(&x);           \
		memcpy(ret, &x, sizeof(x));            \
	}
#else
#define MASK_OF(type) static void (*const mask_of_##type)(unsigned char *ret) = NULL;
#endif

/* Every struct that has a shape: those of operations, then those in them. */
#define ALL_TYPES(X)             \
	X(account_create_args)   \
	X(account_password_args) \
	X(account_flags_args)    \
	X(account_remove_args)   \
	X(invite)                \
	X(cmp_ref)               \
	X(cmp_consume_args)      \
	X(cert)                  \
	X(cert_issued_args)      \
	X(cert_revoke_args)      \
	X(ca)                    \
	X(crl_put_args)          \
	X(audit_row)             \
	X(audit_close_args)      \
	X(throttle_args)         \
	X(session_row)           \
	X(session_remove_args)   \
	X(bell_args)             \
	X(policy_set_args)       \
	X(blob_sealed)           \
	X(file_put_args)         \
	X(file_remove_args)      \
	X(file_rename_args)      \
	X(file_note_args)        \
	X(file_reserve_args)     \
	X(partial_args)          \
	X(chat_attach_args)      \
	X(chat_detach_args)      \
	X(chat_seen_args)        \
	X(chat_login_args)       \
	X(chat_nick_args)        \
	X(chat_user_args)        \
	X(chat_join_args)        \
	X(chat_part_args)        \
	X(chat_kick_args)        \
	X(chat_invite_args)      \
	X(chat_topic_args)       \
	X(chat_rename_args)      \
	X(chat_mode_args)        \
	X(chat_post_args)        \
	X(chat_redact_args)      \
	X(chat_mark_args)        \
	X(chat_meta_args)        \
	X(chat_announce_args)    \
	X(chat_drop_args)        \
	X(chat_sweep)            \
	X(mail_open_args)        \
	X(mail_create_args)      \
	X(mail_delete_args)      \
	X(mail_rename_args)      \
	X(mail_subscribe_args)   \
	X(mail_deliver_args)     \
	X(mail_append_args)      \
	X(mail_copy_args)        \
	X(mail_flags_args)       \
	X(mail_expunge_args)     \
	X(mail_recent_args)      \
	X(mail_receipt_args)     \
	X(mail_shown_args)       \
	X(mail_prefs_args)       \
	X(mail_sweep)            \
	X(sweep_args)            \
	X(chat_post)             \
	X(chat_change)           \
	X(throttle_key)          \
	X(mail_append_item)      \
	X(span)

ALL_TYPES(MASK_OF)

#define ROW_OF(type) {"struct " #type, sizeof(struct type), mask_of_##type},
static const struct type_row {
	const char *name;
	size_t size;
	void (*mask)(unsigned char *ret);
} types[] = {ALL_TYPES(ROW_OF)};

static const struct type_row *find_type(const struct shape *s)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, s->name) == 0)
			return &types[i];
	return NULL;
}

static void cover(unsigned char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(at[i], 0); /* no byte belongs to two fields */
		at[i] = 0xff;
	}
}

static void cover_struct(const struct shape *s, unsigned char *at)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct shape_field *f = &s->fields[i];

		assert_true(f->offset + f->size <= s->size);
		if (f->kind == SHAPE_STRUCT)
			cover_struct(f->of, at + f->offset);
		else if (f->kind == SHAPE_ARRAY)
			for (size_t n = 0; n < f->size / f->of->size; n++)
				cover_struct(f->of, at + f->offset + n * f->of->size);
		else
			cover(at + f->offset, f->size);
		if (f->kind == SHAPE_ARRAY || f->kind == SHAPE_LIST)
			cover(at + f->count, sizeof(size_t));
	}
}

/* GCC 12 errs about structs with long arrays of structs: their gaps may be no longer than what the
 * next member's alignment needs. */
static bool has_array(const struct shape *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->fields[i].kind == SHAPE_ARRAY)
			return true;
	return false;
}

static void check_gaps(const struct shape *s, const unsigned char *covered)
{
	size_t start = 0;

	for (size_t i = 0; i <= s->size; i++) {
		if (i < s->size && covered[i] == 0)
			continue;
		if (i > start && (i % 2 != 0 || i > (start + 7) / 8 * 8))
			fail_msg("%s: bytes %zu to %zu have no field", s->name, start, i);
		start = i + 1;
	}
}

static void check_mask(const struct shape *s, const struct type_row *type,
	const unsigned char *covered, unsigned char *mask)
{
	assert_int_equal(type->size, s->size);
	type->mask(mask);
	for (size_t i = 0; i < s->size; i++)
		if (covered[i] != mask[i])
			fail_msg("%s: byte %zu %s", s->name, i,
				mask[i] == 0 ? "is padding" : "has no field");
}

/* A struct that got another member has bytes that no field knows of. */
static void check_cover(const struct shape *s)
{
	const struct type_row *type = find_type(s);
	unsigned char *covered = calloc(1, s->size), *mask = calloc(1, s->size);

	assert_non_null(covered);
	assert_non_null(mask);
	cover_struct(s, covered);
	check_gaps(s, covered);
	if (type != NULL && type->mask != NULL && !has_array(s))
		check_mask(s, type, covered, mask);
	free(covered);
	free(mask);
	for (size_t i = 0; i < s->count; i++)
		if (s->fields[i].of != NULL)
			check_cover(s->fields[i].of);
}

/* Shapes of what is no struct: one field, the whole of it. */
static bool is_plain(const struct shape *s)
{
	return s->count == 1 && s->fields[0].offset == 0 && s->fields[0].size == s->size;
}

static void check_known(const struct shape *s)
{
	if (find_type(s) == NULL && !is_plain(s))
		fail_msg("%s is not among this test's types", s->name);
	for (size_t i = 0; i < s->count; i++)
		if (s->fields[i].kind == SHAPE_LIST || s->fields[i].kind == SHAPE_ARRAY)
			check_known(s->fields[i].of);
}

static void test_cover(void **state)
{
	(void)state;
	for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
		const struct shape *s = shape_find(op);

		if (s == NULL)
			fail_msg("%s has no shape", op_find(op)->name);
		assert_int_equal(s->size, op_find(op)->args_size);
		check_known(s);
		check_cover(s);
	}
	assert_null(shape_find(STORE_OP_COUNT));
}

/* -- there and back ---------------------------------------------------------------------------- */

static void check_round(struct shape_fill *f, enum store_op op, const void *args)
{
	struct shape_arena arena = {NULL};
	struct buf b = BUF_INIT(SHAPE_MESSAGE_MAX), again = BUF_INIT(SHAPE_MESSAGE_MAX);
	const char *field = NULL;
	void *taken = NULL;

	(void)f;
	assert_int_equal(shape_put(op, args, &b), 0);
	assert_int_equal(shape_take(op, buf_span(&b), &arena, &taken), 0);
	if (!shape_same(shape_find(op), args, taken, &field))
		fail_msg("%s: %s is another", op_find(op)->name, field);
	assert_int_equal(shape_put(op, taken, &again), 0);
	assert_true(span_eq(buf_span(&b), buf_span(&again)));
	shape_done(&arena);
	buf_done(&b);
	buf_done(&again);
}

static void test_round(void **state)
{
	struct shape_fill f = {
		.state = (uint64_t)time(NULL) | 1, .span_max = 3000, .list_max = 300};

	(void)state;
	print_message("seed %llu\n", (unsigned long long)f.state);
	for (unsigned i = 0; i < 40; i++)
		for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
			check_round(&f, op, shape_fill(&f, op));
			shape_done(&f.arena);
		}
}

/* What is not said is another thing than what is empty. */
static void test_nothing(void **state)
{
	struct chat_meta_args meta = {.by = {.session = 7, .who = "alice"},
		.key = SPAN_LIT("avatar"),
		.value = SPAN_LIT("")};
	struct mail_expunge_args expunge = {.account = "alice", .count = 99};
	struct shape_arena arena = {NULL};
	struct buf b = BUF_INIT(1024);
	void *taken = NULL;

	(void)state;
	assert_int_equal(shape_put(STORE_OP_CHAT_META, &meta, &b), 0);
	assert_int_equal(shape_take(STORE_OP_CHAT_META, buf_span(&b), &arena, &taken), 0);
	assert_non_null(((struct chat_meta_args *)taken)->value.p);
	assert_string_equal(((struct chat_meta_args *)taken)->by.who, "alice");
	assert_null(((struct chat_meta_args *)taken)->channel.p);
	buf_reset(&b);
	meta.value.p = NULL;
	meta.by.who = NULL;
	assert_int_equal(shape_put(STORE_OP_CHAT_META, &meta, &b), 0);
	assert_int_equal(shape_take(STORE_OP_CHAT_META, buf_span(&b), &arena, &taken), 0);
	assert_null(((struct chat_meta_args *)taken)->value.p);
	assert_null(((struct chat_meta_args *)taken)->by.who);
	buf_reset(&b);
	assert_int_equal(shape_put(STORE_OP_MAIL_EXPUNGE, &expunge, &b), 0);
	assert_int_equal(shape_take(STORE_OP_MAIL_EXPUNGE, buf_span(&b), &arena, &taken), 0);
	assert_null(((struct mail_expunge_args *)taken)->uids);
	assert_int_equal(((struct mail_expunge_args *)taken)->count, 0);
	shape_done(&arena);
	buf_done(&b);
}

/* -- nothing is believed ----------------------------------------------------------------------- */

/* A block of just that size, so that the sanitizer sees a read behind its end. */
static int take(enum store_op op, struct span bytes)
{
	struct shape_arena arena = {NULL};
	unsigned char *exact = malloc(bytes.len);
	void *taken = NULL;
	int rc;

	assert_true(exact != NULL || bytes.len == 0);
	if (bytes.len > 0)
		memcpy(exact, bytes.p, bytes.len);
	rc = shape_take(op, span_of(exact, bytes.len), &arena, &taken);
	shape_done(&arena);
	free(exact);
	return rc;
}

static void test_length(void **state)
{
	struct shape_fill f = {.state = 12345, .span_max = 40, .list_max = 3};

	(void)state;
	for (enum store_op op = 0; op < STORE_OP_COUNT; op++) {
		struct buf b = BUF_INIT(SHAPE_MESSAGE_MAX);

		assert_int_equal(shape_put(op, shape_fill(&f, op), &b), 0);
		for (size_t len = 0; len < b.len; len++)
			assert_int_equal(take(op, span_of(b.p, len)), -EBADMSG);
		assert_int_equal(take(op, buf_span(&b)), 0);
		buf_add_byte(&b, 0);
		assert_int_equal(take(op, buf_span(&b)), -EBADMSG);
		buf_done(&b);
		shape_done(&f.arena);
	}
	assert_int_equal(take(STORE_OP_COUNT, SPAN_LIT("")), -EBADMSG);
}

/* Bytes of valid arguments, of which some at `at` become others. */
static int take_bent(enum store_op op, const void *args, size_t at, struct span with)
{
	struct buf b = BUF_INIT(SHAPE_MESSAGE_MAX);
	int rc;

	assert_int_equal(shape_put(op, args, &b), 0);
	assert_true(at + with.len <= b.len);
	memcpy(b.p + at, with.p, with.len);
	rc = take(op, buf_span(&b));
	buf_done(&b);
	return rc;
}

static void test_values(void **state)
{
	const struct mail_prefs_args prefs = {.account = "abc"};
	const struct account_flags_args flags = {.name = "abc"};
	const struct throttle_args throttle = {
		.keys = {{.kind = THROTTLE_SOURCE, .len = 1}}, .count = 1};
	const enum store_op p = STORE_OP_MAIL_PREFS, a = STORE_OP_ACCOUNT_FLAGS,
			    t = STORE_OP_THROTTLE_FAIL;

	(void)state;
	/* length, "abc", receipts, hidden */
	assert_int_equal(take_bent(p, &prefs, 11, SPAN_LIT("\1")), 0);
	assert_int_equal(take_bent(p, &prefs, 11, SPAN_LIT("\2")), -EBADMSG);
	assert_int_equal(take_bent(p, &prefs, 7, SPAN_LIT("\0\0\0\2")), 0);
	assert_int_equal(take_bent(p, &prefs, 7, SPAN_LIT("\0\0\0\3")), -EBADMSG);
	assert_int_equal(take_bent(p, &prefs, 7, SPAN_LIT("\xff\xff\xff\xff")), -EBADMSG);
	assert_int_equal(take_bent(p, &prefs, 5, SPAN_LIT("\0")), -EBADMSG);
	assert_int_equal(take_bent(p, &prefs, 0, SPAN_LIT("\xff\xff\xff\xff")), -EBADMSG);
	/* length, "abc", set */
	assert_int_equal(take_bent(a, &flags, 7, SPAN_LIT("\0\0\0\x0f")), 0);
	assert_int_equal(take_bent(a, &flags, 7, SPAN_LIT("\0\0\0\x10")), -EBADMSG);
	/* count, kind, the key's bytes, their length */
	assert_int_equal(take_bent(t, &throttle, 0, SPAN_LIT("\0\0\0\3")), -EBADMSG);
	assert_int_equal(take_bent(t, &throttle, 0, SPAN_LIT("\xff\xff\xff\xff")), -EBADMSG);
	assert_int_equal(take_bent(t, &throttle, 4, SPAN_LIT("\0\0\0\0")), -EBADMSG);
	assert_int_equal(
		take_bent(t, &throttle, 8 + THROTTLE_KEY_MAX, SPAN_LIT("\0\0\0\0\0\0\0\x28")), 0);
	assert_int_equal(
		take_bent(t, &throttle, 8 + THROTTLE_KEY_MAX, SPAN_LIT("\0\0\0\0\0\0\0\x29")),
		-EBADMSG);
}

/* A name's whole array, and one byte more than that. */
static void test_text(void **state)
{
	struct buf b = BUF_INIT(256);
	unsigned char name[ACCOUNT_NAME_SIZE + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	for (size_t len = ACCOUNT_NAME_SIZE - 1; len <= sizeof(name); len++) {
		buf_add_u32(&b, (uint32_t)len);
		buf_add(&b, span_of(name, len));
		buf_add_u64(&b, 1);
		assert_int_equal(take(STORE_OP_MAIL_SHOWN, buf_span(&b)),
			len == ACCOUNT_NAME_SIZE - 1 ? 0 : -EBADMSG);
		buf_reset(&b);
	}
	buf_done(&b);
}

/* session, who, now, source; nick */
static void test_string(void **state)
{
	const struct chat_nick_args args = {.by = {.who = "abc"}};

	(void)state;
	assert_int_equal(take_bent(STORE_OP_CHAT_NICK, &args, 12, SPAN_LIT("xyz")), 0);
	assert_int_equal(take_bent(STORE_OP_CHAT_NICK, &args, 12, SPAN_LIT("x\0z")), -EBADMSG);
	assert_int_equal(take_bent(STORE_OP_CHAT_NICK, &args, 15, SPAN_LIT("z")), -EBADMSG);
	/* A length of 0 has no room for the end. */
	assert_int_equal(take_bent(STORE_OP_CHAT_NICK, &args, 8, SPAN_LIT("\0\0\0\0")), -EBADMSG);
}

/* What could not be read is not written. */
static void test_put(void **state)
{
	struct chat_nick_args nick = {.by = {.who = "abc"}, .nick = {NULL, 1}};
	struct mail_copy_args copy = {.account = "abc", .count = MAIL_BATCH_MAX + 1};
	struct mail_shown_args shown = {.id = 1};
	struct mail_prefs_args prefs = {.account = "abc"};
	struct account_flags_args flags = {.set = 1U << 31};
	struct throttle_args throttle = {.count = 3};
	uint32_t *uids = calloc(MAIL_BATCH_MAX + 1, sizeof(*uids));
	struct buf b = BUF_INIT(SHAPE_MESSAGE_MAX), small = BUF_INIT(8);
	const unsigned many = 7;

	(void)state;
	assert_non_null(uids);
	assert_int_equal(shape_put(STORE_OP_CHAT_NICK, &nick, &b), -EINVAL);
	nick.nick = span_of("", CHAT_TEXT_MAX + 1);
	assert_int_equal(shape_put(STORE_OP_CHAT_NICK, &nick, &b), -EINVAL);
	copy.uids = uids;
	assert_int_equal(shape_put(STORE_OP_MAIL_COPY, &copy, &b), -EINVAL);
	copy.count--;
	buf_reset(&b);
	assert_int_equal(shape_put(STORE_OP_MAIL_COPY, &copy, &b), 0);
	memset(shown.account, 'x', sizeof(shown.account));
	assert_int_equal(shape_put(STORE_OP_MAIL_SHOWN, &shown, &b), -EINVAL);
	memcpy(&prefs.prefs.receipts, &many, sizeof(many));
	assert_int_equal(shape_put(STORE_OP_MAIL_PREFS, &prefs, &b), -EINVAL);
	assert_int_equal(shape_put(STORE_OP_ACCOUNT_FLAGS, &flags, &b), -EINVAL);
	assert_int_equal(shape_put(STORE_OP_THROTTLE_FAIL, &throttle, &b), -EINVAL);
	assert_int_equal(shape_put(STORE_OP_COUNT, &shown, &b), -EINVAL);
	shown.account[0] = '\0';
	assert_int_equal(shape_put(STORE_OP_MAIL_SHOWN, &shown, &small), -EINVAL);
	buf_done(&small);
	buf_done(&b);
	free(uids);
}

/* Many small things may not add up to more than a message. */
static void test_message_max(void **state)
{
	struct mail_append_item items[3];
	struct mail_append_args args = {.account = "alice", .items = items, .count = 1};
	unsigned char *bytes = calloc(1, MAIL_STRUCTURE_MAX);
	struct buf b = BUF_INIT((size_t)2 * SHAPE_MESSAGE_MAX);

	(void)state;
	assert_non_null(bytes);
	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < 3; i++)
		items[i].body.structure = span_of(bytes, MAIL_STRUCTURE_MAX);
	assert_int_equal(shape_put(STORE_OP_MAIL_APPEND, &args, &b), 0);
	assert_int_equal(take(STORE_OP_MAIL_APPEND, buf_span(&b)), 0);
	args.count = 3;
	buf_reset(&b);
	assert_int_equal(shape_put(STORE_OP_MAIL_APPEND, &args, &b), -EINVAL);
	buf_done(&b);
	free(bytes);
}

/* -- the time, the version --------------------------------------------------------------------- */

static void test_timely(void **state)
{
	struct mail_receipt_args deep = {.deliver = {.now_us = 1000}};
	struct chat_nick_args first = {.by = {.now_us = 1000}};
	const struct mail_shown_args none = {.id = 1};

	(void)state;
	assert_true(shape_is_timely(STORE_OP_MAIL_RECEIPT, &deep, 1000, 0));
	assert_true(shape_is_timely(STORE_OP_MAIL_RECEIPT, &deep, 1010, 10));
	assert_false(shape_is_timely(STORE_OP_MAIL_RECEIPT, &deep, 1011, 10));
	assert_false(shape_is_timely(STORE_OP_MAIL_RECEIPT, &deep, 989, 10));
	assert_false(shape_is_timely(STORE_OP_CHAT_NICK, &first, 0, 10));
	first.by.now_us = INT64_MIN;
	assert_false(shape_is_timely(STORE_OP_CHAT_NICK, &first, 1000, 10));
	assert_true(shape_is_timely(STORE_OP_MAIL_SHOWN, &none, 1000, 0));
	assert_false(shape_is_timely(STORE_OP_COUNT, &none, 1000, 0));
}

static void test_version(void **state)
{
	(void)state;
	assert_true(shape_version() != 0);
	assert_true(shape_version() == shape_version());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cover),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_message_max),
		cmocka_unit_test(test_timely),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
