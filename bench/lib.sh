#!/usr/bin/env bash
# What the benchmarks share: meters, medians, and the one line that each measurement prints. Sourced, never run.
#
# run.sh gives a benchmark PGHOST, PGPORT, PGUSER (a superuser), PGDATABASE, MOCK_PORT, BENCH_DRIVERS, BENCH_SERVERS,
# BENCH_WORK (a folder for its files) and BENCH_LINES (the file that report adds to).
set -euo pipefail

sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }

# number EXPRESSION [FORMAT]: what awk makes of it.
number() { awk "BEGIN { printf \"${2:-%.2f}\", ($1) }"; }

# median NUMBER…
median() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { printf "%.10g", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

engine_pid() { sql -c "SELECT pid FROM chat.engine_status() WHERE state = 'running'"; }

# A new engine process, whose heap holds nothing of earlier benchmarks; prints its pid.
fresh_engine() {
    local old new
    old=$(engine_pid)
    sql -c "SELECT pg_terminate_backend($old)" >/dev/null
    for _ in $(seq 200); do
        new=$(engine_pid)
        if [ -n "$new" ] && [ "$new" != "$old" ]; then echo "$new"; return; fi
        sleep 0.05
    done
    echo 'the engine did not come back in 10 s' >&2
    return 1
}

# cpu_us PID…: CPU time that these processes have used, all threads, in µs.
cpu_us() {
    local pid
    for pid in "$@"; do cat "/proc/$pid/task/"*/schedstat; done | awk '{ ns += $1 } END { printf "%.0f", ns / 1000 }'
}

# rss_anon_kb PID: memory that this process alone has allocated.
rss_anon_kb() { awk '/^RssAnon/ { print $2 }' "/proc/$1/status"; }

# pgbench_rate SCRIPT SESSIONS SECONDS [OPTION]…: transactions a second, in sessions that have been in use for a second, as a
# pool's are: the first calls of a session plan their statements. Fails where a session was aborted.
pgbench_rate() {
    local script=$1 sessions=$2 seconds=$3 log
    shift 3
    log=$BENCH_WORK/$(basename "$script" .pgbench).log
    if ! pgbench -n -M prepared -f "$script" -c "$sessions" -j 2 -T $((seconds + 1)) -P 1 -D port="$MOCK_PORT" "$@" >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        return 1
    fi
    sed -n 's/^progress: .* s, \([0-9.]*\) tps.*/\1/p' "$log" |
        awk -v seconds="$seconds" 'NR > 1 { sum += $1 } END { if (NR < 2 || NR < seconds) exit 1; printf "%.3f", sum / (NR - 1) }' ||
        { echo "pgbench told no rates of $script" >&2; return 1; }
}

# field JSON NAME: a number of a JSON object; nothing where it has no such member.
field() { sed -n "s/.*\"$2\":\(-\{0,1\}[0-9.]*\).*/\1/p" <<<"$1"; }

# direct FIELD OPTION…: asks the mock provider without a database.
direct() {
    local name=$1
    shift
    field "$("$BENCH_SERVERS/direct_client" --port "$MOCK_PORT" "$@")" "$name"
}

mock_reset() { curl -fsS -X POST "http://127.0.0.1:$MOCK_PORT/reset" >/dev/null; }

# report NAME FIGURES RATIO TARGET CONDITION: one line; the condition is an expression of numbers.
report() {
    local verdict='not reached' load holds
    holds=$(number "($5) ? 1 : 0" %d)
    if [ "$holds" = 1 ]; then verdict=reached; fi
    load=$(cut -d' ' -f1 /proc/loadavg)
    printf '%s: %s; ratio to peer %s; target %s: %s (load %s)\n' "$1" "$2" "$3" "$4" "$verdict" "$load"
    printf '%s|%s|%s|%s|%s|%s\n' "$1" "$2" "$3" "$4" "$verdict" "$load" >>"$BENCH_LINES"
}
