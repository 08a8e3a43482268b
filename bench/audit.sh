#!/usr/bin/env bash
# What the audit log takes: rows a second, each written in a transaction of the engine's that its writer waits for, 16 sessions;
# and that its writers do not wait for each other: against 16 sessions that insert into a table of their own, plainly.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

seconds=3
sql -c 'CREATE TABLE IF NOT EXISTS bench.plain_log (id bigserial PRIMARY KEY, at timestamptz, who uuid, action text, details jsonb)'
cat >"$BENCH_WORK/audit.pgbench" <<'SQL'
SELECT chat_private.audit('bench.row', 'user', '{}', 'success', '0190a000-0000-7000-8000-000000000001', '192.0.2.1', 'agent');
SQL
cat >"$BENCH_WORK/insert.pgbench" <<'SQL'
INSERT INTO bench.plain_log (at, who, action, details) VALUES (now(), '0190a000-0000-7000-8000-000000000001', 'bench.row', '{}');
SQL

own=() peers=()
for _ in $(seq $((BENCH_ROUNDS + 1))); do
    peers+=("$(pgbench_rate "$BENCH_WORK/insert.pgbench" 16 $seconds)")
    own+=("$(pgbench_rate "$BENCH_WORK/audit.pgbench" 16 $seconds)")
done
rate=$(median "${own[@]}")
report 'audit rows, 16 sessions' "$rate/s, plain INSERT $(median "${peers[@]}")/s" \
    "$(number "$rate / $(median "${peers[@]}")")" '>= 1000/s' "$rate >= 1000"

begin=$(date +%s%N)
checked=$(sql -c "SELECT rows_checked FROM chat.verify_audit_log() WHERE first_bad_id IS NULL")
took=$(number "($(date +%s%N) - $begin) / 1e9")
report 'verifying the audit log' "$checked rows in $took s" '-' '>= 20000 rows/s' "$checked / $took >= 20000"
