/*
 * The envelope: who sends (only oneself, or nobody for a receipt) and to whom (only people of the
 * house, who are looked up at once, with the room they have left).
 */
#include "services/maild/smtp/smtp.h"

#include "base/num.h"
#include "base/text.h"

#include <errno.h>

#define POSTMASTER                                                                    \
	"postmaster" /* RFC 5321 section 4.5.1: always there, here all administrators \
		      */

void smtp_envelope_reset(struct smtp_session *s)
{
	s->envelope = (struct smtp_envelope){.begun = false};
	s->chunked = false;
	buf_done(&s->message);
}

/* -- MAIL -------------------------------------------------------------------------------------- */

/* 0; 1: refused; negative as conn. */
static int refused(int r)
{
	return r < 0 ? r : 1;
}

static int take_size(struct smtp_session *s, struct span value, struct smtp_envelope *e)
{
	if (num_parse_u64(value, 0, UINT64_MAX, &e->size) < 0)
		return refused(smtp_refuse(s, 501, "5.5.4", "SIZE takes a number of bytes."));
	if (e->size > s->size_limit)
		return refused(smtp_say(s, 552, "5.3.4",
			"That is too large: a message has at most %llu bytes here.",
			(unsigned long long)s->size_limit));
	return 0;
}

static int take_body(struct smtp_session *s, struct span value, struct smtp_envelope *e)
{
	(void)e;
	if (span_caseeq_str(value, "7BIT") || span_caseeq_str(value, "8BITMIME"))
		return 0;
	return refused(smtp_refuse(s, 501, "5.5.4", "BODY is 7BIT or 8BITMIME."));
}

static int take_utf8(struct smtp_session *s, struct span value, struct smtp_envelope *e)
{
	if (value.len > 0)
		return refused(smtp_refuse(s, 501, "5.5.4", "SMTPUTF8 takes no value."));
	e->is_utf8 = true;
	return 0;
}

/* RFC 4954 section 5: who sent it first. Nobody's word is trusted here, so it is only read. */
static int take_auth(struct smtp_session *s, struct span value, struct smtp_envelope *e)
{
	(void)e;
	if (value.len > 0 && text_is_print(value))
		return 0;
	return refused(smtp_refuse(s, 501, "5.5.4", "AUTH takes an address, or <>."));
}

static int take_param(
	struct smtp_session *s, struct span name, struct span value, struct smtp_envelope *e)
{
	static const struct {
		const char *name;
		int (*take)(struct smtp_session *s, struct span value, struct smtp_envelope *e);
	} rows[] = {
		{"SIZE", take_size},
		{"BODY", take_body},
		{"SMTPUTF8", take_utf8},
		{"AUTH", take_auth},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_caseeq_str(name, rows[i].name))
			return rows[i].take(s, value, e);
	return refused(smtp_refuse(s, 555, "5.5.4", "The parameter %.*s is not known here.",
		(int)(name.len < 64 ? name.len : 64), (const char *)name.p));
}

static int take_params(struct smtp_session *s, struct span params, struct smtp_envelope *e)
{
	struct span name, value;
	int error = 0, r = 0;

	while (r == 0 && smtp_param_next(&params, &name, &value, &error))
		r = take_param(s, name, value, e);
	if (r == 0 && error < 0)
		return refused(smtp_refuse(s, 501, "5.5.4", "A parameter is malformed."));
	return r;
}

/* As Return-Path shows it: a local part that would have to be quoted gives way to the account. */
static void copy_sender(const struct smtp_session *s, const struct smtp_path *path, char *ret)
{
	static const char plain[] = "!#$%&'*+-/=?^_`{|}~.";
	const char *local = path->local;
	const char *domain = path->domain[0] != '\0' ? path->domain : s->service->settings.domain;

	for (const char *p = path->local; *p != '\0'; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			    (*p >= 'A' && *p <= 'Z') || strchr(plain, *p) != NULL))
			local = smtp_account(s);
	(void)snprintf(ret, SMTP_SENDER_SIZE, "%s@%.*s", local,
		(int)(SMTP_SENDER_SIZE - 2 - strlen(local)), domain);
}

static int take_sender(
	struct smtp_session *s, const struct smtp_path *path, struct smtp_envelope *e)
{
	const struct service_settings *settings = &s->service->settings;
	char name[ACCOUNT_NAME_SIZE];

	if (path->local[0] == '\0' && path->domain[0] == '\0')
		return 0;
	if (path->is_utf8 && !e->is_utf8)
		return refused(smtp_say(
			s, 553, "5.6.7", "An address of that kind needs SMTPUTF8 with MAIL."));
	if (smtp_local_account(path, settings->domain, settings->host, name, sizeof(name)) < 0 ||
		strcmp(name, smtp_account(s)) != 0)
		return refused(smtp_say(s, 550, "5.7.1",
			"You are %s: your mail comes from %s@%s and from nobody else.",
			smtp_account(s), smtp_account(s), settings->domain));
	copy_sender(s, path, e->sender);
	return 0;
}

int smtp_cmd_mail(struct smtp_call *c)
{
	struct smtp_session *s = c->s;
	struct smtp_envelope e = {.begun = true};
	struct smtp_path path;
	struct span params;
	int r;

	if (s->envelope.begun)
		return smtp_refuse(s, 503, "5.5.1", "There is a message under way; RSET ends it.");
	if (smtp_path(c->rest, "FROM", &path, &params) < 0)
		return smtp_refuse(s, 501, "5.1.7", "It goes MAIL FROM:<address>.");
	r = take_params(s, params, &e);
	if (r == 0)
		r = take_sender(s, &path, &e);
	if (r != 0)
		return r < 0 ? r : 0;
	s->bad = 0;
	s->envelope = e;
	return smtp_say(s, 250, "2.1.0", "Go on, %s.", smtp_account(s));
}

/* -- RCPT -------------------------------------------------------------------------------------- */

struct lookup {
	const char *name;
	uint64_t size; /* of the message, if declared */
	struct mail_usage usage;
};

/* -EDQUOT: no room is left for what comes. */
static int look_up(struct store_txn *txn, void *arg)
{
	struct lookup *l = arg;
	struct account account;
	int r = account_read(txn, l->name, &account);

	if (r == 0 && (account.flags & ACCOUNT_HOST) != 0)
		r = -ENOENT;
	if (r == 0)
		r = mail_usage_read(txn, l->name, &l->usage);
	if (r < 0 || l->usage.limit == 0)
		return r;
	if (l->usage.bytes >= l->usage.limit || l->size > l->usage.limit - l->usage.bytes)
		return -EDQUOT;
	return 0;
}

/* Named twice is still once. -ENOBUFS. */
static int add_recipient(struct smtp_envelope *e, const char *name)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->recipients[i], name) == 0)
			return 0;
	if (e->count == MAIL_RECIPIENTS_MAX)
		return -ENOBUFS;
	(void)snprintf(e->recipients[e->count++], ACCOUNT_NAME_SIZE, "%s", name);
	return 0;
}

struct chiefs {
	struct smtp_envelope *envelope;
	bool any;
};

static int add_administrator(void *arg, const struct account *a)
{
	struct chiefs *chiefs = arg;

	if ((a->flags & ACCOUNT_ADMIN) == 0 || (a->flags & (ACCOUNT_HOST | ACCOUNT_LOCKED)) != 0)
		return 0;
	chiefs->any = true;
	return add_recipient(chiefs->envelope, a->name);
}

static int say_taken(struct smtp_session *s, const char *name, int error)
{
	if (error == -ENOBUFS)
		return smtp_say(s, 452, "4.5.3", "A message has at most %d recipients here.",
			MAIL_RECIPIENTS_MAX);
	if (error < 0)
		return smtp_say_failure(s, error, "a recipient cannot be looked up");
	s->bad = 0;
	return smtp_say(s, 250, "2.1.5", "%s will have it.", name);
}

static int take_postmaster(struct smtp_session *s)
{
	struct smtp_envelope *e = &s->envelope;
	struct chiefs chiefs = {.envelope = e};
	size_t before = e->count;
	int r = account_each(s->service->store, "", add_administrator, &chiefs);

	if (r == 0 && !chiefs.any)
		return smtp_say(s, 450, "4.2.1", "This house has no administrator yet.");
	if (r == -ENOBUFS)
		e->count = before;
	return say_taken(s, POSTMASTER, r);
}

static int refuse_recipient(struct smtp_session *s, const struct lookup *l, int error)
{
	s->envelope.refused++;
	if (error == -ENOENT)
		return smtp_say(s, 550, "5.1.1", "There is no %s here.", l->name);
	if (error != -EDQUOT)
		return smtp_say_failure(s, error, "a recipient cannot be looked up");
	return smtp_say(s, 552, "5.2.2", "The mailbox of %s is full: its quota is %llu bytes.",
		l->name, (unsigned long long)l->usage.limit);
}

static int take_recipient(struct smtp_session *s, const char *name)
{
	struct lookup l = {.name = name, .size = s->envelope.size};
	int r = store_view(s->service->store, look_up, &l);

	if (r == -ENOENT && strcmp(name, POSTMASTER) == 0)
		return take_postmaster(s);
	if (r < 0)
		return refuse_recipient(s, &l, r);
	return say_taken(s, name, add_recipient(&s->envelope, name));
}

static int refuse_address(struct smtp_session *s, const struct smtp_path *path, int error)
{
	const char *domain = s->service->settings.domain;

	s->envelope.refused++;
	if (error == -EINVAL)
		return smtp_say(s, 550, "5.1.1", "There is no %s here.", path->local);
	return smtp_say(s, 550, "5.7.1",
		"Mail goes to people of %s only; nothing is relayed to %.100s.", domain,
		path->domain);
}

int smtp_cmd_rcpt(struct smtp_call *c)
{
	struct smtp_session *s = c->s;
	const struct service_settings *settings = &s->service->settings;
	char name[ACCOUNT_NAME_SIZE];
	struct smtp_path path;
	struct span params;
	int r;

	if (!s->envelope.begun)
		return smtp_refuse(s, 503, "5.5.1", "MAIL comes first.");
	if (s->chunked)
		return smtp_refuse(s, 503, "5.5.1", "The message has begun.");
	if (smtp_path(c->rest, "TO", &path, &params) < 0)
		return smtp_refuse(s, 501, "5.1.3", "It goes RCPT TO:<address>.");
	if (span_trim(params).len > 0)
		return smtp_refuse(s, 555, "5.5.4", "RCPT takes no parameters here.");
	if (path.domain[0] == '\0' && span_caseeq_str(span_str(path.local), POSTMASTER))
		return take_recipient(s, POSTMASTER);
	if (path.local[0] == '\0')
		return smtp_refuse(s, 501, "5.1.3", "It goes RCPT TO:<address>.");
	r = smtp_local_account(&path, settings->domain, settings->host, name, sizeof(name));
	return r < 0 ? refuse_address(s, &path, r) : take_recipient(s, name);
}

/* -- RSET, VRFY -------------------------------------------------------------------------------- */

int smtp_cmd_rset(struct smtp_call *c)
{
	c->s->bad = 0;
	smtp_envelope_reset(c->s);
	return smtp_say(c->s, 250, "2.0.0", "Forgotten.");
}

int smtp_cmd_vrfy(struct smtp_call *c)
{
	if (c->rest.len == 0)
		return smtp_refuse(c->s, 501, "5.5.4", "VRFY takes a name.");
	return smtp_say(c->s, 252, "2.1.5", "RCPT tells whether there is such a recipient.");
}
