# Checks that need no run: formatting, clang-tidy, cppcheck.

SOURCES := $(wildcard lib/*/*.[ch] lib/*/gen/*.[ch] services/*/*.[ch] services/*/*/*.[ch] \
	client/*.[ch] client/*/*.[ch] \
	tests/interop/*.[ch] tests/unit/*.[ch] tests/unit/lib/*.[ch] tests/fuzz/*.[ch] tests/fuzz/lib/*.[ch] tests/bench/*.[ch])
TIDY_SOURCES := $(filter lib/%.c services/%.c client/%.c,$(SOURCES))

.PHONY: format format-check tidy cppcheck lint
format: ## rewrite all sources in the project's format
	clang-format -i $(SOURCES)

format-check: ## fail when a source is not in the project's format
	clang-format --dry-run -Werror $(SOURCES)

# One stamp per file, so that only what changed is checked again.
build/tidy/%.ok: % .clang-tidy
	@mkdir -p $(@D)
	clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c17 -D_GNU_SOURCE \
		-DQUINTET_VERSION='"$(VERSION)"' -Ilib -I. -include lib/base/banned.h 2>/dev/null
	@touch $@

tidy: $(addprefix build/tidy/,$(addsuffix .ok,$(TIDY_SOURCES))) ## clang-tidy

# ctuuninitvar takes every output parameter that is passed on for a use of it.
cppcheck: ## cppcheck
	@mkdir -p build/cppcheck
	cppcheck --quiet --enable=warning,performance,portability --std=c11 --error-exitcode=1 \
		--inline-suppr --suppress=missingIncludeSystem --suppress=ctuuninitvar --cppcheck-build-dir=build/cppcheck \
		-D_GNU_SOURCE -DQUINTET_VERSION='""' -Ilib -I. lib services client

lint: format-check tidy cppcheck ## all of the above
