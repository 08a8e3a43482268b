#!/usr/bin/env bash
# Reports of usage over many events: generated ones, rolled up as the engine does it. BENCH_EVENTS (10,000,000) is how many, of
# 2,000 people in twelve months.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

events=${BENCH_EVENTS:-10000000}
limit_ms=50

# The days are those until today.
generate() {
    sql -c "SELECT chat_private.add_usage_partition(month::date)
            FROM generate_series(date_trunc('month', now()) - interval '12 months', now(), interval '1 month') month" >/dev/null
    sql -c "INSERT INTO chat.usage_events (user_id, model, provider, input_tokens, output_tokens, cost, outcome, latency_ms, created_at)
            SELECT p.user_id, 'model-' || g.n / 7 % 5, 'provider-' || g.n % 2, g.n % 3000, g.n % 700, (g.n % 100000) * 0.0000012,
                   CASE WHEN g.n % 50 = 0 THEN 'error' ELSE 'complete' END, g.n % 9000, now() - g.n * (interval '365 days' / $events)
            FROM generate_series(1, $events) g (n) JOIN bench.people p ON p.n = 1 + g.n % 2000" >/dev/null
    sql -c 'ANALYZE chat.usage_events' >/dev/null
}

# Median milliseconds of a query in five runs, after one more.
query_ms() {
    local role=$1 query=$2 told times
    told=$(sql -c "SELECT set_config('app.current_user_id', '$person', false)" -c "SET ROLE $role" -c "$query" -c '\timing on' \
        -c "$query" -c "$query" -c "$query" -c "$query" -c "$query")
    mapfile -t times < <(sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' <<<"$told")
    median "${times[@]}"
}

person=$(sql -c 'SELECT user_id FROM bench.people WHERE n = 1')
begin=$(date +%s%N)
generate
generated=$(number "($(date +%s%N) - $begin) / 1e9")
begin=$(date +%s%N)
until [ "$(sql -c 'SELECT chat_private.roll_up_usage(500000)')" = 0 ]; do :; done
rolled_up=$(number "($(date +%s%N) - $begin) / 1e9")
sql -c 'VACUUM ANALYZE chat.usage_rollups, chat_private.usage_totals' >/dev/null
report "usage, $events events rolled up" "made in $generated s, summed in $rolled_up s" '-' '>= 20000 events/s' "$events / $rolled_up >= 20000"
wrong=$(sql -c "SELECT (SELECT sum(cost) FROM chat.usage_by_day) IS DISTINCT FROM (SELECT sum(cost) FROM chat.usage_events)")
if [ "$wrong" = t ]; then
    echo 'the sums are not those of the events' >&2
    exit 1
fi

peer=$(query_ms pgchat_service 'SELECT count(*) FROM (SELECT date_trunc($$day$$, created_at), sum(cost) FROM chat.usage_events GROUP BY 1) x')
while IFS='|' read -r name role query; do
    ms=$(query_ms "$role" "$query")
    report "usage, $name" "$ms ms, over events $peer ms" "$(number "$ms / $peer" %.4f)" "<= $limit_ms ms" "$ms <= $limit_ms"
done <<'SQL'
admin_usage by day, 12 months|pgchat_service|SELECT count(*) FROM chat.admin_usage(now() - interval '12 months', now(), 'day')
admin_usage by model, 12 months|pgchat_service|SELECT count(*) FROM chat.admin_usage(now() - interval '12 months', now(), 'model')
admin_usage by user, 30 days|pgchat_service|SELECT count(*) FROM chat.admin_usage(now() - interval '30 days', now(), 'user')
my_usage, 12 months|pgchat_client|SELECT count(*) FROM chat.my_usage((now() - interval '12 months')::date)
usage_by_day of one, 12 months|pgchat_client|SELECT count(*) FROM chat.usage_by_day
metrics|pgchat_service|SELECT length(chat.metrics())
SQL
