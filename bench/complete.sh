#!/usr/bin/env bash
# llm_complete at zero latency, against a client that asks the same mock provider directly; its CPU and its memory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

rates=() peers=() engine_costs=()
for _ in $(seq "$BENCH_ROUNDS"); do
    peers+=("$(direct calls_per_second --clients 8 --seconds 3)")
    engine=$(engine_pid)
    before=$(cpu_us "$engine")
    calls=$(sql -c 'SELECT calls_total FROM chat.engine_status()')
    rates+=("$(pgbench_rate "$here/complete.pgbench" 8 4 -U bench_app -D ready=0)")
    calls=$(($(sql -c 'SELECT calls_total FROM chat.engine_status()') - calls))
    engine_costs+=("$(number "($(cpu_us "$engine") - $before) / $calls")")
done
rate=$(median "${rates[@]}") peer=$(median "${peers[@]}")
ratio=$(number "$rate / $peer" %.3f)
report 'llm_complete, 8 sessions' \
    "$(number "$rate" %.0f)/s, direct $(number "$peer" %.0f)/s, engine $(median "${engine_costs[@]}") µs CPU a call" \
    "$ratio" '>= 0.12' "$ratio >= 0.12"

# One session: its memory before and after 1,000 calls of FUNCTION, each a statement of its own.
added_kb() {
    local call=$1
    {
        echo 'SELECT pg_backend_pid() AS pid \gset'
        echo '\setenv BACKEND :pid'
        echo '\! grep RssAnon /proc/$BACKEND/status'
        for _ in $(seq 1000); do echo "SELECT $call \\g /dev/null"; done
        echo '\! grep RssAnon /proc/$BACKEND/status'
    } | sql | awk '{ kb[NR] = $2 } END { if (NR != 2) exit 1; print kb[2] - kb[1] }'
}
own=$(added_kb "chat.llm_complete('hello')")
peer=$(added_kb "bench.complete('hello')")
report 'llm_complete, memory added to a session' "$own KB by 1,000 calls, $peer KB by those of a plpgsql function without a call" \
    "$(number "$own / ($peer > 0 ? $peer : 1)")" '<= 200 KB' "$own <= 200"
