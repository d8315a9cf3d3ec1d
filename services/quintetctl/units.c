/* Telling systemd about new credentials: only listeners of units/wait keep the old ones. */
#include "hostcert.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

bool units_restart(const char *const *units)
{
	sd_bus *bus = NULL;
	bool asked = false;

	if (geteuid() != 0 || sd_booted() <= 0 || sd_bus_open_system(&bus) < 0)
		return false;
	for (; *units != NULL; units++)
		/* not loaded or not running: nothing to restart, and no error */
		asked |= sd_bus_call_method(bus, "org.freedesktop.systemd1",
				 "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
				 "TryRestartUnit", NULL, NULL, "ss", *units, "replace") >= 0;
	(void)sd_bus_flush_close_unref(bus);
	return asked;
}
