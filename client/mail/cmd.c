/* quintet mail: the table of its commands, their options, and how one of them is run. */
#include "client/mail/ui.h"

#include "client/ask.h"

#include <unistd.h>

enum mailui_option {
	O_MAILBOX = 1 << 0,
	O_COUNT = 1 << 1,
	O_UNREAD = 1 << 2,
	O_ALL = 1 << 3,
	O_PEEK = 1 << 4,
	O_RAW = 1 << 5,
	O_SUBJECT = 1 << 6,
	O_CC = 1 << 7,
	O_BCC = 1 << 8,
	O_ATTACH = 1 << 9,
	O_FILE = 1 << 10,
	O_RECEIPT = 1 << 11,
	O_ENCRYPT = 1 << 12,
	O_SIGN = 1 << 13,
	O_PLAIN = 1 << 14,
	O_EDIT = 1 << 15,
	O_YES = 1 << 16,
	O_NO = 1 << 17,
	O_OUTPUT = 1 << 18,
	O_ON_READ = 1 << 19,
	O_ON_UNREAD = 1 << 20,
	O_ON_FLAG = 1 << 21,
	O_ON_UNFLAG = 1 << 22,
	O_NOW = 1 << 23,
	O_OLD = 1 << 24,
	O_RETRY = 1 << 25,
	O_REMOVE = 1 << 26,
	O_REPLY_ALL = 1 << 27,
	O_FOLDER = 1 << 28,
	O_OFFLINE = 1 << 29, /* no option: the account's password is not asked for */
	O_WRITING = O_CC | O_BCC | O_ATTACH | O_FILE | O_RECEIPT | O_ENCRYPT | O_SIGN | O_PLAIN |
		O_EDIT,
};

enum { MANY = 1000, OWN_ROWS = 29, LOGIN_ROWS = 2, ROWS = OWN_ROWS + LOGIN_ROWS + 1 };

struct mailui_command {
	struct client_command base; /* run is not used */
	int (*run)(struct mailui *u, const struct client_words *w);
	unsigned options;
	size_t min_words, max_words;
};

static int help(struct mailui *u, const struct client_words *w);

static const struct mailui_command commands[] = {
	{{"list", NULL, "mail list [-m MAILBOX] [-n COUNT] [--unread]",
		 "list messages, the newest last"},
		mailui_list, O_MAILBOX | O_COUNT | O_UNREAD, 0, 0},
	{{"read", NULL, "mail read [-m MAILBOX] [--peek] [--raw] UID ... | --unread | --all",
		 "read messages, which marks them as read"},
		mailui_read, O_MAILBOX | O_PEEK | O_RAW | O_UNREAD | O_ALL | O_YES | O_NO, 0, MANY},
	{{"send", NULL, "mail send [-s SUBJECT] [-a FILE ...] [--receipt] TO ...",
		 "write to people; the text comes from $EDITOR, or standard input"},
		mailui_send, O_SUBJECT | O_WRITING, 0, MANY},
	{{"reply", NULL, "mail reply [-m MAILBOX] [--all] UID", "answer a message"}, mailui_reply,
		O_MAILBOX | O_REPLY_ALL | O_WRITING, 1, 1},
	{{"forward", NULL, "mail forward [-m MAILBOX] UID TO ...", "pass a message on"},
		mailui_forward, O_MAILBOX | O_WRITING, 2, MANY},
	{{"search", NULL, "mail search [-m MAILBOX] WORD ...",
		 "find messages that have all these words"},
		mailui_search, O_MAILBOX | O_COUNT | O_UNREAD, 1, MANY},
	{{"mark", NULL, "mail mark [-m MAILBOX] --read|--unread|--flag|--unflag UID ...",
		 "set and clear flags"},
		mailui_mark, O_MAILBOX | O_ON_READ | O_ON_UNREAD | O_ON_FLAG | O_ON_UNFLAG, 1,
		MANY},
	{{"move", NULL, "mail move [-m MAILBOX] UID ... MAILBOX",
		 "move messages to another mailbox"},
		mailui_move, O_MAILBOX, 2, MANY},
	{{"delete", NULL, "mail delete [-m MAILBOX] [--now] UID ...", "move messages to Trash"},
		mailui_delete, O_MAILBOX | O_NOW, 1, MANY},
	{{"attach", NULL, "mail attach [-m MAILBOX] [-o FOLDER] UID [NUMBER ...]",
		 "save what is attached to a message"},
		mailui_attach, O_MAILBOX | O_FOLDER, 1, MANY},
	{{"export", NULL, "mail export [-m MAILBOX] [--raw] [-o FILE] UID ...",
		 "write messages out whole, decrypted unless --raw"},
		mailui_export, O_MAILBOX | O_RAW | O_OUTPUT, 1, MANY},
	{{"folders", NULL, "mail folders", "list the mailboxes and what is unread in them"},
		mailui_folders, 0, 0, 0},
	{{"check", NULL, "mail check", "tell what is unread, and what is new since the last time"},
		mailui_check, 0, 0, 0},
	{{"receipts", NULL, "mail receipts [UID|MESSAGE-ID]", "tell what became of what you sent"},
		mailui_receipts, O_MAILBOX | O_COUNT, 0, 1},
	{{"notices", NULL, "mail notices [--all]", "show each notice once"}, mailui_notices, O_ALL,
		0, 0},
	{{"people", NULL, "mail people", "tell who is there, and who was when"}, mailui_people, 0,
		0, 0},
	{{"set", NULL, "mail set [receipts ask|never|always | presence shown|hidden]",
		 "see and change your settings"},
		mailui_set, 0, 0, 2},
	{{"outbox", NULL, "mail outbox [--retry|--remove] [NAME]",
		 "see and send what waits to be sent"},
		mailui_outbox, O_RETRY | O_REMOVE, 0, 1},
	{{"key", NULL, "mail key export|import FILE | show NAME",
		 "take your key to other programs and back (PKCS#12)"},
		mailui_key, O_OLD | O_OFFLINE, 2, 2},
	{{"help", NULL, "mail help", "list the commands"}, help, O_OFFLINE, 0, 0},
};

static int help(struct mailui *u, const struct client_words *w)
{
	(void)u;
	(void)w;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		printf("  %-9s %s\n", commands[i].base.name, commands[i].base.help);
	puts("\nEach has a --help of its own; without a command: the view, ? tells its keys.");
	return CLIENT_OK;
}

/* In the order of enum mailui_option's bits. */
static void rows_fill(struct client_option rows[ROWS], struct mailui_options *o, unsigned options)
{
	const struct client_option own[OWN_ROWS] = {
		{"mailbox", 'm', "NAME", &o->mailbox, NULL, "the mailbox; INBOX"},
		{"count", 'n', "COUNT", &o->count, NULL, "at most so many, the newest"},
		{"unread", 'u', NULL, NULL, &o->unread, "only what is unread"},
		{"all", 0, NULL, NULL, &o->all, "all of them"},
		{"peek", 0, NULL, NULL, &o->peek, "leave them unread, answer no receipts"},
		{"raw", 0, NULL, NULL, &o->raw, "as it came, nothing opened"},
		{"subject", 's', "TEXT", &o->subject, NULL, "the subject"},
		{"cc", 'c', "PEOPLE ...", o->cc, NULL, "a copy to them"},
		{"bcc", 'b', "PEOPLE ...", o->bcc, NULL, "a copy that others do not see"},
		{"attach", 'a', "FILE ...", o->attach, NULL, "a file to go with it"},
		{"file", 'f', "FILE", &o->text_file, NULL, "the text; - standard input"},
		{"receipt", 'r', NULL, NULL, &o->receipt, "ask for a receipt"},
		{"encrypt", 'e', NULL, NULL, &o->encrypt, "encrypt, or do not send"},
		{"sign", 0, NULL, NULL, &o->sign, "sign, do not encrypt"},
		{"plain", 0, NULL, NULL, &o->plain, "neither sign nor encrypt"},
		{"edit", 0, NULL, NULL, &o->edit, "open $EDITOR on the text in any case"},
		{"yes", 0, NULL, NULL, &o->yes, "send receipts that are asked for"},
		{"no", 0, NULL, NULL, &o->no, "send none"},
		{"output", 'o', "PATH", &o->output, NULL, "where to; - standard output"},
		{"read", 0, NULL, NULL, &o->on_read, "as read"},
		{"unread", 0, NULL, NULL, &o->on_unread, "as unread"},
		{"flag", 0, NULL, NULL, &o->on_flag, "as important"},
		{"unflag", 0, NULL, NULL, &o->on_unflag, "as not important"},
		{"now", 0, NULL, NULL, &o->now, "for good, not to Trash"},
		{"old", 0, NULL, NULL, &o->old, "for programs of before 2020"},
		{"retry", 0, NULL, NULL, &o->retry, "try a refused letter once more"},
		{"remove", 0, NULL, NULL, &o->remove, "do not send it"},
		{"all", 0, NULL, NULL, &o->all, "to all who have it"},
		{"output", 'o', "FOLDER", &o->output, NULL, "where to; this folder"},
	};
	const struct client_option login[LOGIN_ROWS] = {
		{"user", 'U', "NAME", &o->user, NULL, "the account, by password"},
		{"password-file", 'P', "FILE", &o->password_file, NULL,
			"its password: FILE's first line; - standard input"},
	};
	size_t n = 0;

	for (size_t i = 0; i < OWN_ROWS; i++)
		if ((options >> i & 1) != 0)
			rows[n++] = own[i];
	for (size_t i = 0; i < LOGIN_ROWS; i++)
		rows[n++] = login[i];
	rows[n] = (struct client_option){.name = NULL};
}

static const struct mailui_command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(name, commands[i].base.name) == 0)
			return &commands[i];
	return NULL;
}

static int command_run(struct mailui *u, const struct mailui_command *k, int argc, char **argv)
{
	struct client_option rows[ROWS];
	struct client_words w = {NULL, 0};
	int code;

	u->client->command = &k->base;
	rows_fill(rows, &u->o, k->options);
	code = client_options(u->client, argc, argv, rows, k->max_words, &w);
	if (code >= 0)
		return code;
	if (w.count < k->min_words)
		return client_usage(u->client, "%s: words are missing", k->base.name);
	code = (k->options & O_OFFLINE) != 0 ? profile_need(u->client, &u->profile)
					     : mailui_begin(u);
	return code == CLIENT_OK ? k->run(u, &w) : code;
}

/* Without a command: the view on a terminal, else what is new. */
static int session(struct mailui *u)
{
	const struct client_words none = {NULL, 0};
	int code = mailui_begin(u);

	if (code != CLIENT_OK)
		return code;
	if (!u->client->json && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
		return mailui_screen(u);
	return mailui_check(u, &none);
}

int cmd_mail(struct client *c, int argc, char **argv)
{
	struct mailui u = {
		.client = c, .profile = PROFILE_INIT, .password = BUF_INIT(ASK_SECRET_MAX)};
	struct client_option rows[ROWS];
	const struct mailui_command *k;
	int used = 1, code;

	rows_fill(rows, &u.o, O_MAILBOX);
	code = client_options_front(c, argc, argv, rows, &used);
	if (code < 0) {
		k = used < argc ? command_find(argv[used]) : NULL;
		if (k != NULL)
			code = command_run(&u, k, argc - used, argv + used);
		else if (used < argc)
			code = client_usage(
				c, "mail has no command \"%s\"; try quintet mail help", argv[used]);
		else
			code = session(&u);
	}
	mailui_done(&u);
	return code;
}
