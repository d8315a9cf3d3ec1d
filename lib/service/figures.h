/*
 * What a watching system wants to know of Quintet on this machine, in numbers; and the same as text
 * for Prometheus. For metricsd and quintetctl metrics. Nothing in it tells who somebody is.
 */
#ifndef SERVICE_FIGURES_H
#define SERVICE_FIGURES_H

#include "service/service.h"
#include "store/stats.h"

enum {
	FIGURES_ENDS = 64,
	FIGURES_TEXT_MAX = 1 << 20, /* no exposition is longer */
	FIGURES_SOON_DAYS = 14, /* a certificate that ends within them is "expiring" */
};

enum figures_reach { FIGURES_UNKNOWN, FIGURES_DOWN, FIGURES_UP };

struct figures {
	int64_t now_us;
	int64_t took_us; /* to gather it all */
	struct store_stats stats;
	struct store_health health;
	struct figures_end {
		bool crl; /* a revocation list, else a certificate */
		char what[24]; /* "root", "issuing 1", "tls", "tsa" */
		int64_t end_us;
	} ends[FIGURES_ENDS];
	size_t end_count;
	uint64_t disk_bytes, disk_free_bytes, disk_inodes, disk_free_inodes; /* where the state is;
									      * free: for us */
	enum figures_reach keeper, signer; /* does somebody listen there? keeper FIGURES_UNKNOWN
					    * too when there is none by QUINTET_KEEPER */
};

/* 0, or what the store answered. A disk that does not tell is left at 0. */
int figures_read(const struct service_settings *settings, struct store *store, struct figures *ret);

/* The text exposition format, version 0.0.4; the sticky error of b. */
#define FIGURES_TYPE "text/plain; version=0.0.4; charset=utf-8"
int figures_write(const struct figures *f, struct buf *b);

/* Does anybody listen at that Unix socket? Also where we may not connect to it. */
enum figures_reach figures_reach(const char *path);

/* Is the path among the listening sockets of a table in the form of /proc/net/unix? Pure. */
bool figures_listed(struct span table, const char *path);

#endif
