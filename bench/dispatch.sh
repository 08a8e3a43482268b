#!/usr/bin/env bash
# The durable queue: how fast 10,000 requests that wait in it are answered, how long 2,000 requests of one second take, and
# whether requests that hang delay others.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

requests=chat_private.llm_requests
all_ended="SELECT NOT EXISTS (SELECT FROM $requests WHERE queued_at IS NOT NULL) AND NOT EXISTS (SELECT FROM $requests WHERE state = 'running')"

# burst SUBMIT [DONE]: ms from commit until all have ended; on a queue that is empty before.
burst() {
    # What earlier rounds left would be vacuumed meanwhile, on the same cores.
    sql -c "TRUNCATE $requests" -c 'VACUUM ANALYZE' -c CHECKPOINT >/dev/null
    field "$("$BENCH_DRIVERS/burst" --submit "$1" --done "${2:-$all_ended}")" done_ms
}

check_all_complete() {
    local wrong
    wrong=$(sql -c "SELECT count(*) FILTER (WHERE state = 'complete') <> $1 FROM $requests")
    if [ "$wrong" = t ]; then
        echo "not all of $1 requests are complete" >&2
        return 1
    fi
}

# Seconds from the first dispatch to the last answer: as the rows say, with the last commit from the poller.
sustained() {
    local done_ms rows_s
    done_ms=$(burst "$1")
    check_all_complete 10000
    rows_s=$(sql -c "SELECT extract(epoch FROM max(finished_at) - min(started_at)) FROM $requests")
    number "10000 / ($rows_s > $done_ms / 1000 ? $rows_s : $done_ms / 1000)" %.0f
}

submitted=() sent=() peers=()
for _ in $(seq "$BENCH_ROUNDS"); do
    peers+=("$(direct calls_per_second --clients 64 --calls 10000)")
    submitted+=("$(sustained 'SELECT count(chat.llm_submit($$hello$$)) FROM generate_series(1, 10000)')")
    round=$(sql -c 'SELECT bench.open_round(100, 100)')
    sent+=("$(sustained "SELECT bench.send_round($round, 'instant')")")
done
peer=$(median "${peers[@]}")
for form in submitted sent; do
    declare -n rates=$form
    rate=$(median "${rates[@]}")
    name=llm_submit
    if [ $form = sent ]; then name=send_message; fi
    report "dispatch, 10,000 x 0 s by $name" "$rate/s, direct $(number "$peer" %.0f)/s" "$(number "$rate / $peer" %.3f)" '>= 6000/s' "$rate >= 6000"
done

waits=() peers=()
for _ in $(seq "$BENCH_ROUNDS"); do
    peers+=("$(direct seconds --clients 2000 --calls 2000 --model 'mock?latency_ms=1000')")
    waits+=("$(number "$(burst 'SELECT count(chat.llm_submit($$hello$$, $$second$$)) FROM generate_series(1, 2000)') / 1000")")
    check_all_complete 2000
done
wait=$(median "${waits[@]}") peer=$(median "${peers[@]}")
report 'dispatch, 2,000 x 1 s' "$wait s, direct $(number "$peer") s" "$(number "$wait / $peer")" '<= 1.35 s' "$wait <= 1.35"

hundred_98='SELECT count(chat.llm_submit($$hello$$)) FROM generate_series(1, 198)'
answered="SELECT count(*) = 198 FROM $requests WHERE state = 'complete'"
with_hang=() without=()
for _ in $(seq 5); do
    without+=("$(burst "$hundred_98" "$answered")")
    with_hang+=("$(burst "SELECT count(chat.llm_submit(\$\$hello\$\$, \$\$hanging\$\$)) FROM generate_series(1, 2) UNION ALL $hundred_98" "$answered")")
    sql -c "SELECT count(chat.llm_cancel(id)) FROM $requests WHERE state = 'running'" >/dev/null
    sleep 0.2
done
delayed=$(median "${with_hang[@]}") alone=$(median "${without[@]}")
report 'dispatch, 198 beside 2 that hang' "$delayed ms, without them $alone ms" "$(number "$delayed / $alone")" 'at most 20 ms more' \
    "$delayed <= $alone + 20"
