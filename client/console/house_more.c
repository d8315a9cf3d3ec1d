/* The client's own commands of time and identity: they ask the parts, or run beside them. */
#include "client/console/house.h"

#include "base/timefmt.h"
#include "client/daytime.h"
#include "client/term/words.h"

/* -- of parts ---------------------------------------------------------------------------------- */

void house_clock_tell(struct console *c)
{
	int64_t size_us = c->clock.offset_us < 0 ? -c->clock.offset_us : c->clock.offset_us;
	int64_t within_s = (size_us + c->clock.bound_us) / TIME_S_US + 1;

	if (!c->clock.known)
		console_say(c, "clock: not known");
	else if (c->clock.bound_us >= TIME_S_US)
		console_say(c, "clock: within %lld s of the server's, which is not sure of its own",
			(long long)within_s);
	else if (size_us <= c->clock.bound_us)
		console_say(c, "clock: agrees with the server's within %.3f ms",
			(double)c->clock.bound_us / 1000);
	else
		console_say(c,
			"clock: this machine's is %.3f ms %s the server's, give or take %.3f ms",
			(double)size_us / 1000, c->clock.offset_us > 0 ? "behind" : "ahead of",
			(double)c->clock.bound_us / 1000);
}

void house_certificate_tell(struct console *c)
{
	_cleanup_(buf_done) struct buf due = BUF_INIT(64), until = BUF_INIT(64);
	const struct certificate_view *v = &c->certificate;

	if (!v->known) {
		console_say(c, "certificate: none");
		return;
	}
	time_rfc3339_utc(&until, v->until_us);
	time_rfc3339_utc(&due, v->from_us + (v->until_us - v->from_us) / 3 * 2);
	console_say(c, "certificate: valid until %s, renewed by itself at %s%s%s", buf_str(&until),
		buf_str(&due), v->why[0] != '\0' ? "; the last attempt failed: " : "", v->why);
}

static void part_ask(struct console *c, enum part_id id)
{
	struct part *p = &c->parts[id];

	p->busy = 1;
	p->retry_ms = 0;
	if (p->task != NULL)
		task_poke(p->task);
}

void house_daytime(struct console *c, struct span words)
{
	(void)words;
	if (c->parts[PART_TIME].state == PART_ABSENT)
		console_error(c, "%s does not tell the time", c->profile.host);
	else
		part_ask(c, PART_TIME);
}

void house_renew(struct console *c, struct span words)
{
	(void)words;
	part_ask(c, PART_IDENTITY);
}

/* -- beside them ------------------------------------------------------------------------------- */

struct errand {
	struct console *c;
	void (*run)(struct errand *e);
	struct words words;
	struct buf file, token;
};

static void errand_free(struct errand *e)
{
	words_done(&e->words);
	buf_done(&e->file);
	buf_done(&e->token);
	free(e);
}

static void errand_task(void *arg)
{
	struct errand *e = arg;

	e->run(e);
	e->c->errands--;
	errand_free(e);
}

/* "~/x" is in the person's home. */
static void path_make(const char *word, struct buf *ret)
{
	const char *home = getenv("HOME");

	if (word[0] == '~' && word[1] == '/' && home != NULL) {
		buf_add_str(ret, home);
		word++;
	}
	word_plain(ret, word);
}

static void errand_begin(
	struct console *c, struct span words, size_t most, void (*run)(struct errand *e))
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(WORDS_LINE_MAX);
	struct errand *e = calloc(1, sizeof *e);

	if (e == NULL)
		return;
	*e = (struct errand){.c = c,
		.run = run,
		.words = WORDS_INIT,
		.file = BUF_INIT(8192),
		.token = BUF_INIT(8192)};
	buf_add(&line, words);
	if (words_split(buf_str(&line), &e->words) < 0 || e->words.count > most) {
		console_error(c, "/%s: too many words, or a quote is not closed", c->command);
		errand_free(e);
		return;
	}
	if (e->words.count > 0)
		path_make(e->words.v[0], &e->file);
	if (e->words.count > 1)
		path_make(e->words.v[1], &e->token);
	if (task_start("errand", errand_task, e, NULL) < 0) {
		console_error(c, "/%s: too much is under way", c->command);
		errand_free(e);
		return;
	}
	c->errands++;
}

static const char *token_of(const struct errand *e)
{
	return e->token.len > 0 ? buf_str(&e->token) : NULL;
}

static void stamp(struct errand *e)
{
	(void)stamp_make(e->c->client, &e->c->profile, buf_str(&e->file), token_of(e));
}

static void verify(struct errand *e)
{
	(void)stamp_verify(e->c->client, &e->c->profile, buf_str(&e->file), token_of(e));
}

/* The subcommand itself, with a name for its profile. */
static void whoami(struct errand *e)
{
	char name[] = "whoami", *argv[] = {name, NULL};
	struct client own = *e->c->client;

	own.profile = e->c->profile.name;
	(void)cmd_whoami(&own, 1, argv);
}

void house_stamp(struct console *c, struct span words)
{
	errand_begin(c, words, 2, stamp);
}

void house_verify(struct console *c, struct span words)
{
	errand_begin(c, words, 2, verify);
}

void house_whoami(struct console *c, struct span words)
{
	errand_begin(c, words, 0, whoami);
}
