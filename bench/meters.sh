#!/usr/bin/env bash
# Checks the meters themselves against values that are known, so that a broken one cannot make a figure look good. Fails
# where one is off.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

# expect NAME VALUE LEAST MOST
expect() {
    if [ "$(number "(\"$2\" != \"\" && $2 + 0 >= $3 && $2 + 0 <= $4) ? 1 : 0" %d)" != 1 ]; then
        echo "meter of $1 reads $2, and must read $3 to $4" >&2
        return 1
    fi
    printf 'meter of %s: %s (must be %s to %s)\n' "$1" "$2" "$3" "$4"
}

# A process that is busy for a second, read by its ticks too.
bash -c 'while :; do :; done' &
busy=$!
sleep 1
ticks_us=$(awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1e6 / hz }' "/proc/$busy/stat")
expect 'CPU time, against the ticks' "$(number "$(cpu_us $busy) / $ticks_us")" 0.8 1.2
kill $busy
wait $busy 2>/dev/null || true

echo 'SELECT pg_sleep(0.02);' >"$BENCH_WORK/sleep.pgbench"
expect 'pgbench, 8 sessions of 20 ms' "$(pgbench_rate "$BENCH_WORK/sleep.pgbench" 8 1)" 50 400
expect 'the direct client, 8 calls of 100 ms' "$(direct calls_per_second --clients 8 --seconds 1 --model 'mock?latency_ms=100')" 20 80
expect 'listing, 8 connections that pause 10 ms' \
    "$(field "$("$BENCH_DRIVERS/listing" --mode bare --seconds 1 --delay_us 10000)" calls_per_second)" 50 800
ended="SELECT NOT EXISTS (SELECT FROM chat_private.llm_requests WHERE state IN ('queued', 'running'))"
expect 'burst, requests of 1 s' \
    "$(field "$("$BENCH_DRIVERS/burst" --submit "SELECT count(chat.llm_submit('x', 'second')) FROM generate_series(1, 10)" --done "$ended")" done_ms)" \
    1000 5000

# An answer that takes 100 ms, and an engine that stands still for 400 ms meanwhile.
mock_reset
engine=$(engine_pid)
(sleep 0.5 && kill -STOP "$engine" && sleep 0.4 && kill -CONT "$engine") &
seen=$("$BENCH_DRIVERS/spacing" --port "$MOCK_PORT" --count 60 --model slow --readers 16)
wait $!
expect 'visible, answers of 100 ms' "$(field "$seen" visible_p50_ms)" 100 1000
expect 'dispatch, an engine stopped for 400 ms' "$(field "$seen" dispatch_max_ms)" 200 2000

# Tokens that are gathered for 300 ms, and a stored reply that is not what was read.
sql -c "ALTER SYSTEM SET pgchat.flush_interval = '300ms'" -c 'SELECT pg_reload_conf()' >/dev/null
sleep 0.3
mock_reset
round=$(sql -c 'SELECT bench.open_round(20, 1)')
seen=$("$BENCH_DRIVERS/streams" --port "$MOCK_PORT" --round "$round" --model short-stream --tokens 66 --readers 2 --over_ms 200 \
    --before_compare "UPDATE chat.messages m SET content = content || '!' FROM bench.conversations c
        WHERE c.round = $round AND c.client = 7 AND m.conversation_id = c.id AND m.role = 'assistant'")
sql -c 'ALTER SYSTEM RESET pgchat.flush_interval' -c 'SELECT pg_reload_conf()' >/dev/null
expect 'token age, gathered for 300 ms' "$(field "$seen" age_p99_ms)" 200 2000
expect 'broken streams, one altered' "$(field "$seen" broken)" 1 1
expect 'tokens received, 20 x 66' "$(field "$seen" received)" 1320 1320
