/* The world of world.h: its clock, its passwords, its files. */
#include "tests/fuzz/lib/world.h"

#include "auth/password.h"
#include "base/cleanup.h"
#include "base/timefmt.h"
#include "store/policy.h"

#include <crypt.h>
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TICK_US INT64_C(65536)
#define BEGIN_US (INT64_C(26965722657) * TICK_US) /* 2026-01-01 */
#define BOOTED_US (INT64_C(1000000) * TICK_US)

enum { STORE_MAX = 1 << 26 };

static struct {
	int64_t ticked; /* looks at the clock */
	bool ours;
} ticks;

void require_failed(const char *condition, const char *where)
{
	(void)fprintf(stderr, "%s: %s\n", where, condition);
	abort();
}

/* -- clock and passwords ----------------------------------------------------------------------- */

/* libFuzzer looks how long an input takes when its alarm strikes. */
static bool in_alarm(void)
{
	sigset_t blocked;

	return sigprocmask(SIG_BLOCK, NULL, &blocked) == 0 && sigismember(&blocked, SIGALRM) == 1;
}

/* What waits or locks goes on behind it. */
static void survive_alarm(void)
{
	struct sigaction alarm;

	if (sigaction(SIGALRM, NULL, &alarm) < 0 || alarm.sa_handler == SIG_DFL)
		return;
	alarm.sa_flags |= SA_RESTART;
	require(sigaction(SIGALRM, &alarm, NULL) == 0);
}

/* In the place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	int64_t us;

	if ((id != CLOCK_REALTIME && id != CLOCK_MONOTONIC) || !ticks.ours || in_alarm())
		return (int)syscall(SYS_clock_gettime, id, ret);
	if (id == CLOCK_REALTIME)
		ticks.ticked++;
	us = (id == CLOCK_REALTIME ? BEGIN_US : BOOTED_US) + ticks.ticked * TICK_US;
	*ret = (struct timespec){
		.tv_sec = us / TIME_S_US, .tv_nsec = us % TIME_S_US * INT64_C(1000)};
	return 0;
}

void world_wait(unsigned seconds)
{
	ticks.ticked += seconds * TIME_S_US / TICK_US + 1;
}

void world_clock(bool ours)
{
	ticks.ours = ours;
}

/* In the place of the library's, which is slow on purpose: the setting ("$y$j9T$SALT") and a sum.
 */
char *crypt_r(const char *text, const char *setting, struct crypt_data *data)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	size_t len = 0;
	unsigned dollars = 0;

	while (setting[len] != '\0' && !(setting[len] == '$' && ++dollars == 4))
		len++;
	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * UINT64_C(1099511628211);
	(void)snprintf(data->output, sizeof(data->output), "%.*s$%016llx", (int)len, setting,
		(unsigned long long)sum);
	return data->output;
}

/* -- files ------------------------------------------------------------------------------------- */

static void make_folder(const struct world *w, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	require(mkdir(path, 0770) == 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* In memory if there is room for that: what is looked for is not the disk's speed. */
void world_begin(struct world *w, const char *host)
{
	struct service_settings *s = &w->settings;

	log_set_level(LOG_LEVEL_ERR - 1);
	survive_alarm();
	(void)snprintf(w->dir, sizeof(w->dir), "/dev/shm/quintet-fuzz-XXXXXX");
	if (mkdtemp(w->dir) == NULL) {
		(void)snprintf(w->dir, sizeof(w->dir), "/tmp/quintet-fuzz-XXXXXX");
		require(mkdtemp(w->dir) != NULL);
	}
	(void)snprintf(s->state, sizeof(s->state), "%s/state", w->dir);
	(void)snprintf(s->runtime, sizeof(s->runtime), "%s/run", w->dir);
	(void)snprintf(s->domain, sizeof(s->domain), "example.org");
	(void)snprintf(s->host, sizeof(s->host), "%s", host);
	(void)snprintf(w->data, sizeof(w->data), "%s/state/store/data.mdb", w->dir);
	make_folder(w, "run");
	make_folder(w, "run/bells");
	make_folder(w, "run/locks");
	world_clock(true);
	require(store_open(s->state, STORE_CREATE, &w->store) == 0);
}

void world_end(struct world *w)
{
	store_close(w->store);
	buf_done(&w->file);
	(void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void world_keep(struct world *w)
{
	_cleanup_(cleanup_fclose) FILE *file = NULL;
	unsigned char piece[4096];
	size_t n;

	store_close(w->store);
	w->store = NULL;
	w->file = BUF_INIT(STORE_MAX);
	file = fopen(w->data, "rbe");
	require(file != NULL);
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(&w->file, span_of(piece, n));
	require(w->file.len > 0 && buf_error(&w->file) == 0);
	w->made = ticks.ticked;
}

void world_reset(struct world *w)
{
	_cleanup_(cleanup_fclose) FILE *file = NULL;

	world_clock(true);
	store_close(w->store);
	w->store = NULL;
	file = fopen(w->data, "wbe");
	require(file != NULL);
	require(fwrite(w->file.p, 1, w->file.len, file) == w->file.len);
	require(fflush(file) == 0);
	require(store_open(w->settings.state, STORE_WRITE, &w->store) == 0);
	ticks.ticked = w->made;
}

/* -- what is in it ----------------------------------------------------------------------------- */

void world_policy(const struct world *w, const char *name, const char *value)
{
	struct policy_set_args args = {.now_us = time_now_us()};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	(void)snprintf(args.value, sizeof(args.value), "%s", value);
	require(store_call(w->store, STORE_OP_POLICY_SET, &args, NULL) == 0);
}

void world_account(const struct world *w, const char *name, uint32_t flags)
{
	struct account_create_args args = {
		.flags = flags, .admin_act = true, .now_us = time_now_us(), .peer = "fuzz"};

	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	require(password_hash(SPAN_LIT(WORLD_PASSWORD), NULL, args.password) == 0);
	require(store_call(w->store, STORE_OP_ACCOUNT_CREATE, &args, NULL) == 0);
}

static void report(void *arg, const char *what)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", what);
}

void world_check(const struct world *w)
{
	require(store_check(w->store, report, NULL) == 0);
}
