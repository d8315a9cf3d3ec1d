/* The first and the last step of every service: options, log and settings; goodbye, summary and
 * exit status. */
#include "service/service.h"

#include "base/num.h"
#include "base/timefmt.h"
#include "service/internal.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

enum {
	MAX_SESSIONS = 8000, /* the store's readers are the bound */
	MAX_IDLE_S = 7 * 86400,
	GOODBYE_S = 2,
};

int service_fault(struct service *s, int error, const char *message)
{
	if (!err_is_temporary(error))
		s->misconfigured = true;
	log_msg(LOG_LEVEL_ERR, "%s: %s", message, err_text(error));
	return error;
}

static void print_help(const struct service_def *def)
{
	printf("usage: %s [OPTION ...]\n\n"
	       "Serves one connection on standard input, or the listening sockets handed over by\n"
	       "systemd or inetd (see %s(8)).\n\n"
	       "  --door=NAME        what to serve:",
		def->name, def->name);
	for (const struct service_door *d = def->doors; d->name != NULL; d++)
		printf(" %s%s", d->name, d == def->doors ? " (default)" : "");
	printf("\n"
	       "  --max=N            sessions at once, when listening (default %u)\n"
	       "  --per-source=N     of these from one address, 0: no limit (default %u)\n"
	       "  --idle-exit=TIME   leave after so long without a session, 0: never (default %us)\n"
	       "  --help, --version\n",
		def->max_total, def->max_per_source, def->idle_exit_s);
}

static int choose_door(struct service *s, const char *name)
{
	for (const struct service_door *d = s->def->doors; d->name != NULL; d++)
		if (strcmp(d->name, name) == 0) {
			s->door = d;
			return 0;
		}
	return -EINVAL;
}

static int read_number(const char *text, uint64_t min, unsigned *ret)
{
	uint64_t v;
	int r = num_parse_u64(span_str(text), min, MAX_SESSIONS, &v);

	if (r == 0)
		*ret = (unsigned)v;
	return r;
}

static int read_idle(const char *text, unsigned *ret)
{
	uint64_t v;
	int r = num_parse_duration_s(span_str(text), MAX_IDLE_S, &v);

	if (r == 0)
		*ret = (unsigned)v;
	return r;
}

static int read_option(struct service *s, int option)
{
	switch (option) {
	case 'd':
		return choose_door(s, optarg);
	case 'm':
		return read_number(optarg, 1, &s->max_total);
	case 'p':
		return read_number(optarg, 0, &s->max_per_source);
	case 'i':
		return read_idle(optarg, &s->idle_exit_s);
	case 'h':
		print_help(s->def);
		return 1;
	case 'v':
		printf("%s %s\n", s->def->name, QUINTET_VERSION);
		return 1;
	default:
		return -EINVAL;
	}
}

/* Silent, for standard error may be the peer still. *ret_bad: the argument that is wrong. */
static int read_options(struct service *s, int argc, char **argv, const char **ret_bad)
{
	static const struct option options[] = {
		{"door", required_argument, NULL, 'd'},
		{"max", required_argument, NULL, 'm'},
		{"per-source", required_argument, NULL, 'p'},
		{"idle-exit", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	int option, r = 0;

	opterr = 0;
	optind = 1;
	while (r == 0 && (option = getopt_long(argc, argv, ":", options, NULL)) != -1)
		r = read_option(s, option);
	if (r < 0)
		*ret_bad = argv[optind - 1];
	if (r == 0 && optind < argc) {
		*ret_bad = argv[optind];
		r = -EINVAL;
	}
	return r;
}

static int misconfigured(struct service *s, const char *message, const char *detail)
{
	s->misconfigured = true;
	log_event(LOG_LEVEL_ERR, message, log_fields({"DETAIL", span_str(detail)}));
	return -EINVAL;
}

static int judge(struct service *s, int options, int activation, const char *bad)
{
	if (options < 0)
		return misconfigured(s, "usage: an option is not acceptable, see --help", bad);
	if (activation < 0)
		return misconfigured(s, "usage: no usable socket was handed over by an activator",
			err_text(activation));
	if (getuid() == 0 || geteuid() == 0)
		return misconfigured(s, "will not run as root", "start it as a user of its own");
	if (service_settings_read(s->def->name, &s->settings) < 0) {
		s->misconfigured = true;
		return -EINVAL;
	}
	return 0;
}

int service_start(struct service *s, const struct service_def *def, int argc, char **argv)
{
	const char *bad = "";
	int options, activation, r;

	s->def = def;
	s->door = def->doors;
	s->max_total = def->max_total;
	s->max_per_source = def->max_per_source;
	s->idle_exit_s = def->idle_exit_s;
	s->argv = argv;
	options = read_options(s, argc, argv, &bad);
	if (options > 0)
		return options;
	/* Before anything can be written to descriptor 2. */
	activation = net_activate(&s->sockets);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0007);
	r = log_open(def->name, STDERR_FILENO, NULL);
	if (r < 0)
		return service_fault(s, r, "the log cannot be opened (QUINTET_LOG)");
	return judge(s, options, activation, bad);
}

/* Results that are no surprise at the end of a session. */
static bool is_quiet(const struct service *s, int result)
{
	return result >= 0 || s->live.revoked || err_exit_status(result) == ERR_EXIT_OK;
}

static const char *end_reason(const struct service *s, int result)
{
	if (s->end_reason != NULL)
		return s->end_reason;
	return result < 0 ? err_text(result) : "done";
}

static const char *end_message(const struct service *s)
{
	if (!s->door->tls || conn_tls(s->conn) != NULL)
		return "session ended";
	return s->door->starttls && !s->tls_begun ? "session ended before TLS" : "no TLS handshake";
}

static void log_summary(const struct service *s, int result)
{
	const struct tls_info *tls = conn_tls(s->conn);
	const char *protocol = tls != NULL ? tls->protocol : "none";
	const char *reason = end_reason(s, result);
	char commands[16], in[24], out[24], ms[24];

	(void)snprintf(commands, sizeof(commands), "%u", s->commands);
	(void)snprintf(in, sizeof(in), "%ju", (uintmax_t)conn_bytes_in(s->conn) + s->data_in);
	(void)snprintf(out, sizeof(out), "%ju", (uintmax_t)conn_bytes_out(s->conn) + s->data_out);
	(void)snprintf(ms, sizeof(ms), "%lld", (long long)(time_monotonic_ms() - s->started_ms));
	log_event(is_quiet(s, result) ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, end_message(s),
		log_fields({"REASON", span_str(reason)}, {"DOOR", span_str(s->door->name)},
			{"TLS", span_str(protocol)}, {"COMMANDS", span_str(commands)},
			{"BYTES_IN", span_str(in)}, {"BYTES_OUT", span_str(out)},
			{"MS", span_str(ms)},
			{s->cert_reason[0] != '\0' ? "CERT_REASON" : NULL,
				span_str(s->cert_reason)}));
}

int service_finish(struct service *s, int result)
{
	if (s->conn != NULL) {
		conn_set_timeout_s(s->conn, GOODBYE_S);
		(void)conn_close(s->conn);
		log_summary(s, result);
	}
	service_live_end(s);
	if (s->misconfigured && result < 0)
		return ERR_EXIT_CONFIG;
	return is_quiet(s, result) ? ERR_EXIT_OK : err_exit_status(result);
}

void service_done(struct service *s)
{
	service_live_end(s);
	conn_freep(&s->conn);
	store_closep(&s->store);
	tls_server_freep(&s->tls);
}
