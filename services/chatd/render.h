/* Events as lines: what the files of rendering share. */
#ifndef CHATD_RENDER_H
#define CHATD_RENDER_H

#include "services/chatd/chatd.h"

enum { RENDER_MORE_SIZE = 160 }; /* tags of a call's request */

struct rendering {
	struct chatd *c;
	const struct chat_event *e;
	const struct chatd_rendering *how;
	struct chatd_tags tags;
	char msgid[IRC_MSGID_SIZE];
	char more[RENDER_MORE_SIZE];
};

/* -- render.c: a line is written into c->body, then sent ------------------------------------------
 */

/* "nick!ident@host", or the server's name */
void render_source(const struct rendering *r, struct buf *b);
/* ":nick!ident@host VERB", ":SERVER VERB", ":own-nick!ident@host VERB" */
struct buf *render_begin(const struct rendering *r, const char *verb);
struct buf *render_begin_server(const struct rendering *r, const char *verb);
struct buf *render_begin_me(const struct rendering *r, const char *verb);
/* " WORD", "*" when it is empty; " :TEXT"; the same unless it is empty; " [@]TARGET" */
void render_word(struct buf *b, struct span word);
void render_last(struct buf *b, struct span text);
void render_last_if(struct buf *b, struct span text);
void render_target(struct buf *b, const struct chat_event *e);
void render_send(const struct rendering *r);
/* Without msgid: the second of several lines of one event. */
void render_send_bare(const struct rendering *r);

/* -- render_channel.c */
void render_join_of(const struct rendering *r, struct span channel);
/* Who comes while away says so (away-notify). Not of old in a history. */
void render_away_of(const struct rendering *r);
void render_join(struct rendering *r);
void render_part(struct rendering *r);
void render_kick(struct rendering *r);
void render_mode(struct rendering *r);
void render_topic(struct rendering *r);
void render_invite(struct rendering *r);
void render_rename(struct rendering *r);
void render_redact(struct rendering *r);
void render_metadata(struct rendering *r);

/* -- render_people.c */
void render_nick(struct rendering *r);
void render_quit(struct rendering *r);
void render_online(struct rendering *r);
void render_away(struct rendering *r);
void render_host(struct rendering *r);
void render_realname(struct rendering *r);
void render_account(struct rendering *r);
void render_user_mode(struct rendering *r);
void render_kill(struct rendering *r);
void render_wallops(struct rendering *r);
void render_broadcast(struct rendering *r);
void render_marker(struct rendering *r);

#endif
