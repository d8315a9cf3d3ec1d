/* What channels should be, kept plainly: each act says what the store must answer. */
#ifndef TESTS_UNIT_CHAT_MODEL_H
#define TESTS_UNIT_CHAT_MODEL_H

#include "store/chat.h"

enum {
	MODEL_ACCOUNTS = 5, /* the first of people; each has its name as nick */
	MODEL_PEOPLE = 8, /* the others are guests, and another one each time they come */
	MODEL_CHANNELS = 5,
	MODEL_FOUNDED_MAX = 2,
	MODEL_NOBODY = -1,
};

extern const char *const model_nicks[MODEL_PEOPLE];
extern const char *const model_names[MODEL_CHANNELS];
extern const char *const model_keys[2];

struct model_member {
	bool joined, invited;
	bool banned, excepted, invex; /* masks of the nick */
	unsigned roles;
};

struct model_channel {
	bool exists;
	int founder;
	unsigned modes;
	int key; /* of model_keys */
	unsigned limit;
	struct model_member members[MODEL_PEOPLE];
};

struct model {
	bool present[MODEL_PEOPLE];
	bool always_on;
	struct model_channel channels[MODEL_CHANNELS];
};

/* Who acts where; override: as one of the house. */
struct model_act {
	int who, channel;
	bool override;
};

enum chat_answer model_join(struct model *m, struct model_act a, int key);
enum chat_answer model_part(struct model *m, struct model_act a);
enum chat_answer model_kick(struct model *m, struct model_act a, int whom);
enum chat_answer model_invite(struct model *m, struct model_act a, int whom);
enum chat_answer model_topic(struct model *m, struct model_act a);
enum chat_answer model_rename(struct model *m, struct model_act a, int name);
enum chat_answer model_drop(struct model *m, int channel);
/* One change: whom for o, h, v and the masks of b, e, I; number: a limit, or which key. */
enum chat_answer model_mode(
	struct model *m, struct model_act a, bool set, char mode, int whom_or_number);

void model_come(struct model *m, int who);
void model_go(struct model *m, int who);

unsigned model_joined(const struct model_channel *c);
unsigned model_present(const struct model *m, const struct model_channel *c);

#endif
