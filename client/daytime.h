/* The time service from the client's side: single answers, dialogue, offset, stamps. */
#ifndef CLIENT_DAYTIME_H
#define CLIENT_DAYTIME_H

#include "client/link.h"

/* Connects and reads the banner, valid until the next answer. An exit code; failures are told. */
int daytime_open(
	struct client *c, const struct profile *p, struct link *l, struct span *ret_banner);

/* One request and its one line of answer, valid until the next. 0, or as conn_read_line(). */
int daytime_request(struct conn *conn, const char *line, struct span *ret);

/* Says "end" and closes. */
void daytime_end(struct link *l);

/* The dialogue with the person or a script. An exit code. */
int daytime_dialogue(struct client *c, const struct profile *p);

/* Offset of the server's clock to ours, and its true bound. */
struct daytime_measure {
	int64_t offset_ns, bound_ns;
	bool synchronised;
};

/* An exit code; failures are told. */
int daytime_measure(struct client *c, const struct profile *p, struct daytime_measure *ret);

/* The exchanges alone, over an open conversation. timeout_s for each. 0, or why not. */
int daytime_measure_over(struct conn *conn, unsigned timeout_s, struct daytime_measure *ret);

/* The three values as text: seconds with sign and microseconds, seconds, and a word. */
struct daytime_measure_text {
	char offset[32], bound[32];
	const char *state;
};
void daytime_measure_show(const struct daytime_measure *m, struct daytime_measure_text *ret);

/*
 * RFC 3161: stamps a file into token_path (NULL: FILE.tsr), verified before it is written; and
 * checks such a token against a file and the profile's root, off line. Exit codes.
 */
int stamp_make(struct client *c, const struct profile *p, const char *file, const char *token_path);
int stamp_verify(
	const struct client *c, const struct profile *p, const char *file, const char *token_path);

#endif
