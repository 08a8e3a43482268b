# Builds, installs and tests pgchat with PGXS; `make help` lists the targets.

extension_name := $(shell sed -n 's/^  "name": "\(.*\)",/\1/p' META.json)
extension_version := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' META.json)

MODULE_big = $(extension_name)
EXTENSION = $(extension_name)
core_sources := $(sort $(wildcard src/core/*.cpp src/core/*/*.cpp))
glue_sources := $(sort $(wildcard src/pg/*.cpp))
OBJS = $(core_sources:.cpp=.o) $(glue_sources:.cpp=.o)

install_modules := $(sort $(wildcard sql/install/*.sql))
replayable_modules := $(sort $(wildcard sql/install/[5-9]*.sql))
upgrade_steps := $(sort $(wildcard sql/upgrade/*.sql))
DATA_built = $(extension_name).control sql/$(extension_name)--$(extension_version).sql $(upgrade_steps:sql/upgrade/%=sql/$(extension_name)--%)
EXTRA_CLEAN = $(extension_name).control sql/$(extension_name)--*.sql $(OBJS:.o=.d)

# Postgres names its headers without a namespace of their own, so they are searched last and as system headers are not:
# the glue includes them inside extern "C" through src/pg/postgres.hpp only.
PG_CPPFLAGS = -Isrc -MMD -MP -DPGCHAT_VERSION='"$(extension_version)"'
PG_CXXFLAGS = -std=c++20 -O2 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wno-register -fvisibility=hidden
SHLIB_LINK = -lcurl -lcrypto -lcrypt -lsimdjson -lstdc++

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
override with_llvm = no
include $(PGXS)

-include $(OBJS:.o=.d)

$(extension_name).control: sql/$(extension_name).control.in META.json
	sed 's/@VERSION@/$(extension_version)/' $< >$@

sql/$(extension_name)--$(extension_version).sql: $(install_modules) META.json
	(echo '\echo Use "CREATE EXTENSION $(extension_name)" to load this file. \quit'; cat $(install_modules)) >$@

# An upgrade is what cannot be replayed, then all that can.
sql/$(extension_name)--%.sql: sql/upgrade/%.sql $(replayable_modules)
	(echo '\echo Use "ALTER EXTENSION $(extension_name) UPDATE" to load this file. \quit'; cat $< $(replayable_modules)) >$@
