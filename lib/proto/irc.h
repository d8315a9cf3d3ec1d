/*
 * IRC lines (RFC 2812 section 2.3.1, IRCv3 message-tags) for chatd and the client: pure parsers and
 * writers. Spans point into what was parsed.
 *
 *	irc.c       lines, tags       irc_name.c  nicks, channels, masks, ids, times
 *	irc_mode.c  MODE arguments    irc_caps.c  ISUPPORT
 */
#ifndef PROTO_IRC_H
#define PROTO_IRC_H

#include "base/buf.h"

#include <stdint.h>

enum {
	IRC_BODY_MAX = 510, /* a line without tags and CR LF */
	IRC_CLIENT_TAGS_MAX = 4094, /* without '@' and blank */
	IRC_SERVER_TAGS_MAX = 8189,
	IRC_LINE_MAX = 8191 + IRC_BODY_MAX, /* for a framing rule: tags and body */
	IRC_PARAMS_MAX = 15,
	IRC_MSGID_SIZE = 32,
	IRC_TIME_SIZE = 25, /* "2026-11-21T10:00:00.123Z" and NUL */
};

struct irc_message {
	struct span tags; /* without '@'; empty: none */
	struct span source; /* without ':' */
	struct span verb; /* letters, or three digits */
	struct span params[IRC_PARAMS_MAX];
	size_t count;
	bool trailing; /* the last parameter stood behind " :" */
};

/* A line without its end. 0; -ENOMSG: blank, to be skipped; -EBADMSG: NUL, CR or LF in it, no verb
 * or one of other characters; -EMSGSIZE: tags or body too long (tags_max, IRC_BODY_MAX). More than
 * 15 parameters: the last one holds the rest. */
int irc_parse(struct span line, size_t tags_max, struct irc_message *ret);

/* Takes the next tag off *rest; false at the end. value is raw; empty too where there is no '='. */
bool irc_tag_next(struct span *rest, struct span *ret_key, struct span *ret_value);
/* The raw value of the last tag of that name; -ENOENT. */
int irc_tag_find(struct span tags, const char *key, struct span *ret_value);
/* A client-only tag's name ("+vendor/key") or another's: letters, digits, '-', '.', '/'. */
bool irc_tag_key_ok(struct span key);

/* Has the verb this name? Case of letters does not matter. */
bool irc_is(struct span verb, const char *name);

/* -- names ------------------------------------------------------------------------------------- */

/* ASCII case folding (CASEMAPPING=ascii). */
bool irc_eq(struct span a, struct span b);

/* A letter or one of []\`_^{|} first, then digits and '-' too; at most max bytes. */
bool irc_nick_ok(struct span nick, size_t max);
/* '#', then UTF-8 without blank, comma, colon, BEL and control characters; at most max bytes. */
bool irc_channel_ok(struct span name, size_t max);
/* USER's name made harmless: at most max of its letters, digits and "-._"; "user" if none is left.
 */
void irc_ident(struct buf *b, struct span user, size_t max);

struct irc_source {
	struct span nick, user, host; /* nick alone: a server */
};
struct irc_source irc_source_of(struct span source);

/* A ban mask in full form: "nick!user@host" with "*" for what is missing ("x" is a nick, "x@y" user
 * and host, "x.y" a host); extended ones ("~a:account", "m:mask") by the same rule behind their
 * prefix. -EINVAL: blanks or control characters; -EMSGSIZE. */
int irc_mask(struct span mask, size_t max, struct buf *ret);

/* "SEQ-HHHH": the position of an event, and four hexadecimal digits of its time against ids of
 * another life of the store. */
void irc_msgid_write(uint64_t seq, int64_t at_us, char ret[IRC_MSGID_SIZE]);
int irc_msgid_parse(struct span id, uint64_t *ret_seq, unsigned *ret_check); /* -EINVAL */
bool irc_msgid_is(unsigned check, int64_t at_us);

/* Server time: UTC, milliseconds. -EINVAL. */
void irc_time_write(int64_t at_us, char ret[IRC_TIME_SIZE]);
int irc_time_parse(struct span s, int64_t *ret_us);

/* -- modes ------------------------------------------------------------------------------------- */

/* Which modes take an argument: as in CHANMODES=lists,always,set,never and the letters of PREFIX.
 */
struct irc_mode_types {
	const char *lists, *always, *when_set, *never, *prefix;
};

struct irc_mode {
	bool set;
	char letter;
	bool known;
	bool has_argument; /* a list mode without one asks for the list; one that must have it and
			      has none: is reported with has_argument false */
	struct span argument;
};

/* Reads the words of MODE behind the target. The count in ret, at most max; further ones are left
 * out.
 */
size_t irc_modes(const struct irc_mode_types *types, const struct span *words, size_t count,
	struct irc_mode *ret, size_t max);

/* -- lists ------------------------------------------------------------------------------------- */

/* The next blank-separated (or sep-separated) word off *rest; false at the end. Empty ones are
 * skipped.
 */
bool irc_word(struct span *rest, char sep, struct span *ret);

/* The value of a token of 005 ("CHANMODES=...") in the parameters of one line; -ENOENT. */
int irc_isupport(const struct irc_message *m, const char *name, struct span *ret_value);

/* -- CTCP -------------------------------------------------------------------------------------- */

/* "\001VERB rest\001", the last byte may be missing. False: no CTCP. */
bool irc_ctcp(struct span text, struct span *ret_verb, struct span *ret_rest);

#endif
