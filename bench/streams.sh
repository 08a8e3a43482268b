#!/usr/bin/env bash
# 1,000 streams of 66 tokens a second, 264 tokens each: by one gateway reader, then with 200 attached readers beside it.
# The peer is a client of libcurl that reads the same streams from the provider directly.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

stream_round() {
    local streams=$1
    shift
    mock_reset
    "$BENCH_DRIVERS/streams" --port "$MOCK_PORT" --round "$(sql -c "SELECT bench.open_round(100, $((streams / 100)))")" "$@"
}

measure() {
    local name=$1 readers=$2 direct seen cost peer memory first total late own
    direct=$("$BENCH_SERVERS/direct_client" --port "$MOCK_PORT" --curl --stream --clients 1000 --calls 1000 --model 'mock?tokens=264&rate=66&stamp=1')
    # What earlier benchmarks left would be vacuumed meanwhile, on the same cores.
    sql -c 'VACUUM ANALYZE' -c CHECKPOINT
    fresh_engine >/dev/null
    stream_round 100 --model short-stream --tokens 66 --over_ms 300 >/dev/null
    seen=$(stream_round 1000 --model stream --tokens 264 --readers "$readers")
    cost=$(field "$seen" all_us) peer=$(field "$direct" cpu_us_per_stamp) memory=$(field "$seen" kb_per_stream)
    report "$name, CPU a token" \
        "$cost µs (engine $(field "$seen" engine_us), gateway $(field "$seen" gateway_us), readers $(field "$seen" readers_us)), libcurl alone $peer µs" \
        "$(number "$cost / $peer")" '<= 18 µs' "$cost <= 18"
    report "$name, engine memory a stream" "$memory KB at $(field "$seen" open) open" - '<= 32 KB' "$memory <= 32"
    for side in '' attached_; do
        first=$(field "$seen" ${side}first_p99_ms) total=$(field "$seen" ${side}total_p99_ms)
        if [ -z "$first" ]; then continue; fi
        report "$name, ${side:+attached: }first token" "p50 $(field "$seen" ${side}first_p50_ms) ms, p99 $first ms" - 'p99 <= 20 ms' "$first <= 20"
        report "$name, ${side:+attached: }total over the provider's" \
            "p50 $(field "$seen" ${side}total_p50_ms) ms, p99 $total ms" - 'p99 <= 60 ms' "$total <= 60"
    done
    late=$(field "$seen" age_p99_ms)
    own=$(sed -n 's/.*"stamp_age_us":{[^}]*"p99":\([0-9.]*\).*/\1/p' <<<"$direct")
    report "$name, any token at the gateway" \
        "p50 $(field "$seen" age_p50_ms) ms, p99 $late ms, $(number "264000 / $(field "$seen" events)") tokens a row; libcurl alone p99 $(number "$own / 1000") ms" \
        "$(number "$late / ($own / 1000)")" 'flush interval of 25 ms, and 60' "$late <= 85"
    report "$name, whole and in order" "$(field "$seen" broken) broken of $(field "$seen" streams), $(field "$seen" received) tokens received" - \
        '0 broken' "$(field "$seen" broken) == 0 && $(field "$seen" received) == 264000"
}

measure '1,000 streams' 0
measure '1,000 streams, 200 readers' 200
