#!/usr/bin/env bash
# Searching and listing in a large history: BENCH_MESSAGES (5,000,000) of 10,000 people, one of whom has 50,000, filed for
# searches by the functions that the engine calls. The table is loaded by COPY without triggers, and takes about 1.5 KB a
# message, what is filed included.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

messages=${BENCH_MESSAGES:-5000000}
rounds=$((BENCH_ROUNDS < 3 ? 3 : BENCH_ROUNDS))
limit_ms=20
limit_ratio=1.05
sql -c 'SELECT user_id FROM bench.people ORDER BY n' >"$BENCH_WORK/people"
heavy=$(tail -n 1 "$BENCH_WORK/people")

until_s=$(($(date +%s) - 3600))

corpus() { "$BENCH_DRIVERS/corpus" --what "$1" --messages "$messages" --until_s "$until_s" <"$BENCH_WORK/people"; }

# seconds COMMAND…: how long it took.
seconds() {
    local begin
    begin=$(date +%s%N)
    "$@" >/dev/null || return
    number "($(date +%s%N) - $begin) / 1e9"
}

load() {
    sql -c 'SET session_replication_role = replica' \
        -c '\copy chat.conversations (user_id, id, title, last_message_at, active_leaf_id) FROM pstdin' < <(corpus conversations) || return
    sql -c 'SET session_replication_role = replica' \
        -c '\copy chat.messages (user_id, id, conversation_id, parent_id, role, content, created_at) FROM pstdin' < <(corpus messages) || return
    sql -c 'VACUUM ANALYZE chat.conversations' \
        -c "UPDATE chat.user_settings SET preferences = '{\"language\": \"en\"}' WHERE user_id = '$heavy'" \
        -c "INSERT INTO chat.user_settings (user_id, preferences) VALUES ('$heavy', '{\"language\": \"en\"}') ON CONFLICT DO NOTHING" \
        -c 'VACUUM ANALYZE chat.messages'
}

# file_part N: files what every second person has, a transaction for each; both parts run at once.
file_part() {
    sql -c 'SET synchronous_commit = off' -c "
        DO \$\$
        DECLARE
          person uuid;
        BEGIN
          FOR person IN SELECT user_id FROM bench.people WHERE n % 2 = $1 ORDER BY n LOOP
            SET LOCAL ROLE pgchat_engine;
            WHILE chat_private.file_messages(person) LOOP END LOOP;
            COMMIT;
          END LOOP;
        END \$\$"
}

file_all() {
    file_part 0 &
    local other=$!
    file_part 1 || return
    wait $other || return
    sql -c 'VACUUM ANALYZE chat_private.search_chunks' -c 'CHECKPOINT'
}

# The queries in one session of the heavy user, as an application's role: the kind, milliseconds and hits of each.
search_all() {
    sql -c 'CREATE TABLE IF NOT EXISTS bench.queries (n serial, kind text, query text)' -c 'TRUNCATE bench.queries' \
        -c '\copy bench.queries (kind, query) FROM pstdin' < <(corpus queries)
    sql -c "SELECT set_config('app.current_user_id', '$heavy', false)" -c 'CREATE TEMP TABLE q AS SELECT * FROM bench.queries' \
        -c 'CREATE TEMP TABLE taken (kind text, round int, ms float, hits int)' -c 'GRANT ALL ON q, taken TO pgchat_client' \
        -c 'SET ROLE pgchat_client' -c "
        DO \$\$
        DECLARE
          query q;
          begin_at timestamptz;
          hits int;
        BEGIN
          FOR round IN 0..$rounds LOOP
            FOR query IN SELECT * FROM q ORDER BY n LOOP
              begin_at := clock_timestamp();
              SELECT count(*) INTO hits FROM chat.search_messages(query.query,
                mode => CASE WHEN query.kind IN ('code', 'identifier', 'Chinese') THEN 'substring' ELSE 'words' END);
              INSERT INTO taken VALUES (query.kind, round, 1000 * extract(epoch FROM clock_timestamp() - begin_at), hits);
            END LOOP;
          END LOOP;
        END \$\$" \
        -c 'SELECT kind, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 2), round(percentile_cont(0.95) WITHIN GROUP (ORDER BY ms)::numeric, 2),
                   round(avg(hits), 1), count(*) FROM taken WHERE round > 0 GROUP BY GROUPING SETS ((kind), ()) ORDER BY kind' | tail -n +2
}

loading=$(seconds load)
filing=$(seconds file_all)
sizes=$(sql -c "SELECT pg_size_pretty(pg_total_relation_size('chat.messages')) || ' of messages, ' ||
                       pg_size_pretty(pg_total_relation_size('chat_private.search_chunks')) || ' filed'")
report "history, $messages messages" "loaded in $loading s, filed in $filing s; $sizes" - '>= 2000 filed/s' "$messages / $filing >= 2000"

while IFS='|' read -r kind p50 p95 hits count; do
    report "search, ${kind:-all}" "p50 $p50 ms, p95 $p95 ms, $hits hits ($count searches)" - "p95 <= $limit_ms ms" "$p95 <= $limit_ms"
done < <(search_all)

lists=() plains=()
for _ in $(seq $((rounds * 2))); do
    lists+=("$(field "$("$BENCH_DRIVERS/listing" --mode list --connections 1 --seconds 2)" calls_per_second)")
    plains+=("$(field "$("$BENCH_DRIVERS/listing" --mode plain --connections 1 --seconds 2)" calls_per_second)")
done
list=$(median "${lists[@]}") plain=$(median "${plains[@]}")
ratio=$(number "$plain / $list" %.3f)
report 'list_conversations, one user, under row security' "$(number "1e6 / $list" %.0f) µs, plain query without it $(number "1e6 / $plain" %.0f) µs" \
    "$ratio" "<= $limit_ratio" "$ratio <= $limit_ratio"
