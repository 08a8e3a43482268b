#!/usr/bin/env bash
# What test/packages.sh would install on machines that have this and lack that; apt, dpkg and pg_config are stand-ins. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/server/bin" "$work/server/extension"

stand_in() {
    { echo '#!/bin/bash'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
stand_in dpkg-query <<<'case " $ABSENT " in *" ${!#} "*) ;; *) printf "ii " ;; esac'
stand_in apt-cache <<<'echo "  Candidate: 1.0"'
stand_in apt-get <<<'all=$*; case $all in *" install "*) echo "${all#* install }" >>"$INSTALLED" ;; esac'
stand_in id <<<'echo 0'
stand_in pg_config <<'EOF'
[ -e "$SERVER" ] || exit 1
case $1 in
--bindir) echo "$SERVER/bin" ;;
--pgxs) echo "$SERVER/pgxs.mk" ;;
--includedir-server) echo "$SERVER" ;;
--sharedir) echo "$SERVER" ;;
--version) echo "PostgreSQL $VERSION (Debian)" ;;
esac
EOF
touch "$work/server/pgxs.mk" "$work/server/bin/initdb" "$work/server/extension/pgtap.control" "$work/server/extension/plpgsql_check.control"
chmod +x "$work/server/bin/initdb"

number=0 wrong=0
# installs ABSENT EXPECTED WHAT GROUP…: with these packages absent, exactly the expected ones are installed.
installs() {
    local absent=$1 expected=$2 what=$3 seen status=0
    shift 3
    : >"$work/installed"
    PATH=$work/bin:$PATH PG_CONFIG=pg_config ABSENT=$absent INSTALLED=$work/installed test/packages.sh "$@" >"$work/log" 2>&1 || status=$?
    seen=$(tr '\n' ' ' <"$work/installed" | sed 's/ $//')
    number=$((number + 1))
    if [ $status -eq 0 ] && [ "$seen" = "$expected" ]; then
        echo "ok $number - $what"
    else
        echo "not ok $number - $what: '$seen', not '$expected', exit $status"
        wrong=$((wrong + 1))
    fi
}

export SERVER=$work/server VERSION=15.20
installs postgresql-server-dev-15 postgresql-server-dev-15 'a server without headers gets them' build
touch "$work/server/postgres.h"
installs '' '' 'a server with headers is used as it is' build test
installs 'postgresql-15 postgresql-server-dev-15' '' 'also one that no package has brought' build
rm "$work/server/extension/pgtap.control"
installs postgresql-15-pgtap postgresql-15-pgtap 'tests need pgTAP' build test
installs postgresql-15-pgtap '' 'a build does not' build
touch "$work/server/extension/pgtap.control"
installs 'g++ jq' 'g++ jq' 'what only tests can use comes last, by itself' build test
VERSION=14.2 installs 'postgresql-18 postgresql-server-dev-18' 'postgresql-18 postgresql-server-dev-18' 'beside a server that is too old, the newest' build
export SERVER=$work/none
installs 'postgresql-18 postgresql-server-dev-18' 'postgresql-18 postgresql-server-dev-18' 'without a server, the newest' build
echo "1..$number"
[ $wrong -eq 0 ]
