#!/bin/sh
# Ends the server with this pid and waits until it is gone. usage: stop.sh PID
set -eu
pid=${1:?usage: stop.sh PID}
kill "$pid" 2>/dev/null || exit 0
tries=0
while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -le 100 ] || kill -9 "$pid"
    sleep 0.1
done
