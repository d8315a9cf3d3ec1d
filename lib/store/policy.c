/* Policy: the table of settings, their values in the store. */
#include "store/policy.h"

#include "base/num.h"
#include "base/text.h"
#include "store/mail.h"
#include "store/ops.h"
#include "store/row.h"

#include <errno.h>

enum { POLICY_VERSION = 1 };

const struct policy_row policy_table[] = {
	{"audit_keep", POLICY_DURATION_S, "730d", 2592000, UINT64_C(100) * 31536000, NULL,
		"how long audit rows are kept; at least 30 days"},
	{"cert_days", POLICY_NUMBER, "30", 1, 398, NULL, "life of a user's certificate, in days"},
	{"chat_about", POLICY_TEXT, "Quintet", 0, 200, NULL,
		"what chatd says of itself in VERSION"},
	{"chat_accounts", POLICY_CHOICE, "required", 0, 0, "required|optional",
		"chat: must one log in, or are guests let in as well"},
	{"chat_always_on", POLICY_CHOICE, "yes", 0, 0, "yes|no",
		"chat: do accounts stay in their channels while none of their devices is there"},
	{"chat_auto_login", POLICY_CHOICE, "yes", 0, 0, "yes|no",
		"chat: does a certificate log in by itself, without SASL"},
	{"chat_channels", POLICY_NUMBER, "50", 0, 100000, NULL,
		"channels that an account may found"},
	{"chat_flood_burst", POLICY_NUMBER, "50", 1, 100000, NULL,
		"messages that one may send at once before chat_flood_rate holds"},
	{"chat_flood_rate", POLICY_NUMBER, "10", 0, 100000, NULL,
		"messages per second, of a person and of a source address; 0: no limit"},
	{"chat_keep", POLICY_DURATION_S, "90d", 0, UINT64_C(100) * 31536000, NULL,
		"how long what was said in chat is kept; 0: for ever"},
	{"chat_lag", POLICY_NUMBER, "20000", 100, 10000000, NULL,
		"events of chat that a slow client may be behind before it is disconnected"},
	{"chat_motd", POLICY_TEXT, "", 0, POLICY_VALUE_SIZE - 1, NULL,
		"message of the day of chat"},
	{"chat_password", POLICY_SECRET, "", 0, 200, NULL,
		"a word that all must give to chat (PASS), accounts too; none when empty"},
	{"chat_quota_day", POLICY_SIZE, "64M", 0, UINT64_C(1) << 40, NULL,
		"bytes that one may say in chat on a day; 0: no limit"},
	{"chat_register_early", POLICY_CHOICE, "yes", 0, 0, "yes|no",
		"may REGISTER make an account before the chat session is complete"},
	{"crl_hours", POLICY_NUMBER, "24", 1, 720, NULL,
		"how long a certificate revocation list is valid, in hours"},
	{"files_delete", POLICY_CHOICE, "owner", 0, 0, "owner|all",
		"who may remove or replace a file in /shared: its owner and administrators, or all"},
	{"files_keep_free", POLICY_SIZE, "64M", 0, UINT64_C(1) << 50, NULL,
		"room on the disk that uploads leave free"},
	{"files_partial", POLICY_DURATION_S, "7d", 60, 31536000, NULL,
		"how long an interrupted upload can be resumed"},
	{"files_quota", POLICY_SIZE, "10G", 0, UINT64_C(1) << 50, NULL,
		"bytes of files that an account may have; 0: no limit"},
	{"ftp_active", POLICY_CHOICE, "no", 0, 0, "no|yes",
		"active mode in FTP: may data connections be opened to the client"},
	{"ftp_unbound", POLICY_CHOICE, "no", 0, 0, "no|yes",
		"may FTP data connections come without the log-in's TLS session, from all accounts"},
	{"host_cert_days", POLICY_NUMBER, "90", 1, 398, NULL,
		"life of a host's or service's certificate, in days"},
	{"invite_days", POLICY_NUMBER, "7", 1, 365, NULL,
		"how long an invite or CMP reference can be used, in days"},
	{"mail_boxes", POLICY_NUMBER, "1000", 10, MAIL_BOXES_MAX, NULL,
		"mailboxes that an account may have"},
	{"mail_changes_keep", POLICY_DURATION_S, "90d", 3600, UINT64_C(100) * 31536000, NULL,
		"how long mail tells clients that were away what was expunged"},
	{"mail_expunged", POLICY_DURATION_S, "1d", 60, 31536000, NULL,
		"how long an expunged message is kept for sessions that still show it"},
	{"mail_notices_keep", POLICY_DURATION_S, "90d", 60, UINT64_C(100) * 31536000, NULL,
		"how long notices of new mail and receipts are kept"},
	{"mail_quota", POLICY_SIZE, "1G", 0, UINT64_C(1) << 50, NULL,
		"bytes of mail that an account may have; 0: no limit"},
	{"mail_receipts_keep", POLICY_DURATION_S, "365d", 60, UINT64_C(100) * 31536000, NULL,
		"how long is kept what was sent to whom, delivered and read"},
	{"mail_size", POLICY_SIZE, "26214400", 65536, UINT64_C(50) << 20, NULL,
		"bytes that a message may have"},
	{"ocsp_minutes", POLICY_NUMBER, "60", 1, 10080, NULL,
		"how long an OCSP answer is valid, in minutes"},
	{"rekey_proof", POLICY_CHOICE, "required", 0, 0, "required|tls",
		"re-enrolment with a new key: a proof by the old key in the request, or TLS alone"},
	{"signup", POLICY_CHOICE, "invite", 0, 0, "closed|invite|open",
		"who may make an account: nobody, whoever has an invite, anybody"},
	{"throttle_account", POLICY_NUMBER, "10", 1, 10000, NULL,
		"failed log-ins per account before it has to wait"},
	{"throttle_decay_s", POLICY_DURATION_S, "30", 1, 86400, NULL,
		"time in which one failed log-in is forgotten"},
	{"throttle_source", POLICY_NUMBER, "20", 1, 10000, NULL,
		"failed log-ins per source address before it has to wait"},
};

const size_t policy_count = sizeof(policy_table) / sizeof(policy_table[0]);

const struct policy_row *policy_find(const char *name)
{
	for (size_t i = 0; i < policy_count; i++)
		if (strcmp(policy_table[i].name, name) == 0)
			return &policy_table[i];
	return NULL;
}

static int parse_number(const struct policy_row *row, struct span value, uint64_t *ret)
{
	uint64_t v = 0;
	int rc;

	switch (row->kind) {
	case POLICY_NUMBER:
		rc = num_parse_u64(value, row->min, row->max, &v);
		break;
	case POLICY_DURATION_S:
		rc = num_parse_duration_s(value, row->max, &v);
		break;
	case POLICY_SIZE:
		rc = num_parse_size(value, row->max, &v);
		break;
	default:
		return -EINVAL;
	}
	if (rc == 0 && v < row->min)
		rc = -ERANGE;
	if (rc == 0)
		*ret = v;
	return rc;
}

static int check_choice(const char *choices, struct span value)
{
	struct span rest = span_str(choices), one;

	while (span_split(&rest, '|', &one))
		if (span_eq(one, value))
			return 0;
	return -EINVAL;
}

int policy_validate(const struct policy_row *row, struct span value)
{
	uint64_t number;

	if (value.len >= POLICY_VALUE_SIZE)
		return -ERANGE;
	switch (row->kind) {
	case POLICY_CHOICE:
		return check_choice(row->choices, value);
	case POLICY_TEXT:
	case POLICY_SECRET:
		if (!text_is_clean(value))
			return -EINVAL;
		return value.len > row->max ? -ERANGE : 0;
	default:
		return parse_number(row, value, &number);
	}
}

/* -- values ------------------------------------------------------------------------------------ */

int policy_decode(struct span value, char *ret, size_t size)
{
	struct rec r = row_open(value, POLICY_VERSION);
	char text[POLICY_VALUE_SIZE];

	rec_str(&r, text, sizeof(text));
	if (rec_end(&r) < 0)
		return -EBADMSG;
	return span_copy_str(span_str(text), ret, size) < 0 ? -EBADMSG : 0;
}

/* A value that the table no longer allows gives way to the default. */
static int read_row(struct store_txn *txn, const struct policy_row *row, char *ret)
{
	struct key key = key_policy(row->name);
	char text[POLICY_VALUE_SIZE];
	struct span value;
	int rc = row_get(txn, &key, &value);

	if (rc == 0)
		rc = policy_decode(value, text, sizeof(text));
	if (rc == 0 && policy_validate(row, span_str(text)) == 0)
		return span_copy_str(span_str(text), ret, POLICY_VALUE_SIZE);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	return span_copy_str(span_str(row->standard), ret, POLICY_VALUE_SIZE);
}

int policy_text_read(struct store_txn *txn, const char *name, char ret[POLICY_VALUE_SIZE])
{
	const struct policy_row *row = policy_find(name);

	return row == NULL ? -ENOENT : read_row(txn, row, ret);
}

int policy_number_read(struct store_txn *txn, const char *name, uint64_t *ret)
{
	const struct policy_row *row = policy_find(name);
	char text[POLICY_VALUE_SIZE];
	int rc;

	if (row == NULL)
		return -ENOENT;
	rc = read_row(txn, row, text);
	return rc < 0 ? rc : parse_number(row, span_str(text), ret);
}

struct get_args {
	const char *name;
	char *ret_text;
	uint64_t *ret_number;
};

static int text_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;

	return policy_text_read(txn, g->name, g->ret_text);
}

static int number_view(struct store_txn *txn, void *arg)
{
	const struct get_args *g = arg;

	return policy_number_read(txn, g->name, g->ret_number);
}

int policy_text(struct store *s, const char *name, char ret[POLICY_VALUE_SIZE])
{
	struct get_args g = {.name = name, .ret_text = ret};

	return store_view(s, text_view, &g);
}

int policy_number(struct store *s, const char *name, uint64_t *ret)
{
	struct get_args g = {.name = name, .ret_number = ret};

	return store_view(s, number_view, &g);
}

static const char *audit_value(const struct policy_row *row, const char *value)
{
	if (value[0] == '\0')
		return "(default)";
	return row->kind == POLICY_SECRET ? "(secret)" : value;
}

int op_policy_set(struct store_txn *txn, const void *args, void *result)
{
	const struct policy_set_args *p = args;
	const struct audit_note note = {p->now_us, "policy-set", "", p->by};
	const struct policy_row *row;
	struct key key;
	struct buf b;
	int rc;

	(void)result;
	if (!row_is_text(p->name, sizeof(p->name)) || !row_is_text(p->value, sizeof(p->value)) ||
		!row_is_text(p->by, sizeof(p->by)))
		return -EINVAL;
	row = policy_find(p->name);
	if (row == NULL)
		return -ENOENT;
	key = key_policy(p->name);
	if (p->value[0] == '\0') {
		rc = row_del(txn, &key);
		rc = rc == -ENOENT ? 0 : rc;
	} else {
		rc = policy_validate(row, span_str(p->value));
		if (rc < 0)
			return rc;
		b = row_begin(POLICY_VERSION);
		row_text(&b, p->value, sizeof(p->value));
		rc = row_put(txn, &key, &b);
	}
	return rc < 0 ? rc : audit_note(txn, &note, "%s=%s", p->name, audit_value(row, p->value));
}
