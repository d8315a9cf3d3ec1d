/* metricsd: one answer per connection; see metricsd(8). */
#include "services/metricsd/metricsd.h"

#include "base/cleanup.h"

static const struct service_door doors[] = {
	{.name = "metrics", .tls = false, .idle_s = METRICS_SESSION_S},
	{.name = NULL},
};

/* Which sessions live, and who listens on sockets that are closed to us. */
static const struct sandbox_path proc_paths[] = {{"/proc", SANDBOX_READ}, {NULL, 0}};

static const struct service_def definition = {
	.name = "metricsd",
	.doors = doors,
	.sandbox = SANDBOX_SESSION,
	.extra_paths = proc_paths,
	.max_total = 8,
	.max_per_source = 8,
	.idle_exit_s = 60,
};

int main(int argc, char **argv)
{
	static const struct metrics_source source = {metrics_of_store};
	_cleanup_(service_done) struct service s = SERVICE_INIT;
	int r;

	r = service_start(&s, &definition, argc, argv);
	if (r == 0)
		r = service_credentials(&s);
	if (r != 0)
		return service_finish(&s, r);
	r = service_connection(&s);
	if (r <= 0)
		return service_finish(&s, r);
	r = service_store(&s, false);
	if (r == 0)
		r = metrics_run(&s, &source);
	return service_finish(&s, r);
}
