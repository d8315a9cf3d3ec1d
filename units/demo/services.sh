# shellcheck shell=sh
# Starting the services of the demo instance. Sourced by run.sh, behind lib.sh. POSIX sh.
#
# systemd-socket-activate owns the sockets until the first connection and then becomes the service,
# which finds listening sockets and so runs in wait mode: it forks per connection and keeps the
# limits itself. Leaving when idle is off, as nobody would take the sockets back.

# port_of NAME: which TCP port it has; nothing for the keeper and the signer.
port_of() {
	case $1 in
	daytimed) say $((BASE + 13)) ;;
	timestamp) say $((BASE + 318)) ;;
	ftpd) say $((BASE + 990)) ;;
	ftp) say $((BASE + 21)) ;;
	chatd) say $((BASE + 697)) ;;
	maild) say $((BASE + 993)) ;;
	submission) say $((BASE + 465)) ;;
	cad) say $((BASE + 443)) ;;
	plain) say $((BASE + 80)) ;;
	esac
}

# command_of NAME: program and arguments, relative to the instance.
command_of() {
	case $1 in
	keeper) say bin/keeper --idle-exit=0 ;;
	cad-signer) say bin/cad-signer --max=64 --per-source=0 --idle-exit=0 ;;
	daytimed) say bin/daytimed --door=daytime --max=20 --per-source=20 --idle-exit=0 ;;
	timestamp) say bin/daytimed --door=timestamp --max=20 --per-source=20 --idle-exit=0 ;;
	ftpd) say bin/ftpd --door=ftps --max=50 --per-source=50 --idle-exit=0 ;;
	ftp) say bin/ftpd --door=ftp --max=50 --per-source=50 --idle-exit=0 ;;
	chatd) say bin/chatd --door=ircs --max=200 --per-source=200 --idle-exit=0 ;;
	maild) say bin/maild --door=imaps --max=200 --per-source=200 --idle-exit=0 ;;
	submission) say bin/maild --door=submissions --max=50 --per-source=50 --idle-exit=0 ;;
	cad) say bin/cad --door=ca --max=64 --per-source=64 --idle-exit=0 ;;
	plain) say bin/cad --door=plain --max=64 --per-source=64 --idle-exit=0 ;;
	esac
}

# The Unix socket of keeper or signer, below ./run.
socket_of() {
	case $1 in
	keeper) say runtime/keeper.sock ;;
	*) say runtime/signer.sock ;;
	esac
}

# A Unix socket needs an absolute name here; this one is short and needs no folder above the
# instance to be open to the services' user.
listen_options() {
	port=$(port_of "$1")
	if [ -z "$port" ]; then
		say -l "/proc/self/cwd/$(socket_of "$1")"
	elif have_ipv6; then
		say -l "127.0.0.1:$port" -l "[::1]:$port"
	else
		say -l "127.0.0.1:$port"
	fi
}

# The services get exactly what is in the instance's own quintet.env.
environment_options() {
	sed -n 's/^\(QUINTET_[A-Z_]*=.*\)$/-E \1/p' "$RUN/conf/quintet.env"
}

check_port() {
	port=$(port_of "$1")
	[ -n "$port" ] && port_taken "$port" || return 0
	if [ -f "$RUN/settings" ]; then
		die "port $port (for $1) is in use by another program; stop that one, or begin anew" \
			"on other ports: make clean-run, then make run PORT_BASE=20000"
	fi
	die "port $port (for $1) is in use by another program; on other ports:" \
		"make run PORT_BASE=20000"
}

is_up() {
	port=$(port_of "$1")
	if [ -z "$port" ]; then
		[ -S "$RUN/$(socket_of "$1")" ]
	else
		port_taken "$port"
	fi
}

# Detached from the terminal, in a session of its own: nothing here ends with this shell.
launch() {
	log="$RUN/log/$1.log"
	: >>"$log"
	give "$log"
	marker=$(wc -l <"$log")
	# Word splitting is what these lists are for.
	# shellcheck disable=SC2046
	(
		cd "$RUN" || exit 1
		exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- </dev/null >>"log/$1.log" 2>&1
		set -- $(cd .. && listen_options "$1") $(cd .. && environment_options) \
			$(command_of "$1")
		if am_root && [ "$DEMO_UID" -ne 0 ]; then
			exec setsid setpriv --reuid "$DEMO_UID" --regid "$DEMO_GID" \
				--clear-groups -- systemd-socket-activate "$@"
		fi
		exec setsid systemd-socket-activate "$@"
	) &
	pid=$!
	say "$pid $(start_of "$pid")" >"$RUN/pids/$1"
	waited=0
	while ! { [ "$(start_of "$pid")" ] && is_up "$1"; }; do
		if [ -z "$(start_of "$pid")" ] || [ "$waited" -ge 100 ]; then
			sed -n "$((marker + 1)),\$p" "$log" >&2
			stop_one "$1"
			die "$1 did not start; its log is $log"
		fi
		waited=$((waited + 1))
		sleep 0.05
	done
}

start_all() {
	for name in $SERVICES; do
		if ! pid_of "$name" >/dev/null; then
			if [ -z "$(port_of "$name")" ]; then
				rm -f "$RUN/$(socket_of "$name")"
			fi
			launch "$name"
		fi
	done
}
