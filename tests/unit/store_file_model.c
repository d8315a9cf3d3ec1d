/*
 * Random sequences of operations on files, beside a plain model of what the store should then hold:
 * rows, partials, usage and the answer of each operation.
 */
#include "store/file.h"

#include "base/num.h"
#include "store/policy.h"
#include "tests/unit/lib/store_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS = 4000, ENTRIES = 256, LONG = 150, QUOTA = 20000 };

struct entry {
	bool used, partial;
	char path[FILE_PATH_MAX + 1], owner[ACCOUNT_NAME_SIZE];
	uint64_t size, inode;
	bool folder;
};

struct model {
	struct entry list[ENTRIES];
	uint64_t seed;
};

static const char *const names[] = {"ada", "ben", "cyd"};

static unsigned pick(struct model *m, unsigned n)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(m->seed >> 33) % n;
}

/* Paths that are beginnings of each other, short ones and ones that need a digest in the key. */
static void pick_path(struct model *m, char ret[FILE_PATH_MAX + 1])
{
	static const char *const parts[] = {"a", "ab", "a-b", "b", "\xc3\xa4"};
	char filler[LONG + 1];
	int len = snprintf(ret, FILE_PATH_MAX + 1, "/shared");

	memset(filler, 'x', LONG);
	filler[LONG] = '\0';
	for (unsigned depth = 1 + pick(m, 3); depth > 0; depth--)
		len += snprintf(ret + len, (size_t)(FILE_PATH_MAX + 1 - len), "/%s%s",
			pick(m, 3) == 0 ? filler : "", parts[pick(m, 5)]);
}

static bool below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

static struct entry *find(struct model *m, bool partial, const char *path, const char *owner)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &m->list[i];

		if (e->used && e->partial == partial && strcmp(e->path, path) == 0 &&
			(!partial || strcmp(e->owner, owner) == 0))
			return e;
	}
	return NULL;
}

static void add(struct model *m, const struct entry *e)
{
	struct entry *old = find(m, e->partial, e->path, e->owner);

	for (size_t i = 0; old == NULL && i < ENTRIES; i++)
		if (!m->list[i].used)
			old = &m->list[i];
	assert_non_null(old);
	*old = *e;
	old->used = true;
}

static uint64_t total(const struct model *m, const char *owner)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ENTRIES; i++)
		if (m->list[i].used && !m->list[i].folder && strcmp(m->list[i].owner, owner) == 0)
			sum += m->list[i].size;
	return sum;
}

static size_t crowd(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < ENTRIES; i++)
		n += m->list[i].used;
	return n;
}

/* -- steps ------------------------------------------------------------------------------------- */

static void step_put(struct model *m, struct store *s)
{
	static struct model after;
	struct entry e = {.size = pick(m, 4000), .inode = 1 + pick(m, 100000)};
	struct file_put_args a = {.row = {.mtime_ns = 7, .stored_us = FIXTURE_NOW}};
	struct entry *partial;
	int expected = 0;

	pick_path(m, e.path);
	(void)snprintf(e.owner, sizeof(e.owner), "%s", names[pick(m, 3)]);
	e.folder = pick(m, 5) == 0;
	a.path = span_str(e.path);
	memcpy(a.row.owner, e.owner, sizeof(e.owner));
	a.row.size = e.size = e.folder ? 0 : e.size;
	a.row.inode = e.inode;
	a.row.folder = e.folder;
	after = *m;
	partial = find(&after, true, e.path, e.owner);
	if (partial != NULL && !e.folder)
		partial->used = false;
	add(&after, &e);
	if (total(&after, e.owner) > QUOTA && total(&after, e.owner) > total(m, e.owner))
		expected = -EDQUOT;
	assert_int_equal(store_call(s, STORE_OP_FILE_PUT, &a, NULL), expected);
	if (expected == 0)
		*m = after;
}

static void step_partial(struct model *m, struct store *s)
{
	static struct model after;
	struct entry e = {.partial = true, .size = pick(m, 4000)};
	struct partial_args a = {.partial = {.temp = FILE_TEMP_PREFIX "1"}, .now_us = FIXTURE_NOW};
	bool there;

	pick_path(m, e.path);
	(void)snprintf(e.owner, sizeof(e.owner), "%s", names[pick(m, 3)]);
	memcpy(a.partial.account, e.owner, sizeof(e.owner));
	a.path = span_str(e.path);
	a.partial.size = e.size;
	there = find(m, true, e.path, e.owner) != NULL;
	if (there && pick(m, 2) == 0) {
		a.partial.temp[0] = '\0';
		assert_int_equal(store_call(s, STORE_OP_PARTIAL_REMOVE, &a, NULL), 0);
		find(m, true, e.path, e.owner)->used = false;
		return;
	}
	after = *m;
	add(&after, &e);
	if (total(&after, e.owner) > QUOTA && total(&after, e.owner) > total(m, e.owner)) {
		assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &a, NULL), -EDQUOT);
		return;
	}
	assert_int_equal(store_call(s, STORE_OP_PARTIAL_PUT, &a, NULL), 0);
	*m = after;
}

static void step_remove(struct model *m, struct store *s)
{
	char paths[4][FILE_PATH_MAX + 1];
	struct file_remove_args a = {.count = 1 + pick(m, 4), .below = pick(m, 4) == 0};

	for (size_t i = 0; i < a.count; i++) {
		pick_path(m, paths[i]);
		a.paths[i] = span_str(paths[i]);
	}
	assert_int_equal(store_call(s, STORE_OP_FILE_REMOVE, &a, NULL), 0);
	for (size_t i = 0; i < a.count; i++)
		for (size_t j = 0; j < ENTRIES; j++)
			if ((strcmp(m->list[j].path, paths[i]) == 0 && !m->list[j].partial) ||
				(a.below && below(m->list[j].path, paths[i])))
				m->list[j].used = false;
}

static void move_entry(struct entry *e, const char *from, const char *to)
{
	char path[FILE_PATH_MAX + 1];

	(void)snprintf(path, sizeof(path), "%s%s", to, e->path + strlen(from));
	memcpy(e->path, path, sizeof(path));
}

static void step_rename(struct model *m, struct store *s)
{
	char from[FILE_PATH_MAX + 1], to[FILE_PATH_MAX + 1];
	struct file_rename_args a;

	pick_path(m, from);
	pick_path(m, to);
	a = (struct file_rename_args){span_str(from), span_str(to)};
	if (below(from, to) || below(to, from)) {
		assert_int_equal(store_call(s, STORE_OP_FILE_RENAME, &a, NULL), -EINVAL);
		return;
	}
	assert_int_equal(store_call(s, STORE_OP_FILE_RENAME, &a, NULL), 0);
	if (strcmp(from, to) == 0)
		return;
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &m->list[i];

		if (below(e->path, to) || (!e->partial && strcmp(e->path, to) == 0))
			e->used = false;
	}
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &m->list[i];

		if (e->used &&
			(below(e->path, from) || (!e->partial && strcmp(e->path, from) == 0)))
			move_entry(e, from, to);
	}
}

static void step_note(struct model *m, struct store *s)
{
	struct file_note_args a = {.row = {.mtime_ns = 9, .stored_us = FIXTURE_NOW}};
	char path[FILE_PATH_MAX + 1];
	struct entry *e;
	int expected = 0;

	pick_path(m, path);
	a.path = span_str(path);
	a.row.inode = 1 + pick(m, 100000);
	e = find(m, false, path, NULL);
	if (e != NULL && e->folder)
		return;
	if (e != NULL && pick(m, 2) == 0)
		a.row.inode = e->inode;
	if (e != NULL && e->inode != a.row.inode)
		expected = -ESTALE;
	a.row.size = pick(m, 4000);
	assert_int_equal(store_call(s, STORE_OP_FILE_NOTE, &a, NULL), expected);
	if (e != NULL && expected == 0)
		e->size = a.row.size;
	if (e == NULL) {
		struct entry fresh = {.size = a.row.size, .inode = a.row.inode};

		memcpy(fresh.path, path, sizeof(path));
		add(m, &fresh);
	}
}

/* -- comparing --------------------------------------------------------------------------------- */

struct seen {
	struct model *m;
	size_t count;
};

static int look_file(void *arg, struct span path, const struct file_row *row)
{
	struct seen *seen = arg;
	char text[FILE_PATH_MAX + 1];
	struct entry *e;

	assert_int_equal(span_copy_str(path, text, sizeof(text)), 0);
	e = find(seen->m, false, text, NULL);
	assert_non_null(e);
	assert_string_equal(row->owner, e->owner);
	assert_int_equal(row->size, e->size);
	assert_int_equal(row->inode, e->inode);
	assert_int_equal(row->folder, e->folder);
	seen->count++;
	return 0;
}

static int look_partial(void *arg, struct span path, const struct file_partial *p)
{
	struct seen *seen = arg;
	char text[FILE_PATH_MAX + 1];
	struct entry *e;

	assert_int_equal(span_copy_str(path, text, sizeof(text)), 0);
	e = find(seen->m, true, text, p->account);
	assert_non_null(e);
	assert_int_equal(p->size, e->size);
	seen->count++;
	return 0;
}

static void compare(struct model *m, struct store *s)
{
	struct seen seen = {m, 0};
	struct file_usage u;

	assert_int_equal(file_each(s, span_of(NULL, 0), look_file, &seen), 0);
	assert_int_equal(file_partial_each(s, look_partial, &seen), 0);
	assert_int_equal(seen.count, crowd(m));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(file_usage_get(s, names[i], &u), 0);
		assert_int_equal(u.bytes + u.partial_bytes, total(m, names[i]));
		assert_int_equal(u.quota, QUOTA);
	}
	assert_int_equal(store_check(s, NULL, NULL), 0);
}

/* Rows at or below a folder are those that the model has there. */
static void compare_folder(struct model *m, struct store *s)
{
	struct seen seen = {m, 0};
	char folder[FILE_PATH_MAX + 1];
	size_t expected = 0;

	pick_path(m, folder);
	assert_int_equal(file_each(s, span_str(folder), look_file, &seen), 0);
	for (size_t i = 0; i < ENTRIES; i++)
		expected += m->list[i].used && !m->list[i].partial &&
			(strcmp(m->list[i].path, folder) == 0 || below(m->list[i].path, folder));
	assert_int_equal(seen.count, expected);
}

static void set_quota(struct store *s)
{
	struct policy_set_args p = {.name = "files_quota", .by = "test"};

	(void)snprintf(p.value, sizeof(p.value), "%d", QUOTA);
	assert_int_equal(store_call(s, STORE_OP_POLICY_SET, &p, NULL), 0);
}

static void test_model(void **state)
{
	static void (*const steps[])(struct model * m, struct store * s) = {
		step_put, step_put, step_put, step_partial, step_remove, step_rename, step_note};
	static struct model m;
	struct store *s = ((struct store_fixture *)*state)->s;
	const char *given = getenv("SEED");
	uint64_t seed = (uint64_t)getpid();

	if (given != NULL)
		assert_int_equal(num_parse_u64(span_str(given), 0, UINT64_MAX, &seed), 0);
	m.seed = seed;
	print_message("SEED=%llu\n", (unsigned long long)seed);
	set_quota(s);
	for (unsigned i = 0; i < STEPS; i++) {
		/* Room for one more in the model; what a folder holds goes at times. */
		steps[crowd(&m) > ENTRIES - 8 ? 4 : pick(&m, 7)](&m, s);
		compare_folder(&m, s);
		if (i % 50 == 0)
			compare(&m, s);
	}
	compare(&m, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_model, store_fixture_setup, store_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
