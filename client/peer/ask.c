/*
 * Requests until they are answered. What is asked of us gives nothing away before the person says
 * yes; what we asked for is answered once, by whom it was asked of, within two minutes.
 */
#include "client/peer/peer_i.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "client/ftp/ui.h"
#include "client/peer/revoke.h"
#include "proto/irc.h"

#include <errno.h>
#include <sys/stat.h>

/* -- offers ------------------------------------------------------------------------------------ */

static struct offer *offer_new(struct peers *p)
{
	struct offer *o = p->offer_count < OFFERS_MAX ? calloc(1, sizeof *o) : NULL;

	if (o == NULL)
		return NULL;
	*o = (struct offer){.peers = p,
		.next = p->offers,
		.file_fd = -1,
		.until_ms = time_monotonic_ms() + OFFER_MS,
		.listener = {.fd = -1, .until_ms = INT64_MAX}};
	(void)revoke_server(p->talk, &o->authority);
	p->offers = o;
	p->offer_count++;
	return o;
}

static void offer_free(struct offer *o)
{
	struct offer **at = &o->peers->offers;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	o->peers->offer_count--;
	talk_unask(o->peers->talk, o);
	meet_end(o);
	cleanup_close(&o->file_fd);
	free(o);
}

void offer_end(struct offer *o, enum token_end end)
{
	token_over(&o->peers->tokens, o->token, end);
	offer_free(o);
}

static struct offer *offer_find(const struct peers *p, const char *token)
{
	struct offer *o = p->offers;

	while (o != NULL && strcmp(o->token, token) != 0)
		o = o->next;
	return o;
}

static size_t offers_from(const struct peers *p, const char *account)
{
	size_t n = 0;

	for (const struct offer *o = p->offers; o != NULL; o = o->next)
		if (!o->ours && strcmp(o->expect.account, account) == 0)
			n++;
	return n;
}

struct offer *ask_waiting(const struct peers *p, const char *nick)
{
	struct offer *found = NULL;

	/* The newest is the first. */
	for (struct offer *o = p->offers; o != NULL; o = o->next)
		if (o->state == OFFER_ASKING &&
			(nick == NULL || irc_eq(span_str(o->nick), span_str(nick))))
			found = o;
	return found;
}

static void offer_dcc(const struct offer *o, enum dcc_kind kind, struct dcc *ret)
{
	*ret = (struct dcc){.kind = kind, .of = o->file ? DCC_SSEND : DCC_SCHAT, .size = o->size};
	memcpy(ret->name, o->name, sizeof ret->name);
	memcpy(ret->token, o->token, sizeof ret->token);
}

/* -- ours -------------------------------------------------------------------------------------- */

static void ours_tell(struct offer *o)
{
	char here[DCC_ADDRESS_SIZE] = "?";

	(void)place_own(o->peers->talk, here);
	talk_note(o->peers->talk, NULL,
		"asking %s for a call%s%s: when %s takes it, this machine connects to it, and %s "
		"learns its address (%s). It waits two minutes; /hangup %s takes it back",
		o->nick, o->file ? " to send " : "", o->name, o->nick, o->nick, here, o->nick);
}

static int ours_send(struct offer *o, const char *nick, const char *name)
{
	struct dcc d;
	int r = token_new(o->token);

	if (r < 0 || span_copy_str(span_str(nick), o->nick, sizeof o->nick) < 0)
		return r < 0 ? r : -EINVAL;
	o->ours = true;
	o->state = OFFER_SENT;
	if (o->file_fd >= 0) {
		o->file = true;
		snprintf(o->name, sizeof o->name, "%s", name);
	}
	offer_dcc(o, o->file ? DCC_SSEND : DCC_SCHAT, &d);
	return peers_send(o->peers, nick, &d, false);
}

void ask_call(struct peers *p, const char *nick, int file_fd, const char *name)
{
	_cleanup_(cleanup_close) int fd = file_fd;
	struct offer *o = offer_new(p);
	struct stat st;
	int r = 0;

	if (o == NULL) {
		talk_note(p->talk, NULL, "too many requests wait already");
		return;
	}
	if (fd >= 0) {
		r = fstat(fd, &st) < 0 ? -errno : 0;
		o->size = (uint64_t)st.st_size;
	}
	o->file_fd = take_fd(&fd);
	if (r == 0)
		r = ours_send(o, nick, name);
	if (r < 0) {
		talk_note(p->talk, NULL, "%s cannot be asked: %s", nick, err_text(r));
		offer_free(o);
		return;
	}
	ours_tell(o);
	peers_arm(p);
}

bool ask_take_back(struct peers *p, const char *nick)
{
	struct dcc d;

	for (struct offer *o = p->offers; o != NULL; o = o->next) {
		if (!o->ours || (nick != NULL && !irc_eq(span_str(o->nick), span_str(nick))))
			continue;
		talk_note(p->talk, NULL, "%s is asked no more", o->nick);
		offer_dcc(o, DCC_REJECT, &d);
		(void)peers_send(p, o->nick, &d, true);
		offer_end(o, TOKEN_DECLINED);
		return true;
	}
	return false;
}

bool ask_undelivered(struct peers *p, struct span nick, struct span reason)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(1024);
	struct offer *next;
	bool told = false;

	text_escape(&text, span_of(reason.p, reason.len < 200 ? reason.len : 200));
	for (struct offer *o = p->offers; o != NULL; o = next) {
		next = o->next;
		if (!o->ours || o->state != OFFER_SENT || !irc_eq(span_str(o->nick), nick))
			continue;
		talk_note(p->talk, NULL, "%s cannot be asked: %s", o->nick, buf_str(&text));
		offer_end(o, TOKEN_DECLINED);
		told = true;
	}
	return told;
}

/* -- who speaks -------------------------------------------------------------------------------- */

/* What the server stamped. NULL, or what is missing. */
static const char *stamp_read(const struct talk_request *r, struct trust_expect *ret)
{
	if (r->account.len == 0 || span_copy_str(r->account, ret->account, sizeof ret->account) < 0)
		return "the server does not say of which account it is";
	if (!r->has_key)
		return "the server has not seen a certificate of it";
	memcpy(ret->spki_sha256, r->spki_sha256, sizeof ret->spki_sha256);
	return NULL;
}

static bool stamp_same(const struct trust_expect *a, const struct trust_expect *b)
{
	return strcmp(a->account, b->account) == 0 &&
		memcmp(a->spki_sha256, b->spki_sha256, sizeof a->spki_sha256) == 0;
}

/* A nick, harmless. */
static void nick_read(struct span nick, char ret[PEER_NAME_SIZE])
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(PEER_NAME_SIZE - 1);

	text_escape(&text, nick);
	snprintf(ret, PEER_NAME_SIZE, "%s", buf_str(&text));
}

static const char *end_text(enum token_end end)
{
	static const char *const texts[] = {
		[TOKEN_UNKNOWN] = "its token is none that was given out",
		[TOKEN_USED] = "its token was used already",
		[TOKEN_LATE] = "it comes too late: tokens are good for two minutes",
		[TOKEN_DECLINED] = "that call was declined or taken back",
	};

	return texts[end];
}

/* -- theirs ------------------------------------------------------------------------------------ */

static void theirs_decline(struct peers *p, const char *nick, const struct dcc *d)
{
	struct dcc no = *d;

	no.of = d->kind;
	no.kind = DCC_REJECT;
	(void)peers_send(p, nick, &no, true);
}

static void answered(void *arg, bool yes)
{
	ask_answered(arg, yes);
}

static int theirs_ask(struct offer *o)
{
	_cleanup_(buf_done) struct buf what = BUF_INIT(1024);
	char here[DCC_ADDRESS_SIZE] = "?", text[1024], who[80] = "";

	(void)place_own(o->peers->talk, here);
	if (o->file) {
		buf_addf(&what, " to send %s (", o->name);
		progress_bytes(&what, o->size);
		buf_add_str(&what, ")");
	}
	if (!irc_eq(span_str(o->nick), span_str(o->expect.account)))
		snprintf(who, sizeof who, " (account %s)", o->expect.account);
	snprintf(text, sizeof text,
		"%s%s calls%s: take the call? Then %s learns this machine's address (%s)", o->nick,
		who, buf_str(&what), o->nick, here);
	return talk_ask(o->peers->talk, text, answered, o);
}

/* Why a request is not even shown as one; NULL: it is good. */
static const char *theirs_bad(
	const struct peers *p, const struct talk_request *r, const struct dcc *d, struct offer *o)
{
	enum token_end end = token_find(&p->tokens, d->token);
	const char *why = stamp_read(r, &o->expect);

	if (why != NULL)
		return why;
	if (end != TOKEN_UNKNOWN || offer_find(p, d->token) != NULL)
		return "it is a repetition of an earlier one";
	if (offers_from(p, o->expect.account) >= OFFERS_OF_ONE || p->offer_count >= OFFERS_MAX)
		return "too many wait already";
	return NULL;
}

void ask_request(struct peers *p, const struct talk_request *r, const struct dcc *d)
{
	struct offer given = {.file_fd = -1}, *o;
	const char *bad = theirs_bad(p, r, d, &given);

	nick_read(r->nick, given.nick);
	if (bad != NULL) {
		talk_note(p->talk, NULL, "a call of %s is refused: %s", given.nick, bad);
		theirs_decline(p, given.nick, d);
		return;
	}
	if (!peers_ready(p))
		return;
	o = offer_new(p);
	if (o == NULL)
		return;
	o->state = OFFER_ASKING;
	o->expect = given.expect;
	memcpy(o->nick, given.nick, sizeof o->nick);
	memcpy(o->token, d->token, sizeof o->token);
	o->file = d->kind == DCC_SSEND;
	memcpy(o->name, d->name, sizeof o->name);
	o->size = d->size;
	peers_arm(p);
	if (theirs_ask(o) < 0) {
		theirs_decline(p, o->nick, d);
		offer_end(o, TOKEN_DECLINED);
	}
}

/* -- answers ----------------------------------------------------------------------------------- */

static int name_ask(struct offer *o)
{
	char text[1024];

	snprintf(text, sizeof text,
		"%s is logged in as %s: connect to it at %s? Then it learns this machine's address",
		o->nick, o->expect.account, o->address);
	return talk_ask(o->peers->talk, text, answered, o);
}

/* Whoever was asked by name has answered; by the server's rules no other may have the name of an
 * account as nick, so only a nick that is no account's leaves a doubt, which the person settles. */
static void ours_answered(struct offer *o, const struct talk_request *r)
{
	o->state = OFFER_ASKING;
	if (irc_eq(span_str(o->nick), r->account))
		meet_connect(o);
	else if (name_ask(o) < 0)
		offer_end(o, TOKEN_DECLINED);
}

static const char *answer_bad(const struct peers *p, const struct offer *o,
	const struct talk_request *r, const struct dcc *d, struct trust_expect *stamp)
{
	const char *why;

	if (o == NULL)
		return end_text(token_find(&p->tokens, d->token));
	why = stamp_read(r, stamp);
	if (why != NULL)
		return why;
	if (o->ours && !irc_eq(r->account, span_str(o->nick)) &&
		!irc_eq(r->nick, span_str(o->nick)))
		return "somebody else was asked";
	if (!o->ours && !stamp_same(stamp, &o->expect))
		return "it comes from another account or another key than the request";
	if (o->ours ? o->state != OFFER_SENT : o->state != OFFER_MEETING || o->turned)
		return "it was answered already";
	if (o->file != (d->kind == DCC_SSEND))
		return "it answers something else";
	if (!place_ok(p->talk, d->address, d->port))
		return "it names an address that is not one to call";
	return NULL;
}

/* An answer to ours; or, for theirs, the word that we could not be reached and are to connect. */
void ask_answer(struct peers *p, const struct talk_request *r, const struct dcc *d)
{
	struct offer *o = offer_find(p, d->token);
	struct trust_expect stamp = {.account = ""};
	const char *bad = answer_bad(p, o, r, d, &stamp);
	char nick[PEER_NAME_SIZE];

	nick_read(r->nick, nick);
	if (o == NULL || bad != NULL) {
		talk_note(p->talk, NULL, "an answer of %s is refused: %s", nick, bad);
		/* One of several devices, say, that need not wait. */
		if (o == NULL && token_find(&p->tokens, d->token) != TOKEN_UNKNOWN)
			theirs_decline(p, nick, d);
		return;
	}
	memcpy(o->address, d->address, sizeof o->address);
	o->port = d->port;
	if (o->ours) {
		o->expect = stamp;
		ours_answered(o, r);
		return;
	}
	o->turned = true;
	talk_note(p->talk, NULL, "%s could not reach this machine: trying the other direction",
		o->nick);
	meet_connect(o);
}

void ask_answered(struct offer *o, bool yes)
{
	struct peers *p = o->peers;
	struct dcc d;

	if (o->state != OFFER_ASKING)
		return;
	talk_unask(p->talk, o);
	if (yes && o->ours) {
		meet_connect(o);
	} else if (yes) {
		meet_listen(o);
	} else {
		offer_dcc(o, o->file ? DCC_SSEND : DCC_SCHAT, &d);
		theirs_decline(p, o->nick, &d);
		talk_note(p->talk, NULL, "the call of %s is declined", o->nick);
		offer_end(o, TOKEN_DECLINED);
	}
}

void ask_reject(struct peers *p, const struct talk_request *r, const struct dcc *d)
{
	struct offer *o = offer_find(p, d->token);

	if (o == NULL ||
		(!irc_eq(r->nick, span_str(o->nick)) && !irc_eq(r->account, span_str(o->nick))))
		return;
	if (o->state == OFFER_MEETING)
		talk_note(p->talk, NULL,
			"the call with %s does not come about: its client has given up", o->nick);
	else if (o->ours)
		talk_note(p->talk, NULL, "%s declines the call", o->nick);
	else
		talk_note(p->talk, NULL, "%s has taken its call back", o->nick);
	offer_end(o, TOKEN_DECLINED);
}

/* -- time -------------------------------------------------------------------------------------- */

static void offer_late(struct offer *o)
{
	struct talk *t = o->peers->talk;

	if (o->state == OFFER_SENT)
		talk_note(t, NULL, "%s did not answer the call", o->nick);
	else if (o->state == OFFER_ASKING)
		talk_note(t, NULL, "the call with %s was not answered in time", o->nick);
	else
		talk_note(t, NULL, "the call with %s did not come about: nobody came in time",
			o->nick);
	offer_end(o, TOKEN_LATE);
}

void ask_tick(struct peers *p, int64_t now_ms)
{
	struct offer *o = p->offers;

	while (o != NULL) {
		struct offer *next = o->next;

		if (now_ms >= o->until_ms)
			offer_late(o);
		o = next;
	}
}

int64_t ask_next_ms(const struct peers *p)
{
	int64_t until_ms = INT64_MAX;

	for (const struct offer *o = p->offers; o != NULL; o = o->next)
		if (o->until_ms < until_ms)
			until_ms = o->until_ms;
	return until_ms;
}
