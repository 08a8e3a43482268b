#!/usr/bin/env bash
# Every shell script parses, stops at the first error, and passes shellcheck where that is installed.
set -euo pipefail
cd "$(dirname "$0")/../../.."

scripts=()
while IFS= read -r -d '' file; do
    if head -n 1 "$file" | grep -q '^#!.*\b\(ba\)\?sh\b'; then scripts+=("$file"); fi
done < <(find .ci src test examples bench -type f \( -name '*.sh' -o -path '.ci/*' \) -print0 2>/dev/null)

status=0
for script in "${scripts[@]}"; do
    bash -n "$script" || status=1
    grep -q '^set -eu\(o pipefail\)\?$' "$script" || { echo "$script: lacks set -euo pipefail"; status=1; }
done
if command -v shellcheck >/dev/null; then shellcheck -x -S warning "${scripts[@]}" || status=1; fi
exit $status
