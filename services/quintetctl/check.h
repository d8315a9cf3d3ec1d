/*
 * quintetctl health and doctor: what is looked at, and what is said of it. One table of checks
 * (health.c); each adds findings to a report, and each finding that is not good says what to do.
 */
#ifndef QUINTETCTL_CHECK_H
#define QUINTETCTL_CHECK_H

#include "ctl.h"

enum check_verdict { CHECK_GOOD, CHECK_CARE, CHECK_BAD };

struct check_report {
	struct ctl *c;
	struct ctl_table table; /* what, state, detail, to_do */
	bool with_advice; /* doctor's: the last column is there */
	int64_t now_us;
	bool bad;
};

/* remedy: a command or a sentence; NULL where all is well. */
void check_say(struct check_report *r, enum check_verdict v, const char *what, const char *remedy,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A point in time that should lie ahead, by care_us at least. */
void check_ahead(struct check_report *r, const char *what, const char *remedy, int64_t end_us,
	int64_t care_us);

/* What the store has to say (check_store.c), its authorities (check_authority.c), what listens and
 * the disk (check_machine.c): with the rights of the administrator's account, the store open. */
void check_store(struct check_report *r);
void check_files(struct check_report *r);
void check_mail(struct check_report *r);
void check_authorities(struct check_report *r);
void check_services(struct check_report *r);
void check_sessions(struct check_report *r);
void check_keeper(struct check_report *r);
void check_signer(struct check_report *r);
void check_disk(struct check_report *r);
void check_clock(struct check_report *r);

/* With the rights of who runs the command: units (check_units.c), owners and modes
 * (check_modes.c), credentials and the root's key (check_keys.c). */
void check_units(struct check_report *r);
void check_users(struct check_report *r);
void check_modes(struct check_report *r);
void check_credentials(struct check_report *r);
void check_root_key(struct check_report *r);

#endif
