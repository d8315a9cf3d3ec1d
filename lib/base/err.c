/* What library results mean for people and for the exit status. */
#include "base/err.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

struct meaning {
	int error;
	enum err_exit exit;
	const char *text; /* NULL: the C library's */
};

/* An error that is not here is our bug (exit 1). */
static const struct meaning meanings[] = {
	{0, ERR_EXIT_OK, "no error"},
	{-ETIMEDOUT, ERR_EXIT_OK, "a deadline passed"},
	{-EPROTO, ERR_EXIT_OK, "the peer broke the protocol"},
	{-ECONNRESET, ERR_EXIT_OK, "the peer is gone"},
	{-EPIPE, ERR_EXIT_OK, "the connection was cut short"},
	{-EKEYREJECTED, ERR_EXIT_OK, "a certificate or proof was refused"},
	{-EBADMSG, ERR_EXIT_BUG, "a stored record or message does not decode"},
	{-ESTALE, ERR_EXIT_TEMP, "the store or its keeper is of another version"},
	{-EBUSY, ERR_EXIT_TEMP, "busy"},
	{-EAGAIN, ERR_EXIT_TEMP, "not now, try again"},
	{-ENOMEM, ERR_EXIT_TEMP, "out of memory"},
	{-ENOSPC, ERR_EXIT_TEMP, "the disk or the store is full"},
	{-EDQUOT, ERR_EXIT_TEMP, "over quota"},
	{-EHOSTDOWN, ERR_EXIT_TEMP, "the keeper cannot be reached"},
	{-EMFILE, ERR_EXIT_TEMP, NULL},
	{-ENFILE, ERR_EXIT_TEMP, NULL},
	{-ENOENT, ERR_EXIT_CONFIG, NULL},
	{-ENOTDIR, ERR_EXIT_CONFIG, NULL},
	{-EISDIR, ERR_EXIT_CONFIG, NULL},
	{-EACCES, ERR_EXIT_CONFIG, NULL},
	{-EPERM, ERR_EXIT_CONFIG, NULL},
	{-EROFS, ERR_EXIT_CONFIG, NULL},
	{-ELOOP, ERR_EXIT_CONFIG, NULL},
	{-ENAMETOOLONG, ERR_EXIT_CONFIG, NULL},
	{-EADDRINUSE, ERR_EXIT_CONFIG, NULL},
	{-EADDRNOTAVAIL, ERR_EXIT_CONFIG, NULL},
};

static const struct meaning *find(int error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].error == error)
			return &meanings[i];
	return NULL;
}

int err_is_temporary(int error)
{
	const struct meaning *m = find(error);

	return m != NULL && m->exit == ERR_EXIT_TEMP;
}

int err_exit_status(int error)
{
	const struct meaning *m = find(error > 0 ? 0 : error);

	return m != NULL ? (int)m->exit : (int)ERR_EXIT_BUG;
}

const char *err_text(int error)
{
	const struct meaning *m = find(error);
	const char *text = NULL;

	if (m != NULL && m->text != NULL)
		return m->text;
	if (error < 0 && error > -4096)
		text = strerrordesc_np(-error);
	return text != NULL ? text : "unknown error";
}
