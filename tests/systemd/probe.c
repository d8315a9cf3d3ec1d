/*
 * What a service that was taken over could try, run as its user by test_keeper.py:
 *
 *	probe ops                        the names of all operations
 *	probe ask SOCKET NAME ...        asks the keeper for each, with empty arguments
 *	probe revoke SOCKET SERIAL NAME  the certificate of that account
 *	probe write PATH ...             opens each for writing
 *	probe make PATH ...              makes each
 *	probe move OLD NEW
 *
 * Prints a line for each: what, and the error's name or "ok".
 */
#include "base/text.h"
#include "base/timefmt.h"
#include "store/cert.h"
#include "store/remote.h"
#include "store/shape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { ARGS_MAX = 65536 };

static void tell(const char *what, int r)
{
	printf("%s %s\n", what, r < 0 ? strerrorname_np(-r) : "ok");
}

static int list_ops(void)
{
	for (int op = 0; op < STORE_OP_COUNT; op++)
		printf("%s\n", op_find((enum store_op)op)->name);
	return 0;
}

static int call(const char *socket, enum store_op op, const void *args)
{
	unsigned char result[OP_RESULT_MAX];
	struct remote *r = NULL;
	int rc = remote_new(socket, &r);

	if (rc == 0)
		rc = remote_call(r, op, args, result);
	remote_free(r);
	return rc;
}

/* What cannot be sent with empty arguments is not tried. */
static void ask_one(const char *socket, enum store_op op, const void *nothing)
{
	struct buf bytes = BUF_INIT(ARGS_MAX);

	if (shape_put(op, nothing, &bytes) == 0)
		tell(op_find(op)->name, call(socket, op, nothing));
	buf_done(&bytes);
}

static int ask(const char *socket, char **names)
{
	static const uint64_t nothing[ARGS_MAX / sizeof(uint64_t)];

	for (; *names != NULL; names++)
		for (int op = 0; op < STORE_OP_COUNT; op++)
			if (strcmp(op_find((enum store_op)op)->name, *names) == 0)
				ask_one(socket, (enum store_op)op, nothing);
	return 0;
}

static int revoke_one(const char *socket, const char *serial, const char *account)
{
	struct cert_revoke_args args = {.now_us = time_now_us()};
	struct buf bytes = BUF_INIT(CERT_SERIAL_LEN);

	if (text_unhex(&bytes, span_str(serial)) < 0 || bytes.len != CERT_SERIAL_LEN)
		return 2;
	memcpy(args.serial, bytes.p, CERT_SERIAL_LEN);
	(void)snprintf(args.account, sizeof(args.account), "%s", account);
	(void)snprintf(args.by, sizeof(args.by), "%s", account);
	tell("revoke", call(socket, STORE_OP_CERT_REVOKE, &args));
	buf_done(&bytes);
	return 0;
}

static int try_files(int flags, char **paths)
{
	for (; *paths != NULL; paths++) {
		int fd = open(*paths, flags | O_CLOEXEC, 0600);

		tell(*paths, fd < 0 ? -errno : 0);
		if (fd >= 0)
			(void)close(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "ops") == 0)
		return list_ops();
	if (strcmp(what, "ask") == 0 && argc > 2)
		return ask(argv[2], argv + 3);
	if (strcmp(what, "revoke") == 0 && argc == 5)
		return revoke_one(argv[2], argv[3], argv[4]);
	if (strcmp(what, "write") == 0)
		return try_files(O_WRONLY, argv + 2);
	if (strcmp(what, "make") == 0)
		return try_files(O_WRONLY | O_CREAT | O_EXCL, argv + 2);
	if (strcmp(what, "move") == 0 && argc == 4) {
		tell(argv[2], rename(argv[2], argv[3]) < 0 ? -errno : 0);
		return 0;
	}
	return 2;
}
