/* A file tree with a store for the tests of ftpd: three people at one tree. */
#ifndef TESTS_UNIT_TREE_FIXTURE_H
#define TESTS_UNIT_TREE_FIXTURE_H

#include "services/ftpd/tree.h"
#include "services/ftpd/upload.h"
#include "tests/unit/lib/store_fixture.h"

struct tree_fixture {
	struct store_fixture *f;
	struct tree *alice, *bob, *chief; /* chief is an administrator */
};

/* For cmocka: *state is a struct tree_fixture. */
int tree_fixture_setup(void **state);
int tree_fixture_teardown(void **state);

/* A path of the file system for one of the tree; static memory, four at a time. */
const char *fixture_real(const struct tree_fixture *x, const char *path);

/* Drops a file in past the store, as an administrator does. */
void fixture_drop_in(const struct tree_fixture *x, const char *path, const char *text);

void fixture_policy(const struct tree_fixture *x, const char *name, const char *value);

/* An upload as a whole: 0 or what failed. */
int fixture_upload(struct tree *t, const struct upload_request *request, struct span bytes);
/* STOR of a text. */
int fixture_put(struct tree *t, const char *path, const char *text);
/* Of a file's content: as read by the tree; fails the test when it differs. */
void fixture_expect(struct tree *t, const char *path, const char *text);

/* Temporaries in a folder of the tree. */
unsigned fixture_temps(const struct tree_fixture *x, const char *path);

/*
 * Everything is exact: each row with an owner has a file of its size, each partial its temporary,
 * usages are the sums of rows and nothing is reserved; and no temporary is left without a row.
 */
void fixture_exact(const struct tree_fixture *x);

#endif
