/* What a line means that was typed: an answer, a command of one of the tables, or something said.
 */
#include "client/console/console.h"

#include "proto/irc.h"

#include <errno.h>

const struct console_table *console_tables(void)
{
	static struct console_table tables[] = {
		{"the console", console_house_commands},
		{"chat and calls", NULL},
		{"mail", console_mail_commands},
		{"files", console_file_commands},
		{NULL, NULL},
	};

	tables[1].rows = console_chat_commands();
	return tables;
}

/* Where one looks decides first, then what means the same everywhere. ret_elsewhere: one that is
 * for other kinds of places. */
static const struct console_command *command_find(
	const struct console *c, struct span name, const struct console_command **ret_elsewhere)
{
	const struct console_command *everywhere = NULL;

	*ret_elsewhere = NULL;
	for (const struct console_table *t = console_tables(); t->title != NULL; t++)
		for (const struct console_command *k = t->rows; k->name != NULL; k++) {
			if (!span_caseeq_str(name, k->name))
				continue;
			if ((k->kinds >> c->current->kind & 1) != 0)
				return k;
			if (k->kinds == 0 && everywhere == NULL)
				everywhere = k;
			if (k->kinds != 0)
				*ret_elsewhere = k;
		}
	return everywhere;
}

static void command_run(struct console *c, struct span line)
{
	const struct console_command *k, *elsewhere;
	struct span name;

	(void)irc_word(&line, ' ', &name);
	line = span_trim(line);
	k = command_find(c, name, &elsewhere);
	c->command = k != NULL ? k->name : "";
	if (k == NULL && elsewhere != NULL)
		console_error(c, "/%s: not here; it is to %s", elsewhere->name, elsewhere->help);
	else if (k == NULL)
		console_error(c, "there is no command /%.*s; /help lists them", (int)name.len,
			(const char *)name.p);
	else if (k->needs_words && line.len == 0)
		console_error(c, "/%s %s", k->name, k->usage);
	else if (k->part < PARTS && c->parts[k->part].state != PART_UP)
		console_error(c, "/%s: no %s now%s%s", k->name, part_name(k->part),
			c->parts[k->part].why[0] != '\0' ? ": " : "", c->parts[k->part].why);
	else
		k->run(c, line);
}

static void said(struct console *c, struct span line)
{
	switch (c->current->kind) {
	case PLACE_CHANNEL:
	case PLACE_PERSON:
	case PLACE_CALL:
		chat_say(c, c->current, line);
		break;
	case PLACE_HOUSE:
		console_error(c,
			"nobody hears that here: /join #CHANNEL, /query NICK or /go "
			"somewhere first; /help lists the commands");
		break;
	case PLACE_MAILBOX:
		console_error(c, "this is a mailbox: /read, /reply, /write TO; /help tells more");
		break;
	case PLACE_LETTER:
		console_error(c, "this is a letter: /reply answers it, /close puts it away");
		break;
	case PLACE_FILES:
		console_error(c, "these are files: /get, /put, /ls, /cd; /help tells more");
		break;
	}
}

static bool answered(struct console *c, struct span line)
{
	bool yes = span_caseeq_str(line, "y") || span_caseeq_str(line, "yes");
	bool no = span_caseeq_str(line, "n") || span_caseeq_str(line, "no");

	return c->question[0] != '\0' && (yes || no) && console_answer(c, yes);
}

void console_line(struct console *c, struct span line)
{
	bool slash = line.len > 0 && *line.p == '/';

	/* What was told before is not the answer to this. */
	c->said[0] = '\0';
	if (answered(c, span_trim(line)))
		return;
	/* Two slashes: a text that begins with one. */
	if (slash && line.len > 1 && line.p[1] == '/') {
		line = span_of(line.p + 1, line.len - 1);
		slash = false;
	}
	if (slash)
		command_run(c, span_of(line.p + 1, line.len - 1));
	else if (c->current->kind == PLACE_LETTER && mail_typed(c, c->current, line))
		return;
	else if (span_trim(line).len > 0)
		said(c, line);
}
