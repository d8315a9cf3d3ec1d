/* Figures gathered: from the store in views, from the disk, from the sockets. */
#include "service/figures.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/timefmt.h"
#include "pki/cert.h"
#include "proto/signer.h"
#include "store/cert.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/statvfs.h>

#define HOUSE "quintet" /* the account of the services' certificates */
#define DAY_US (INT64_C(86400) * TIME_S_US)

enum { CRL_MAX = 16 << 20, TABLE_MAX = 16 << 20, PATH_SIZE = 512 };

/* -- ends ---------------------------------------------------------------------------------------
 */

struct gathering {
	struct figures *f;
	struct store *store;
	int64_t host_us, tsa_us;
};

__attribute__((format(printf, 4, 5))) static void add_end(
	struct figures *f, bool crl, int64_t end_us, const char *format, ...)
{
	struct figures_end *e = &f->ends[f->end_count];
	va_list ap;

	if (f->end_count == FIGURES_ENDS)
		return;
	f->end_count++;
	e->crl = crl;
	e->end_us = end_us;
	va_start(ap, format);
	(void)vsnprintf(e->what, sizeof(e->what), format, ap);
	va_end(ap);
}

/* An authority and its list; one that ended long ago is of no interest. */
static int gather_ca(void *arg, const struct ca *ca)
{
	const struct gathering *g = arg;
	_cleanup_(buf_done) struct buf der = BUF_INIT(CRL_MAX);
	struct pki_cert_info info;
	struct crl_info crl;
	int r = pki_cert_read(ca->der, &info);

	if (r < 0 || (ca->retired && info.not_after_us <= g->f->now_us))
		return 0;
	if (ca->id == 0)
		add_end(g->f, false, info.not_after_us, "root");
	else
		add_end(g->f, false, info.not_after_us, "issuing %u", (unsigned)ca->id);
	r = crl_get(g->store, ca->id, &crl, &der);
	if (r == 0)
		add_end(g->f, true, crl.next_update_us, "%u", (unsigned)ca->id);
	return r == -ENOENT ? 0 : r;
}

static int gather_house(void *arg, const struct cert *cert)
{
	struct gathering *g = arg;

	if (cert->state != CERT_ISSUED)
		return 0;
	if (cert->profile == CERT_PROFILE_HOST && cert->not_after_us > g->host_us)
		g->host_us = cert->not_after_us;
	if (cert->profile == CERT_PROFILE_TSA && cert->not_after_us > g->tsa_us)
		g->tsa_us = cert->not_after_us;
	return 0;
}

static int gather_ends(struct store *store, struct figures *f)
{
	struct gathering g = {.f = f, .store = store};
	int r = ca_each(store, gather_ca, &g);

	if (r == 0)
		r = cert_each(store, HOUSE, INT64_MAX, gather_house, &g);
	if (r == 0 && g.host_us > 0)
		add_end(f, false, g.host_us, "tls");
	if (r == 0 && g.tsa_us > 0)
		add_end(f, false, g.tsa_us, "tsa");
	return r;
}

/* -- sockets ------------------------------------------------------------------------------------
 */

/* "Num RefCount Protocol Flags Type St Inode Path": flag 0x10000 is a socket that listens. */
static bool line_listens(struct span line, const char *path)
{
	struct span word = {0};

	for (int field = 0; field < 7; field++) {
		while (line.len > 0 && line.p[0] == ' ')
			line = span_of(line.p + 1, line.len - 1);
		if (!span_split(&line, ' ', &word))
			return false;
		if (field == 3 && !span_eq_str(word, "00010000"))
			return false;
	}
	return span_eq_str(line, path);
}

bool figures_listed(struct span table, const char *path)
{
	struct span line;

	while (span_split(&table, '\n', &line))
		if (line_listens(line, path))
			return true;
	return false;
}

/* Where connecting is for others only, the kernel's list tells. */
static enum figures_reach look_up(const char *path)
{
	_cleanup_(buf_done) struct buf table = BUF_INIT(TABLE_MAX);

	if (path[0] != '/' || service_read_file("/proc/net/unix", &table) < 0)
		return FIGURES_UNKNOWN;
	return figures_listed(buf_span(&table), path) ? FIGURES_UP : FIGURES_DOWN;
}

enum figures_reach figures_reach(const char *path)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r = signer_connect(path, &fd);

	if (r == -EACCES || r == -EPERM)
		return look_up(path);
	return r < 0 ? FIGURES_DOWN : FIGURES_UP;
}

static void gather_sockets(const struct service_settings *settings, struct figures *f)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/signer.sock", settings->runtime);
	f->signer = figures_reach(path);
	f->keeper = settings->keeper[0] == '\0' ? FIGURES_UNKNOWN : figures_reach(settings->keeper);
}

/* -- all ----------------------------------------------------------------------------------------
 */

static void gather_disk(const struct service_settings *settings, struct figures *f)
{
	struct statvfs fs;

	if (statvfs(settings->state, &fs) != 0)
		return;
	f->disk_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	f->disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	f->disk_inodes = fs.f_files;
	f->disk_free_inodes = fs.f_favail;
}

int figures_read(const struct service_settings *settings, struct store *store, struct figures *ret)
{
	struct figures *f;
	const int64_t began_ms = time_monotonic_ms();
	int r;

	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	f->now_us = time_now_us();
	r = store_stats(store, f->now_us, FIGURES_SOON_DAYS * DAY_US, &f->stats);
	if (r == 0)
		r = store_health(store, &f->health);
	if (r == 0)
		r = gather_ends(store, f);
	if (r == 0) {
		gather_disk(settings, f);
		gather_sockets(settings, f);
		f->took_us = (time_monotonic_ms() - began_ms) * 1000;
		*ret = *f;
	}
	free(f);
	return r;
}
