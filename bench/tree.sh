#!/usr/bin/env bash
# What the length of a conversation costs: send_message into, and list_messages of the last 50 of, a branch of 10,000 messages
# against one of 100; and a row of listing all of it. One session, in alternation. Each send is rolled back, so that the
# branches stay as long as they are and no reply is asked for beside it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

seconds=1
work=$BENCH_WORK/tree
mkdir -p "$work"

# grow PERSON MESSAGES: a conversation of one branch with so many messages of 200 characters; prints its id.
grow() {
    local user conversation
    user=$(sql -c "SELECT user_id FROM bench.people WHERE n = $1")
    conversation=$(sql -c 'SELECT chat.uuid_v7()')
    sql -c "INSERT INTO chat.conversations (user_id, id) VALUES ('$user', '$conversation')" \
        -c "INSERT INTO chat.messages (user_id, id, conversation_id, parent_id, role, content, content_hash)
            SELECT '$user', ids[n], '$conversation', ids[n - 1], CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END, t.content,
                   chat.content_hash(t.content)
            FROM (SELECT ARRAY(SELECT chat.uuid_v7() FROM generate_series(1, $2)) AS ids OFFSET 0) a, generate_series(1, $2) n,
                 LATERAL (SELECT rpad(n::text, 200, ' a few words of it') AS content) t ORDER BY n" \
        -c "UPDATE chat.conversations c SET active_leaf_id = (SELECT max(m.id::text)::uuid FROM chat.messages m WHERE m.conversation_id = c.id)
            WHERE c.id = '$conversation'"
    echo "$conversation"
}

# script NAME PERSON STATEMENT…: a pgbench script of these statements, run as this person.
script() {
    local file=$work/$1 person=$2
    shift 2
    {
        printf '%s\n' '\if :ready' '\else' "SELECT token AS token FROM bench.people WHERE n = $person \\gset" \
            'SELECT chat.authenticate(:token, false) AS me \gset' '\set ready 1' '\endif' "$@"
    } >"$file"
}

# cost NAME: ms of the statement that calls pgchat's function.
cost() {
    local log=$work/$1.log
    if ! pgbench -n -r -M prepared -U bench_app -D ready=0 -f "$work/$1" -c 1 -T $seconds >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        return 1
    fi
    awk '/chat\.(send|list)_/ { print $1; exit }' "$log"
}

declare -A ids
ids[100]=$(grow 9001 100)
ids[10000]=$(grow 9002 10000)
sql -c 'VACUUM ANALYZE chat.messages' -c 'VACUUM ANALYZE chat.conversations'
person=9001
for size in 100 10000; do
    id=${ids[$size]}
    script "send.$size" $person 'BEGIN;' "SELECT chat.send_message('$id', 'hello');" 'ROLLBACK;'
    script "page.$size" $person "SELECT * FROM chat.list_messages('$id', NULL, 50);"
    script "all.$size" $person "SELECT * FROM chat.list_messages('$id');"
    person=$((person + 1))
done

# compare WHAT NAME MORE: the cost at 10,000 against that at 100, taken side by side, for other load on the machine comes and goes;
# MORE: how many times the rows are read at 10,000.
compare() {
    local long=() short=() ratios=() ratio n
    for n in $(seq $((BENCH_ROUNDS * 4))); do
        if [ $((n % 2)) = 0 ]; then
            short+=("$(cost "$2.100")") long+=("$(cost "$2.10000")")
        else
            long+=("$(cost "$2.10000")") short+=("$(cost "$2.100")")
        fi
        ratios+=("$(number "${long[-1]} / ${short[-1]} / $3" %.4f)")
    done
    ratio=$(number "$(median "${ratios[@]}")" %.3f)
    report "$1" "10,000 messages $(median "${long[@]}") ms, 100 messages $(median "${short[@]}") ms" "$ratio" '<= 1.2' "$ratio <= 1.2"
}

compare 'sending into a long conversation' send 1
compare 'listing the last 50 of a long conversation' page 1
compare 'listing all of a long conversation, a row' all 100
