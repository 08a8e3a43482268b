#!/usr/bin/env bash
# What a session costs: authenticate and list_conversations in one pipeline against the bare query by a superuser; and what
# row level security costs: the bare query under it against without. 10,000 users, 200,000 conversations, 8 connections.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

seconds=2
sql -c "INSERT INTO chat.conversations (user_id, id, title, last_message_at)
        SELECT p.user_id, chat.uuid_v7(), 'conversation ' || t, now() - t * interval '1 hour'
        FROM bench.people p, generate_series(1, 20) t WHERE NOT EXISTS (
          SELECT FROM chat.conversations c WHERE c.user_id = p.user_id AND c.title LIKE 'conversation %')"
sql -c 'VACUUM ANALYZE'

# authenticate notes once a minute for each session that it is in use. A benchmark that asks for all 10,000 within
# seconds would measure those 10,000 commits; so they are done before.
touch_sessions() { sql -c 'UPDATE chat.sessions SET last_activity_at = now()' -c 'VACUUM chat.sessions'; }

# listing MODE: the figures of one run.
listing() { "$BENCH_DRIVERS/listing" --mode "$1" --seconds $seconds; }

# compare NAME MODE PEER TARGET
compare() {
    local own=() peers=() seen rows peer_rows ratio
    for _ in $(seq $((BENCH_ROUNDS + 1))); do
        seen=$(listing "$3")
        peers+=("$(field "$seen" calls_per_second)") peer_rows=$(field "$seen" rows_per_call)
        seen=$(listing "$2")
        own+=("$(field "$seen" calls_per_second)") rows=$(field "$seen" rows_per_call)
    done
    if [ "$(number "$rows > 1 && $rows / $peer_rows > 0.98 && $rows / $peer_rows < 1.02 ? 1 : 0" %d)" != 1 ]; then
        echo "$2 read $rows rows a call, $3 $peer_rows" >&2
        return 1
    fi
    ratio=$(number "$(median "${own[@]}") / $(median "${peers[@]}")" %.3f)
    report "$1" "$(median "${own[@]}")/s, bare query $(median "${peers[@]}")/s" "$ratio" ">= $4" "$ratio >= $4"
}

touch_sessions
compare 'authenticate and list_conversations' session bare 0.80
compare 'row level security' rls plain 0.95
