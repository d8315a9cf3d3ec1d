/* What the person types or keeps in files: questions, secrets, lines, whole small files. */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include "client/client.h"

#define ASK_SECRET_MAX 1024

/*
 * Asks on the terminal (never on standard input when that is a pipe). hidden: without echo. The
 * answer replaces ret's content. -ENOTTY without a terminal, -ECANCELED after Ctrl-C, -ENODATA at
 * end of input, -ENOBUFS when the answer is longer than ret's maximum.
 */
int ask_line(const struct client *c, const char *question, bool hidden, struct buf *ret);

/*
 * A password: the first line of file ("-": standard input), else asked for on the terminal; twice
 * when it is a new one. Wipe ret. An exit code, failures are told.
 */
int ask_password(const struct client *c, const char *file, bool is_new, struct buf *ret);

/*
 * The next line of fd without its end, read byte by byte so that nothing behind it is lost, up to
 * ret's maximum. 1; 0 at end of input; -ECANCELED after Ctrl-C; -EPIPE when other_fd (-1: none)
 * becomes readable first; -ENOBUFS: too long, the rest of the line (64 KiB of it) was dropped.
 */
int ask_fd(const struct client *c, int fd, int other_fd, struct buf *ret);

/* A whole file, appended up to ret's maximum (-ENOBUFS); pipes are fine, and Ctrl-C ends a wait. */
int ask_file(const struct client *c, const char *path, struct buf *ret);

#endif
