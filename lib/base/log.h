/*
 * Structured log (DESIGN section 9): one event is a line of KEY=value fields. It goes to journald's
 * native socket when standard error is connected to the journal (JOURNAL_STREAM) or QUINTET_LOG is
 * "journal", else as one plain line to the log descriptor. Bytes that could forge a line are
 * escaped. Only programs and lib/service log; other library code never does.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/span.h"

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

struct log_field {
	const char *key; /* upper case: PEER, ACCOUNT, REASON ...; NULL ends the list */
	struct span value;
};

/*
 * Sets the service's name and the descriptor of plain lines (usually 2). target NULL: decide by the
 * environment (QUINTET_LOG with the same words, else JOURNAL_STREAM); "journal"; "stderr"; or the
 * path of a file to append to. 0 or a negative errno when the file or the journal cannot be opened;
 * the log stays usable on fd then, as it does when the journal stops listening. Opens what it needs
 * now, so it works behind a sandbox. Calling it again starts over.
 */
int log_open(const char *service, int fd, const char *target);

/*
 * Fields that every later line carries (PEER once known, ACCOUNT after log-in). Copied, at most 256
 * bytes each and 12 keys; the same key again replaces the value.
 */
void log_context(const char *key, struct span value);

/* Lines less urgent than this are dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/*
 * One event: message for people, fields for machines (NULL: none). Values and message are cut off
 * behind 2048 bytes, the whole behind 8 KiB. errno is kept; a line that cannot be written is lost.
 */
void log_event(enum log_level level, const char *message, const struct log_field *fields);

#define log_fields(...) ((const struct log_field[]){__VA_ARGS__, {NULL, {NULL, 0}}})

/* printf-style convenience for messages without fields. */
void log_msg(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
