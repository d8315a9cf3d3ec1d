/* What all commands of quintet mail begin with: who, the line, a mailbox, a message. */
#include "client/mail/ui.h"

#include "client/ask.h"

#include "base/num.h"

#include <errno.h>

int mailui_begin(struct mailui *u)
{
	int r = profile_need(u->client, &u->profile);

	if (r != CLIENT_OK)
		return r;
	u->login.user = u->o.user;
	if (u->o.user == NULL && u->o.password_file == NULL && u->profile.cert_pem.len > 0)
		return CLIENT_OK;
	r = ask_password(u->client, u->o.password_file, false, &u->password);
	u->login.password = buf_span(&u->password);
	return r;
}

void mailui_done(struct mailui *u)
{
	imapc_closep(&u->line);
	buf_wipe(&u->password);
	profile_done(&u->profile);
}

int mailui_line(struct mailui *u)
{
	return u->line != NULL ? CLIENT_OK
			       : imapc_open(u->client, &u->profile, &u->login, &u->line);
}

int mailui_failed(const struct mailui *u, int error, const char *doing)
{
	int code = error == -EREMOTEIO || error == -ENOENT ? CLIENT_NO : client_exit_of(error);

	if (error == -ENOENT)
		return client_fail(code, "%s: there is no such message", doing);
	return client_fail(code, "%s: %s", doing,
		u->line != NULL ? imapc_why(u->line, error) : client_why(error));
}

int mailui_box(struct mailui *u, bool read_only, struct mailbox **ret)
{
	const char *name = u->o.mailbox != NULL ? u->o.mailbox : "INBOX";
	int r = mailui_line(u);

	if (r != CLIENT_OK)
		return r;
	r = mailbox_open(u->line, &u->profile, name, read_only, ret);
	return r < 0 ? mailui_failed(u, r, name) : CLIENT_OK;
}

/* -- UIDs ---------------------------------------------------------------------------------------
 */

static int range_read(struct span word, uint32_t *ret_first, uint32_t *ret_last)
{
	struct span head = {NULL, 0};
	uint64_t first = 0, last = 0;

	if (!span_split(&word, ':', &head) || num_parse_u64(head, 1, UINT32_MAX - 1, &first) < 0)
		return -EINVAL;
	last = first;
	if (word.len > 0 && span_eq_str(word, "*"))
		last = UINT32_MAX - 1;
	else if (word.len > 0 && num_parse_u64(word, first, UINT32_MAX - 1, &last) < 0)
		return -EINVAL;
	*ret_first = (uint32_t)first;
	*ret_last = (uint32_t)last;
	return 0;
}

/* Those of the range that are there. How many. */
static size_t range_add(const struct mailbox *b, uint32_t first, uint32_t last, struct buf *ret)
{
	const struct mail_item *items;
	size_t count, found = 0;

	items = mailbox_items(b, &count);
	for (size_t i = 0; i < count; i++) {
		if (items[i].uid < first || items[i].uid > last)
			continue;
		buf_add(ret, span_of(&items[i].uid, sizeof(items[i].uid)));
		found++;
	}
	return found;
}

static int word_add(struct mailui *u, const struct mailbox *b, const char *word, struct buf *ret)
{
	struct span rest = span_str(word), part;

	while (rest.len > 0 && span_split(&rest, ',', &part)) {
		uint32_t first = 0, last = 0;

		if (range_read(part, &first, &last) < 0)
			return client_usage(u->client, "\"%s\" is no number of a message", word);
		if (range_add(b, first, last, ret) == 0)
			return client_fail(CLIENT_NO, "there is no message %.*s in %s",
				(int)part.len, (const char *)part.p, mailbox_name(b));
	}
	return CLIENT_OK;
}

int mailui_uids(struct mailui *u, const struct mailbox *b, const struct client_words *w,
	size_t first, struct buf *ret)
{
	for (size_t i = first; i < w->count; i++) {
		int r = word_add(u, b, w->v[i], ret);

		if (r != CLIENT_OK)
			return r;
	}
	return buf_error(ret) < 0 ? client_fail(ERR_EXIT_TEMP, "too many messages at once")
				  : CLIENT_OK;
}

/* -- a message ----------------------------------------------------------------------------------
 */

void mailui_letter_done(struct mailui_letter *l)
{
	if (l->viewed)
		mail_view_done(&l->view);
	buf_done(&l->raw);
	buf_done(&l->readable);
}

int mailui_open(struct mailui *u, struct mailbox *b, uint32_t uid, struct mailui_letter *ret)
{
	char doing[64];
	int r = mailbox_message(b, uid, &ret->raw);

	(void)snprintf(doing, sizeof doing, "message %u", (unsigned)uid);
	if (r < 0)
		return mailui_failed(u, r, doing);
	r = smime_open(u->client, &u->profile, buf_span(&ret->raw), &ret->readable, &ret->verdict);
	if (r == -ECANCELED)
		return CLIENT_INTERRUPTED;
	/* It is shown as it is then, and the verdict says why. */
	if (r < 0) {
		buf_reset(&ret->readable);
		buf_add(&ret->readable, buf_span(&ret->raw));
	}
	r = mail_view_make(buf_span(&ret->readable), &ret->view);
	ret->viewed = r == 0;
	return r < 0 ? mailui_failed(u, r, doing) : CLIENT_OK;
}
