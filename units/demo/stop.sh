#!/bin/sh
# make stop: ends what make run started, by the process numbers it wrote down. With --clean the
# instance is removed too.
set -u
cd "$(dirname "$0")/../.." || exit 1
TARGET=stop
[ "${1:-}" != --clean ] || TARGET=clean-run
. units/demo/lib.sh
check_owner

stopped=0
for name in $SERVICES; do
	if stop_one "$name"; then
		stopped=$((stopped + 1))
	fi
done
say "Stopped: $stopped."

if [ "${1:-}" = --clean ] && [ -e $RUN ]; then
	# Nothing is removed that does not look like an instance.
	[ -f $RUN/settings ] || die "./run is no instance of make run: remove it yourself"
	rm -rf ./$RUN || die "cannot remove all of ./run"
	say "Removed ./run."
fi
