# Figures, not tests: what a connection costs, by whom it is started, what issuing costs, ftpd, chatd
# and maild beside other servers, the store with the keeper and without. One report: build/bench/report.txt
# and a picture for each question. About twenty minutes on a quiet machine; anything else that runs is
# measured too. BENCH="ftpd maild" measures only those.

BENCH_PROGRAMS := build/release/tests/bench/load build/release/tests/bench/cost \
	build/release/tests/bench/minimal build/static/tests/bench/minimal \
	build/release/tests/bench/ftp build/static/bin/daytimed build/static/bin/ftpd \
	build/release/tests/bench/chat build/release/tests/bench/chat_store build/static/bin/chatd \
	build/release/tests/bench/mail build/release/tests/bench/mail_store build/static/bin/maild \
	build/release/tests/bench/keeper

.PHONY: bench
bench: packages-bench packages-systemd all $(BENCH_PROGRAMS) ## measure everything beside its peers, with a report (root; a quiet machine)
	/usr/bin/python3 tests/bench/report.py $(BENCH)
