# Builds, installs and tests pgchat with PGXS; `make help` lists the targets.

NAME := $(shell sed -n 's/^  "name": "\(.*\)",/\1/p' META.json)
VERSION := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' META.json)

MODULE_big = $(NAME)
EXTENSION = $(NAME)
core_sources := $(sort $(wildcard src/core/*.cpp src/core/*/*.cpp))
glue_sources := $(sort $(wildcard src/pg/*.cpp))
OBJS = $(core_sources:.cpp=.o) $(glue_sources:.cpp=.o)

install_modules := $(sort $(wildcard sql/install/*.sql))
replayable_modules := $(sort $(wildcard sql/install/[5-9]*.sql))
upgrade_steps := $(sort $(wildcard sql/upgrade/*.sql))
DATA_built = $(NAME).control sql/$(NAME)--$(VERSION).sql $(upgrade_steps:sql/upgrade/%=sql/$(NAME)--%)
EXTRA_CLEAN = $(NAME).control sql/$(NAME)--*.sql $(OBJS:.o=.d)

# Postgres names its headers without a namespace of their own, so they are searched last and as system headers are not:
# the glue includes them inside extern "C" through src/pg/postgres.hpp only.
PG_CPPFLAGS = -Isrc -MMD -MP -DPGCHAT_VERSION='"$(VERSION)"'
PG_CXXFLAGS = -std=c++20 -O2 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -fvisibility=hidden
SHLIB_LINK = -lcurl -lcrypto -lcrypt -lsimdjson -lstdc++

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
override with_llvm = no
include $(PGXS)

-include $(OBJS:.o=.d)

$(NAME).control: sql/$(NAME).control.in META.json
	sed 's/@VERSION@/$(VERSION)/' $< >$@

sql/$(NAME)--$(VERSION).sql: $(install_modules) META.json
	(echo '\echo Use "CREATE EXTENSION $(NAME)" to load this file. \quit'; cat $(install_modules)) >$@

# An upgrade is what cannot be replayed, then all that can.
sql/$(NAME)--%.sql: sql/upgrade/%.sql $(replayable_modules)
	(echo '\echo Use "ALTER EXTENSION $(NAME) UPDATE" to load this file. \quit'; cat $< $(replayable_modules)) >$@
