/* The terminal itself. */
#ifndef CLIENT_TERM_TTY_H
#define CLIENT_TERM_TTY_H

#include "base/buf.h"

#include <termios.h>

/* Columns and rows of the terminal at fd; 80 and 24 when it does not say. */
size_t tty_columns(int fd);
size_t tty_rows(int fd);

/* Keys one by one without echo, Ctrl-C among them; ret_before is how it was. -errno. */
int tty_raw(int fd, struct termios *ret_before);
void tty_restore(int fd, const struct termios *before);

#endif
