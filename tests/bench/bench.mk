# Figures, not tests: what a connection costs, by whom it is started, what issuing costs, and ftpd
# chatd and maild beside other servers. About fifteen minutes on a quiet machine; anything else that runs is measured
# too.

BENCH_PROGRAMS := build/release/tests/bench/load build/release/tests/bench/cost \
	build/release/tests/bench/minimal build/static/tests/bench/minimal \
	build/release/tests/bench/ftp build/static/bin/daytimed build/static/bin/ftpd \
	build/release/tests/bench/chat build/release/tests/bench/chat_store build/static/bin/chatd \
	build/release/tests/bench/mail build/release/tests/bench/mail_store build/static/bin/maild

.PHONY: bench
bench: packages-bench packages-systemd all $(BENCH_PROGRAMS) ## measure processes, activation, issuing, file transfer, chat and mail (root; a quiet machine)
	tests/bench/run
