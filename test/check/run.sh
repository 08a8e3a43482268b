#!/usr/bin/env bash
# Runs each rule of test/check/rules on the tree and prints TAP. A rule exits 0 (kept), 1 (broken) or 77 (cannot run here).
set -euo pipefail
cd "$(dirname "$0")/../.."

export PYTHONDONTWRITEBYTECODE=1
number=0 broken=0
for rule in test/check/rules/*; do
    [ -x "$rule" ] || continue
    number=$((number + 1)) status=0
    name=$(basename "${rule%.*}")
    output=$("$rule" 2>&1) || status=$?
    case $status in
    0) echo "ok $number - $name" ;;
    77) echo "ok $number - $name # SKIP $output" ;;
    *)
        echo "not ok $number - $name"
        printf '%s\n' "$output" | sed 's/^/# /'
        broken=$((broken + 1))
        ;;
    esac
done
echo "1..$number"
[ $broken -eq 0 ]
