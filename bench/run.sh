#!/usr/bin/env bash
# Measures pgchat against peers in the same run, on a private cluster; prints a table and writes it to build/bench.txt.
#
#   run.sh              all benchmarks
#   run.sh NAME…        some: the files beside this one
#
# It measures and does not judge: a target that is missed is said and is no failure. The exit code is not 0 where a benchmark
# could not run. BENCH_ROUNDS (2) is how often each pair of measurements is taken, in alternation. PGCHAT_KEEP=1 leaves the
# cluster up.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
unset MAKEFLAGS MAKELEVEL
# shellcheck source=test/cluster/cluster.sh
. test/cluster/cluster.sh

benchmarks=(meters complete ask dispatch spacing streams xmin session login audit usage deliberation tree history)
cluster=$root/build/bench
export BENCH_DRIVERS=$root/build/bench-drivers BENCH_SERVERS=$root/build/servers BENCH_WORK=$root/build/bench-work
export BENCH_LINES=$BENCH_WORK/lines BENCH_ROUNDS=${BENCH_ROUNDS:-2}

build() {
    test/packages.sh build test
    test/install.sh
    mkdir -p "$BENCH_WORK"
    make -C test/servers BUILD="$BENCH_SERVERS" -j"$(nproc)" >"$BENCH_WORK/build.log" 2>&1 &&
        make -C bench/drivers BUILD="$BENCH_DRIVERS" -j"$(nproc)" >>"$BENCH_WORK/build.log" 2>&1 ||
        { tail -n 20 "$BENCH_WORK/build.log" >&2; return 1; }
}

start_mock() {
    rm -f "$BENCH_WORK/mock.port"
    setsid "$BENCH_SERVERS/mock_provider" --threads 1 --port-file "$BENCH_WORK/mock.port" >"$BENCH_WORK/mock.log" 2>&1 </dev/null &
    mock_pid=$!
    for _ in $(seq 100); do
        if [ -s "$BENCH_WORK/mock.port" ]; then break; fi
        sleep 0.05
    done
    MOCK_PORT=$(cat "$BENCH_WORK/mock.port")
    export MOCK_PORT
}

# Default settings but for the number of connections, of which the 200 attached readers need more than the default.
start_cluster() {
    cluster_remove "$cluster"
    cluster_create "$cluster" --set max_connections=300
    cluster_start "$cluster"
    eval "$(cluster_env "$cluster")"
    export PGOPTIONS='' PGTZ=UTC
    psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE DATABASE bench'
    export PGDATABASE=bench
    psql -Xqo /dev/null -v ON_ERROR_STOP=1 -v port="$MOCK_PORT" -f bench/setup.sql
}

clean_up() {
    if [ -n "${mock_pid:-}" ]; then kill "$mock_pid" 2>/dev/null || true; fi
    if [ "${PGCHAT_KEEP:-0}" = 1 ]; then return; fi
    if [ -f "$cluster/server.log" ]; then cp "$cluster/server.log" "$BENCH_WORK/server.log" || true; fi
    cluster_remove "$cluster" || true
}

print_table() {
    {
        printf '%s, PostgreSQL %s, %s cores, commit %s\n' "$(date -u +%FT%TZ)" "$(psql -XAtc 'SHOW server_version')" "$(nproc)" \
            "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
        (echo 'measurement|figures|ratio to peer|target||load'; cat "$BENCH_LINES") | column -t -s '|'
        for name in "${failed[@]}"; do echo "$name could not run"; done
    } | tee build/bench.txt
}

wanted=("$@")
if [ $# -eq 0 ]; then wanted=("${benchmarks[@]}"); fi
for name in "${wanted[@]}"; do
    if [ ! -f "bench/$name.sh" ] || [ "$name" = run ] || [ "$name" = lib ]; then
        echo "run.sh: there is no benchmark $name; there are ${benchmarks[*]}" >&2
        exit 2
    fi
done

build
trap clean_up EXIT
: >"$BENCH_LINES"
start_mock
start_cluster
failed=()
for name in "${wanted[@]}"; do
    began=$SECONDS
    if ! bash "bench/$name.sh"; then failed+=("$name"); fi
    echo "  ($name took $((SECONDS - began)) s)"
done
echo
print_table
[ ${#failed[@]} -eq 0 ]
