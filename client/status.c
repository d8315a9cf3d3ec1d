/* quintet status: is TLS working, everywhere? One row a service, and this machine's clock. */
#include "client/daytime.h"
#include "client/probe.h"
#include "client/table.h"

#include <errno.h>

static const struct table_column columns[] = {{"SERVICE", NULL}, {"STATE", NULL}, {"PORT", ""},
	{"PROTOCOL", NULL}, {"CIPHER", NULL}, {"VERIFIED UNTIL", NULL}, {"HANDSHAKE", "ms"},
	{"ANSWER", "ms"}, {NULL, NULL}};

static void probe_row(struct table *t, const struct probe *p)
{
	char handshake[24] = "", answer[24] = "", port[8];

	snprintf(port, sizeof port, "%u", (unsigned)p->door->port);
	if (p->state == PROBE_DONE && p->until[0] != '\0')
		snprintf(handshake, sizeof handshake, "%lld", (long long)p->handshake_ms);
	if (p->state == PROBE_DONE)
		snprintf(answer, sizeof answer, "%lld", (long long)p->answer_ms);
	table_add(t,
		(const char *const[]){p->door->name, p->state == PROBE_DONE ? "ok" : p->reason,
			port, p->protocol, p->cipher, p->until, handshake, answer});
}

static int print_people(const struct table *t, const char *host, const struct daytime_measure *m)
{
	struct daytime_measure_text text = {.state = ""};
	int r = table_print(t, false);

	if (r < 0 || m == NULL)
		return r;
	daytime_measure_show(m, &text);
	printf("\nclock: %s s against %s, within %s s%s\n", text.offset, host, text.bound,
		m->synchronised ? "" : "; the server's own clock is not synchronised");
	return 0;
}

static int print_json(const struct table *t, const char *host, const struct daytime_measure *m)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(1U << 20);

	buf_add_str(&out, "{\"services\":");
	table_json(t, &out);
	if (m != NULL) {
		struct daytime_measure_text text = {.state = ""};

		daytime_measure_show(m, &text);
		const struct table_pair pairs[] = {{"server", host, NULL},
			{"offset", text.offset, "s"}, {"bound", text.bound, "s"},
			{"server clock", text.state, NULL}};

		buf_add_str(&out, ",\n\"clock\":");
		table_pairs_json(pairs, sizeof pairs / sizeof pairs[0], &out);
	}
	buf_add_str(&out, "}\n");
	if (buf_error(&out) == 0)
		fputs(buf_str(&out), stdout);
	return buf_error(&out);
}

static int report(struct client *c, const struct profile *p, const struct probe_run *run,
	const struct daytime_measure *m)
{
	struct table t;
	int r;

	table_init(&t, columns);
	for (size_t i = 0; i < run->count; i++)
		probe_row(&t, &run->probes[i]);
	r = c->json ? print_json(&t, p->host, m) : print_people(&t, p->host, m);
	table_done(&t);
	return r < 0 ? client_fail(ERR_EXIT_TEMP, "the table cannot be made: %s", err_text(r))
		     : CLIENT_OK;
}

static int verdict(const struct probe_run *run)
{
	bool clock_suspect = false;
	size_t good = 0;

	for (size_t i = 0; i < run->count; i++) {
		good += run->probes[i].state == PROBE_DONE;
		clock_suspect = clock_suspect || run->probes[i].clock_suspect;
	}
	if (clock_suspect)
		client_fail(CLIENT_NO,
			"only the dates are wrong: perhaps it is this machine's clock that is off, "
			"look at it first");
	return good == run->count ? CLIENT_OK : CLIENT_NO;
}

int cmd_status(struct client *c, int argc, char **argv)
{
	static const struct client_option none[] = {{.name = NULL}};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	_cleanup_(probe_done) struct probe_run run = {.count = 0};
	struct daytime_measure m;
	struct client_words w;
	bool measured = false;
	int r = client_options(c, argc, argv, none, 0, &w);

	if (r >= 0)
		return r;
	r = profile_need(c, &p);
	if (r == CLIENT_OK)
		r = probe_all(c, &p, &run);
	if (r != CLIENT_OK)
		return r;
	for (size_t i = 0; i < run.count; i++)
		if (strcmp(run.probes[i].door->name, "daytime") == 0 &&
			run.probes[i].state == PROBE_DONE) {
			r = daytime_measure(c, &p, &m);
			measured = r == CLIENT_OK;
		}
	if (r == CLIENT_INTERRUPTED)
		return r;
	r = report(c, &p, &run, measured ? &m : NULL);
	return r == CLIENT_OK ? verdict(&run) : r;
}
