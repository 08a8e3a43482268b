# Builds, installs and tests pgchat with PGXS; `make help` lists the targets.

extension_name := $(shell sed -n 's/^  "name": "\(.*\)",/\1/p' META.json)
extension_version := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' META.json)
PG_CONFIG ?= pg_config

# Targets that work before PostgreSQL's headers are there, or that PGXS defines otherwise: they do not include PGXS, and
# hand what they need of it to a make of its own.
development := help packages demo demo-stop seed-demo check unit snippets tap systems server-check servers lint format reference bench

ifneq ($(filter $(development),$(MAKECMDGOALS)),)
.PHONY: $(MAKECMDGOALS)
.NOTPARALLEL:
export PG_CONFIG

help: ## list the targets
	@echo 'make                the same as make all'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'
	@echo 'PG_CONFIG=/path/to/pg_config chooses the server version.'

all: ## build the extension
install: ## install it into the server that PG_CONFIG names
uninstall: ## remove it from there
clean: ## remove what was built, private clusters excepted
installcheck: ## run pg_regress against the server that PGHOST and PGPORT name

packages: ## install the Debian packages that build and tests need, where some are missing
	test/packages.sh build test

demo: ## build, install, and play the main job on a private cluster, which stays up
	examples/demo.sh start

demo-stop: ## stop and remove the demo's cluster and model server
	examples/demo.sh stop

seed-demo: ## fill database PGDATABASE, or one of the demo's cluster, with people and what they did
	examples/seed_demo.sh

check: ## run every test: lint, unit, regress, isolation, pgTAP, systems, snippets, server, reference; on private clusters
	test/run.sh all

unit: ## build and run the core's unit tests
	test/run.sh unit

snippets: ## run the snippets of the documentation
	test/run.sh snippets

tap: ## run the pgTAP tests on a private cluster
	test/run.sh tap

systems: ## move databases of other chat systems in, and try what they did before
	test/run.sh systems

server-check: ## run the tests against real server processes
	test/run.sh server

servers: ## build the mock provider and fetch the local model server
	test/servers.sh build

lint: ## run the rules in test/check
	test/run.sh lint

format: ## format the C++ sources in place
	test/check/rules/format.sh --write

reference: ## write docs/reference.md from the comments in the database
	test/run.sh reference

bench: ## measure, on a private cluster
	bench/run.sh

# What PGXS makes, asked for beside a target of the above.
$(filter-out $(development),$(MAKECMDGOALS)):
	@$(MAKE) --no-print-directory $@

else

MODULE_big = $(extension_name)
EXTENSION = $(extension_name)
# So many files of a folder are compiled together, which takes a third of the time; with 1, each is compiled on its own.
files_together ?= 12
units := $(shell src/units.sh build/units $(files_together))
OBJS = $(units:.cpp=.o)

# Folders of what can be replayed, in the order in which they are installed; within a folder by name.
sql_topics := engine common accounts models usage billing messages context conversations personas deliberations rights
replayable_modules := $(foreach topic,$(sql_topics),$(sort $(wildcard sql/install/$(topic)/*.sql)))
install_modules := $(sort $(wildcard sql/install/tables/*.sql)) $(replayable_modules)
upgrade_steps := $(sort $(wildcard sql/upgrade/*.sql))
DATA_built = $(extension_name).control sql/$(extension_name)--$(extension_version).sql $(upgrade_steps:sql/upgrade/%=sql/$(extension_name)--%)
EXTRA_CLEAN = $(extension_name).control sql/$(extension_name)--*.sql build/units

# Postgres names its headers without a namespace of their own, so they are searched last and as system headers are not:
# the glue includes them inside extern "C" through src/pg/postgres.hpp only.
PG_CPPFLAGS = -Isrc -MMD -MP
# -g1 is enough for a backtrace and a third of the compile time less than -g.
PG_CXXFLAGS = -std=c++20 -O2 -g1 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wno-register -Wno-volatile -fno-semantic-interposition
# PostgreSQL 15 cannot mark what an extension exports when all else is hidden, so the linker is told.
SHLIB_LINK = -Wl,--version-script=build/exports.map -lcurl -lcrypto -lcrypt -lsimdjson -lqrencode -lstdc++

REGRESS = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(sort $(basename $(notdir $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
headers := $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)
ifeq ($(and $(wildcard $(PGXS)),$(wildcard $(headers)/postgres.h)),)
$(error $(PG_CONFIG) names no PostgreSQL with server headers; run "make packages", or set PG_CONFIG)
endif
override with_llvm = no
include $(PGXS)

# Objects built against another server, or with other flags, are stale; the file changes only when the headers do.
ifneq ($(headers),$(file <build/server_headers))
$(shell mkdir -p build)
$(file >build/server_headers,$(headers))
endif
$(OBJS): build/server_headers Makefile
# Only this unit knows the version, so that another one does not compile everything anew.
build/units/version.o: override CPPFLAGS += -DPGCHAT_VERSION='"$(extension_version)"'
build/units/version.o: META.json

-include $(OBJS:.o=.d)

$(extension_name).so: build/exports.map
build/exports.map: Makefile
	mkdir -p $(@D)
	echo '{ global: _PG_init; Pg_magic_func; pgchat_*; pg_finfo_pgchat_*; local: *; };' >$@

$(extension_name).control: sql/$(extension_name).control.in META.json
	sed 's/@VERSION@/$(extension_version)/' $< >$@

# Each script begins by asking whether the library that is loaded is new enough for it.
library_check = sed 's/@VERSION@/$(1)/' sql/library_check.sql.in

sql/$(extension_name)--$(extension_version).sql: $(install_modules) sql/library_check.sql.in META.json Makefile
	(printf '%s\n' '\echo Use "CREATE EXTENSION $(extension_name)" to load this file. \quit'; \
	 $(call library_check,$(extension_version)); cat $(install_modules)) >$@

# An upgrade is what cannot be replayed, then all that can. A line "-- include FILE" of sql/upgrade stands for that file of
# sql/install: tables that are new in the version are written once.
sql/$(extension_name)--%.sql: sql/upgrade/%.sql $(install_modules) sql/library_check.sql.in META.json Makefile
	(printf '%s\n' '\echo Use "ALTER EXTENSION $(extension_name) UPDATE" to load this file. \quit'; \
	 $(call library_check,$(lastword $(subst --, ,$*))); \
	 awk 'BEGIN { status = 0 } /^-- include / { file = "sql/install/" $$3; got = 0; while ((getline line <file) > 0) { print line; got = 1 } \
	      if (!got) { print "nothing to include in " file >"/dev/stderr"; status = 1 } next } { print } END { exit status }' $< && \
	 cat $(replayable_modules)) >$@.new && mv $@.new $@

endif
