# Figures, not tests: what a connection costs, by whom it is started, and what issuing costs. About
# three minutes on a quiet machine; anything else that runs is measured too.

BENCH_PROGRAMS := build/release/tests/bench/load build/release/tests/bench/cost \
	build/release/tests/bench/minimal build/static/tests/bench/minimal \
	build/static/bin/daytimed

.PHONY: bench
bench: packages-bench packages-systemd all $(BENCH_PROGRAMS) ## measure processes, activation and issuing (root; a quiet machine)
	tests/bench/run
