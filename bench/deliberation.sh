#!/usr/bin/env bash
# Rounds of deliberations: all calls of a round run at once. From the commit of start_deliberation to the last contribution of each
# of three rounds of 12 personas, with a model that takes a second, against 12 such calls made directly; and 20 boards at once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=bench/lib.sh
. "$here/lib.sh"

sql -c 'CREATE TABLE bench.boards (id uuid, n int)'
rounds=$((BENCH_ROUNDS < 3 ? 3 : BENCH_ROUNDS))

# begin BOARDS: starts so many deliberations, each of a person of its own, in a transaction; prints when that was committed.
begin() {
    sql -c 'TRUNCATE bench.boards' -c "
        DO \$\$
        DECLARE
          person record;
          made uuid;
        BEGIN
          FOR person IN SELECT user_id, n FROM bench.people WHERE n <= $1 LOOP
            PERFORM set_config('app.current_user_id', person.user_id::text, true);
            made := chat.create_deliberation('Should we move the office to the harbour?', model => 'second', max_rounds => 3,
              persona_codes => ARRAY(SELECT p.code FROM chat.personas p WHERE p.is_default ORDER BY p.code LIMIT 12),
              options => '{\"decompose\": false, \"moderator\": false, \"convergence\": false, \"choices\": [\"Move\", \"Stay\"]}');
            PERFORM chat.start_deliberation(made);
            INSERT INTO bench.boards VALUES (made, person.n);
          END LOOP;
        END \$\$" -c 'SELECT extract(epoch FROM clock_timestamp())' | tail -n 1
}

# spoken STARTED: when all rounds are over, for each the seconds of the slowest board from its beginning to its last contribution.
# A round begins where the one before it ended, the first at STARTED.
spoken() {
    local wanted
    for _ in $(seq 600); do
        wanted=$(sql -c "SELECT count(*) = 36 * (SELECT count(*) FROM bench.boards) FROM chat.contributions JOIN bench.boards b ON b.id = deliberation_id")
        if [ "$wanted" = t ]; then break; fi
        sleep 0.1
    done
    sql -c "
        WITH ends AS (SELECT deliberation_id, round_number, extract(epoch FROM max(c.created_at)) AS at, count(*) AS said
                      FROM chat.contributions c JOIN bench.boards b ON b.id = c.deliberation_id GROUP BY 1, 2),
        taken AS (SELECT round_number, said, at - coalesce(lag(at) OVER (PARTITION BY deliberation_id ORDER BY round_number), $1) AS seconds FROM ends)
        SELECT CASE WHEN min(said) = 12 AND count(*) = 3 * (SELECT count(*) FROM bench.boards)
                    THEN concat_ws(' ', max(seconds) FILTER (WHERE round_number = 1), max(seconds) FILTER (WHERE round_number > 1)) END
        FROM taken"
}

# measure BOARDS MOST: what each round takes, at most MOST seconds.
measure() {
    local boards=$1 most=$2 first=() later=() peers=() seen peer initial others calls=$((12 * $1))
    for _ in $(seq "$rounds"); do
        peers+=("$(direct seconds --clients $calls --calls $calls --model 'mock?latency_ms=1000')")
        read -ra seen <<<"$(spoken "$(begin "$boards")")"
        first+=("${seen[0]:?not everybody spoke}") later+=("${seen[1]}")
        sql -c "SELECT count(chat.kill_deliberation(b.id)) FROM bench.boards b JOIN chat.deliberations d ON d.id = b.id WHERE d.status = 'active'" >/dev/null
    done
    peer=$(median "${peers[@]}") initial=$(median "${first[@]}") others=$(median "${later[@]}")
    report "deliberation, $boards x 12 personas, initial round" "$(number "$initial" %.3f) s, $calls calls directly $(number "$peer" %.3f) s" \
        "$(number "$initial / $peer")" "<= $most s" "$initial <= $most"
    report "deliberation, $boards x 12 personas, later rounds" "$(number "$others" %.3f) s" "$(number "$others / $peer")" "<= $most s" "$others <= $most"
}

measure 1 1.5
measure 20 3
