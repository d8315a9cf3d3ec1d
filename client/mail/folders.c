/* All mailboxes with their counts. */
#include "client/mail/imapc.h"

#include <errno.h>

enum { FOLDERS_MAX = 10000 };

#define STATUS_ITEMS "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY%s)"

struct listing {
	struct imapc *m;
	struct mail_folder *list;
	size_t count, room;
};

void mail_folders_free(struct mail_folder *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(f[i].name);
	free(f);
}

static char *name_of(const struct imapc *m, const struct imap_node *n)
{
	_cleanup_(buf_done) struct buf name = BUF_INIT(MAIL_NAME_MAX);
	char clean[MAIL_NAME_MAX];

	if (n == NULL || n->value == IMAP_VALUE_LIST || n->text.len == 0 ||
		n->text.len >= MAIL_NAME_MAX)
		return NULL;
	if (span_caseeq_str(n->text, "INBOX"))
		return strdup("INBOX");
	if (m->utf8 || imap_name_decode(n->text, &name) < 0) {
		buf_reset(&name);
		buf_add(&name, n->text);
	}
	imapc_clean(buf_span(&name), clean, sizeof clean);
	return strdup(clean);
}

static struct mail_folder *find(struct listing *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->list[i].name, name) == 0)
			return &l->list[i];
	return NULL;
}

/* Takes name. */
static int add(struct listing *l, char *name, struct mail_folder **ret)
{
	size_t room = l->room > 0 ? 2 * l->room : 16;

	*ret = find(l, name);
	if (*ret != NULL || l->count >= FOLDERS_MAX) {
		free(name);
		return *ret != NULL ? 0 : -E2BIG;
	}
	if (l->count == l->room) {
		struct mail_folder *list = reallocarray(l->list, room, sizeof *list);

		if (list == NULL) {
			free(name);
			return -ENOMEM;
		}
		l->list = list;
		l->room = room;
	}
	*ret = &l->list[l->count++];
	**ret = (struct mail_folder){.name = name, .use = "", .selectable = true};
	return 0;
}

static void attributes(
	const struct imap_answer *a, const struct imap_node *list, struct mail_folder *f)
{
	static const char *const uses[] = {
		"\\Sent", "\\Drafts", "\\Trash", "\\Junk", "\\Archive", "\\All", "\\Flagged"};
	const struct imap_node *n = imap_answer_child(a, list, 0);

	for (; n != NULL; n = n->next < a->count ? &a->nodes[n->next] : NULL) {
		for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
			if (span_caseeq_str(n->text, uses[i]))
				f->use = uses[i];
		if (span_caseeq_str(n->text, "\\Noselect") ||
			span_caseeq_str(n->text, "\\NonExistent"))
			f->selectable = false;
	}
}

static void number(
	const struct imap_answer *a, const struct imap_node *list, const char *name, uint32_t *ret)
{
	const struct imap_node *n = imap_answer_find(a, list, name);

	if (n != NULL)
		(void)imapc_u32(n->text, ret);
}

static void counts(const struct imap_answer *a, const struct imap_node *list, struct mail_folder *f)
{
	const struct imap_node *modseq = imap_answer_find(a, list, "HIGHESTMODSEQ");

	number(a, list, "MESSAGES", &f->messages);
	number(a, list, "UNSEEN", &f->unseen);
	number(a, list, "UIDNEXT", &f->uid_next);
	number(a, list, "UIDVALIDITY", &f->validity);
	if (modseq != NULL)
		(void)imapc_u64(modseq->text, &f->modseq);
}

static int heard(void *arg, const struct imap_answer *a)
{
	struct listing *l = arg;
	bool is_list = imapc_word(a, 0, "LIST"), is_status = imapc_word(a, 0, "STATUS");
	const struct imap_node *details;
	struct mail_folder *f = NULL;
	char *name;
	int r;

	if (a->status.len > 0 || (!is_list && !is_status))
		return 0;
	details = imapc_nth(a, is_list ? 1 : 2);
	name = name_of(l->m, imapc_nth(a, is_list ? 3 : 1));
	if (name == NULL)
		return 0;
	r = add(l, name, &f);
	if (r < 0 || details == NULL || details->value != IMAP_VALUE_LIST)
		return r;
	if (is_list)
		attributes(a, details, f);
	else
		counts(a, details, f);
	return 0;
}

/* One command for each, where LIST cannot tell. */
static int ask_each(struct listing *l, const char *modseq)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < l->count; i++) {
		_cleanup_(imapc_words_done) struct imapc_words w;

		imapc_words_begin(l->m, &w);
		if (!l->list[i].selectable)
			continue;
		imapc_say(&w, "STATUS ");
		imapc_say_mailbox(&w, span_str(l->list[i].name));
		imapc_say(&w, " " STATUS_ITEMS, modseq);
		r = imapc_say_run(l->m, &w, heard, l);
		if (r == -EREMOTEIO)
			r = 0;
	}
	return r;
}

int mail_folders(struct imapc *m, struct mail_folder **ret, size_t *ret_count)
{
	struct listing l = {.m = m};
	const char *modseq = imapc_can(m, "CONDSTORE") ? " HIGHESTMODSEQ" : "";
	bool at_once = imapc_can(m, "LIST-STATUS") && imapc_can(m, "SPECIAL-USE");
	int r;

	if (at_once) {
		r = imapc_runf(m, heard, &l,
			"LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS " STATUS_ITEMS ")", modseq);
	} else {
		r = imapc_runf(m, heard, &l, "LIST \"\" \"*\"");
		if (r == 0)
			r = ask_each(&l, modseq);
	}
	if (r < 0) {
		mail_folders_free(l.list, l.count);
		return r;
	}
	*ret = l.list;
	*ret_count = l.count;
	return 0;
}

const struct mail_folder *mail_folder_find(
	const struct mail_folder *f, size_t count, const char *use, const char *name)
{
	for (size_t i = 0; use != NULL && i < count; i++)
		if (strcmp(f[i].use, use) == 0)
			return &f[i];
	for (size_t i = 0; name != NULL && i < count; i++)
		if (strcmp(f[i].name, name) == 0)
			return &f[i];
	return NULL;
}
