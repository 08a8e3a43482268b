#!/usr/bin/env bash
# A whole turn by chat.ask at zero latency with synchronous commits, against the same statements as one plpgsql function that
# asks no model. 16 sessions, each a user; a new conversation each 8 turns, so that histories stay short on both sides.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

sessions=16 turns=8 seconds=3
sql -f "$here/peers/turn.sql"

# turns_a_second SCRIPT [OPTION]…
turns_a_second() {
    local script=$1 round
    shift
    round=$(sql -c "SELECT bench.open_round($sessions, 300)")
    pgbench_rate "$here/$script" $sessions $seconds -U bench_app -D ready=0 -D turn=0 -D turns=$turns -D round="$round" "$@"
}

own=() same_rows=() bare=() cpu=()
for _ in $(seq "$BENCH_ROUNDS"); do
    same_rows+=("$(turns_a_second ask_peer.pgbench -D usage=true)")
    engine=$(engine_pid)
    before=$(cpu_us "$engine")
    calls=$(sql -c 'SELECT calls_total FROM chat.engine_status()')
    own+=("$(turns_a_second ask.pgbench)")
    calls=$(($(sql -c 'SELECT calls_total FROM chat.engine_status()') - calls))
    cpu+=("$(number "($(cpu_us "$engine") - $before) / $calls")")
    bare+=("$(turns_a_second ask_peer.pgbench -D usage=false)")
done
rate=$(median "${own[@]}") peer=$(median "${same_rows[@]}") least=$(median "${bare[@]}")
ratio=$(number "$rate / $peer")
report 'ask, 16 sessions' \
    "$(number "$rate" %.0f)/s, one function $(number "$peer" %.0f)/s (without its usage row $(number "$least" %.0f)/s: $(number "$rate / $least")), engine $(median "${cpu[@]}") µs CPU a turn" \
    "$ratio" '>= 0.75' "$ratio >= 0.75"
