/* metricsd: figures for Prometheus, over plain HTTP on this machine. See metricsd(8). */
#ifndef METRICSD_H
#define METRICSD_H

#include "service/service.h"

/* What a session answers from: text of the store's figures, appended. Tests have their own. */
struct metrics_source {
	int (*write)(struct service *s, struct buf *b); /* 0 or negative errno */
};

/* The figures of s->settings' Quintet, whose store is open or opened here. */
int metrics_of_store(struct service *s, struct buf *b);

/*
 * One request, one answer, the end: GET and HEAD of /metrics and of /. All of it within
 * METRICS_SESSION_S, however slowly the peer sends or takes.
 */
enum { METRICS_SESSION_S = 5 };
int metrics_run(struct service *s, const struct metrics_source *source);

#endif
