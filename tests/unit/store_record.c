/*
 * Records: a store with a row in every table; each decodes whole, at no shorter and no greater
 * length, and under no other version or damaged key.
 */
#include "store/blob.h"
#include "store/file.h"
#include "store/policy.h"
#include "store/row.h"
#include "store/session.h"
#include "store/store_i.h"
#include "store/throttle.h"
#include "tests/unit/lib/mail_acts.h"
#include "tests/unit/lib/mail_boxes.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void call(struct store *s, enum store_op op, const void *args)
{
	assert_int_equal(store_call(s, op, args, NULL), 0);
}

/* Every table gets a row. */
static void fill_authority(struct store *s)
{
	const struct ca ca = {.id = 0, .der = SPAN_LIT("root"), .ocsp_der = SPAN_LIT("o")};
	const struct crl_put_args crl = {.ca_id = 1, .number = 1, .der = SPAN_LIT("crl")};
	struct cert_revoke_args v = {.by = "x"};

	fixture_cert(s, "ada", 1, FIXTURE_NOW + FIXTURE_DAY);
	fixture_serial(1, v.serial);
	call(s, STORE_OP_CERT_REVOKE, &v);
	call(s, STORE_OP_CA_PUT, &ca);
	call(s, STORE_OP_CRL_PUT, &crl);
}

static void fill_files(struct store *s)
{
	static char path[FILE_PATH_MAX] = "/shared/";
	struct file_put_args f = {.path = SPAN_LIT("/shared/f"), .row = {.owner = "ada"}};
	struct partial_args p = {.path = SPAN_LIT("/shared/p"),
		.partial = {.account = "ada", .temp = FILE_TEMP_PREFIX "1", .size = 1}};
	const struct file_reserve_args r = {.account = "ada", .id = 1, .bytes = 9, .pid = 1};

	call(s, STORE_OP_FILE_PUT, &f);
	call(s, STORE_OP_PARTIAL_PUT, &p);
	/* The longest path: a key that cannot hold it. */
	memset(path + 8, 'x', sizeof(path) - 8);
	f.path = p.path = span_of(path, sizeof(path));
	f.row.has_digest = true;
	call(s, STORE_OP_FILE_PUT, &f);
	call(s, STORE_OP_PARTIAL_PUT, &p);
	call(s, STORE_OP_FILE_RESERVE, &r);
}

static void fill_mail(struct store *s)
{
	const struct session_row r = {.pid = 1, .service = "maild", .account = "ada"};
	struct session_remove_args gone = {.service = "maild"};
	struct mail_flagging f = {.account = "ada",
		.uid = 1,
		.how = MAIL_FLAGS_ADD,
		.system = MAIL_SEEN,
		.keyword = "word"};
	struct mail_flags_result flags;
	struct mail_delivery d;
	struct mail_deliver_result done;

	mail_acts_receipts(s, "ada", MAIL_RECEIPTS_ALWAYS);
	mail_acts_delivery(&d, "ada", "ada", "text");
	d.a.track = d.a.body.asks = true;
	assert_int_equal(mail_acts_send(s, &d, &done), 0);
	assert_int_equal(mail_acts_deliver(s, "ada", "ada", "gone"), 0);
	f.box = mail_acts_box(s, "ada", "INBOX").id;
	assert_int_equal(mail_acts_flag(s, f, &flags), 0);
	assert_int_equal(mail_acts_expunge(s, "ada", f.box, 2), 0);
	assert_int_equal(boxes_delete(s, "ada", "Sent"), 0);
	assert_int_equal(store_call(s, STORE_OP_SESSION_ADD, &r, &gone.id), 0);
	call(s, STORE_OP_SESSION_REMOVE, &gone);
}

static void fill(struct store *s)
{
	const struct invite i = {.hash = {1}, .expires_us = FIXTURE_NOW, .uses_left = 1};
	const struct cmp_ref c = {.reference = "ref", .name = "zoe", .expires_us = FIXTURE_NOW};
	const struct throttle_args t = {.keys = {{THROTTLE_ACCOUNT, "ada", 3}}, .count = 1};
	const struct policy_set_args p = {.name = "signup", .value = "open", .by = "x"};
	const struct session_row r = {.pid = 1, .service = "cad", .peer = "192.0.2.1"};
	struct bell_args b = {.topic = "t", .bell = "b", .service = "cad", .session_id = 1};
	const struct account_remove_args gone = {.name = "ben"};
	struct blob_writer *w = NULL;
	struct blob_sealed sealed;

	fixture_account(s, "ada");
	fixture_account(s, "ben");
	call(s, STORE_OP_ACCOUNT_REMOVE, &gone);
	fill_authority(s);
	call(s, STORE_OP_INVITE_CREATE, &i);
	call(s, STORE_OP_CMP_CREATE, &c);
	call(s, STORE_OP_THROTTLE_FAIL, &t);
	call(s, STORE_OP_POLICY_SET, &p);
	call(s, STORE_OP_SESSION_ADD, &r);
	call(s, STORE_OP_BELL_ADD, &b);
	assert_int_equal(blob_begin(s, 100, &w), 0);
	assert_int_equal(blob_write(w, SPAN_LIT("body")), 0);
	assert_int_equal(blob_seal(w, &sealed), 0);
	call(s, STORE_OP_BLOB_PUT, &sealed);
	blob_end(w);
	fill_files(s);
	fill_mail(s);
}

/* A copy in memory of its own, so that reading one byte too far is seen. */
static int decode_copy(struct span key, struct span value, size_t key_len, size_t value_len)
{
	unsigned char *k = malloc(key_len + (key_len == 0)), *v = malloc(value_len + 1);
	unsigned char *exact = v == NULL ? NULL : v + 1; /* ends with the allocation */
	int rc;

	assert_true(k != NULL && v != NULL);
	memset(exact, 0, value_len);
	memcpy(k, key.p, key_len < key.len ? key_len : key.len);
	memcpy(exact, value.p, value_len < value.len ? value_len : value.len);
	rc = row_decode(span_of(k, key_len), span_of(exact, value_len));
	free(k);
	free(v);
	return rc;
}

/* Is this key's length free, since a name or index ends with it? */
static bool any_length(unsigned char table)
{
	return strchr("ATRaUHbBPsuFYyo6", table) != NULL;
}

/* Some rows have no version byte: counters and index rows. */
static bool has_version(struct span key)
{
	return strchr("aervBocJ2", key.p[0]) == NULL &&
		(key.p[0] != KEY_META || span_eq_str(span_of(key.p + 1, key.len - 1), "audit"));
}

static void check_row(struct span key, struct span value)
{
	unsigned char version[1];

	assert_int_equal(decode_copy(key, value, key.len, value.len), 0);
	if (key.p[0] == KEY_MAIL_STRUCTURE) /* kept as it was given */
		return;
	for (size_t len = 0; len < value.len; len++)
		assert_int_equal(decode_copy(key, value, key.len, len), -EBADMSG);
	assert_int_equal(decode_copy(key, value, key.len, value.len + 1), -EBADMSG);
	for (size_t len = 0; len < key.len; len++)
		if (len < 2 || !any_length(key.p[0]))
			assert_int_equal(decode_copy(key, value, len, value.len), -EBADMSG);
		else
			(void)decode_copy(key, value, len, value.len);
	if (!has_version(key))
		return;
	for (unsigned v = 0; v < 256; v++) {
		struct buf b = BUF_INIT(1 << 20);

		version[0] = (unsigned char)v;
		buf_add(&b, span_of(version, 1));
		buf_add(&b, span_of(value.p + 1, value.len - 1));
		assert_int_equal(row_decode(key, buf_span(&b)), v == value.p[0] ? 0 : -EBADMSG);
		buf_done(&b);
	}
}

static int look(struct store_txn *txn, void *arg)
{
	const struct span everything = {NULL, 0};
	struct kv_iter it = {0};
	struct span key, value;
	bool *seen = arg;
	int rc = kv_iter_open(txn, everything, everything, &it);

	while (rc == 0 && (rc = kv_iter_next(&it, &key, &value)) == 1) {
		check_row(key, value);
		seen[key.p[0]] = true;
		rc = 0;
	}
	kv_iter_done(&it);
	return rc;
}

static void test_every_table(void **state)
{
	static const char tables[] = "MATIRCaerZLvUHsbBPOFfukYyXoqcQhJz123456";
	struct store *s = ((struct store_fixture *)*state)->s;
	bool seen[256] = {false};

	fill(s);
	assert_int_equal(store_view(s, look, seen), 0);
	for (size_t i = 0; i < sizeof(tables) - 1; i++) {
		if (!seen[(unsigned char)tables[i]])
			print_error("no row in table %c\n", tables[i]);
		assert_true(seen[(unsigned char)tables[i]]);
	}
	/* Session 1 belongs to no process that matters here; the store is whole. */
	assert_int_equal(store_check(s, NULL, NULL), 0);
}

static void test_nonsense(void **state)
{
	(void)state;
	assert_int_equal(row_decode(span_of("", 0), span_of("", 0)), -EBADMSG);
	assert_int_equal(row_decode(SPAN_LIT("?"), SPAN_LIT("x")), -EBADMSG);
	assert_int_equal(row_decode(SPAN_LIT("Mother"), SPAN_LIT("12345678")), -EBADMSG);
	/* A blob that nobody refers to has no row. */
	assert_int_equal(row_decode(SPAN_LIT("O01234567890123456789012345678901"),
				 SPAN_LIT("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
		-EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_every_table, store_fixture_setup, store_fixture_teardown),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
