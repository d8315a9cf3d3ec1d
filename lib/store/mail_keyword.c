/* The keywords of an account: a bit for each name, given when it is first used. */
#include "store/mail_i.h"

#include <errno.h>

/* An atom of IMAP, which a flag has to be (RFC 9051 section 9). */
static bool is_keyword(struct span name)
{
	if (name.len == 0 || name.len >= MAIL_KEYWORD_SIZE)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f ||
			memchr("(){%*\"\\]", name.p[i], sizeof("(){%*\"\\]") - 1) != NULL)
			return false;
	return true;
}

static size_t find_keyword(const struct mail_keywords *k, struct span name)
{
	for (size_t i = 0; i < k->count; i++)
		if (span_caseeq_str(name, k->names[i]))
			return i;
	return k->count;
}

int mail_flags_enter(struct store_txn *txn, const char *account,
	const struct mail_flag_names *names, struct mail_flags *ret)
{
	struct mail_flags flags = {.system = names->system};
	struct mail_keywords k = {.count = 0};
	bool grown = false;
	size_t at;
	int rc = names->count > 0 ? mail_keywords_read(txn, account, &k) : 0;

	for (size_t i = 0; rc == 0 && i < names->count; i++) {
		if (!is_keyword(names->keywords[i]))
			return -EINVAL;
		at = find_keyword(&k, names->keywords[i]);
		if (at == MAIL_KEYWORDS_MAX)
			return -ENOBUFS;
		if (at == k.count) {
			rc = span_copy_str(names->keywords[i], k.names[at], sizeof(k.names[at]));
			k.count++;
			grown = true;
		}
		flags.keywords |= UINT64_C(1) << at;
	}
	if (rc == 0 && grown)
		rc = mail_keywords_write(txn, account, &k);
	if (rc == 0)
		*ret = flags;
	return rc;
}
