/* Descriptors of files. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/span.h"

/* Writes all bytes, however many calls that takes; a signal does not cut it short. Not flushed.
 * Negative errno (-ENOSPC ...): then any part may have been written. */
int file_write_all(int fd, struct span bytes);

#endif
