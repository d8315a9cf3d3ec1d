#!/bin/sh
# make run: a demo instance in ./run, made when missing, resumed when there. See README.md.
# usage: units/demo/run.sh BINARIES [PORT_BASE]
set -u
cd "$(dirname "$0")/../.." || exit 1
TARGET=run
. units/demo/lib.sh
. units/demo/services.sh

BINARIES=$1
WANTED_BASE=${2:-}

check_tools() {
	for tool in systemd-socket-activate setpriv setsid; do
		command -v "$tool" >/dev/null || die "$tool is missing" \
			"(packages systemd and util-linux)"
	done
}

# Root gives the services to the owner of the checkout, to whoever called sudo, or else to a user
# number that nobody has; it needs no account. 65534 would not do: it stands for "unknown".
choose_user() {
	if am_root; then
		DEMO_UID=$(stat -c %u .)
		DEMO_GID=$(stat -c %g .)
		if [ "$DEMO_UID" -eq 0 ] && [ "${SUDO_UID:-0}" -ne 0 ]; then
			DEMO_UID=$SUDO_UID
			DEMO_GID=${SUDO_GID:-$SUDO_UID}
		fi
		if [ "$DEMO_UID" -eq 0 ] || [ "$DEMO_UID" -eq 65534 ]; then
			DEMO_UID=61713
			DEMO_GID=61713
		fi
	fi
}

choose_ports() {
	case $WANTED_BASE in
	'') return ;;
	*[!0-9]* | 0* | ??????*) die "PORT_BASE is a number from 1024 to 64000, not $WANTED_BASE" ;;
	esac
	if [ "$WANTED_BASE" -lt 1024 ] || [ "$WANTED_BASE" -gt 64000 ]; then
		die "PORT_BASE is a number from 1024 to 64000, not $WANTED_BASE"
	fi
	if [ -f $RUN/settings ] && [ "$WANTED_BASE" -ne "$BASE" ]; then
		die "the instance in ./run has PORT_BASE=$BASE, and its certificates name its ports:" \
			"make clean-run first"
	fi
	BASE=$WANTED_BASE
}

# Before anything is made, for what is made then names the ports.
check_ports() {
	for name in $SERVICES; do
		pid_of "$name" >/dev/null || check_port "$name"
	done
}

make_folders() {
	if [ ! -f $RUN/settings ]; then
		mkdir -p $RUN || die "cannot make ./run"
		chmod 755 $RUN
		choose_user
		printf 'DEMO_UID=%s\nDEMO_GID=%s\nBASE=%s\n' "$DEMO_UID" "$DEMO_GID" "$BASE" \
			>$RUN/settings
	fi
	for folder in bin pids log conf state runtime; do
		mkdir -p $RUN/$folder
	done
	chmod 755 $RUN/bin $RUN/conf $RUN/pids $RUN/log
	chmod 2770 $RUN/state $RUN/runtime
	give $RUN/log $RUN/conf $RUN/state $RUN/runtime
}

# Copies, so that a new build never changes a program under its running processes, and so that
# nothing outside ./run needs to be readable. Changed programs: the services start afresh.
copy_programs() {
	changed=
	for program in keeper daytimed ftpd chatd maild cad cad-signer quintetctl quintet; do
		cmp -s "$BINARIES/$program" "$RUN/bin/$program" || changed="$changed $program"
	done
	[ -n "$changed" ] || return 0
	for name in $SERVICES; do
		stop_one "$name"
	done
	for program in $changed; do
		install -m 755 "$BINARIES/$program" "$RUN/bin/$program" ||
			die "cannot copy $BINARIES/$program"
	done
}

# For people: quintetctl with this instance's user and settings, from wherever they are.
write_wrapper() {
	{
		printf '#!/bin/sh\n# quintetctl of the instance in this folder.\n'
		# shellcheck disable=SC2016
		printf 'cd "$(dirname "$0")" || exit 1\nexport QUINTET_CONF=conf'
		printf ' QUINTET_STATE=state QUINTET_RUNTIME=runtime\n'
		if am_root && [ "$DEMO_UID" -ne 0 ]; then
			# shellcheck disable=SC2016
			printf '[ "$(id -u)" -eq 0 ] || { echo "%s" >&2; exit 100; }\n' \
				'quintetctl: root made this instance; use sudo'
			printf 'exec setpriv --reuid %s --regid %s --clear-groups -- ' \
				"$DEMO_UID" "$DEMO_GID"
		else
			printf 'exec '
		fi
		# shellcheck disable=SC2016
		printf 'bin/quintetctl "$@"\n'
	} >$RUN/quintetctl
	chmod 755 $RUN/quintetctl
}

ctl() {
	(unset_settings && $RUN/quintetctl "$@")
}

# Nothing of the caller's own Quintet may reach the instance.
unset_settings() {
	for setting in $(env | sed -n 's/^\(QUINTET_[A-Z_]*\)=.*/\1/p'); do
		unset "$setting"
	done
	unset CREDENTIALS_DIRECTORY
}

settings_of_ftpd() {
	printf 'QUINTET_PORT_FTPS=%s\nQUINTET_PORT_FTP=%s\nQUINTET_FTP_PASSIVE=%s-%s\n' \
		"$(port_of ftpd)" "$(port_of ftp)" $((BASE + 1000)) $((BASE + 1199))
}

settings_of_chatd() {
	printf 'QUINTET_PORT_IRC=%s\n' "$(port_of chatd)"
}

settings_of_maild() {
	printf 'QUINTET_PORT_IMAPS=%s\nQUINTET_PORT_SUBMISSIONS=%s\n' \
		"$(port_of maild)" "$(port_of submission)"
}

# An instance that was made by an older version has what came since added.
bring_up_to_date() {
	grep -q '^QUINTET_PORT_FTPS=' $RUN/conf/quintet.env ||
		settings_of_ftpd >>$RUN/conf/quintet.env
	grep -q '^QUINTET_PORT_IRC=' $RUN/conf/quintet.env ||
		settings_of_chatd >>$RUN/conf/quintet.env
	grep -q '^QUINTET_PORT_IMAPS=' $RUN/conf/quintet.env ||
		settings_of_maild >>$RUN/conf/quintet.env
	[ -z "$changed" ] || ctl migrate >/dev/null || die "cannot bring the store up to date"
}

renew() {
	for service in ftpd chatd maild; do
		[ -f $RUN/conf/credentials/$service/tls.pem ] || ctl renew >/dev/null ||
			die "cannot make the certificates that are missing"
	done
}

init() {
	if [ -f $RUN/conf/pki/root.pem ]; then
		bring_up_to_date
		return
	fi
	say "Making the authority and the store in ./run ..."
	(
		unset_settings
		export QUINTET_STATE=state QUINTET_RUNTIME=runtime QUINTET_CONF=conf
		export QUINTET_ADMIN_USER="" QUINTET_PORT_DAYTIME=$((BASE + 13))
		export QUINTET_PORT_TIMESTAMP=$((BASE + 318)) QUINTET_PORT_CA=$((BASE + 443))
		export QUINTET_PORT_CA_PLAIN=$((BASE + 80))
		for setting in $(settings_of_ftpd) $(settings_of_chatd) $(settings_of_maild); do
			export "${setting?}"
		done
		$RUN/quintetctl init --domain localhost --host localhost --host-name 127.0.0.1 \
			--host-name ::1 --plain-url "http://localhost:$(port_of plain)"
	) >$RUN/log/init.log || die "quintetctl init failed"
	ctl set signup open >/dev/null || die "cannot open the sign-up of this instance"
}

new_password() {
	head -c 64 /dev/urandom | base64 | tr -dc 'a-km-zA-HJ-NP-Z2-9' | cut -c 1-20
}

demo_account() {
	cp $RUN/conf/pki/root.pem $RUN/root.pem
	chmod 644 $RUN/root.pem
	if [ ! -s $RUN/demo.password ]; then
		(umask 077 && new_password >$RUN/demo.password)
		to_person $RUN/demo.password
	fi
	if ! ctl user show demo >/dev/null 2>&1; then
		ctl user add demo --password-file - <$RUN/demo.password >/dev/null ||
			die "cannot add the account demo"
	fi
}

client() {
	(unset_settings && QUINTET_CLIENT_DIR=$RUN/client $RUN/bin/quintet "$@")
}

enrol_demo() {
	client enroll "localhost:$(port_of cad)" --user demo --as demo --root $RUN/root.pem \
		--password-file $RUN/demo.password
}

# A certificate of 30 days is renewed in time by whoever runs this often enough, else made anew.
demo_certificate() {
	if [ ! -f $RUN/client/demo/cert.pem ]; then
		enrol_demo >/dev/null || die "cannot enrol the account demo"
	elif ! client --profile demo renew --if-due >/dev/null 2>&1; then
		rm -rf $RUN/client/demo
		enrol_demo >/dev/null || die "cannot enrol the account demo again"
	fi
	(
		umask 077
		cp $RUN/client/demo/key.pem $RUN/demo.key
		cp $RUN/client/demo/cert.pem $RUN/demo.pem
		# a reference is for one use: each run has a fresh one
		ctl invite create --cmp demo >$RUN/demo.cmp
	) || die "cannot write the files of the account demo"
	to_person $RUN/demo.key $RUN/demo.pem $RUN/demo.cmp
	if am_root && [ -n "${SUDO_UID:-}" ]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" $RUN/client
	fi
}

hints() {
	cat <<END

Now try (run/root.pem is the root; account demo, password in run/demo.password):
  export QUINTET_CLIENT_DIR="\$PWD/run/client" PATH="\$PWD/run/bin:\$PATH"
  quintet                               all of it on one screen; F1 tells how, /quit leaves
  quintet status                        every service, verified, and this clock's offset
  quintet daytime                       the time; -i: the dialogue (type help, end)
  quintet ftp put README.md             files of the house; also: ls, get, sync; alone: a dialogue
  quintet chat '#lobby'                 talk, and call others directly: type /help
  quintet chat send --join '#lobby' hello
  quintet mail                          mail: encrypted where all have certificates, with receipts
  echo Hello. | quintet mail send -s hello -f - demo && quintet mail list
  quintet ca list                       the certificates of demo
  run/quintetctl health                 administration; also: user list, cert list, audit,
                                        stats, top, doctor (it looks for files from within run)
  curl --cacert run/root.pem https://localhost:$(port_of cad)/.well-known/quintet
  curl --cacert run/root.pem -u "demo:\$(cat run/demo.password)" ftps://localhost:$(port_of ftpd)/
  openssl s_client -quiet -CAfile run/root.pem -connect localhost:$(port_of daytimed)
  openssl s_client -quiet -CAfile run/root.pem -cert run/demo.pem -key run/demo.key -connect localhost:$(port_of chatd)
                                        chat by hand: NICK demo, USER demo 0 * :Demo, JOIN #lobby
  irssi                                 and in it:
    /connect -tls_verify -tls_cafile run/root.pem -tls_cert run/demo.pem -tls_pkey run/demo.key localhost $(port_of chatd)
  printf 'Subject: hello\\r\\n\\r\\nHello.\\r\\n' | curl --cacert run/root.pem -u "demo:\$(cat run/demo.password)" \\
    --mail-from demo@localhost --mail-rcpt demo@localhost --upload-file - smtps://localhost:$(port_of submission)
  curl --cacert run/root.pem -u "demo:\$(cat run/demo.password)" 'imaps://localhost:$(port_of maild)/INBOX;MAILINDEX=*'
Logs are in run/log. make stop ends it, make clean-run removes it, make run resumes it.
END
}

load_settings
check_tools
check_owner
choose_ports
check_ports
make_folders
copy_programs
write_wrapper
init
start_all
renew
demo_account
demo_certificate
have_ipv6 || say "This machine has no IPv6 loopback: the services are on 127.0.0.1 only."
say "The services of this instance share one user (number $DEMO_UID): the separation between" \
	"them that the installed units give is absent here."
say
client --profile demo status || say "(quintet status found something amiss: see above)"
hints
