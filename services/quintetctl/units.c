/* Telling systemd about new credentials: only listeners of units/wait keep the old ones. */
#include "hostcert.h"

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
