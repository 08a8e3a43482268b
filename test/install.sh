#!/usr/bin/env bash
# Builds pgchat and installs it into the server that PG_CONFIG names, with sudo only where the folder is another's.
#
#   install.sh [--build-only]
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MAKELEVEL

config=${PG_CONFIG:-pg_config}
log=build/build.log
mkdir -p build
if ! make -j"$(nproc)" PG_CONFIG="$config" all >"$log" 2>&1; then
    grep -E 'error|Error|\*\*\*' "$log" | head -n 40 >&2
    echo "install: the build failed; all of its output is in $log" >&2
    exit 1
fi
if [ "${1:-}" = --build-only ]; then exit 0; fi

as_root=
if [ ! -w "$("$config" --pkglibdir)" ] || [ ! -w "$("$config" --sharedir)/extension" ]; then
    if ! command -v sudo >/dev/null; then
        echo "install: $("$config" --pkglibdir) is not writable; run as root, or let PG_CONFIG name a server of your own" >&2
        exit 1
    fi
    as_root=sudo
fi
$as_root make PG_CONFIG="$config" install >>"$log" 2>&1 || { tail -n 5 "$log" >&2; exit 1; }
