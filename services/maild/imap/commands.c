/* The command table and its gate: is it known, and may it be said now? */
#include "services/maild/imap/imap.h"

#include <errno.h>

#define ANY (IMAP_NOT_AUTHENTICATED | IMAP_AUTHENTICATED | IMAP_SELECTED)
#define EARLY IMAP_NOT_AUTHENTICATED
#define IN (IMAP_AUTHENTICATED | IMAP_SELECTED)
#define BOX IMAP_SELECTED

/* clang-format off */
static const struct imap_command commands[] = {
	{"UID", NULL, 0, false, 0},
	{"FETCH", imap_cmd_fetch, BOX, true, IMAP_NO_EXPUNGE},
	{"STORE", imap_cmd_store, BOX, true, IMAP_NO_EXPUNGE},
	{"SEARCH", imap_cmd_search, BOX, true, IMAP_NO_EXPUNGE},
	{"NOOP", imap_cmd_noop, ANY, false, 0},
	{"IDLE", imap_cmd_idle, IN, false, 0},
	{"CAPABILITY", imap_cmd_capability, ANY, false, 0},
	{"LOGIN", imap_cmd_login, EARLY, false, IMAP_SECRET},
	{"AUTHENTICATE", imap_cmd_authenticate, EARLY, false, IMAP_SECRET},
	{"LOGOUT", imap_cmd_logout, ANY, false, IMAP_QUIET},
	{"ID", imap_cmd_id, ANY, false, 0},
	{"ENABLE", imap_cmd_enable, IN, false, 0},
	{"NAMESPACE", imap_cmd_namespace, IN, false, 0},
	{"SELECT", imap_cmd_select, IN, false, 0},
	{"EXAMINE", imap_cmd_examine, IN, false, 0},
	{"STATUS", imap_cmd_status, IN, false, 0},
	{"LIST", imap_cmd_list, IN, false, 0},
	{"LSUB", imap_cmd_lsub, IN, false, 0},
	{"APPEND", imap_cmd_append, IN, false, 0},
	{"COPY", imap_cmd_copy, BOX, true, 0},
	{"MOVE", imap_cmd_move, BOX, true, 0},
	{"EXPUNGE", imap_cmd_expunge, BOX, true, 0},
	{"CHECK", imap_cmd_check, BOX, false, 0},
	{"CLOSE", imap_cmd_close, BOX, false, IMAP_QUIET},
	{"UNSELECT", imap_cmd_unselect, BOX, false, IMAP_QUIET},
	{"CREATE", imap_cmd_create, IN, false, 0},
	{"DELETE", imap_cmd_delete, IN, false, 0},
	{"RENAME", imap_cmd_rename, IN, false, 0},
	{"SUBSCRIBE", imap_cmd_subscribe, IN, false, 0},
	{"UNSUBSCRIBE", imap_cmd_unsubscribe, IN, false, 0},
	{"SORT", imap_cmd_sort, BOX, true, IMAP_NO_EXPUNGE},
	{"THREAD", imap_cmd_thread, BOX, true, IMAP_NO_EXPUNGE},
	{"NOTIFY", imap_cmd_notify, IN, false, 0},
	{"GETQUOTA", imap_cmd_getquota, IN, false, 0},
	{"GETQUOTAROOT", imap_cmd_getquotaroot, IN, false, 0},
	{"XRECEIPTS", imap_cmd_xreceipts, IN, false, 0},
	{"XNOTICES", imap_cmd_xnotices, IN, false, 0},
	{"XPEOPLE", imap_cmd_xpeople, IN, false, 0},
	{"XSET", imap_cmd_xset, IN, false, 0},
};
/* clang-format on */

static const struct imap_command *find(struct span name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_caseeq_str(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void log_command(const struct imap_command *command)
{
	log_event(LOG_LEVEL_DEBUG, "command", log_fields({"COMMAND", span_str(command->name)}));
}

static int refuse_state(struct imap_call *c)
{
	switch (c->s->state) {
	case IMAP_NOT_AUTHENTICATED:
		return imap_bad(c, "Log in first");
	case IMAP_AUTHENTICATED:
		return imap_bad(c,
			(c->command->states & IN) != 0 ? "Select a mailbox first"
						       : "You are logged in already");
	default:
		return imap_bad(c, "Not now");
	}
}

/* The verb, with UID before it. */
static int take_name(struct imap_call *c)
{
	struct span name;

	if (imap_in_space(&c->in) < 0 || imap_in_atom(&c->in, &name) < 0)
		return -EBADMSG;
	c->command = find(name);
	if (c->command == NULL || c->command->run != NULL)
		return 0;
	c->uid = true;
	c->command = NULL;
	if (imap_in_space(&c->in) < 0 || imap_in_atom(&c->in, &name) < 0)
		return -EBADMSG;
	c->command = find(name);
	if (c->command != NULL && !c->command->uid_too)
		c->command = NULL;
	return 0;
}

static int run(struct imap_call *c)
{
	if (take_name(c) < 0)
		return imap_bad(c, "That is no command");
	if (c->command == NULL)
		return imap_bad(c, "Unknown command");
	log_command(c->command);
	if ((c->command->states & (unsigned)c->s->state) == 0)
		return refuse_state(c);
	return c->command->run(c);
}

int imap_command_run(struct imap_call *c)
{
	struct imap *s = c->s;
	struct span tag;
	int r;

	s->service->commands++;
	if (imap_in_tag(&c->in, &tag) < 0 || span_copy_str(tag, s->tag, sizeof(s->tag)) < 0) {
		s->bad++;
		imap_untagged(s, "BAD That is no tag");
		return c->unread ? imap_skip_literal(s, &c->literal) : 0;
	}
	r = run(c);
	if (r == 0 && c->unread)
		r = imap_skip_literal(s, &c->literal);
	return r;
}
