# shellcheck shell=sh disable=SC2034
# What the scripts of the demo instance share. Sourced, with the working directory at the top of
# the checkout. POSIX sh.
#
# The instance lives in ./run and every path that a service gets is relative to it, so that it works
# below a folder that the services' user could not reach from the root of the file system.

RUN=run
# The order in which they are started, and stopped: the keeper last, for the others still write.
SERVICES="cad-signer daytimed timestamp ftpd ftp chatd maild submission cad plain keeper"

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'make %s: %s\n' "$TARGET" "$*" >&2
	exit 1
}

# An instance is run and stopped by whoever made it.
check_owner() {
	[ ! -e $RUN/settings ] || [ -w $RUN/settings ] ||
		die "the instance in ./run belongs to $(stat -c %U $RUN/settings)," \
			"not to $(id -un); sudo may help"
}

# The start time of a process (proc(5), field 22): it tells a reused process number apart. Nothing
# for one that has ended and only waits to be collected.
start_of() {
	sed -n 's/.*) \([^ZX] .*\)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# pid_of NAME: the process number of a service that this instance started and that still runs.
pid_of() {
	[ -f "$RUN/pids/$1" ] || return 1
	read -r pid start <"$RUN/pids/$1" || return 1
	[ -n "$start" ] && [ "$(start_of "$pid")" = "$start" ] || return 1
	printf '%s\n' "$pid"
}

# Somebody listens on this TCP port (of either family).
port_taken() {
	hex=$(printf '%04X' "$1")
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port=":$hex\$" '$4 == "0A" && $2 ~ port { found = 1 } END { exit !found }'
}

have_ipv6() {
	grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null
}

am_root() {
	[ "$(id -u)" -eq 0 ]
}

# as_service COMMAND...: as the user of the services (somebody else only when we are root).
as_service() {
	if am_root && [ "$DEMO_UID" -ne 0 ]; then
		setpriv --reuid "$DEMO_UID" --regid "$DEMO_GID" --clear-groups -- "$@"
	else
		"$@"
	fi
}

# give PATH...: to the user of the services.
give() {
	if am_root; then
		chown "$DEMO_UID:$DEMO_GID" "$@"
	fi
}

# to_person PATH...: the demo account's own files are the person's who typed make run.
to_person() {
	chmod 600 "$@"
	if am_root && [ -n "${SUDO_UID:-}" ]; then
		chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$@"
	fi
}

load_settings() {
	DEMO_UID=$(id -u)
	DEMO_GID=$(id -g)
	BASE=9000
	if [ -f "$RUN/settings" ]; then
		# shellcheck disable=SC1090,SC1091
		. "./$RUN/settings"
	fi
}

# stop_one NAME: ends the listener and the sessions it forked (one process group, its own session).
stop_one() {
	pid=$(pid_of "$1") || {
		rm -f "$RUN/pids/$1"
		return 1
	}
	kill -s TERM -- "-$pid" 2>/dev/null
	waited=0
	while pid_of "$1" >/dev/null; do
		if [ "$waited" -eq 50 ]; then
			kill -s KILL -- "-$pid" 2>/dev/null
		fi
		[ "$waited" -lt 70 ] || die "$1 (process $pid) does not end"
		waited=$((waited + 1))
		sleep 0.1
	done
	rm -f "$RUN/pids/$1"
}
