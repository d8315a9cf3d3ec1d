/* A quintet chat session and the test as its server, line by line. */
#ifndef TESTS_UNIT_LIB_CHAT_SCENE_H
#define TESTS_UNIT_LIB_CHAT_SCENE_H

#include "client/chat/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct chat_scene {
	struct talk talk;
	struct client client;
	int fd; /* the server's end */
	struct buf in; /* of it, not yet read */
	struct buf seen; /* what the view was told, a line each */
	struct buf dcc; /* requests of calls */
};

/* Registered, but not yet told that this is all. setup_person: with what a person's session asks
 * for at the beginning. */
int chat_scene_setup(void **state);
int chat_scene_setup_person(void **state);
int chat_scene_teardown(void **state);

/* What the server says. */
void chat_says(struct chat_scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The client's next line that holds the text; those before it are dropped. */
const char *chat_hears(struct chat_scene *s, const char *text);
void chat_hears_not(struct chat_scene *s, const char *text);
/* All that the view was told since the last time. */
void chat_shows(struct chat_scene *s, const char *text);

/* Tags in a line of the client. */
const char *chat_label(const char *line);
void chat_tag(const char *line, const char *tag, char ret[64]);

void chat_registers(struct chat_scene *s);
void chat_is_ready(struct chat_scene *s);
void chat_joins(struct chat_scene *s); /* #dev: ann, bob, carl */
void chat_loses(struct chat_scene *s);
void chat_connects(struct chat_scene *s);
/* A page of history: rows of "SEQ FROM TEXT", NULL at the end. */
void chat_page(
	struct chat_scene *s, const char *label, const char *target, const char *const *rows);

#endif
