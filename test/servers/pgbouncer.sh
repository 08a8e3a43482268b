#!/bin/sh
# Starts pgbouncer in transaction mode in front of a cluster, with one server connection for each user, and prints its pid.
# Clients are trusted; the USERs are those let in (default: every role that may log in now, asked as PGUSER or postgres).
# As root it runs as the owner of the cluster, who must be able to reach WORK_DIR.
# usage: pgbouncer.sh SOCKET_DIR PORT DATABASE LISTEN_PORT WORK_DIR [USER…]
set -eu
usage='usage: pgbouncer.sh SOCKET_DIR PORT DATABASE LISTEN_PORT WORK_DIR [USER…]'
socket_dir=${1:?$usage} port=${2:?$usage} database=${3:?$usage} listen_port=${4:?$usage} work_dir=${5:?$usage}
shift 5

mkdir -p "$work_dir"
work_dir=$(cd "$work_dir" && pwd)
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046
    set -- $(psql -X -At -h "$socket_dir" -p "$port" -U "${PGUSER:-postgres}" -d "$database" \
        -c 'SELECT rolname FROM pg_catalog.pg_roles WHERE rolcanlogin')
fi
printf '"%s" ""\n' "$@" >"$work_dir/users.txt"
cat >"$work_dir/pgbouncer.ini" <<CONFIG
[databases]
$database = host=$socket_dir port=$port dbname=$database
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $listen_port
unix_socket_dir =
auth_type = trust
auth_file = $work_dir/users.txt
pool_mode = transaction
default_pool_size = 1
max_client_conn = 200
ignore_startup_parameters = extra_float_digits,options
CONFIG

as_owner=
if [ "$(id -u)" = 0 ]; then
    owner=$(stat -c %u:%g "$socket_dir/.s.PGSQL.$port")
    chown -R "$owner" "$work_dir"
    as_owner="setpriv --reuid=${owner%:*} --regid=${owner#*:} --clear-groups"
fi
PATH=$PATH:/usr/sbin
$as_owner nohup pgbouncer "$work_dir/pgbouncer.ini" >"$work_dir/pgbouncer.log" 2>&1 </dev/null &
pid=$!
tries=0
until pg_isready -q -h 127.0.0.1 -p "$listen_port" -d "$database"; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -gt 100 ]; then
        kill "$pid" 2>/dev/null || true
        tail -n 5 "$work_dir/pgbouncer.log" >&2
        exit 1
    fi
    sleep 0.1
done
echo "$pid"
