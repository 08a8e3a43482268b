#!/usr/bin/env bash
# Runs the test suites and says in one closing line what passed, failed and was skipped.
#
#   run.sh all | SUITE...      suites: lint unit regress isolation tap systems server reference-check
#   run.sh reference           writes docs/reference.md
#
# All but lint and unit run on a private cluster in build/check, with a database of its own for each file of test/server;
# those run in three lanes, of which the others have clusters in build/check-2 and build/check-3.
# What fails of tap and server is run once more, in a new database, before it counts: others use the machine, too. What passes then
# is named in the closing line as unsteady, and is a defect of the test or of pgchat all the same.
# systems moves small databases of other chat systems in; PGCHAT_FULL=1 large ones, against the clock, and copies. PGCHAT_ONLY names some of them.
# A suite that ran no test has failed. PGCHAT_KEEP=1 leaves the cluster and the servers up. PGCHAT_ONLY='calls faults' runs
# these files of test/server alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=test/cluster/cluster.sh
. test/cluster/cluster.sh

# Under make: a make started here is one of its own.
unset MAKEFLAGS MAKELEVEL
out=$root/build/check-results
cluster=$root/build/check
servers=$root/build/check-servers
file_timeout=300
# Of test/server, those that take longest: they begin first, so that no lane is busy with one when the others are done.
longest_files='cancel deliberation_machine deliberation_real_model deliberation_storm faults import_dirt leaks lifecycle locks login_timing master_key scheduling search usage'

total_passed=0 total_failed=0 total_skipped=0 suites=0
failed_suites=() unsteady=()

# record SUITE PASSED FAILED SKIPPED SECONDS
record() {
    local failed=$3
    if [ $(($2 + $3 + $4)) -eq 0 ]; then
        echo "$1: ran no test"
        failed=1
    fi
    printf '%-16s %5d passed %5d failed %5d skipped %6d s\n' "$1" "$2" "$failed" "$4" "$5"
    suites=$((suites + 1))
    total_passed=$((total_passed + $2)) total_failed=$((total_failed + failed)) total_skipped=$((total_skipped + $4))
    if [ "$failed" -gt 0 ]; then failed_suites+=("$1"); fi
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

suite_lint() {
    local start=$SECONDS status=0 counts
    {
        test/check/run.sh || status=1
        test/check/selftest.sh || status=1
    } >"$out/lint.log" 2>&1
    read -ra counts < <(count_tap "$out/lint.log" $status)
    if [ "${counts[1]}" -gt 0 ]; then show_failures "$out/lint.log"; fi
    record lint "${counts[@]}" $((SECONDS - start))
}

suite_unit() {
    local start=$SECONDS status=0 log=$out/unit.log
    # The core is compiled once, for the extension, and tested as it is.
    if ! { test/install.sh --build-only && cmake -S . -B build/unit -DPREBUILT_CORE=ON -DCMAKE_BUILD_TYPE=Debug &&
        cmake --build build/unit --target unit_tests -j "$(nproc)"; } >"$out/unit-build.log" 2>&1; then
        grep -E 'error|Error' "$out/unit-build.log" | head -n 40
        record unit 0 1 0 $((SECONDS - start))
        return
    fi
    timeout $file_timeout build/unit/unit_tests >"$log" 2>&1 || status=$?
    grep -E '^\[  FAILED  \]|Failure$' "$log" | head -n 40 || true
    # shellcheck disable=SC2046
    record unit $(awk -v status=$status '
        /^\[       OK \]/ { passed++ } /^\[  SKIPPED \] .* ms\)/ { skipped++ } /^\[  FAILED  \] .* ms\)/ { failed++ }
        END { if (status != 0 && !failed) failed = 1; print passed + 0, failed + 0, skipped + 0 }' "$log") $((SECONDS - start))
}

# regress_suite NAME MAKE-ARGUMENT: pg_regress prints "test x ... ok" up to 15, TAP from 16.
regress_suite() {
    local start=$SECONDS status=0 log=$out/$1.log
    timeout $file_timeout make installcheck PG_CONFIG="${PG_CONFIG:-pg_config}" "$2" >"$log" 2>&1 || status=$?
    if [ $status -ne 0 ]; then
        grep -E 'FAILED|^not ok' "$log" || tail -n 20 "$log"
        find . -maxdepth 2 -name regression.diffs -exec head -n 200 {} +
    fi
    # shellcheck disable=SC2046
    record "$1" $(awk -v status=$status '
        /^not ok |\.\.\. .*FAILED/ { failed++; next } /^ok |\.\.\. ok / { passed++ }
        END { if (status != 0 && !failed) failed = 1; print passed + 0, failed + 0, 0 }' "$log") $((SECONDS - start))
}

suite_regress() { regress_suite regress ISOLATION=; }

suite_isolation() {
    if compgen -G 'test/specs/*.spec' >/dev/null; then regress_suite isolation REGRESS=; fi
}

# twice NAME LOG COMMAND...: runs it, and again if it fails; sets `counts` to those of the last run, whose output is LOG.
twice() {
    local name=$1 log=$2 run status
    shift 2
    for run in first second; do
        status=0
        "$@" >"$log" 2>&1 </dev/null || status=$?
        read -ra counts < <(count_tap "$log" $status)
        if [ "${counts[1]}" -eq 0 ]; then break; fi
        show_failures "$log"
        if [ $run = first ]; then cp "$log" "${log%.log}-first.log"; fi
    done
    if [ $run = second ] && [ "${counts[1]}" -eq 0 ]; then echo "$name" >>"$out/unsteady"; fi
}

run_tap() {
    make_database check_tap 'CREATE EXTENSION pgtap' &&
        PGDATABASE=check_tap timeout $file_timeout pg_prove --verbose --ext .sql -r test/tap
}

suite_tap() {
    local start=$SECONDS counts
    twice tap "$out/tap.log" run_tap
    record tap "${counts[@]}" $((SECONDS - start))
}

# make_source NAME: that system's tables, with rows, in schema old.
make_source() {
    local users=50 messages=2000
    if [ "${PGCHAT_FULL:-0}" = 1 ]; then users=1000 messages=200000; fi
    psql -Xq -v ON_ERROR_STOP=1 -v source=old -v users=$users -v messages=$messages -o /dev/null -f "test/systems/schema/$1.sql" -f "test/systems/generate/$1.sql"
}

# import_system NAME: as whoever moves in would do it; prints the report as comments.
import_system() {
    psql -X -v source=old -v supervisors=old.supervisors -v apply_rules=true -f "sql/import/$1.sql" 2>&1 | sed 's/^/# /'
}

# run_system NAME: a database of that system is moved in, twice, and then does what it did before; with PGCHAT_FULL=1 so does a copy,
# which was dumped and restored.
run_system() {
    local began
    make_database "check_$1" 'CREATE EXTENSION pgtap' || return 1
    local -x PGDATABASE=check_$1
    make_source "$1" && psql -Xq -v ON_ERROR_STOP=1 -o /dev/null -f test/systems/before.sql || return 1
    began=$SECONDS
    import_system "$1" || return 1
    echo "# $1 was moved in within $((SECONDS - began)) s"
    if [ $((SECONDS - began)) -lt 60 ]; then echo 'ok - in less than a minute'; else echo 'not ok - in less than a minute'; fi
    import_system "$1" || return 1
    if [ "${PGCHAT_FULL:-0}" != 1 ]; then
        timeout $file_timeout pg_prove --verbose --ext .sql "test/systems/$1.sql"
        return
    fi
    # Before the scenario: that uses codes up, which are not to be right again in the copy.
    copy_database "$1" || return 1
    timeout $file_timeout pg_prove --verbose --ext .sql "test/systems/$1.sql" || return 1
    PGDATABASE=check_$1_copy timeout $file_timeout pg_prove --verbose --ext .sql "test/systems/$1.sql"
}

# copy_database NAME: dumped and restored; the other system's tables, which nothing can restore as dirty as they are, are made again.
copy_database() {
    pg_dump -Fc -N old -f "$out/$1.dump" &&
        psql -Xq -d postgres -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS check_$1_copy WITH (FORCE)" -c "CREATE DATABASE check_$1_copy" &&
        pg_restore --exit-on-error -d "check_$1_copy" "$out/$1.dump" && PGDATABASE=check_$1_copy make_source "$1" && rm "$out/$1.dump"
}

suite_systems() {
    local start=$SECONDS file name counts passed=0 failed=0 skipped=0
    for file in test/systems/*.sql; do
        name=$(basename "$file" .sql)
        if [ "$name" = before ] || { [ -n "${PGCHAT_ONLY:-}" ] && [[ " $PGCHAT_ONLY " != *" $name "* ]]; }; then continue; fi
        twice "$name" "$out/system-$name.log" run_system "$name"
        grep 'was moved in' "$out/system-$name.log" | sed 's/^#/ /' || true
        if ! psql -Xq -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS check_$name WITH (FORCE)" \
            -c "DROP DATABASE IF EXISTS check_${name}_copy WITH (FORCE)"; then counts[1]=$((counts[1] + 1)); fi
        passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
    done
    record systems $passed $failed $skipped $((SECONDS - start))
}

make_database() {
    psql -Xq -v ON_ERROR_STOP=1 -c "SET client_min_messages = warning" -c "DROP DATABASE IF EXISTS $1 WITH (FORCE)" -c "CREATE DATABASE $1 TEMPLATE check_template" &&
        if [ -n "${2:-}" ]; then PGDATABASE=$1 psql -Xq -v ON_ERROR_STOP=1 -c "$2"; fi
}

# What databases of tests are copied from, as CREATE EXTENSION takes seconds. A template has no engine.
make_template() {
    psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE DATABASE check_template IS_TEMPLATE true' &&
        PGDATABASE=check_template psql -Xq -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION pgchat'
}

# Takes the next file of the queue, for whichever lane asks first.
take_server_test() {
    {
        flock 9
        head -n 1 "$out/server.queue"
        sed -i 1d "$out/server.queue"
    } 9>"$out/server.lock"
}

run_server_file() {
    make_database "check_$1" && PGDATABASE=check_$1 timeout -k 5 $file_timeout prove --verbose --exec '' "$2"
}

# run_server_test FILE: prints a line of counts, and adds it to the results.
run_server_test() {
    local file=$1 name counts began=$SECONDS
    name=$(basename "${file%.*}")
    twice "$name" "$out/server-$name.log" run_server_file "$name" "$file"
    printf '  %-28s %4d passed %4d failed %4d skipped %4d s\n' "$file" "${counts[@]}" $((SECONDS - began))
    if ! psql -Xq -c "DROP DATABASE IF EXISTS check_$name WITH (FORCE)"; then counts[1]=$((counts[1] + 1)); fi
    echo "${counts[@]}" >>"$out/server.results"
}

server_lane() {
    local file
    while file=$(take_server_test) && [ -n "$file" ]; do run_server_test "$file"; done
}

# Another lane has a cluster and servers of its own, for most of the time is spent waiting.
another_server_lane() (
    cluster=$cluster-$1 servers=$servers-$1
    trap clean_up EXIT
    if start_cluster && start_servers; then server_lane; else echo '0 1 0' >>"$out/server.results"; fi
)

suite_server() {
    local start=$SECONDS file name lane passed failed skipped
    if ! { test/servers.sh build && start_servers; }; then
        record server 0 1 0 $((SECONDS - start))
        return
    fi
    : >"$out/server.results"
    for file in test/server/*; do
        name=$(basename "${file%.*}")
        if [ ! -f "$file" ] || [ ! -x "$file" ]; then continue; fi
        if [ -n "${PGCHAT_ONLY:-}" ] && [[ " $PGCHAT_ONLY " != *" $name "* ]]; then continue; fi
        if [[ " $longest_files " == *" $name "* ]]; then echo "1 $file"; else echo "2 $file"; fi
    done | sort -s -k 1,1 | cut -d ' ' -f 2 >"$out/server.queue"
    for lane in 2 3; do
        if [ "$(wc -l <"$out/server.queue")" -ge $lane ]; then another_server_lane $lane & fi
    done
    server_lane
    wait
    read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$out/server.results")
    record server "$passed" "$failed" "$skipped" $((SECONDS - start))
}
suite_server_log() {
    local found
    found=$(cat "$PGCHAT_SERVER_LOG" "$out"/check-[23].log 2>/dev/null | grep -E 'PANIC|TRAP:|terminated by signal (4|6|7|8|11)\b' | head || true)
    if [ -n "$found" ]; then echo "$found"; fi
    if [ -z "$found" ]; then record server-log 1 0 0 0; else record server-log 0 1 0 0; fi
}

suite_reference_check() {
    local start=$SECONDS status=0 counts
    { make_database check_reference &&
        PGDATABASE=check_reference test/check/reference.sh "${1:---check}"; } >"$out/reference.log" 2>&1 || status=$?
    cat "$out/reference.log"
    if [ $status -eq 0 ]; then counts=(1 0 0); else counts=(0 1 0); fi
    record reference "${counts[@]}" $((SECONDS - start))
}

start_cluster() {
    cluster_remove "$cluster" &&
        cluster_create "$cluster" --tcp --set max_connections=400 --set max_worker_processes=64 \
            --set max_prepared_transactions=16 --set pgchat.bcrypt_cost=4 \
            --set 'pgchat.api_key_variables=*_API_KEY,HOME' &&
        cluster_start "$cluster" || return 1
    eval "$(cluster_env "$cluster")"
    export PGOPTIONS='' PGTZ=UTC PGCHAT_SOURCE=$root PGCHAT_BUILD=$root/build
    make_template
}

start_servers() {
    local settings
    test/servers.sh stop "$servers" && settings=$(test/servers.sh start "$servers" mock llama) || return 1
    eval "$settings"
}

clean_up() {
    if [ "${PGCHAT_KEEP:-0}" = 1 ]; then return; fi
    test/servers.sh stop "$servers" || true
    if [ -f "$cluster/server.log" ]; then cp "$cluster/server.log" "$out/$(basename "$cluster").log" || true; fi
    cluster_remove "$cluster" || true
}

needs() {
    local suite
    for suite in "${wanted[@]}"; do
        case " $1 " in *" $suite "*) return 0 ;; esac
    done
    return 1
}

wanted=("$@")
case ${1:-all} in
all) wanted=(lint unit regress isolation tap systems server reference-check) ;;
reference) wanted=(reference-check) ;;
esac

began=$SECONDS
mkdir -p "$out"
rm -f "$out"/*
test/packages.sh build test
trap clean_up EXIT
# Lint uses one core; what the build has to say is said by the suite that needs it.
if needs lint && needs unit; then test/install.sh --build-only >/dev/null 2>&1 & fi
if needs lint; then suite_lint; fi
wait
if needs unit; then suite_unit; fi
if needs 'regress isolation tap systems server reference-check'; then
    if ! { test/install.sh && start_cluster; }; then
        record set-up 0 1 0 $((SECONDS - began))
    else
        for suite in regress isolation tap systems server; do
            if needs $suite; then "suite_$suite"; fi
        done
        if needs reference-check; then suite_reference_check "$([ "${1:-}" != reference ] || echo --write)"; fi
        suite_server_log
    fi
fi

reasons=$(skip_reasons || true)
if [ -f "$out/unsteady" ]; then mapfile -t unsteady <"$out/unsteady"; fi
echo "total: $suites suites, $total_passed passed, $total_failed failed, $total_skipped skipped${reasons:+ ($reasons)}, $((SECONDS - began)) s${failed_suites[*]:+; failed: ${failed_suites[*]}}${unsteady[*]:+; unsteady: ${unsteady[*]}}"
[ $total_failed -eq 0 ]
