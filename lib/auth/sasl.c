/* SASL PLAIN and EXTERNAL: one client message each. */
#include "auth/sasl.h"

#include "auth/name.h"
#include "base/text.h"

#include <errno.h>

enum { PART_MAX = 255, PASSWORD_PART_MAX = 1024 };

struct mechanism_row {
	const char *name;
	enum sasl_mechanism mechanism;
};

static const struct mechanism_row mechanisms[] = {
	{"PLAIN", SASL_PLAIN},
	{"EXTERNAL", SASL_EXTERNAL},
};

int sasl_find(struct span name, enum sasl_mechanism *ret)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (span_caseeq_str(name, mechanisms[i].name)) {
			*ret = mechanisms[i].mechanism;
			return 0;
		}
	return -ENOENT;
}

static bool part_ok(struct span s, size_t max)
{
	return s.len <= max && text_is_utf8(s);
}

int sasl_parse_plain(struct span message, struct span *ret_authzid, struct span *ret_name,
	struct span *ret_password)
{
	struct span authzid, name, rest = message;

	/* Splitting gives up on an empty rest, so an authzid alone fails at the second step. */
	if (message.len == 0 || !span_split(&rest, 0, &authzid) || !span_split(&rest, 0, &name) ||
		rest.len == 0 || memchr(rest.p, 0, rest.len) != NULL)
		return -EBADMSG;
	if (!part_ok(authzid, PART_MAX) || !part_ok(name, PART_MAX) || name.len == 0 ||
		!part_ok(rest, PASSWORD_PART_MAX))
		return -EBADMSG;
	*ret_authzid = authzid;
	*ret_name = name;
	*ret_password = rest;
	return 0;
}

/* Nobody acts for anybody: an authzid is empty or the name itself. */
static bool acts_for_another(struct span authzid, struct span name)
{
	char asked[ACCOUNT_NAME_SIZE], own[ACCOUNT_NAME_SIZE];

	if (authzid.len == 0)
		return false;
	return name_fold(authzid, asked) < 0 || name_fold(name, own) < 0 || strcmp(asked, own) != 0;
}

static int refuse(const char **ret_reason, int error, const char *reason)
{
	*ret_reason = reason;
	return error;
}

static int answer_plain(struct store *s, const struct auth_source *from, struct span message,
	struct auth_identity *ret, const char **ret_reason)
{
	struct span authzid, name, password;
	int r = sasl_parse_plain(message, &authzid, &name, &password);

	if (r < 0)
		return refuse(ret_reason, r, "the PLAIN message is malformed");
	if (acts_for_another(authzid, name))
		return refuse(ret_reason, -EACCES, "nobody acts for another here");
	r = auth_password(s, from, name, password, ret, NULL);
	if (r == -EACCES)
		return refuse(ret_reason, r, "name or password is wrong");
	if (r == -EBUSY)
		return refuse(ret_reason, r, "too many failed tries; wait");
	return r < 0 ? refuse(ret_reason, r, "log-in is not possible now; try again") : 0;
}

static int answer_external(struct store *s, const struct auth_source *from,
	const struct sasl_message *message, struct auth_identity *ret, const char **ret_reason)
{
	struct span authzid = message->bytes;
	struct auth_identity who;
	int r;

	if (!part_ok(authzid, PART_MAX) || (authzid.len > 0 && memchr(authzid.p, 0, authzid.len)))
		return refuse(ret_reason, -EBADMSG, "the EXTERNAL message is malformed");
	if (message->peer_der.len == 0)
		return refuse(ret_reason, -EKEYREJECTED, "no client certificate was shown");
	r = auth_certificate(s, from, message->peer_der, &who, ret_reason);
	if (r == -EKEYREJECTED)
		return r;
	if (r < 0)
		return refuse(ret_reason, r, "log-in is not possible now; try again");
	if (acts_for_another(authzid, span_str(who.account.name)))
		return refuse(ret_reason, -EACCES, "nobody acts for another here");
	*ret = who;
	return 0;
}

int sasl_answer(struct store *s, const struct auth_source *from, const struct sasl_message *message,
	struct auth_identity *ret, const char **ret_reason)
{
	switch (message->mechanism) {
	case SASL_PLAIN:
		return answer_plain(s, from, message->bytes, ret, ret_reason);
	case SASL_EXTERNAL:
		return answer_external(s, from, message, ret, ret_reason);
	}
	return refuse(ret_reason, -EBADMSG, "unknown mechanism");
}
