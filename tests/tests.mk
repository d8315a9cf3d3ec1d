# Tests. `make test` runs all of them; each check-* is one part.

PYTEST := /usr/bin/python3 -m pytest -p no:cacheprovider -q -ra
# Most tests wait more than they compute: three at a time, each with instances of its own.
PYTEST_BESIDE := $(PYTEST) -n 3 --dist loadfile
REPLAYS := $(addprefix build/asan/tests/fuzz/,$(FUZZERS))

.PHONY: test check-build check-unit check-replay check-interop check-asan check-static check-faults check-systemd \
	check-packages check-play
test: packages-test ## everything: builds, lint, unit, fuzz replay, interop, sanitizers, faults, systemd, packages, container
	+tests/run-all

check-build: all asan static clang ## every variant with gcc and clang, warnings as errors

check-unit: unit-tests ## unit tests, under ASan and UBSan
	tests/run-units build/asan/tests/unit $(UNIT_TESTS)

# OpenSSL linked in brings a smaller provider of ours: TLS with its tickets, CMP, OCSP and stamps are
# tried with it as well.
STATIC_UNITS := net_tls net_tls_versions net_tls_resume
check-static: static $(addprefix build/static/tests/unit/,$(STATIC_UNITS)) ## the programs of STATIC=1
	tests/run-units build/static/tests/unit $(STATIC_UNITS)
	QUINTET_TEST_VARIANT=static $(PYTEST_BESIDE) $(addprefix tests/interop/test_,cad_cmp.py cad_status.py \
		cad_est.py daytimed_stamp.py ftpd_clients.py)

check-replay: $(REPLAYS) ## every fuzz target over its stored corpus
	tests/run-replay build/asan/tests/fuzz $(FUZZERS)

# What the MIME reader sees, to be compared with what others see; with sanitizers.
MIME_TELL := build/asan/tests/interop/mime_tell
$(MIME_TELL): build/asan/obj/tests/interop/mime_tell.o build/asan/lib/libproto.a build/asan/lib/libbase.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(cc_asan) $(ldflags_asan) -o $@ $^ -lcrypto

check-interop: all $(MIME_TELL) ## the release programs against clients that others wrote
	$(PYTEST_BESIDE) tests/interop

check-asan: asan $(MIME_TELL) ## the same with the sanitizer build of the services
	QUINTET_TEST_VARIANT=asan $(PYTEST_BESIDE) tests/interop -m 'not release_only'

check-faults: all asan ## kill -9, full disk, full map, floods
	$(PYTEST) -n 2 --dist loadfile tests/faults

check-systemd: all ## real systemd in a container of its own; needs root
	$(PYTEST) tests/systemd

check-packages: deb ## the Debian packages, installed to purged, under real systemd; needs root
	$(PYTEST) tests/packages

check-play: deb ## three people's networks and a machine between them, from installing to a revoked account; needs root
	$(PYTEST) tests/play

FUZZ_SECONDS ?= 20
.PHONY: fuzz
fuzz: fuzzers ## fuzz every target for FUZZ_SECONDS, with coverage
	tests/fuzz/run $(FUZZ_SECONDS)
