/* METADATA (IRCv3 draft/metadata): what its files share. */
#ifndef CHATD_METADATA_H
#define CHATD_METADATA_H

#include "services/chatd/people.h"

struct metadata_value {
	char key[CHAT_META_KEY_SIZE];
	char value[CHATD_META_VALUE_MAX + 1];
};

struct chatd_subscriptions {
	char keys[CHATD_SUBS_MAX][CHAT_META_KEY_SIZE];
	size_t count;
	/* set before registration: noted at 001 */
	struct metadata_value early[CHAT_META_MAX];
	size_t early_count;
};

/* Of one METADATA command. */
struct metadata {
	struct chatd *c;
	const struct irc_message *message;
	char name[200]; /* the target as it is shown */
	bool mine;
	uint64_t channel; /* 0: a person's */
	char who[CHAT_WHO_SIZE];
};

/* "FAIL METADATA code target key :text"; either may be "". */
void metadata_refuse(
	struct chatd *c, const char *code, const char *target, const char *key, const char *text);
/* A key in lower case. False: it is none. */
bool metadata_key(struct span given, char ret[CHAT_META_KEY_SIZE]);
/* Refused and said so, or good. */
bool metadata_key_said(struct chatd *c, struct span given, char ret[CHAT_META_KEY_SIZE]);
bool metadata_value_said(struct chatd *c, const char *key, struct span value);
/* A numeric inside a batch. */
void metadata_line(struct chatd *c, const char *batch, unsigned number, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What was gathered by chatd_gather(), in a batch "metadata". */
void metadata_send(struct chatd *c, const char *name, const struct buf *lines);

/* Whom the command is about, as far as the client may know. 1; 0: said; negative. */
int metadata_find(struct metadata *m);

/* NULL: no memory, or none yet where it is not to be made. */
struct chatd_subscriptions *metadata_subscriptions(struct chatd *c);

int metadata_sub(struct metadata *m); /* metadata_sub.c */
int metadata_unsub(struct metadata *m);
int metadata_subs(struct metadata *m);
int metadata_sync(struct metadata *m); /* metadata_show.c */
int metadata_early(struct metadata *m, const char *verb); /* metadata_early.c */
/* Notes what was set before registration. 0 or negative. */
int metadata_note_early(struct chatd *c);

#endif
