#!/usr/bin/env bash
# Runs the test suites and says in one closing line what passed, failed and was skipped.
#
#   run.sh all | SUITE...      suites: lint unit regress isolation tap systems server snippets reference-check
#   run.sh reference           writes docs/reference.md
#
# Lint runs while all is compiled; what follows, in lanes, as most of the time is spent waiting. A lane has a private cluster and servers of
# its own, the first in build/check, and takes a suite, or a file of test/server with a database of its own, whenever it is done with one.
# What fails of tap and server is run once more, in a new database, before it counts: others use the machine, too. What passes then
# is named in the closing line as unsteady, and is a defect of the test or of pgchat all the same.
# systems moves small databases of other chat systems in; PGCHAT_FULL=1 large ones, against the clock, and copies. PGCHAT_ONLY names some of them.
# snippets runs those of the documentation; PGCHAT_ONLY='cookbook/psql' those of some pages.
# A suite that ran no test has failed. PGCHAT_KEEP=1 leaves the cluster and the servers up. PGCHAT_ONLY='calls faults' runs
# these files of test/server alone.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=test/cluster/cluster.sh
. test/cluster/cluster.sh
# shellcheck source=test/results.sh
. test/results.sh

# Under make: a make started here is one of its own.
unset MAKEFLAGS MAKELEVEL
cluster=$root/build/check
servers=$root/build/check-servers
file_timeout=300
lanes=4
# What takes longest begins first, so that no lane is busy with one when the others are done; before it tap, which wants a new cluster: other
# tests leave master keys behind.
longest_tasks='tap login_timing leaks library_versions search locks cancel faults deliberation_machine deliberation_storm snippets lifecycle master_key second_factor deliberation_real_model deliberation_crashes usage audit attachments import_dirt unit scheduling streams systems keys lockout turn_races real_model crash'

suite_lint() {
    local start=$SECONDS status=0 counts
    {
        test/check/run.sh || status=1
        test/check/selftest.sh || status=1
        test/check/packages_test.sh || status=1
    } >"$out/lint.log" 2>&1
    read -ra counts < <(count_tap "$out/lint.log" $status)
    if [ "${counts[1]}" -gt 0 ]; then show_failures "$out/lint.log"; fi
    record lint "${counts[@]}" $((SECONDS - start))
}

# The core is compiled once, for the extension, and tested as it is.
build_unit() {
    test/install.sh --build-only && cmake -S . -B build/unit -DPREBUILT_CORE=ON -DCMAKE_BUILD_TYPE=Debug &&
        cmake --build build/unit --target unit_tests -j "$(nproc)"
}

suite_unit() {
    local start=$SECONDS status=0 log=$out/unit.log
    if ! build_unit >"$out/unit-build.log" 2>&1; then
        grep -E 'error|Error' "$out/unit-build.log" | head -n 40
        record unit 0 1 0 $((SECONDS - start))
        return
    fi
    timeout $file_timeout build/unit/unit_tests >"$log" 2>&1 || status=$?
    grep -E '^\[  FAILED  \]|: Failure$' "$log" | head -n 40 || true
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

# Takes the next task of the queue, for whichever lane asks first.
take_task() {
    {
        flock 9
        head -n 1 "$out/queue"
        sed -i 1d "$out/queue"
    } 9>"$out/queue.lock"
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

server_files() {
    local file name
    for file in test/server/*; do
        name=$(basename "${file%.*}")
        if [ ! -f "$file" ] || [ ! -x "$file" ]; then continue; fi
        if [ -z "${PGCHAT_ONLY:-}" ] || [[ " $PGCHAT_ONLY " == *" $name "* ]]; then echo "$file"; fi
    done
}

# longest_first: of the tasks on standard input, those of longest_tasks in that order, then the others.
longest_first() {
    awk -v longest="$longest_tasks" '
        BEGIN { count = split(longest, names, " "); for (i = 1; i <= count; i++) rank[names[i]] = i }
        { name = $0; gsub(/^.*\/|\.[^.]*$/, "", name); print (name in rank ? rank[name] : count + 1), $0 }' | sort -s -n -k 1,1 | cut -d ' ' -f 2
}

lane() {
    local task
    while task=$(take_task) && [ -n "$task" ]; do
        case $task in
        test/server/*) run_server_test "$task" ;;
        *) "suite_$task" ;;
        esac
    done
}

another_lane() (
    cluster=$cluster-$1 servers=$servers-$1
    trap clean_up EXIT
    if ! start_cluster || { needs server && ! start_servers; }; then
        record "set-up-$1" 0 1 0 0
        return
    fi
    lane
)

run_in_lanes() {
    local start=$SECONDS suite number passed failed skipped
    : >"$out/server.results"
    for suite in unit tap systems snippets; do
        if needs $suite; then echo $suite; fi
    done >"$out/tasks"
    if needs server; then
        if test/servers.sh build && start_servers; then server_files >>"$out/tasks"; else echo '0 1 0' >>"$out/server.results"; fi
    fi
    longest_first <"$out/tasks" >"$out/queue"
    for ((number = 2; number <= lanes; number++)); do
        if [ "$(wc -l <"$out/tasks")" -ge $number ]; then another_lane $number & fi
    done
    lane
    wait
    if needs server; then
        read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$out/server.results")
        record server "$passed" "$failed" "$skipped" $((SECONDS - start))
    fi
}

run_snippets() {
    local only=()
    read -ra only <<<"${PGCHAT_ONLY:-}"
    test/snippets.py --self-test && test/snippets.py ${only[@]+"${only[@]}"}
}

suite_snippets() {
    local start=$SECONDS counts
    twice snippets "$out/snippets.log" run_snippets
    record snippets "${counts[@]}" $((SECONDS - start))
}

suite_server_log() {
    local found
    found=$(cat "$PGCHAT_SERVER_LOG" "$out"/check-[0-9].log 2>/dev/null | grep -E 'PANIC|TRAP:|terminated by signal (4|6|7|8|11)\b' | head || true)
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
    if [ -f "$cluster/server.log" ]; then cp "$cluster/server.log" "$out/$(basename "$cluster").log" || true; fi
    if [ "${PGCHAT_KEEP:-0}" = 1 ]; then return; fi
    test/servers.sh stop "$servers" || true
    cluster_remove "$cluster" || true
}

needs() {
    local suite
    for suite in "${wanted[@]}"; do
        case " $1 " in *" $suite "*) return 0 ;; esac
    done
    return 1
}

# Beside other work, so that nothing is compiled once tests run.
build_all() {
    if needs 'unit regress isolation tap systems server snippets reference-check'; then test/install.sh --build-only || return; fi
    if needs unit; then build_unit || return; fi
    if needs server; then test/servers.sh build; fi
}

wanted=("$@")
case ${1:-all} in
all) wanted=(lint unit regress isolation tap systems server snippets reference-check) ;;
reference) wanted=(reference-check) ;;
esac

began=$SECONDS
mkdir -p "$out"
rm -f "$out"/*
test/packages.sh build test
trap clean_up EXIT
# What the build has to say is said by the suite that needs it.
build_all >/dev/null 2>&1 &
if needs lint; then suite_lint; fi
wait
if needs 'regress isolation tap systems server snippets reference-check'; then
    if ! { test/install.sh && start_cluster; }; then
        record set-up 0 1 0 $((SECONDS - began))
    else
        for suite in regress isolation; do
            if needs $suite; then "suite_$suite"; fi
        done
        run_in_lanes
        if needs reference-check; then suite_reference_check "$([ "${1:-}" != reference ] || echo --write)"; fi
        suite_server_log
    fi
elif needs unit; then
    suite_unit
fi

closing_line $((SECONDS - began))
