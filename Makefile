# Quintet. `make help` lists the targets. Everything is built under build/VARIANT/:
#   release   what is installed          asan   test build: sanitizers, every store operation twice
#   static    release, OpenSSL linked in fuzz   clang, libFuzzer
# A new .c file in lib/MODULE, services/NAME, client or tests/unit is found by itself.

PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
CC = gcc
CLANG ?= clang
VERSION := 0.1.0

.DEFAULT_GOAL := all
include units/packages.mk

MODULES := service auth pki store net proto base
SERVICES := daytimed ftpd chatd maild cad cad-signer keeper metricsd quintetctl
dir_daytimed := services/daytimed
dir_ftpd := services/ftpd
dir_chatd := services/chatd
dir_maild := services/maild
more_maild := services/maild/imap services/maild/smtp
dir_cad := services/cad
dir_cad-signer := services/cad/signer
dir_keeper := services/keeper
dir_metricsd := services/metricsd
dir_quintetctl := services/quintetctl
dir_quintet := client
more_quintet := client/term client/ftp client/chat client/peer client/mail client/console
PROGRAMS := $(SERVICES) quintet
VARIANTS := release asan static fuzz clang

# What each program is linked with, top of the arrows first.
mods_quintet := net pki proto base
mods_default := $(MODULES)
libs_base := -lcrypto
libs_daytimed := -lssl -lcrypto -llmdb -lcrypt
libs_ftpd := -lssl -lcrypto -llmdb -lcrypt
libs_chatd := -lssl -lcrypto -llmdb -lcrypt
libs_maild := -lssl -lcrypto -llmdb -lcrypt
libs_cad := -lssl -lcrypto -llmdb -lcrypt
libs_cad-signer := -lssl -lcrypto -llmdb -lcrypt
libs_keeper := -lcrypto -llmdb -lcrypt
libs_metricsd := -lssl -lcrypto -llmdb -lcrypt
libs_quintetctl := -lcrypto -llmdb -lcrypt -lsystemd
libs_quintet := -lssl -lcrypto -lncursesw -ltinfo
libs_test := -lcmocka -lssl -lcrypto -llmdb -lcrypt -lncursesw -ltinfo

WARN := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 \
	-Wimplicit-fallthrough -Wnull-dereference -Werror
WARN_GCC := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Walloc-zero \
	-Wformat-signedness -Wstack-usage=65536 -Wbidi-chars=any
COMMON := -std=c17 -D_GNU_SOURCE -DQUINTET_VERSION='"$(VERSION)"' -Ilib -I. \
	-include lib/base/banned.h -fno-strict-aliasing -fno-delete-null-pointer-checks \
	-fno-common -ffunction-sections -fdata-sections -g -MMD -MP
HARDEN := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection=full
SANITIZE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-DQUINTET_TEST
cc_release := $(CC)
cc_static := $(CC)
cc_asan := $(CC)
cc_fuzz := $(CLANG)
cc_clang := $(CLANG)
cflags_release := $(COMMON) $(WARN) $(WARN_GCC) $(HARDEN) -ftrivial-auto-var-init=zero -fPIE
cflags_static := $(COMMON) $(WARN) $(WARN_GCC) $(HARDEN) -ftrivial-auto-var-init=zero -fno-pie \
	-DQUINTET_STATIC
cflags_asan := $(COMMON) $(WARN) $(WARN_GCC) $(SANITIZE)
cflags_fuzz := $(COMMON) $(WARN) $(SANITIZE) -fsanitize=fuzzer-no-link \
	-fprofile-instr-generate -fcoverage-mapping
# For its warnings: nothing of it is run.
cflags_clang := $(COMMON) $(WARN) -O0 -fPIE
ldflags_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed,--gc-sections
ldflags_static := -no-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed,--gc-sections
ldflags_asan := -fsanitize=address,undefined -Wl,--as-needed
ldflags_fuzz := -fsanitize=address,undefined -fprofile-instr-generate -Wl,--as-needed
ldflags_clang := $(ldflags_release)

INCLUDES := $(wildcard lib/*/*.h services/*/*.h services/*/*/*.h client/*.h client/*/*.h)
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
FUZZERS := $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
BENCHES := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))

# STATIC=1 makes the installed programs those of the static variant.
MAIN_VARIANT := $(if $(filter 1,$(STATIC)),static,release)

.PHONY: all
all: packages-build $(addprefix build/$(MAIN_VARIANT)/bin/,$(PROGRAMS)) ## build all programs

# V=1 shows whole command lines.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2))

# A test named after a program is linked with that program's parts.
prog_for_daytimed := daytimed
prog_for_ftpd := ftpd
prog_for_chatd := chatd
prog_for_maild := maild
prog_for_cad := cad cad-signer
prog_for_signer := cad-signer
prog_for_cmp := cad-signer
prog_for_zone := daytimed
prog_for_keeper := keeper
prog_for_metricsd := metricsd
prog_for_quintetctl := quintetctl
prog_for_client := quintet
test_word = $(firstword $(subst _, ,$(patsubst fuzz_%,%,$(1))))
test_prog = $(addprefix build/$(1)/lib/prog-,$(addsuffix .a,$(prog_for_$(call test_word,$(2)))))

# And a test of a lower room with no more than what that room stands on.
test_mods_base := base
test_mods_net := net base
test_mods_store := store base
test_mods_pki := pki base
test_mods_proto := proto base
test_mods_ftp := proto base
test_mods_irc := proto base
test_mods_mime := proto base
test_mods_imap := proto base
test_mods_smtp := proto base
test_mods_dcc := proto base
test_mods_auth := auth pki store base
test_lib = $(foreach m,$(or $(test_mods_$(call test_word,$(2))),$(MODULES)),build/$(1)/lib/lib$(m).a)

.SECONDEXPANSION:

# -- one set of rules per variant -------------------------------------------------------------
objs = $(patsubst %.c,build/$(1)/obj/%.o,$(2))
service_parts = $(filter-out $(dir_$(1))/$(1).c,$(wildcard $(addsuffix /*.c,$(dir_$(1)) $(more_$(1)))))

define module_rules
build/$(1)/lib/lib$(2).a: $(call objs,$(1),$(wildcard lib/$(2)/*.c))
endef

define program_rules
build/$(1)/lib/prog-$(2).a: $(call objs,$(1),$(call service_parts,$(2)))
build/$(1)/bin/$(2): build/$(1)/obj/$(dir_$(2))/$(2).o build/$(1)/lib/prog-$(2).a \
		$(foreach m,$(or $(mods_$(2)),$(mods_default)),build/$(1)/lib/lib$(m).a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(cc_$(1)) $$(ldflags_$(1)) -o $$@ $$(filter %.o %.a,$$^) $$(call static_libs,$(1),$$(libs_$(2)))
endef

# In the static variant every library that has an archive is linked from it.
static_libs = $(if $(filter static,$(1)),$(subst -lcrypto,-l:libcrypto.a,$(subst -lssl,-l:libssl.a,$(subst \
	-llmdb,-l:liblmdb.a,$(subst -lcrypt$(space),-l:libcrypt.a$(space),$(2)$(space))))),$(2))
space := $(subst ,, )

define variant_rules
build/$(1)/obj/%.o: %.c | packages-build
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(cc_$(1)) $$(cflags_$(1)) -c -o $$@ $$<
build/$(1)/lib/%.a:
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcsD $$@ $$(filter %.o,$$^)
build/$(1)/lib/unit-fixtures.a: $(call objs,$(1),$(wildcard tests/unit/lib/*.c))
build/$(1)/lib/fuzz-fixtures.a: $(call objs,$(1),$(wildcard tests/fuzz/lib/*.c))
build/$(1)/tests/unit/%: build/$(1)/obj/tests/unit/%.o build/$(1)/lib/unit-fixtures.a \
		$$$$(call test_prog,$(1),$$$$*) $$$$(call test_lib,$(1),$$$$*)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(cc_$(1)) $$(ldflags_$(1)) -o $$@ $$(filter %.o %.a,$$^) $$(call static_libs,$(1),$$(libs_test))
build/$(1)/tests/bench/%: build/$(1)/obj/tests/bench/%.o $(foreach m,$(MODULES),build/$(1)/lib/lib$(m).a)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(cc_$(1)) $$(ldflags_$(1)) -o $$@ $$(filter %.o %.a,$$^) $$(call static_libs,$(1),$$(libs_daytimed))
build/$(1)/tests/fuzz/%: build/$(1)/obj/tests/fuzz/%.o $(if $(filter fuzz,$(1)),,build/$(1)/obj/tests/fuzz/replay.o) \
		build/$(1)/lib/fuzz-fixtures.a \
		$$$$(call test_prog,$(1),$$$$*) $$$$(call test_lib,$(1),$$$$*)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(cc_$(1)) $$(ldflags_$(1)) $(if $(filter fuzz,$(1)),-fsanitize=fuzzer) -o $$@ $$(filter %.o %.a,$$^) $$(libs_test)
endef

$(foreach v,$(VARIANTS),$(eval $(call variant_rules,$(v))))
$(foreach v,$(VARIANTS),$(foreach m,$(MODULES),$(eval $(call module_rules,$(v),$(m)))))
$(foreach v,$(VARIANTS),$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(v),$(p)))))

# The seccomp filters are made at build time (lib/net/gen): libseccomp is not linked into anything.
build/gen/seccomp: lib/net/gen/seccomp.c lib/net/gen/calls.h | packages-build
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -I. -o $@ $< -lseccomp
build/gen/sandbox_filters.h: build/gen/seccomp
	$(call say,GEN,$@)
	$(Q)build/gen/seccomp >$@.new
	$(Q)mv $@.new $@
$(foreach v,$(VARIANTS),build/$(v)/obj/lib/net/sandbox_calls.o) \
	build/tidy/lib/net/sandbox_calls.c.ok: build/gen/sandbox_filters.h

# Keep objects: they are the incremental build.
.SECONDARY:

.PHONY: asan static clang fuzzers unit-tests
asan: $(addprefix build/asan/bin/,$(PROGRAMS)) ## build all programs with sanitizers and test hooks
static: $(addprefix build/static/bin/,$(PROGRAMS)) ## build all programs with OpenSSL linked in
clang: $(addprefix build/clang/bin/,$(PROGRAMS)) ## build all programs with clang
fuzzers: $(addprefix build/fuzz/tests/fuzz/,$(FUZZERS)) ## build the libFuzzer targets
unit-tests: $(addprefix build/asan/tests/unit/,$(UNIT_TESTS)) ## build the unit tests

# -- the rest, by theme ------------------------------------------------------------------------
include tests/tests.mk
include tests/bench/bench.mk
include units/install.mk
include units/deb.mk
include units/container.mk
include units/run.mk
include tests/lint.mk

.PHONY: clean help
clean: ## remove the build folder
	rm -rf build

help: ## list the targets
	@grep -hE '^[a-z][a-z -]*:.*## ' $(MAKEFILE_LIST) | \
		sed -E 's/^([a-z -]+):.*## (.*)/  \1|\2/' | awk -F'|' '{printf "%-24s %s\n", $$1, $$2}'

-include $(shell find build/*/obj -name '*.d' 2>/dev/null)
