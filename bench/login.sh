#!/usr/bin/env bash
# What a login costs beside the bcrypt verification in it, at the default cost: time of one session, alternating.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

cost=$(sql -c 'SHOW pgchat.bcrypt_cost')
sql -o /dev/null -c "SELECT chat.register('bench@example.com', 'correct-horse', 'bench') WHERE NOT EXISTS (
                       SELECT FROM chat.users WHERE username = 'bench')"
hash=$(sql -c "SELECT password_hash FROM chat_private.credentials c JOIN chat.users u ON u.id = c.user_id WHERE u.username = 'bench'")

# Milliseconds of each of a series, in one connection: a line for each of the two, in turns.
series() {
    local script=$BENCH_WORK/login.sql
    echo '\timing on' >"$script"
    for _ in $(seq $((BENCH_ROUNDS * 10))); do
        echo "SELECT chat.bcrypt_verify('correct-horse', '$hash');"
        echo "SELECT user_id FROM chat.login('bench', 'correct-horse', NULL, '192.0.2.1', 'bench');"
    done >>"$script"
    psql -XqAt -v ON_ERROR_STOP=1 -f "$script" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

mapfile -t times < <(series)
bare=() whole=()
for i in "${!times[@]}"; do
    if [ $((i % 2)) = 0 ]; then bare+=("${times[i]}"); else whole+=("${times[i]}"); fi
done
ratio=$(number "$(median "${whole[@]}") / $(median "${bare[@]}")" %.3f)
report "login at cost $cost" "$(median "${whole[@]}") ms, bcrypt alone $(median "${bare[@]}") ms" "$ratio" '<= 1.05' "$ratio <= 1.05"
