/* Backup while others write, restore, and what a damaged backup or store is answered with. */
#include "base/buf.h"
#include "base/hash.h"
#include "store/backup_i.h"
#include "store/blob.h"
#include "store/blob_i.h"
#include "store/row.h"
#include "store/session.h"
#include "store/store_i.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG = 100000 };

/* A blob of len bytes that are all n. */
static int put_blob(struct store *s, unsigned char n, size_t len, struct blob_sealed *ret)
{
	static unsigned char body[BIG];
	struct blob_writer *w = NULL;
	int rc = blob_begin(s, BIG, &w);

	memset(body, n, sizeof(body));
	if (rc == 0)
		rc = blob_write(w, span_of(body, len));
	if (rc == 0)
		rc = blob_seal(w, ret);
	if (rc == 0)
		rc = store_call(s, STORE_OP_BLOB_PUT, ret, NULL);
	blob_end(w);
	return rc;
}

static void write_text(const char *dir, const char *name, const char *text)
{
	char path[300];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *dir, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0750), 0);
}

static bool is_there(const char *dir, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* Writes and removes until it is killed. */
static int busy(struct store *s, void *arg)
{
	struct blob_sealed b;
	char name[ACCOUNT_NAME_SIZE];

	(void)arg;
	for (unsigned i = 0;; i++) {
		(void)snprintf(name, sizeof(name), "busy%u", i);
		fixture_account(s, name);
		fixture_cert(s, name, 1000 + i, FIXTURE_NOW + i);
		if (put_blob(s, (unsigned char)(i % 7), i % 2 == 0 ? 500 : BIG, &b) < 0)
			return 1;
		if (i % 3 == 0 && store_call(s, STORE_OP_BLOB_UNREF, b.id, NULL) < 0)
			return 1;
	}
}

static void fill(
	struct store_fixture *f, struct blob_sealed *ret_small, struct blob_sealed *ret_big)
{
	struct session_row r = {.pid = getpid(), .service = "cad"};
	struct bell_args b = {.topic = "t", .bell = "b", .service = "cad"};

	fixture_account(f->s, "ada");
	fixture_cert(f->s, "ada", 1, FIXTURE_NOW + FIXTURE_DAY);
	assert_int_equal(store_call(f->s, STORE_OP_SESSION_ADD, &r, &b.session_id), 0);
	assert_int_equal(store_call(f->s, STORE_OP_BELL_ADD, &b, NULL), 0);
	assert_int_equal(put_blob(f->s, 200, 777, ret_small), 0);
	assert_int_equal(put_blob(f->s, 201, BIG, ret_big), 0);
	make_folder(f->state, "files");
	make_folder(f->state, "files/deep");
	write_text(f->state, "files/readme", "hello");
	write_text(f->state, "files/deep/er", "world");
}

static int no_session(void *arg, const struct session_row *r)
{
	(void)arg;
	(void)r;
	return 1;
}

static void look_at_restored(
	const char *state, const struct blob_sealed *small, const struct blob_sealed *big)
{
	struct store *s = NULL;
	unsigned char serial[CERT_SERIAL_LEN], byte = 0;
	struct audit_row row;
	struct account a;
	struct stat st;
	char path[300];
	size_t n = 0;

	assert_int_equal(store_open(state, STORE_WRITE, &s), 0);
	assert_int_equal(store_check(s, NULL, NULL), 0);
	fixture_serial(1, serial);
	assert_int_equal(cert_check(s, serial, &a), 0);
	assert_string_equal(a.name, "ada");
	assert_int_equal(blob_read(s, small->id, 776, &byte, 1, &n), 0);
	assert_int_equal(byte, 200);
	assert_int_equal(blob_read(s, big->id, BIG - 1, &byte, 1, &n), 0);
	assert_int_equal(byte, 201);
	assert_int_equal(session_each(s, NULL, no_session, NULL), 0);
	assert_true(fixture_audit(s, &row) > 0);
	assert_string_equal(row.event, "restore");
	assert_true(is_there(state, "files/readme") && is_there(state, "files/deep/er"));
	(void)snprintf(path, sizeof(path), "%s/files/deep", state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	(void)snprintf(path, sizeof(path), "%s/store/data.mdb", state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	fixture_account(s, "after");
	store_close(s);
}

static void test_while_writing(void **state)
{
	struct store_fixture *f = *state;
	struct blob_sealed small, big;
	char backup[128], other[128];
	pid_t writer;

	fill(f, &small, &big);
	writer = fixture_fork(f, busy, NULL);
	for (int i = 0; i < 4; i++) {
		(void)usleep(50000);
		(void)snprintf(backup, sizeof(backup), "%s/backup%d", f->dir, i);
		(void)snprintf(other, sizeof(other), "%s/other%d", f->dir, i);
		assert_int_equal(store_backup(f->s, f->state, backup), 0);
		assert_int_equal(store_restore(backup, other), 0);
		look_at_restored(other, &small, &big);
	}
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(fixture_wait(writer), -SIGKILL);
	assert_int_equal(store_check(f->s, NULL, NULL), 0);
	assert_int_equal(store_backup(f->s, f->state, backup), -EEXIST);
	assert_int_equal(store_restore(backup, other), -EEXIST);
	assert_non_null(strstr(store_open_reason(), "holds a store already"));
}

/* -- damage ------------------------------------------------------------------------------------ */

static void flip(const char *dir, const char *name, off_t at)
{
	char path[300];
	unsigned char c = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

static void test_damaged_backup(void **state)
{
	struct store_fixture *f = *state;
	struct blob_sealed small, big;
	char backup[128], other[128], blob[100] = "blobs/", path[300], moved[128];

	(void)snprintf(moved, sizeof(moved), "%s/moved", f->dir);
	fill(f, &small, &big);
	blob_path(big.id, blob + 6);
	(void)snprintf(backup, sizeof(backup), "%s/backup", f->dir);
	(void)snprintf(other, sizeof(other), "%s/other", f->dir);
	assert_int_equal(store_backup(f->s, f->state, backup), 0);
	flip(backup, blob, 99);
	assert_int_equal(store_restore(backup, other), -EBADMSG);
	assert_non_null(strstr(store_open_reason(), "damaged"));
	assert_false(is_there(other, "store/data.mdb"));
	flip(backup, blob, 99);
	(void)snprintf(path, sizeof(path), "%s/%s", backup, blob);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(store_restore(backup, other), -EBADMSG);
	assert_non_null(strstr(store_open_reason(), "missing"));
	assert_int_equal(rename(moved, path), 0);
	flip(backup, BACKUP_MARK_NAME, 0);
	assert_int_equal(store_restore(backup, other), -EBADMSG);
	flip(backup, BACKUP_MARK_NAME, 0);
	assert_int_equal(
		store_restore(backup, other), 0); /* the second try finds nothing in its way */
	look_at_restored(other, &small, &big);
	assert_int_equal(store_restore("/nonexistent", other), -ENOENT);
}

static void note(void *arg, const char *what)
{
	(void)snprintf(arg, 700, "%s", what);
}

static void test_check_blob(void **state)
{
	struct store_fixture *f = *state;
	struct blob_sealed small, big;
	char blob[100] = "blobs/", what[700] = "", path[300];

	fill(f, &small, &big);
	blob_path(big.id, blob + 6);
	assert_int_equal(store_check(f->s, note, what), 0);
	assert_string_equal(what, "");
	flip(f->state, blob, 5);
	assert_int_equal(store_check(f->s, note, what), -EBADMSG);
	assert_non_null(strstr(what, "another digest"));
	(void)snprintf(path, sizeof(path), "%s/%s", f->state, blob);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_check(f->s, note, what), -EBADMSG);
	assert_non_null(strstr(what, "missing"));
}

static void change(struct store *s, const struct key *key, const char *value)
{
	struct store_txn *txn = NULL;

	assert_int_equal(kv_begin(s->env, true, 0, &txn), 0);
	if (value == NULL)
		assert_int_equal(row_del(txn, key), 0);
	else
		assert_int_equal(kv_put(txn, key_span(key), span_str(value)), 0);
	assert_int_equal(kv_commit(txn), 0);
}

/* Each fault alone, in a store that is otherwise whole. */
static void test_check_rows(void **state)
{
	struct store_fixture *f = *state;
	unsigned char serial[CERT_SERIAL_LEN], nobody[CERT_SERIAL_LEN] = {9};
	struct key key;
	struct {
		struct key key;
		const char *value, *says;
	} faults[9];
	char what[700];
	size_t n = 0;

	fixture_serial(1, serial);
	faults[n].key = key_account("ada");
	faults[n].value = "nonsense";
	faults[n++].says = "does not decode";
	faults[n].key = key_cert_account_row("ada", FIXTURE_NOW + FIXTURE_DAY, serial);
	faults[n].value = NULL;
	faults[n++].says = "not in the index of its account";
	faults[n].key = key_cert_expiry(FIXTURE_NOW + FIXTURE_DAY, serial);
	faults[n].value = NULL;
	faults[n++].says = "not in the index by expiry";
	faults[n].key = key_revoked_row(1, serial);
	faults[n].value = "";
	faults[n++].says = "state and the index of revocations";
	faults[n].key = key_cert_expiry(5, nobody);
	faults[n].value = "";
	faults[n++].says = "without its certificate";
	faults[n].key = key_cert_expiry(5, serial);
	faults[n].value = "";
	faults[n++].says = "differs from its certificate";
	faults[n].key = key_bell_session_row(1, "t", "b");
	faults[n].value = NULL;
	faults[n++].says = "that its session does not know";
	faults[n].key = key_bell_row("t", "b");
	faults[n].value = NULL;
	faults[n++].says = "that is not there";
	faults[n].key = key_session_row("cad", 1);
	faults[n].value = NULL;
	faults[n++].says = "without its session";
	for (size_t i = 0; i < n; i++) {
		struct blob_sealed small, big;
		void *fresh = NULL;

		assert_int_equal(store_fixture_setup(&fresh), 0);
		struct store_fixture *g = fresh;

		fill(g, &small, &big);
		assert_int_equal(store_check(g->s, NULL, NULL), 0);
		change(g->s, &faults[i].key, faults[i].value);
		what[0] = '\0';
		assert_int_equal(store_check(g->s, note, what), -EBADMSG);
		if (strstr(what, faults[i].says) == NULL)
			print_error("%s, not: %s\n", what, faults[i].says);
		assert_non_null(strstr(what, faults[i].says));
		assert_int_equal(store_fixture_teardown(&fresh), 0);
	}
	key = key_account("x");
	key.p[0] = '?'; /* no such table */
	change(f->s, &key, "");
	assert_int_equal(store_check(f->s, NULL, NULL), -EBADMSG);
}

static int backup_inside(struct store_txn *txn, void *arg)
{
	struct store_fixture *f = arg;

	(void)txn;
	return store_backup(f->s, f->state, "/tmp/quintet-never");
}

static void test_not_in_a_view(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(store_view(f->s, backup_inside, f), -EDEADLK);
}

#define with_store(t) \
	cmocka_unit_test_setup_teardown(t, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(test_while_writing),
		with_store(test_damaged_backup),
		with_store(test_check_blob),
		with_store(test_check_rows),
		with_store(test_not_in_a_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
