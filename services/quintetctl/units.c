/*
 * Telling systemd about new credentials: only listeners of units/wait keep the old ones. And asking
 * it how our units are.
 */
#include "hostcert.h"

#include <errno.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

/* systemd's own socket, which is there without a bus; else the bus. */
static int open_systemd(sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, "unix:path=/run/systemd/private");
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0) {
		*ret = bus;
		return 0;
	}
	(void)sd_bus_unref(bus);
	return sd_bus_open_system(ret);
}

bool units_restart(const char *const *units)
{
	sd_bus *bus = NULL;
	bool asked = false;

	if (geteuid() != 0 || sd_booted() <= 0 || open_systemd(&bus) < 0)
		return false;
	for (; *units != NULL; units++)
		/* not loaded or not running: nothing to restart, and no error */
		asked |= sd_bus_call_method(bus, "org.freedesktop.systemd1",
				 "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
				 "TryRestartUnit", NULL, NULL, "ss", *units, "replace") >= 0;
	(void)sd_bus_flush_close_unref(bus);
	return asked;
}

/* -- asking -------------------------------------------------------------------------------------
 */

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER "/org/freedesktop/systemd1", SYSTEMD ".Manager"

struct units {
	sd_bus *bus;
};

int units_open(struct units **ret)
{
	struct units *u = calloc(1, sizeof(*u));
	int r = u == NULL ? -ENOMEM : open_systemd(&u->bus);

	if (r < 0) {
		free(u);
		return r;
	}
	*ret = u;
	return 0;
}

void units_close(struct units *u)
{
	(void)sd_bus_flush_close_unref(u->bus);
	free(u);
}

int units_state(struct units *u, const char *unit, char ret[32])
{
	sd_bus_message *answer = NULL;
	const char *path = NULL;
	char *state = NULL;
	int r = sd_bus_call_method(u->bus, SYSTEMD, MANAGER, "GetUnit", NULL, &answer, "s", unit);

	if (r >= 0)
		r = sd_bus_message_read(answer, "o", &path);
	if (r >= 0)
		r = sd_bus_get_property_string(
			u->bus, SYSTEMD, path, SYSTEMD ".Unit", "ActiveState", NULL, &state);
	if (r >= 0)
		(void)snprintf(ret, 32, "%s", state);
	free(state);
	(void)sd_bus_message_unref(answer);
	return r < 0 ? -ENOENT : 0;
}

static bool is_ours(const char *unit)
{
	static const char *const names[] = {
		"daytimed", "ftpd", "chatd", "maild", "cad", "keeper.", "quintet"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(unit, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

int units_failed(struct units *u, void (*each)(void *arg, const char *unit), void *arg)
{
	sd_bus_message *answer = NULL;
	const char *name = NULL;
	int r = sd_bus_call_method(
		u->bus, SYSTEMD, MANAGER, "ListUnitsFiltered", NULL, &answer, "as", 1, "failed");

	if (r >= 0)
		r = sd_bus_message_enter_container(answer, 'a', "(ssssssouso)");
	while (r >= 0 && (r = sd_bus_message_enter_container(answer, 'r', "ssssssouso")) > 0) {
		r = sd_bus_message_read(answer, "s", &name);
		if (r >= 0 && is_ours(name))
			each(arg, name);
		if (r >= 0)
			r = sd_bus_message_skip(answer, "sssssouso");
		if (r >= 0)
			r = sd_bus_message_exit_container(answer);
	}
	(void)sd_bus_message_unref(answer);
	return r < 0 ? r : 0;
}
