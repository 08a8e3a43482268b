#!/usr/bin/env bash
# What a session costs: authenticate and list_conversations in one pipeline against the bare query by a superuser; what row
# level security costs: the bare query under it, whose policy then gives the owner, and with the owner named as well,
# against the query that names the owner, by a role of the same rights that bypasses it; and what authenticate costs by itself, against the same
# look-up in SQL and against a query that does nothing. 10,000 users, 200,000 conversations, 8 connections.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

connections=8 pair_seconds=1 rate_seconds=2 tokens=64
# Those of other benchmarks: some people would have thousands, and statements that name their owner plans for that.
sql -c 'DELETE FROM chat.conversations' -c 'TRUNCATE bench.conversations'
sql -c "INSERT INTO chat.conversations (user_id, id, title, last_message_at)
        SELECT p.user_id, chat.uuid_v7(), 'conversation ' || t, now() - t * interval '1 hour'
        FROM bench.people p, generate_series(1, 20) t WHERE NOT EXISTS (
          SELECT FROM chat.conversations c WHERE c.user_id = p.user_id AND c.title LIKE 'conversation %')"
sql -c 'VACUUM ANALYZE'

# authenticate notes once a minute for each session that it is in use. A benchmark that asks for all 10,000 within
# seconds would measure those 10,000 commits; so they are done before.
touch_sessions() { sql -c 'UPDATE chat.sessions SET last_activity_at = now()' -c 'VACUUM chat.sessions'; }

# listing MODE: the figures of one run.
listing() { "$BENCH_DRIVERS/listing" --mode "$1" --connections $connections --seconds $pair_seconds; }

# compare NAME MODE PEER TARGET
compare() {
    local own=() peers=() ratios=() seen rows peer_rows ratio
    # Many short pairs, each compared with its own peer: the machine's speed changes within seconds.
    for _ in $(seq $((BENCH_ROUNDS * 5))); do
        seen=$(listing "$3")
        peers+=("$(field "$seen" calls_per_second)") peer_rows=$(field "$seen" rows_per_call)
        seen=$(listing "$2")
        own+=("$(field "$seen" calls_per_second)") rows=$(field "$seen" rows_per_call)
        ratios+=("$(number "${own[-1]} / ${peers[-1]}" %.4f)")
    done
    if [ "$(number "$rows > 1 && $rows / $peer_rows > 0.98 && $rows / $peer_rows < 1.02 ? 1 : 0" %d)" != 1 ]; then
        echo "$2 read $rows rows a call, $3 $peer_rows" >&2
        return 1
    fi
    ratio=$(number "$(median "${ratios[@]}")" %.3f)
    report "$1" "$(median "${own[@]}")/s, bare query $(median "${peers[@]}")/s" "$ratio" ">= $4" "$ratio >= $4"
}

touch_sessions
compare 'authenticate and list_conversations' session bare 0.80
compare 'row level security' rls plain 0.95
compare 'row level security, and the owner named' rls_and_owner plain 0.90

# The tokens of some people, of which each transaction takes one, so that all three statements are of the same form.
sql -c "CREATE TABLE IF NOT EXISTS bench.tokens AS
          SELECT sha256(convert_to(p.token, 'UTF8')) AS token_hash, p.user_id, p.session_id FROM bench.people p" \
    -c 'CREATE UNIQUE INDEX IF NOT EXISTS tokens_idx ON bench.tokens (token_hash)' -c 'VACUUM ANALYZE bench.tokens'
scripts=$BENCH_WORK/session
mkdir -p "$scripts"
n=0
while read -r token; do
    n=$((n + 1))
    echo "SELECT chat.authenticate('$token');" >"$scripts/authenticate.$n"
    echo "SELECT u.id, u.role FROM bench.tokens t JOIN chat.sessions s ON s.user_id = t.user_id AND s.id = t.session_id
          JOIN chat.users u ON u.id = s.user_id
          WHERE t.token_hash = sha256(convert_to('$token', 'UTF8')) AND s.expires_at > now() AND u.is_active;" |
        tr '\n' ' ' >"$scripts/lookup.$n"
    echo "SELECT '$token';" >"$scripts/nothing.$n"
done < <(sql -c "SELECT token FROM bench.people WHERE n <= $tokens")

# rate NAME: transactions a second of all connections.
rate() {
    local files=()
    for script in "$scripts/$1".*; do files+=(-f "$script"); done
    pgbench -n -M prepared "${files[@]}" -c $connections -j 2 -T $rate_seconds | sed -n 's/^tps = \([0-9.]*\) .*/\1/p'
}

own=() lookups=() nothings=()
for _ in $(seq $((BENCH_ROUNDS + 1))); do
    lookups+=("$(rate lookup)")
    own+=("$(rate authenticate)")
    nothings+=("$(rate nothing)")
done
figures="$(median "${own[@]}")/s, look-up in SQL $(median "${lookups[@]}")/s, nothing $(median "${nothings[@]}")/s"
ratio=$(number "$(median "${own[@]}") / $(median "${lookups[@]}")" %.3f)
report 'authenticate against SQL' "$figures" "$ratio" '>= 1.3' "$ratio >= 1.3"
ratio=$(number "$(median "${own[@]}") / $(median "${nothings[@]}")" %.3f)
report 'authenticate against SELECT' "$figures" "$ratio" '>= 0.6' "$ratio >= 0.6"
