#!/usr/bin/env bash
# What came of the suites, counted in one way and told in one closing line, so that no failure, and no test that was skipped, is overlooked.
#
# For run.sh, which sources it. In the folder $out are `suites`, a line of counts each, `unsteady`, the names of what failed and then passed, and
# the logs of the suites.
set -euo pipefail
out=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/check-results

# record SUITE PASSED FAILED SKIPPED SECONDS
record() {
    local failed=$3
    if [ $(($2 + $3 + $4)) -eq 0 ]; then
        echo "$1: ran no test"
        failed=1
    fi
    printf '%-16s %5d passed %5d failed %5d skipped %6d s\n' "$1" "$2" "$failed" "$4" "$5"
    echo "$1 $2 $failed $4" >>"$out/suites"
}

# count_tap LOG STATUS: "passed failed skipped" of a TAP log; a bad exit without a failed test counts as one.
count_tap() {
    awk -v status="$2" '
        /^ *1\.\.0 .*[Ss][Kk][Ii][Pp]/ { skipped++; next }
        /^ok .*# *[Ss][Kk][Ii][Pp]/ { skipped++; next }
        /^ok / { passed++; next }
        /^not ok / { failed++ }
        END { if (status != 0 && !failed) failed = 1; print passed + 0, failed + 0, skipped + 0 }' "$1"
}

# What went wrong, of a TAP log.
show_failures() {
    awk '/^not ok / { show = 1 } /^(ok |1\.\.)/ { show = 0 } show || /^(ERROR|psql:)|^Bail|Dubious|Parse errors|Bad plan|No plan|Non-zero/' "$1" |
        head -n 60 | sed 's/^/    /'
}

skip_reasons() {
    sed -n 's/^.*# *[Ss][Kk][Ii][Pp][PpEeDd]* *//p' "$out"/*.log 2>/dev/null | sort | uniq -c | sort -rn | sed 's/^ *\([0-9]*\) /\1 x /' |
        paste -sd ';' | sed 's/;/; /g'
}

# closing_line SECONDS: what came of all; fails where a test did.
closing_line() {
    local reasons suites passed failed skipped failed_suites unsteady=()
    reasons=$(skip_reasons || true)
    if [ -f "$out/unsteady" ]; then mapfile -t unsteady <"$out/unsteady"; fi
    read -r suites passed failed skipped < <(awk '{ p += $2; f += $3; s += $4 } END { print NR, p + 0, f + 0, s + 0 }' "$out/suites")
    failed_suites=$(awk '$3 > 0 { print $1 }' "$out/suites" | paste -sd ' ')
    echo "total: $suites suites, $passed passed, $failed failed, $skipped skipped${reasons:+ ($reasons)}, $1 s${failed_suites:+; failed: $failed_suites}${unsteady[*]:+; unsteady: ${unsteady[*]}}"
    [ "$failed" -eq 0 ]
}
