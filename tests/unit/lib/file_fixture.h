/* Rows of files, put with few words; what the operations answer comes back. */
#ifndef TESTS_UNIT_FILE_FIXTURE_H
#define TESTS_UNIT_FILE_FIXTURE_H

#include "store/file.h"

/* Sets the policy files_quota. */
void file_fixture_quota(struct store *s, const char *value);

/* A file of inode 5; an interrupted upload whose temporary ends in "0"; a reservation of process 1.
 */
int file_fixture_put(struct store *s, const char *path, const char *owner, uint64_t size);
int file_fixture_partial(struct store *s, const char *path, const char *account, uint64_t size);
int file_fixture_reserve(
	struct store *s, const char *account, uint64_t id, uint64_t bytes, uint64_t replaces);

struct file_usage file_fixture_usage(struct store *s, const char *account);

/* The account uses just that, and the store is sound. */
void file_fixture_check(
	struct store *s, const char *account, uint64_t bytes, uint64_t files, uint64_t partial);

/* The row of that path has this owner; NULL: there is none. */
void file_fixture_owner(struct store *s, const char *path, const char *owner);

#endif
