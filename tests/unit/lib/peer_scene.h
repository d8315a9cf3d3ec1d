/*
 * Two and more people with clients of calls in one process: a stand-in for the talk (whose lines go
 * from one to the other as chatd would bring them), and an authority of its own process that
 * answers OCSP over TLS.
 */
#ifndef TESTS_PEER_SCENE_H
#define TESTS_PEER_SCENE_H

#include "client/peer/peer_i.h"

#include "tests/unit/lib/pki_fixture.h"

enum { SCENE_PEOPLE = 4, SCENE_ASKS = 40 };

struct scene_ask {
	char text[1024];
	void (*answer)(void *arg, bool yes);
	void *arg;
};

/* The stand-in; what was said to the person is in notes, one line each. */
struct talk {
	struct scene *scene;
	const char *nick, *account; /* account: as the server stamps it; NULL: none */
	bool has_key;
	unsigned char key[32]; /* that the server has seen */
	struct client client;
	struct profile profile;
	struct talk_source *sources[TALK_SOURCES_MAX];
	size_t source_count;
	int sock; /* to the "server" */
	struct buf notes, said;
	struct buf lines; /* to the server, not delivered yet */
	struct scene_ask asks[SCENE_ASKS];
	size_t ask_count;
	bool deaf; /* lines to it are lost */
	char folder[64];
	struct peers *calls;
};

struct scene_authority;

struct scene {
	struct fixture_ca ca, other; /* other: a foreign one */
	struct scene_authority *authority;
	int listener; /* of the "server" */
	struct talk people[SCENE_PEOPLE];
	size_t count;
	bool held; /* lines stay with who sent them */
};

void scene_make(struct scene *s);
void scene_done(struct scene *s);

enum scene_status { SCENE_GOOD, SCENE_UNKNOWN, SCENE_SILENT };
/* What the authority says of every certificate from now on. */
void scene_status(struct scene *s, enum scene_status status);
/* That one is revoked. */
void scene_revoke(struct scene *s, const struct fixture_cert *cert);

/* A person with a certificate of the scene's authority, or with the one given. The account is the
 * nick. */
struct talk *scene_person(struct scene *s, const char *nick, const struct fixture_cert *cert);
/* A certificate for cn: valid from, to (seconds from now), by the scene's authority or a foreign
 * one. */
void scene_cert(const struct fixture_ca *ca, const char *cn, long from_s, long to_s,
	struct fixture_cert *ret);

/* One round of all loops, at most ms long. */
void scene_round(struct scene *s, int ms);
/* Rounds until that text is among what t was told (asserts that it comes). */
void scene_expect(struct scene *s, struct talk *t, const char *text);
void scene_said(struct scene *s, struct talk *t, const char *text);
void scene_asked(struct scene *s, struct talk *t, const char *text);
/* Rounds until the person is asked, and answers. */
void scene_answer(struct scene *s, struct talk *t, bool yes);
void scene_command(struct talk *t, const char *window, const char *name, const char *words);
bool scene_told(const struct talk *t, const char *text);
/* A request as if the server had brought it. */
void scene_request(struct talk *to, const char *nick, const char *account, const unsigned char *key,
	const char *rest);
/* The port in the last line that t has sent ("... ADDRESS PORT TOKEN"), with the scene held. */
uint16_t scene_port(const struct talk *t, char ret_token[DCC_TOKEN_SIZE]);
/* Brings the lines that wait. */
void scene_deliver(struct scene *s);

/* /call and yes: a call between the two, both told. */
void scene_call(struct scene *s, struct talk *from, struct talk *to);

#endif
