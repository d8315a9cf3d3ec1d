/* quintet status: is TLS working, everywhere? One row a service, and this machine's clock. */
#include "client/daytime.h"
#include "client/probe.h"
#include "client/table.h"

#include <errno.h>

static void probe_row(struct table *t, const struct probe *p)
{
	char handshake[24] = "", answer[24] = "";

	if (p->state == PROBE_DONE) {
		if (p->protocol[0] != '\0')
			snprintf(
				handshake, sizeof handshake, "%lld ms", (long long)p->handshake_ms);
		snprintf(answer, sizeof answer, "%lld ms", (long long)p->answer_ms);
	}
	table_add(t,
		(const char *const[]){p->door->name, p->state == PROBE_DONE ? "ok" : p->reason,
			p->protocol[0] != '\0'           ? p->protocol
				: p->state == PROBE_DONE ? "plain"
							 : "",
			p->cipher, p->until, handshake, answer});
}

static bool has_daytime(const struct profile *p, const struct probe *probes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(probes[i].door->name, "daytime") == 0 && probes[i].state == PROBE_DONE)
			return directory_door(&p->doors, "daytime") != NULL;
	return false;
}

static int clock_tell(struct client *c, const struct profile *p)
{
	int64_t offset_ns, bound_ns;
	bool synchronised;
	int r = daytime_measure(c, p, &offset_ns, &bound_ns, &synchronised);

	if (r == CLIENT_OK)
		fprintf(c->json ? stderr : stdout, "\nclock: %+.6f s against %s, within %.6f s%s\n",
			(double)offset_ns / 1e9, p->host, (double)bound_ns / 1e9,
			synchronised ? "" : "; the server's own clock is not synchronised");
	return r;
}

int cmd_status(struct client *c, int argc, char **argv)
{
	static const char *const columns[] = {"SERVICE", "STATE", "PROTOCOL", "CIPHER",
		"VERIFIED UNTIL", "HANDSHAKE", "ANSWER", NULL};
	_cleanup_(profile_done) struct profile p = PROFILE_INIT;
	struct probe probes[DIRECTORY_MAX_DOORS];
	size_t count = 0, good = 0;
	struct table t;
	int r;

	(void)argv;
	if (argc != 1)
		return client_usage("status");
	r = profile_need(c, &p);
	if (r != CLIENT_OK)
		return r;
	r = probe_all(c, &p, probes, &count);
	if (r < 0)
		return r == -ECANCELED
			? CLIENT_INTERRUPTED
			: client_fail(client_exit_of(r), "%s: %s", p.host, err_text(r));
	table_init(&t, columns);
	for (size_t i = 0; i < count; i++) {
		probe_row(&t, &probes[i]);
		good += probes[i].state == PROBE_DONE;
	}
	r = table_print(&t, c->json);
	table_done(&t);
	if (r < 0)
		return client_fail(client_exit_of(r), "%s", err_text(r));
	if (has_daytime(&p, probes, count) && clock_tell(c, &p) == CLIENT_INTERRUPTED)
		return CLIENT_INTERRUPTED;
	return good == count ? CLIENT_OK : CLIENT_NO;
}
