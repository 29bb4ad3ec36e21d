# Heartwire: `make help` lists what can be asked for. Everything built lands in .build, beside SwiftPM's own products.

PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
CFLAGS  ?= -O2
FUZZ_SECONDS ?= 30
STUCK_SECONDS ?= 8
SOAK_SECONDS ?= 300

SUDO    := $(if $(filter 0,$(shell id -u)),,sudo)
PYTHON  := $(CURDIR)/.build/venv/bin/python
LIBRARY := $(CURDIR)/.build/release/libheartwire.so
PROGRAM := .build/heartwire
SETUP   := .build/setup
STRICT  := -std=c11 -Wall -Wextra -pedantic -Werror

PROGRAM_SOURCES := $(wildcard bindings/cli/*.c bindings/cli/*.h)
C_SOURCES := $(wildcard include/*.h bindings/c/examples/*.[ch] bindings/cli/*.[ch] bindings/elixir/c_src/*.[ch] Tests/C/*.[ch])
PYTHON_SOURCES := $(wildcard bindings/python/pyproject.toml bindings/python/setup.py bindings/python/src/heartwire/*)

# A trap in a test program must end it at once, not start the backtracer, which can hang on a pipe.
export SWIFT_BACKTRACE := enable=no
export HEARTWIRE_LIBRARY := $(LIBRARY)

.PHONY: help build library demo test conformance fuzz sim sanitize soak bench lint install wheel clean elixir
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(PROGRAM) ## Build the release library, .build/release/libheartwire.so, and the program .build/heartwire

library: $(SETUP)/packages
	swift build -c release --product heartwire
	@ln -sf libheartwire.so .build/release/libheartwire.so.0

# SwiftPM touches the file only when it changes, and what depends on the file is remade only then.
$(LIBRARY): library ;

$(PROGRAM): $(PROGRAM_SOURCES) include/heartwire.h $(LIBRARY)
	$(CC) $(STRICT) $(CFLAGS) -Iinclude $(filter %.c,$^) -o $@ -L$(dir $(LIBRARY)) -lheartwire -Wl,-rpath,$(dir $(LIBRARY))

# Setting up: each step runs once and leaves a stamp; what is there already is not installed again.

# For a shell whose arguments are the packages that are missing.
define INSTALL_ARGUMENTS
test $$# -eq 0 || { echo "installing $$*"; $(SUDO) apt-get update -qq && \
		$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$@" >/dev/null; }
endef

$(SETUP)/packages:
	@set --; \
	test -e /usr/include/openssl/ssl.h || set -- "$$@" libssl-dev; \
	command -v mix >/dev/null || set -- "$$@" elixir; \
	find /usr/lib/erlang /usr/local/lib/erlang -name erl_nif.h 2>/dev/null | grep -q . || set -- "$$@" erlang-dev; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || set -- "$$@" python3-venv; \
	$(INSTALL_ARGUMENTS)
	@mkdir -p $(@D) && touch $@

# What comes as a service is not left running if it was installed here.
define STOP_SERVICES
for service in $(1); do \
	case " $$* " in *" $$service "*) $(SUDO) service $$service stop; $(SUDO) update-rc.d $$service disable ;; esac; \
	done >/dev/null 2>&1
endef

# The proxies to test with.
$(SETUP)/proxies: | $(SETUP)/packages
	@export PATH="$$PATH:/usr/sbin"; set --; \
	command -v tinyproxy >/dev/null || set -- "$$@" tinyproxy-bin; \
	command -v microsocks >/dev/null || set -- "$$@" microsocks; \
	command -v squid >/dev/null || set -- "$$@" squid; \
	$(INSTALL_ARGUMENTS); \
	$(call STOP_SERVICES,squid); \
	type tinyproxy microsocks squid >/dev/null
	@mkdir -p $(@D) && touch $@

# The brokers to test with.
$(SETUP)/services: | $(SETUP)/packages
	@export PATH="$$PATH:/usr/sbin"; set --; \
	command -v mosquitto >/dev/null || set -- "$$@" mosquitto; \
	command -v rabbitmq-server >/dev/null || set -- "$$@" rabbitmq-server; \
	$(INSTALL_ARGUMENTS); \
	$(call STOP_SERVICES,mosquitto rabbitmq-server); \
	type mosquitto rabbitmq-server >/dev/null
	@mkdir -p $(@D) && touch $@

# What reads metrics.
$(SETUP)/prometheus: | $(SETUP)/packages
	@set --; \
	command -v promtool >/dev/null || set -- "$$@" prometheus; \
	command -v curl >/dev/null || set -- "$$@" curl; \
	$(INSTALL_ARGUMENTS); \
	$(call STOP_SERVICES,prometheus); \
	type prometheus promtool curl >/dev/null
	@mkdir -p $(@D) && touch $@

# The browser that shows the monitor page.
$(SETUP)/browser: | $(SETUP)/packages
	@set --; \
	command -v chromium >/dev/null || set -- "$$@" chromium; \
	$(INSTALL_ARGUMENTS); \
	type chromium >/dev/null
	@mkdir -p $(@D) && touch $@

# What makes network namespaces.
$(SETUP)/network: | $(SETUP)/packages
	@export PATH="$$PATH:/usr/sbin:/sbin"; set --; \
	command -v ip >/dev/null || set -- "$$@" iproute2; \
	$(INSTALL_ARGUMENTS)
	@mkdir -p $(@D) && touch $@

$(SETUP)/venv: Tests/requirements.txt | $(SETUP)/packages
	python3 -m venv .build/venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Installed as users would, so that the tests and the demo also prove the package.
$(SETUP)/python: $(PYTHON_SOURCES) $(LIBRARY) | $(SETUP)/venv
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps ./bindings/python
	@rm -rf bindings/python/build
	@touch $@

# What the benchmarks measure beside. A peer that does not install on this machine is left out; zlib's header is for measuring it alone.
$(SETUP)/peers: Tests/Benchmarks/requirements.txt | $(SETUP)/venv
	@set --; \
	test -e /usr/include/zlib.h || set -- "$$@" zlib1g-dev; \
	$(INSTALL_ARGUMENTS)
	-$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

elixir: $(LIBRARY)
	@cd bindings/elixir && mix compile --warnings-as-errors

.build/examples/exchange: bindings/c/examples/exchange.c include/heartwire.h $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(CFLAGS) -Iinclude $< -o $@ -L$(dir $(LIBRARY)) -lheartwire -Wl,-rpath,$(dir $(LIBRARY))

ifdef URL
demo: .build/examples/exchange ## Watch C, Python and Elixir against an exchange; URL=wss://... : the C program against any server
	@$< "$(URL)"
else
demo: .build/examples/exchange $(PROGRAM) $(SETUP)/python elixir
	@exec $(PYTHON) bindings/demo/run.py --c $(CURDIR)/$< --server $(CURDIR)/$(PROGRAM) --library $(LIBRARY)
endif

test: elixir $(PROGRAM) $(SETUP)/python $(SETUP)/proxies $(SETUP)/services $(SETUP)/prometheus $(SETUP)/browser $(SETUP)/network ## Run every test suite, or SUITE=swift|abi|c|cli|conformance|python|proxies|transcripts|services|prometheus|monitor|network|stuck|elixir (STUCK_SECONDS=60: longer)
	@exec $(PYTHON) Tests/run.py --library $(LIBRARY) --stuck-seconds $(STUCK_SECONDS) $(SUITE)

conformance: $(LIBRARY) $(SETUP)/venv ## Run all cases of the Autobahn test suite against the library
	@exec $(PYTHON) Tests/Conformance/run.py --library $(LIBRARY)

fuzz: $(SETUP)/packages ## Fuzz what reads foreign bytes; FUZZ_SECONDS=30 each, FUZZ=name fuzzes one
	@exec python3 Tests/Fuzz/run.py --seconds $(FUZZ_SECONDS) $(FUZZ)

ifdef BUGS
sim: $(SETUP)/packages ## Simulate whole connections in virtual time: SEED=1, RUNS=, SECONDS=60; BUGS=1 plants bugs that must be caught; STORM=1 measures
	@exec python3 Tests/Simulation/run.py $(if $(SEED),--seed $(SEED)) --bugs $(filter-out 1,$(BUGS))
else
sim: $(SETUP)/packages
	@exec python3 Tests/Simulation/run.py $(if $(SEED),--seed $(SEED)) $(if $(STORM),--storm) $(if $(RUNS),--runs $(RUNS)) $(if $(SECONDS),--seconds $(SECONDS))
endif

# Tests of running times are left out: a sanitizer changes those most of all. The library's caches live as long as the process, which the leak
# checker takes for leaks.
sanitize: $(SETUP)/venv ## Run the unit tests and the C tests under the address and thread sanitizers
	for sanitizer in address thread; do \
		ASAN_OPTIONS=detect_leaks=0 swift test --sanitize=$$sanitizer --scratch-path .build/$$sanitizer --skip LinearTime && \
		$(PYTHON) Tests/C/run.py --library .build/$$sanitizer/debug/libheartwire.so --sanitize $$sanitizer || exit 1; \
	done

soak: $(SETUP)/python ## Keep a client under random faults for SOAK_SECONDS=300, and see that nothing grows
	@exec $(PYTHON) Tests/Network/soak.py --library $(LIBRARY) --seconds $(SOAK_SECONDS)

bench: $(SETUP)/python $(SETUP)/peers ## Run the benchmarks; BENCH=name runs one
	@exec $(PYTHON) Tests/Benchmarks/run.py --library $(LIBRARY) $(BENCH)

lint: $(SETUP)/venv ## Check formatting, types and C code
	swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests
	$(PYTHON) -m mypy --strict --cache-dir .build/mypy bindings/python/src
	cd bindings/elixir && mix format --check-formatted
	@awk 'length > 140 { print FILENAME ":" FNR ": more than 140 columns"; found = 1 } END { exit found }' $(C_SOURCES)
	for file in bindings/c/examples/*.c bindings/cli/*.c; do gcc $(STRICT) -O1 -fanalyzer -Iinclude -c $$file -o /dev/null || exit 1; done

install: $(LIBRARY) ## Install header, library, pkg-config file and program; PREFIX, DESTDIR
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/bin
	install -m 644 include/heartwire.h $(DESTDIR)$(PREFIX)/include/
	install -s -m 755 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib/libheartwire.so.0
	ln -sf libheartwire.so.0 $(DESTDIR)$(PREFIX)/lib/libheartwire.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' bindings/c/heartwire.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/heartwire.pc
	$(CC) $(STRICT) $(CFLAGS) -Iinclude $(filter %.c,$(PROGRAM_SOURCES)) -o $(DESTDIR)$(PREFIX)/bin/heartwire \
		-L$(DESTDIR)$(PREFIX)/lib -lheartwire -Wl,-rpath,'$$ORIGIN/../lib'
	$(if $(DESTDIR),,-ldconfig)

wheel: $(LIBRARY) $(SETUP)/venv ## Build the Python wheel into .build/wheels
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir .build/wheels ./bindings/python
	@rm -rf bindings/python/build

clean: ## Remove everything that was built
	rm -rf .build bindings/elixir/_build bindings/elixir/priv bindings/python/build bindings/python/src/*.egg-info
