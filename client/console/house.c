/* The client's own commands: places, parts, help, the end. Those of time and identity are in
 * house_more.c. */
#include "client/console/house.h"

#include "base/num.h"
#include "base/timefmt.h"
#include "client/term/width.h"
#include "proto/irc.h"

#include <strings.h>

/* -- places ------------------------------------------------------------------------------------ */

static const char *kind_word(const struct place *p)
{
	static const char *const words[] = {[PLACE_HOUSE] = "the client's own words",
		[PLACE_CHANNEL] = "channel",
		[PLACE_PERSON] = "person",
		[PLACE_CALL] = "call",
		[PLACE_MAILBOX] = "mailbox",
		[PLACE_LETTER] = "letter",
		[PLACE_FILES] = "files"};

	return words[p->kind];
}

static void places_tell(struct console *c)
{
	for (size_t i = 0; i < c->place_count; i++) {
		const struct place *p = c->places[i];

		console_say(c, "%u %s: %s%s%s, %u unread%s", p->number, p->name, kind_word(p),
			p->gone ? ", not there now" : "", p == c->current ? ", here" : "",
			p->unread, p->called ? ", you are named" : "");
	}
}

static struct place *place_of(struct console *c, struct span word)
{
	char name[256];
	uint64_t n;

	if (num_parse_u64(word, 0, UINT32_MAX, &n) == 0)
		return place_number(c, (unsigned)n);
	return span_copy_str(word, name, sizeof name) == 0 ? place_find(c, name) : NULL;
}

static void cmd_go(struct console *c, struct span words)
{
	struct place *p = words.len > 0 ? place_of(c, words) : NULL;

	if (words.len == 0)
		places_tell(c);
	else if (p == NULL)
		console_error(c, "there is no such place; /go lists them");
	else
		place_show(c, p);
}

static size_t index_of(const struct console *c, const struct place *p)
{
	size_t i = 0;

	while (i + 1 < c->place_count && c->places[i] != p)
		i++;
	return i;
}

/* The next that names one, else the next with something unread, else the next. */
static void cmd_next(struct console *c, struct span words)
{
	size_t at = index_of(c, c->current), n = c->place_count;

	(void)words;
	for (unsigned wish = 0; wish < 3; wish++)
		for (size_t i = 1; i <= n; i++) {
			struct place *p = c->places[(at + i) % n];

			if (p != c->current &&
				(wish == 2 || (wish == 1 ? p->unread > 0 : p->called))) {
				place_show(c, p);
				return;
			}
		}
}

static void cmd_unread(struct console *c, struct span words)
{
	size_t told = 0;

	(void)words;
	for (size_t i = 0; i < c->place_count; i++) {
		const struct place *p = c->places[i];

		if (p->unread == 0)
			continue;
		told++;
		console_say(c, "%u %s: %u unread%s", p->number, p->name, p->unread,
			p->called ? ", you are named" : "");
	}
	if (told == 0)
		console_say(c, "nothing is unread");
}

static void cmd_close(struct console *c, struct span words)
{
	struct place *p = words.len > 0 ? place_of(c, words) : c->current;

	if (p == NULL || p->kind == PLACE_HOUSE)
		console_error(c, "there is nothing of that name to be closed");
	else if (p->kind == PLACE_MAILBOX)
		console_error(c, "mailboxes stay in the list");
	else if (p->kind == PLACE_CHANNEL || p->kind == PLACE_PERSON || p->kind == PLACE_CALL)
		chat_close(c, p);
	else if (p->kind != PLACE_LETTER || mail_closing(c, p))
		place_close(c, p);
}

/* -- parts ------------------------------------------------------------------------------------- */

static void part_tell(struct console *c, enum part_id id)
{
	const struct part *p = &c->parts[id];
	int64_t in_s = (p->retry_ms - time_monotonic_ms() + 999) / 1000;

	switch (p->state) {
	case PART_UP:
		console_say(
			c, "%s: up%s%s", part_name(id), p->text[0] != '\0' ? ", " : "", p->text);
		break;
	case PART_TRYING:
		console_say(c, "%s: being tried%s%s", part_name(id),
			p->told[0] != '\0' && p->losses > 0 ? "; before: " : "",
			p->losses > 0 ? p->told : "");
		break;
	case PART_WAITING:
		console_say(c, "%s: down: %s; tried again in %lld s", part_name(id), p->why,
			(long long)(in_s > 0 ? in_s : 0));
		break;
	case PART_ABSENT:
		console_say(c, "%s: %s does not offer it", part_name(id), c->profile.host);
		break;
	}
}

static void house_status(struct console *c, struct span words)
{
	(void)words;
	console_say(c, "%s at %s, profile %s", c->profile.user, c->profile.host, c->profile.name);
	for (unsigned id = 0; id < PARTS; id++)
		if (id <= PART_FILES || c->parts[id].state != PART_UP)
			part_tell(c, (enum part_id)id);
	house_clock_tell(c);
	house_certificate_tell(c);
	for (size_t i = 0; i < c->transfer_count; i++) {
		_cleanup_(buf_done) struct buf line = BUF_INIT(1024);

		if (c->transfers[i].state != TRANSFER_RUNS &&
			c->transfers[i].state != TRANSFER_WAITS)
			continue;
		console_transfer_line(&c->transfers[i], &line, 200);
		console_say(c, "%s", buf_str(&line));
	}
}

static void cmd_retry(struct console *c, struct span words)
{
	size_t found = 0;

	for (unsigned id = 0; id < PARTS; id++) {
		if (words.len > 0 && !span_caseeq_str(words, part_name((enum part_id)id)))
			continue;
		found++;
		part_retry(c, (enum part_id)id);
	}
	if (found == 0)
		console_error(c, "the parts are chat, mail, files, time and certificate");
}

/* -- help, and the end ------------------------------------------------------------------------- */

static void help_one(struct console *c, struct span name)
{
	size_t told = 0;

	if (name.len > 0 && *name.p == '/')
		name = span_of(name.p + 1, name.len - 1);
	for (const struct console_table *t = console_tables(); t->title != NULL; t++)
		for (const struct console_command *k = t->rows; k->name != NULL; k++) {
			if (!span_caseeq_str(name, k->name))
				continue;
			told++;
			console_say(c, "/%s%s%s: %s", k->name, k->usage[0] != '\0' ? " " : "",
				k->usage, k->help);
		}
	if (told == 0)
		console_error(c, "there is no command /%.*s", (int)name.len, (const char *)name.p);
}

static void cmd_help(struct console *c, struct span words)
{
	if (words.len > 0) {
		help_one(c, words);
		return;
	}
	if (c->face->help != NULL) {
		c->face->help(c);
		return;
	}
	for (const struct console_table *t = console_tables(); t->title != NULL; t++) {
		console_say(c, "-- %s --", t->title);
		for (const struct console_command *k = t->rows; k->name != NULL; k++)
			console_say(c, "/%s%s%s: %s", k->name, k->usage[0] != '\0' ? " " : "",
				k->usage, k->help);
	}
	console_say(c,
		"What does not begin with / is said to whom you look at; // begins such a "
		"text with /.");
}

static void leave_answered(struct console *c, int answer, void *arg)
{
	(void)arg;
	if (answer > 0)
		console_leave(c, CLIENT_OK);
}

static void cmd_quit(struct console *c, struct span words)
{
	size_t busy = transfers_busy(c);

	if (span_eq_str(words, "now") || busy == 0 || c->face == &console_plain ||
		console_ask(c, leave_answered, NULL,
			"%zu transfer%s not done; what is there is kept and goes on another time. "
			"Leave?",
			busy, busy == 1 ? " is" : "s are") < 0)
		console_leave(c, CLIENT_OK);
}

const struct console_command console_house_commands[] = {
	{"help", cmd_help, "[COMMAND]", "tell the commands", PARTS, false, 0},
	{"go", cmd_go, "[NAME|NUMBER]", "go to a place, or list them", PARTS, false, 0},
	{"next", cmd_next, "", "go to the next place with something unread", PARTS, false, 0},
	{"unread", cmd_unread, "", "list what is unread", PARTS, false, 0},
	{"close", cmd_close, "[NAME|NUMBER]", "put a place away; a channel is left", PARTS, false,
		0},
	{"status", house_status, "", "tell how all parts are", PARTS, false, 0},
	{"retry", cmd_retry, "[PART]", "try at once what is down", PARTS, false, 0},
	{"daytime", house_daytime, "", "measure this machine's clock again", PARTS, false, 0},
	{"stamp", house_stamp, "FILE [TOKEN]", "have the time of a file attested (FILE.tsr)", PARTS,
		true, 0},
	{"verify", house_verify, "FILE [TOKEN]", "verify such an attestation", PARTS, true, 0},
	{"whoami", house_whoami, "", "tell account and certificate", PARTS, false, 0},
	{"renew", house_renew, "", "renew the certificate now", PARTS, false, 0},
	{"quit", cmd_quit, "[now]", "leave", PARTS, false, 0},
	{NULL, NULL, NULL, NULL, PARTS, false, 0},
};
