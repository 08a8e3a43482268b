#!/usr/bin/env bash
# From commit to dispatch, and from the answer's arrival to its being visible: 200 single requests at random spacing of 0 to
# 50 ms, then 2,000 without a pause, which take about as long: of fewer, one hold-up of the machine would be two in a hundred.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

# The peer: what one commit of one row costs on this disk.
cat >"$BENCH_WORK/commit.pgbench" <<'SCRIPT'
INSERT INTO bench.commits VALUES (1);
SCRIPT
sql -c 'CREATE TABLE IF NOT EXISTS bench.commits (n int)'
commit_ms=$(number "1000 / $(pgbench_rate "$BENCH_WORK/commit.pgbench" 1 1)")

for widest in 50 0; do
    count=$((widest > 0 ? 200 : 2000))
    mock_reset
    seen=$("$BENCH_DRIVERS/spacing" --port "$MOCK_PORT" --count $count --widest_ms $widest)
    p99=$(field "$seen" dispatch_p99_ms) visible=$(field "$seen" visible_p99_ms)
    report "commit to dispatch, spacing 0 to $widest ms" \
        "p50 $(field "$seen" dispatch_p50_ms) ms, p99 $p99 ms (from sending COMMIT p99 $(field "$seen" committing_p99_ms) ms; a bare commit takes $commit_ms ms)" \
        "$(number "$p99 / $commit_ms")" 'p99 <= 5 ms' "$p99 <= 5"
    report "answer to visible, spacing 0 to $widest ms" \
        "p50 $(field "$seen" visible_p50_ms) ms, p99 $visible ms, worst $(field "$seen" visible_max_ms) ms" \
        "$(number "$visible / $commit_ms")" 'p99 <= 20 ms' "$visible <= 20"
done
