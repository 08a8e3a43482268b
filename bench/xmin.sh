#!/usr/bin/env bash
# While 100 durable calls hang, one session waits in llm_result and one in a gateway: does anybody hold back VACUUM? The peer
# is a session that sleeps inside a statement, which must be seen to do so.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

# violations: of 50 samples, those in which the engine, or a session that waits for it, has a backend_xmin.
violations() {
    for _ in $(seq 50); do
        sql -c "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin IS NOT NULL
                AND pid <> pg_backend_pid() AND (backend_type LIKE '%pgchat%' OR application_name = '$1')"
    done | awk '$1 > 0 { n++ } END { print n + 0 }'
}

ids=$(sql -c "SELECT chat.llm_submit('hello', 'hanging') FROM generate_series(1, 100)")
for _ in $(seq 100); do
    if [ "$(sql -c 'SELECT calls_in_flight FROM chat.engine_status()')" -ge 100 ]; then break; fi
    sleep 0.05
done
first=$(head -n 1 <<<"$ids")
round=$(sql -c 'SELECT bench.open_round(1, 1)')
conversation=$(sql -c "SELECT id FROM bench.conversations WHERE round = $round")
token=$(sql -c 'SELECT token FROM bench.people WHERE n = 1')
PGAPPNAME=durable psql -Xq -U bench_app -c "SELECT chat.authenticate('$token', false)" \
    -c "CALL chat.send_and_wait('$conversation', 'hello', model => 'hanging')" >/dev/null 2>&1 &
waiting=$!
PGAPPNAME=immediate psql -Xq -c "SELECT chat.llm_result('$first', 60000)" >/dev/null 2>&1 &
result=$!
PGAPPNAME=sleeper psql -Xq -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 &
sleeper=$!
sleep 0.5
found=$(violations durable)
reader=$(violations immediate)
seen=$(violations sleeper)
sql -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name IN ('durable', 'immediate', 'sleeper')" >/dev/null
wait $waiting $result $sleeper || true
fresh_engine >/dev/null
if [ "$seen" -ne 50 ]; then
    echo "a session that holds a snapshot was seen in $seen of 50 samples only" >&2
    exit 1
fi
report 'xmin held while 100 calls hang' \
    "engine and send_and_wait in $found of 50 samples, with a session in llm_result(wait) in $reader; pg_sleep in $seen" - 0 "$found == 0 && $reader == 0"
