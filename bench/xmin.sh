#!/usr/bin/env bash
# While 100 durable calls hang: does the engine, or a session in send_and_wait, hold back VACUUM? What a session in
# llm_result(wait) does, whose statement has a snapshot, is said beside it. The peer is a session that sleeps inside a
# statement, which must be seen to hold.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

# in_background NAME OPTION…: a session of that name; its pid is added to `sessions`.
sessions=()
in_background() {
    PGAPPNAME=$1 psql -Xq "${@:2}" >"$BENCH_WORK/xmin-$1.log" 2>&1 &
    sessions+=($!)
}

sql -c "SELECT count(chat.llm_submit('hello', 'hanging')) FROM generate_series(1, 99)" >/dev/null
request=$(sql -c "SELECT chat.llm_submit('hello', 'hanging')")
round=$(sql -c 'SELECT bench.open_round(1, 1)')
conversation=$(sql -c "SELECT id FROM bench.conversations WHERE round = $round")
token=$(sql -c 'SELECT token FROM bench.people WHERE n = 1')
in_background send_and_wait -U bench_app -c "SELECT chat.authenticate('$token', false)" \
    -c "CALL chat.send_and_wait('$conversation', 'hello', model => 'hanging')"
in_background llm_result -c "SELECT chat.llm_result('$request', 60000)"
in_background pg_sleep -c 'SELECT pg_sleep(60)'
for _ in $(seq 100); do
    if [ "$(sql -c 'SELECT calls_in_flight FROM chat.engine_status()')" -ge 101 ]; then break; fi
    sleep 0.05
done
sleep 0.3

# Held is what one transaction has in two samples, 20 ms apart: the engine has short ones of its own, for filing and sums.
sql -c 'CREATE TEMP TABLE held (sample int, name text, xact_start timestamptz)' -c "
    DO \$\$
    BEGIN
      FOR i IN 0..50 LOOP
        INSERT INTO held SELECT i, CASE WHEN backend_type LIKE 'pgchat engine%' THEN 'engine' ELSE application_name END, xact_start
        FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL);
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_sleep(0.02);
      END LOOP;
    END \$\$" -c 'SELECT h.name, count(*) FROM held h JOIN held b USING (name, xact_start) WHERE b.sample = h.sample - 1 GROUP BY h.name' >"$BENCH_WORK/held"
in_flight=$(sql -c 'SELECT calls_in_flight FROM chat.engine_status()')
sql -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name IN ('send_and_wait', 'llm_result', 'pg_sleep')" >/dev/null
wait "${sessions[@]}" || true
fresh_engine >/dev/null

held() { awk -F'|' -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$BENCH_WORK/held"; }
if [ "$(held pg_sleep)" -ne 50 ] || [ "$in_flight" -lt 101 ]; then
    echo "a session with a snapshot was seen in $(held pg_sleep) of 50 samples, and $in_flight of 101 calls hung" >&2
    exit 1
fi
report 'xmin held while 101 calls hang' \
    "of 50 samples: engine $(held engine), send_and_wait $(held send_and_wait), llm_result $(held llm_result), pg_sleep 50" - \
    'engine and send_and_wait 0' "$(held engine) + $(held send_and_wait) == 0"
