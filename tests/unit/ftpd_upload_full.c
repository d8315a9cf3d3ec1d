/* A disk that becomes full in the middle of an upload: a small tmpfs, where one can be mounted. */
#include "store/policy.h"
#include "tests/unit/lib/store_fixture.h"

#include "services/ftpd/tree.h"
#include "services/ftpd/upload.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { PIECE = 100000 };

static unsigned char bulk[PIECE];

/* In the child a failed assertion would go on in the parent's tests. */
#define expect(condition)                                                   \
	do {                                                                \
		if (!(condition)) {                                         \
			print_error("line %d: %s\n", __LINE__, #condition); \
			_exit(1);                                           \
		}                                                           \
	} while (0)

static void set_keep_free(struct store *s, const char *value)
{
	struct policy_set_args args = {
		.name = "files_keep_free", .now_us = FIXTURE_NOW, .by = "test"};

	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	expect(store_call(s, STORE_OP_POLICY_SET, &args, NULL) == 0);
}

/* Pieces until something is refused; what it was. */
static int fill(struct tree *t, const char *path, struct upload **ret)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	int r = upload_new(t, &request, ret);

	while (r == 0)
		r = upload_write(*ret, span_of(bulk, sizeof(bulk)));
	return r;
}

static int put_small(struct tree *t, const char *path)
{
	const struct upload_request request = {.how = UPLOAD_REPLACE, .path = path};
	struct upload *u = NULL;
	struct ftp_entry e;
	int r = upload_new(t, &request, &u);

	if (r == 0)
		r = upload_write(u, span_of(bulk, 10));
	if (r == 0)
		r = upload_commit(u, &e);
	upload_end(u, false);
	return r;
}

static void fill_disk(struct store *s, struct tree *t)
{
	struct upload *u = NULL;
	struct ftp_entry e;
	uint64_t room = 0, size = 0;

	expect(put_small(t, "/shared/a") == 0);
	/* To the last byte. */
	set_keep_free(s, "0");
	expect(fill(t, "/shared/a", &u) == -ENOSPC);
	expect(upload_commit(u, &e) == -ENOSPC);
	upload_end(u, false);
	expect(tree_stat(t, "/shared/a", &e) == 0 && e.size == 10 && e.has_digest);
	expect(put_small(t, "/shared/b") == 0);
	/* With some of it kept free, in which the rest of the house goes on. */
	set_keep_free(s, "2M");
	expect(fill(t, "/shared/a", &u) == -ENOSPC);
	expect(tree_available(t, "/shared", &room) == 0 && room < 2 * PIECE);
	set_keep_free(s, "1M");
	expect(put_small(t, "/shared/b") == 0);
	set_keep_free(s, "2M");
	/* What came can be continued when there is room again. */
	upload_end(u, true);
	expect(upload_partial(t, "/shared/a", &size) == 0 && size > PIECE && size % PIECE == 0);
	expect(upload_drop(t, "/shared/a") == 0);
	expect(put_small(t, "/shared/a") == 0);
}

static void small_disk(const char *dir)
{
	struct store *s = NULL;
	struct tree *t = NULL;
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/state", dir);
	expect(store_open(path, STORE_CREATE, &s) == 0);
	expect(tree_open(path, &t) == 0);
	set_keep_free(s, "0");
	expect(tree_log_in(t, s, "alice", false) == 0);
	fill_disk(s, t);
	expect(store_check(s, NULL, NULL) == 0);
	tree_free(t);
	store_close(s);
}

static void test_disk_full(void **state)
{
	(void)state;
	fixture_small_disk("size=6m", small_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
