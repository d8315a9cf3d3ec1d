/* The keeper's first and last steps. */
#include "services/keeper/keeper.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "net/notify.h"
#include "net/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

enum {
	SPARE_FILES = 64,
	MAX_IDLE_S = 7 * 86400,
	OUT_MAX = 64 + OP_RESULT_MAX,
	SIGNALS = NET_ACTIVATE_MAX, /* as in loop.c */
};

/* -- options ----------------------------------------------------------------------------------- */

static void print_help(void)
{
	printf("usage: keeper [OPTION ...]\n\n"
	       "Writes the store for all services. Takes listening Unix sockets over from systemd or\n"
	       "inetd (see keeper(8)).\n\n"
	       "  --max=N            callers at once (default %u)\n"
	       "  --idle-exit=TIME   leave after so long without a caller, 0: never (default %us)\n"
	       "  --help, --version\n",
		(unsigned)KEEPER_CALLERS_MAX, (unsigned)KEEPER_IDLE_EXIT_S);
}

static int read_option(struct keeper *k, int option)
{
	uint64_t v = 0;
	int r = -EINVAL;

	if (option == 'm') {
		r = num_parse_u64(span_str(optarg), 1, KEEPER_CALLERS_MAX, &v);
		k->max = r == 0 ? (unsigned)v : k->max;
	} else if (option == 'i') {
		r = num_parse_duration_s(span_str(optarg), MAX_IDLE_S, &v);
		k->idle_exit_s = r == 0 ? (unsigned)v : k->idle_exit_s;
	} else if (option == 'h') {
		print_help();
		r = 1;
	} else if (option == 'v') {
		printf("keeper %s\n", QUINTET_VERSION);
		r = 1;
	}
	return r;
}

static int read_options(struct keeper *k, int argc, char **argv)
{
	static const struct option options[] = {
		{"max", required_argument, NULL, 'm'},
		{"idle-exit", required_argument, NULL, 'i'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	int option, r = 0;

	opterr = 0;
	while (r == 0 && (option = getopt_long(argc, argv, ":", options, NULL)) != -1)
		r = read_option(k, option);
	return r == 0 && optind < argc ? -EINVAL : r;
}

/* -- what is needed ---------------------------------------------------------------------------- */

static int usage(const char *what, const char *detail)
{
	log_event(LOG_LEVEL_ERR, what, log_fields({"DETAIL", span_str(detail)}));
	return -EPERM;
}

static int take_sockets(struct keeper *k)
{
	int r = net_activate(&k->sockets);

	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(0007);
	if (log_open("keeper", STDERR_FILENO, NULL) < 0)
		return usage("the log cannot be opened (QUINTET_LOG)", "");
	if (r < 0 || !k->sockets.listening)
		return usage("usage: no listening socket was handed over by an activator",
			r < 0 ? err_text(r) : "a connection was");
	if (getuid() == 0 || geteuid() == 0)
		return usage("will not run as root", "start it as a user of its own");
	return 0;
}

static int watch(const struct keeper *k, int fd, uint64_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};

	return epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int watch_all(struct keeper *k)
{
	sigset_t end;
	int r = 0;

	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGTERM);
	(void)sigaddset(&end, SIGINT);
	if (sigprocmask(SIG_BLOCK, &end, NULL) < 0)
		return -errno;
	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->signal_fd = signalfd(-1, &end, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->epoll_fd < 0 || k->signal_fd < 0)
		return -errno;
	r = watch(k, k->signal_fd, SIGNALS);
	for (size_t i = 0; r == 0 && i < k->sockets.count; i++) {
		int flags = fcntl(k->sockets.fds[i], F_GETFL);

		if (flags < 0 || fcntl(k->sockets.fds[i], F_SETFL, flags | O_NONBLOCK) < 0)
			return -errno;
		r = watch(k, k->sockets.fds[i], i);
	}
	return r;
}

/* Where it owns the store's files, nobody else is to write them. */
static int open_store(struct keeper *k)
{
	int r = store_open(k->settings.state, STORE_WRITE, &k->store);

	if (r < 0) {
		log_event(LOG_LEVEL_ERR, "cannot open the store",
			log_fields({"ERROR", span_str(err_text(r))},
				{"REASON", span_str(store_open_reason())}));
		return r;
	}
	r = store_modes(k->settings.state, true);
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "others may write the store as well",
			log_fields({"ERROR", span_str(err_text(r))},
				{"REASON", span_str(store_open_reason())}));
	return 0;
}

/* No more callers than the activator lets us have files for. */
static int limit_callers(struct keeper *k)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	if (files.rlim_cur <= SPARE_FILES)
		return -EMFILE;
	if (files.rlim_cur - SPARE_FILES < k->max)
		k->max = (unsigned)files.rlim_cur - SPARE_FILES;
	return 0;
}

static int build_walls(struct keeper *k)
{
	char dir[sizeof(k->settings.state) + sizeof("/store")];
	const struct sandbox_path paths[] = {{dir, SANDBOX_READ | SANDBOX_WRITE}};
	int r = sandbox_limits(k->max + SPARE_FILES, false);

	(void)snprintf(dir, sizeof(dir), "%s/store", k->settings.state);
	if (r == 0)
		r = limit_callers(k);
	if (r == 0)
		r = sandbox_paths(paths, 1, 0);
	if (r == 1)
		log_msg(LOG_LEVEL_NOTICE, "this kernel has no Landlock: files are not fenced off");
	if (r >= 0)
		r = sandbox_calls(SANDBOX_KEEPER);
	return r;
}

static int prepare(struct keeper *k)
{
	int r;

	k->batch = calloc(1, sizeof(*k->batch));
	if (k->batch == NULL)
		return -ENOMEM;
	k->out = BUF_INIT(OUT_MAX);
	for (size_t i = 0; i < KEEPER_KINDS; i++)
		k->queues[i].end = &k->queues[i].first;
	rights_users(k->settings.admin_user, &k->users);
	r = open_store(k);
	if (r < 0)
		return r;
	r = watch_all(k);
	if (r == 0)
		r = build_walls(k);
	if (r < 0)
		log_msg(LOG_LEVEL_ERR, "cannot start: %s", err_text(r));
	return r;
}

static int second_ms(void)
{
	uint64_t ms = 1000;
#ifdef QUINTET_TEST
	const char *text = getenv("QUINTET_TEST_TICK_MS");

	if (text != NULL)
		(void)num_parse_u64(span_str(text), 1, ms, &ms);
#endif
	return (int)ms;
}

int keeper_start(struct keeper *k, int argc, char **argv)
{
	int options, r;

	k->epoll_fd = -1;
	k->signal_fd = -1;
	k->max = KEEPER_CALLERS_MAX;
	k->idle_exit_s = KEEPER_IDLE_EXIT_S;
	k->second_ms = second_ms();
	k->started_ms = time_monotonic_ms();
	k->tick_ms = k->started_ms;
	options = read_options(k, argc, argv);
	if (options > 0)
		return options;
	r = take_sockets(k);
	if (r == 0 && options < 0)
		r = usage("usage: an option is not acceptable, see --help", "");
	if (r == 0 && service_settings_read("keeper", &k->settings) < 0)
		r = -EPERM;
	if (r == 0)
		r = prepare(k);
	if (r == 0) {
		log_msg(LOG_LEVEL_INFO, "ready");
		(void)notify_send("READY=1");
	}
	return r;
}

/* -- the end ----------------------------------------------------------------------------------- */

static void log_summary(const struct keeper *k, const char *reason)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {{"CALLS", k->stats.calls}, {"COMMITS", k->stats.batches},
		{"LARGEST", k->stats.largest}, {"CALLERS", k->stats.callers},
		{"AGAIN", k->stats.again}, {"REFUSED", k->stats.refused},
		{"TURNED_AWAY", k->stats.dropped},
		{"MS", (uint64_t)(time_monotonic_ms() - k->started_ms)}};
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	char text[ROWS][24];
	struct log_field fields[ROWS + 2] = {{"REASON", span_str(reason)}};

	for (size_t i = 0; i < ROWS; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%ju", (uintmax_t)rows[i].value);
		fields[i + 1] = (struct log_field){rows[i].name, span_str(text[i])};
	}
	log_event(LOG_LEVEL_INFO, "the keeper leaves", fields);
}

int keeper_finish(const struct keeper *k, int result)
{
	if (result == 0) {
		(void)notify_send("STOPPING=1");
		log_summary(k, k->ending ? "asked to" : "idle");
	}
	return err_exit_status(result);
}

void keeper_done(struct keeper *k)
{
	for (size_t i = 0; i < KEEPER_CALLERS_MAX; i++)
		if (k->table[i] != NULL)
			caller_drop(k, k->table[i]);
	store_closep(&k->store);
	cleanup_close(&k->epoll_fd);
	cleanup_close(&k->signal_fd);
	buf_done(&k->out);
	free(k->batch);
}
