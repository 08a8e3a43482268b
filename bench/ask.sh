#!/usr/bin/env bash
# A whole turn by chat.ask at zero latency with synchronous commits, against the same statements as one plpgsql function that
# asks no model. 16 sessions, each a user; a new conversation each 8 turns, so that histories stay short on both sides.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

sessions=16 turns=8 seconds=2
sql -f "$here/peers/turn.sql"

# turns_a_second SCRIPT [OPTION]…
turns_a_second() {
    local script=$1 round
    shift
    round=$(sql -c "SELECT bench.open_round($sessions, 300)")
    pgbench_rate "$here/$script" $sessions $seconds -U bench_app -D ready=0 -D turn=0 -D turns=$turns -D round="$round" "$@"
}

own=() same_rows=() bare=() cpu=() ratios=() bare_ratios=()
# Many short rounds, in each of which all are compared: the machine's speed changes within seconds.
for _ in $(seq $((BENCH_ROUNDS * 3))); do
    same_rows+=("$(turns_a_second ask_peer.pgbench -D usage=true)")
    engine=$(engine_pid)
    before=$(cpu_us "$engine")
    calls=$(sql -c 'SELECT calls_total FROM chat.engine_status()')
    own+=("$(turns_a_second ask.pgbench)")
    calls=$(($(sql -c 'SELECT calls_total FROM chat.engine_status()') - calls))
    cpu+=("$(number "($(cpu_us "$engine") - $before) / $calls")")
    bare+=("$(turns_a_second ask_peer.pgbench -D usage=false)")
    ratios+=("$(number "${own[-1]} / ${same_rows[-1]}" %.4f)")
    bare_ratios+=("$(number "${own[-1]} / ${bare[-1]}" %.4f)")
done
ratio=$(number "$(median "${ratios[@]}")")
report 'ask, 16 sessions' \
    "$(number "$(median "${own[@]}")" %.0f)/s, one function $(number "$(median "${same_rows[@]}")" %.0f)/s (without its usage row $(number "$(median "${bare[@]}")" %.0f)/s: $(number "$(median "${bare_ratios[@]}")")), engine $(median "${cpu[@]}") µs CPU a turn" \
    "$ratio" '>= 0.75' "$ratio >= 0.75"
