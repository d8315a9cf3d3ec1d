/* Checks of systemd's units: are the doors open, has something failed, will things be renewed? */
#include "check.h"
#include "hostcert.h"

#include <systemd/sd-daemon.h>

#define ENABLE "systemctl enable --now quintet.target"

/* A door has a socket of either kind. */
static const char *const doors[] = {"daytimed", "daytimed-timestamp", "ftpd", "ftpd-explicit",
	"chatd", "maild", "maild-submission", "cad", "cad-plain", "cad-signer"};

static bool is_active(struct units *u, const char *name, const char *suffix)
{
	char unit[80], state[32];

	(void)snprintf(unit, sizeof(unit), "%s%s", name, suffix);
	return units_state(u, unit, state) == 0 && strcmp(state, "active") == 0;
}

static void door_lines(struct check_report *r, struct units *u)
{
	_cleanup_(buf_done) struct buf shut = BUF_INIT(1024);
	size_t open = 0;

	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		if (is_active(u, doors[i], ".socket") || is_active(u, doors[i], "-wait.socket"))
			open++;
		else
			buf_addf(&shut, " %s", doors[i]);
	}
	if (shut.len == 0)
		check_say(r, CHECK_GOOD, "doors", NULL, "all %zu are listened on", open);
	else
		check_say(r, CHECK_BAD, "doors", ENABLE, "shut:%s", buf_str(&shut));
}

static void keeper_unit_line(struct check_report *r, struct units *u)
{
	if (r->c->settings.keeper[0] == '\0' || is_active(u, "keeper", ".socket"))
		return;
	check_say(r, CHECK_BAD, "keeper's socket", ENABLE, "is not active");
}

static void timer_line(struct check_report *r, struct units *u)
{
	if (is_active(u, "quintet-renew", ".timer"))
		check_say(r, CHECK_GOOD, "renewal", NULL, "quintet-renew.timer is active");
	else
		check_say(r, CHECK_BAD, "renewal", "systemctl enable --now quintet-renew.timer",
			"nothing renews certificates or sweeps: the timer is not active");
}

static void failed_line(void *arg, const char *unit)
{
	struct check_report *r = (struct check_report *)arg;
	char remedy[256];

	(void)snprintf(
		remedy, sizeof(remedy), "journalctl -u %s; systemctl reset-failed %s", unit, unit);
	check_say(r, CHECK_BAD, "unit", remedy, "%s has failed", unit);
}

void check_units(struct check_report *r)
{
	struct units *u = NULL;

	if (sd_booted() <= 0) {
		check_say(r, CHECK_GOOD, "units", NULL, "not run by systemd");
		return;
	}
	if (units_open(&u) < 0) {
		check_say(r, CHECK_CARE, "units", "run it as root", "systemd does not answer us");
		return;
	}
	door_lines(r, u);
	keeper_unit_line(r, u);
	timer_line(r, u);
	if (units_failed(u, failed_line, r) < 0)
		check_say(r, CHECK_CARE, "units", "systemctl --failed",
			"systemd does not list what failed");
	units_close(u);
}
