/*
 * The store in numbers, for quintetctl stats and for metrics. One view: all numbers are of the same
 * moment. What is counted in the store's own rows (mail, files, audit) is read there; the tables
 * that are walked are those of accounts, certificates, sessions, chat events and bodies, so the
 * number of messages does not matter and the walk is a fraction of a second for a hundred thousand
 * of anything.
 */
#ifndef STORE_STATS_H
#define STORE_STATS_H

#include "store/session.h"

enum { STATS_SERVICES = 16 };

struct stats_service {
	char name[16];
	uint64_t live, dead; /* rows whose process runs, or has died */
};

struct store_stats {
	struct {
		uint64_t people, locked, admins; /* people: without hosts; the others are of them */
		uint64_t hosts, invites, throttled;
	} accounts;
	struct {
		uint64_t valid, expiring, expired, revoked, intents; /* expiring: valid ones whose
								      * end is near */
	} certs;
	struct stats_service services[STATS_SERVICES]; /* in the order of names */
	size_t service_count;
	struct {
		uint64_t files, bytes, partials, partial_bytes, owners;
	} files; /* those that have an owner */
	struct {
		uint64_t channels, present, events, bytes;
	} chat;
	struct {
		uint64_t accounts, boxes, messages, bytes, held; /* held: expunged, not yet swept */
		uint64_t due; /* receipts that are to be sent */
	} mail;
	struct {
		uint64_t rows, newest; /* newest: its number */
		uint64_t closed; /* rows that were removed */
		int64_t oldest_us;
	} audit;
	struct {
		uint64_t inlined, files, bytes;
	} blobs;
};

/* expiring: valid certificates that end within soon_us. */
int store_stats(struct store *s, int64_t now_us, int64_t soon_us, struct store_stats *ret);

#endif
