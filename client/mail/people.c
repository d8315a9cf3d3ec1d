/* What maild tells beyond IMAP: who is online, and one's own settings. */
#include "client/mail/told.h"

#include <errno.h>

static bool person_row(const struct imap_answer *a, const struct imap_node *pairs, void *ret)
{
	struct mail_person *p = ret;

	told_text(a, pairs, "NAME", p->name, sizeof p->name);
	p->online = told_flag(a, pairs, "ONLINE");
	p->hidden = told_flag(a, pairs, "HIDDEN");
	p->seen_us = told_time_us(a, pairs, "SEEN");
	return p->name[0] != '\0';
}

int mail_persons(struct imapc *m, struct mail_person **ret, size_t *ret_count)
{
	struct told t = {.name = "XPERSON", .size = sizeof(struct mail_person), .row = person_row};
	int r = told_can(m);

	if (r == 0)
		r = imapc_runf(m, told_heard, &t, "XPEOPLE");
	if (r < 0) {
		free(t.list);
		return r;
	}
	*ret = t.list;
	*ret_count = t.count;
	return 0;
}

/* -- settings ---------------------------------------------------------------------------------- */

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static int settings_heard(void *arg, const struct imap_answer *a)
{
	struct mail_settings *s = arg;
	const struct imap_node *pairs = imapc_nth(a, 1);

	if (a->status.len > 0 || !imapc_word(a, 0, "XSETTINGS") || pairs == NULL ||
		pairs->value != IMAP_VALUE_LIST)
		return 0;
	told_text(a, pairs, "RECEIPTS", s->receipts, sizeof s->receipts);
	told_text(a, pairs, "PRESENCE", s->presence, sizeof s->presence);
	lower(s->receipts);
	lower(s->presence);
	return 0;
}

/* Nothing but letters may come into a command. */
static bool is_plain(const char *s)
{
	return s[0] != '\0' &&
		strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == strlen(s);
}

int mail_settings(struct imapc *m, const char *what, const char *value, struct mail_settings *ret)
{
	struct mail_settings s = {.receipts = ""};
	int r = told_can(m);

	if (r == 0 && what != NULL && (!is_plain(what) || value == NULL || !is_plain(value)))
		r = -EINVAL;
	if (r == 0 && what != NULL)
		r = imapc_runf(m, settings_heard, &s, "XSET %s %s", what, value);
	if (r == 0 && (what == NULL || s.receipts[0] == '\0'))
		r = imapc_runf(m, settings_heard, &s, "XSET");
	if (r == 0)
		*ret = s;
	return r;
}
