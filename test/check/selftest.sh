#!/usr/bin/env bash
# Each lint rule is able to fail: plants one violation after the other in a copy of the tree, and wants it found. Prints TAP.
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.gguf' . | tar -xf - -C "$copy"

number=0 missed=0
# plants RULE FILE: what is on standard input goes to the end of FILE; the rule must then name the file, and did not before.
plants() {
    local rule=$copy/test/check/rules/$1 file=$copy/$2 before status=0 output
    if [ ! -f "$copy/$1.before" ]; then "$rule" >"$copy/$1.before" 2>&1 || true; fi
    before=$(grep -cF "$2" "$copy/$1.before" || true)
    mkdir -p "$(dirname "$file")"
    if [ -f "$file" ]; then cp -p "$file" "$copy/saved"; else rm -f "$copy/saved"; fi
    cat >>"$file"
    output=$("$rule" 2>&1) || status=$?
    if [ -f "$copy/saved" ]; then mv "$copy/saved" "$file"; else rm "$file"; fi
    number=$((number + 1))
    if [ $status -eq 77 ]; then
        echo "ok $number - $1 finds what is planted in $2 # SKIP $output"
    elif [ $status -ne 0 ] && [ "$(printf '%s\n' "$output" | grep -cF "$2" || true)" -gt "$before" ]; then
        echo "ok $number - $1 finds what is planted in $2"
    else
        echo "not ok $number - $1 finds what is planted in $2"
        missed=$((missed + 1))
    fi
}

plants layers.py src/core/planted.hpp <<<'#include "pg/boundary.hpp"'
plants layers.py src/core/planted.cpp <<<'#include <postgres.h>'
plants layers.py src/pg/planted.cpp <<<'#include "postgres.h"'
plants boundary.py src/pg/planted.cpp <<'EOPLANT'
PG_FUNCTION_INFO_V1(pgchat_planted);
Datum pgchat_planted(PG_FUNCTION_ARGS) {
    elog(NOTICE, "before");
    return entry([&] { return Datum{0}; });
}
EOPLANT
plants hygiene.py src/core/planted.cpp <<<'// TO''DO later'
plants hygiene.py src/core/planted.cpp <<<'// release(connection);'
plants hygiene.py sql/install/rights/99_planted.sql <<<'-- DROP TABLE chat.users;'
plants hygiene.py docs/planted.md <<<'see /ho''me/me/notes'
plants size.py src/core/planted.cpp < <(seq 401 | sed 's|^|// |')
plants size.py src/core/planted.cpp < <(printf 'void planted(int n) noexcept {\n'; for _ in $(seq 80); do echo '    ++n;'; done; echo '}')
plants version.py docs/planted.md < <(sed -n 's/^  "version": "\(.*\)",/\1/p' META.json)
plants search_path.py sql/install/rights/99_planted.sql <<<"CREATE FUNCTION chat.planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
plants search_path.py sql/install/rights/99_planted.sql <<'EOPLANT'
CREATE FUNCTION chat.planted() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET search_path = pg_catalog, pg_temp; RETURN 1; END $$;
EOPLANT
plants errors.py sql/install/rights/99_planted.sql <<<"SELECT 1 USING ERRCODE = 'PC999';"
plants errors.py docs/errors.md <<<'| `internal` | `XX001` | meaning | what to do |'
plants basenames.py src/pg/uuid.cpp <<<'// planted'
plants names.py src/core/crypto/planted.cpp <<'EOPLANT'
namespace {
std::optional<std::array<int, 3>> derived(int key) {
    return {};
}
}  // namespace
EOPLANT
plants format.sh src/core/planted.cpp <<<'int  planted( );'
plants shell.sh test/planted.sh <<<$'#!/usr/bin/env bash\nset -euo pipefail\nif'
plants shell.sh test/planted.sh <<<$'#!/usr/bin/env bash\necho "$1"'
plants settings.py docs/configuration.md <<<'| `pgchat.planted` | 1 | reload | does not exist |'
plants settings.py docs/configuration.md <<<'| `pgchat.max_calls` | 7 | reload | another default |'
plants personas.py docs/personas.md <<<'| `planted` | Planted | finance | does not exist |'
plants personas.py docs/personas.md <<<'| `actuary` | Planted | finance | another name |'
plants personas.py sql/install/personas/shipped_finance.sql <<<'(''planted'', $prompt$x$prompt$)'
echo "1..$number"
[ $missed -eq 0 ]
