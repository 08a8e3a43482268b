#!/usr/bin/env bash
# Builds, starts and stops the processes that tests and demo talk to: the mock provider, and a local llama-server.
#
#   servers.sh build                 both into build/; says why where the llama-server's packages cannot be had
#   servers.sh start DIR [mock] [llama]   prints PGCHAT_MOCK_PORT=…, PGCHAT_LLAMA_PORT=… lines for `eval`; DIR keeps pids and logs
#   servers.sh stop DIR
#
# Where llama-server cannot run, PGCHAT_LLAMA_SKIP says why and there is no PGCHAT_LLAMA_PORT.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
unset MAKEFLAGS MAKELEVEL
llama_dir=$root/build/llama
# shellcheck source=test/cluster/cluster.sh
. "$root/test/cluster/cluster.sh"

build_mock() {
    make -C "$root/test/servers" BUILD="$root/build/servers" -j"$(nproc)" >"$root/build/servers.log" 2>&1 ||
        { tail -n 20 "$root/build/servers.log" >&2; return 1; }
}

fetch_llama() {
    mkdir -p "$root/build"
    "$root/test/servers/llama/fetch.sh" "$llama_dir" >"$root/build/llama.log" 2>&1 </dev/null
}

# start_process DIR NAME COMMAND…: in a session of its own, so that it outlives this shell and its terminal's signals.
start_process() {
    local dir=$1 name=$2
    shift 2
    setsid "$@" >"$dir/$name.log" 2>&1 </dev/null &
    echo $! >"$dir/$name.pid"
}

wait_for() {
    local pid=$1
    shift
    for _ in $(seq 200); do
        if "$@" 2>/dev/null; then return; fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

start_mock() {
    local dir=$1
    rm -f "$dir/mock.port"
    start_process "$dir" mock "$root/build/servers/mock_provider" --port 0 --port-file "$dir/mock.port"
    wait_for "$(cat "$dir/mock.pid")" test -s "$dir/mock.port" || { cat "$dir/mock.log" >&2; return 1; }
    echo "export PGCHAT_MOCK_PORT=$(cat "$dir/mock.port")"
}

start_llama() {
    local dir=$1 port
    if ! fetch_llama; then
        echo "export PGCHAT_LLAMA_SKIP=$(printf %q "$(tail -n 1 "$root/build/llama.log")")"
        return
    fi
    port=$(cluster_free_port)
    if "$root/test/servers/llama/start.sh" "$llama_dir" "$port" >"$dir/llama.pid" 2>"$dir/llama.log"; then
        echo "export PGCHAT_LLAMA_PORT=$port"
    else
        rm -f "$dir/llama.pid"
        echo "export PGCHAT_LLAMA_SKIP=$(printf %q "llama-server does not start: $(tail -n 1 "$dir/llama.log")")"
    fi
}

# Only the processes whose pids were written here, with what is in their sessions where they lead one.
stop_all() {
    local file pid
    for file in "$1"/*.pid; do
        [ -f "$file" ] || continue
        pid=$(cat "$file")
        kill -- "-$pid" 2>/dev/null || kill "$pid" 2>/dev/null || true
        rm -f "$file"
    done
}

case ${1:-} in
build)
    mkdir -p "$root/build"
    build_mock
    fetch_llama || tail -n 1 "$root/build/llama.log"
    ;;
start)
    dir=$2
    mkdir -p "$dir"
    for server in "${@:3}"; do "start_$server" "$dir"; done
    ;;
stop) stop_all "$2" ;;
*)
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
