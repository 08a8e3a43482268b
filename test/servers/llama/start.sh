#!/bin/sh
# Starts the llama-server of DIR with the small model on 127.0.0.1:PORT, waits until it is healthy, and prints its pid.
# usage: start.sh DIR PORT [further arguments of llama-server]; fails with the end of its log where it does not come up.
set -eu
dir=${1:?usage: start.sh DIR PORT [arguments]}
port=${2:?usage: start.sh DIR PORT [arguments]}
shift 2
here=$(cd "$(dirname "$0")" && pwd)
log=$dir/server-$port.log
scheme=http
for argument in "$@"; do
    [ "$argument" != --ssl-cert-file ] || scheme=https
done

nohup "$here/llama_server.sh" "$dir" -m "$here/stories260K.gguf" --host 127.0.0.1 --port "$port" --offline \
    -np 1 -t 2 --alias stories260K "$@" >"$log" 2>&1 </dev/null &
pid=$!
tries=0
until curl -kfsS --noproxy '*' -o /dev/null "$scheme://127.0.0.1:$port/health" 2>/dev/null; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -gt 300 ]; then
        kill "$pid" 2>/dev/null || true
        tail -n 5 "$log" >&2
        exit 1
    fi
    sleep 0.1
done
echo "$pid"
