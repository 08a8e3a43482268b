#!/usr/bin/env bash
# The C++ sources are as clang-format writes them; with --write, it does.
set -euo pipefail
cd "$(dirname "$0")/../../.."

# Releases format differently; this is the one of Debian 12.
release=14
tool=
for candidate in "clang-format-$release" clang-format; do
    if "$candidate" --version 2>/dev/null | grep -q "version $release\."; then tool=$candidate; break; fi
done
if [ -z "$tool" ]; then
    echo "clang-format $release is not installed"
    exit 77
fi
if [ "${1:-}" = --write ]; then mode=-i; else mode=--dry-run; fi
find src test bench \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null | xargs -0 -r "$tool" "$mode" -Werror
