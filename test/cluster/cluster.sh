#!/usr/bin/env bash
# Makes, starts, stops and removes a private PostgreSQL cluster in one folder, so that tests and demo touch no other.
#
#   cluster.sh create DIR [--tcp] [--no-preload] [--set NAME=VALUE]...   an empty cluster, not started
#   cluster.sh start|restart DIR                                        returns when it accepts connections
#   cluster.sh stop DIR [fast|immediate|smart]
#   cluster.sh remove DIR                                               stops it, too
#   cluster.sh env DIR                                                  PGHOST=… lines for a shell's `eval`
#   cluster.sh psql-line DIR [DATABASE]                                 a command to type
#
# The socket is in a folder that only the cluster's user (and root) can enter; --tcp adds 127.0.0.1 with a random password.
# As root, the server runs as `postgres`, or `nobody`; where that user cannot reach DIR, DIR is a link to a folder in /tmp.
# PG_CONFIG chooses the server. May be sourced for its functions.
set -euo pipefail

cluster_bindir() {
    "${PG_CONFIG:-pg_config}" --bindir
}

# The user that the server runs as; empty: the caller.
cluster_user() {
    if [ "$(id -u)" -ne 0 ]; then return; fi
    if id -u postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Runs a command as the server's user.
cluster_run() {
    local user
    user=$(cluster_user)
    if [ -z "$user" ]; then "$@"; return; fi
    (cd / && setpriv --reuid="$(id -u "$user")" --regid="$(id -g "$user")" --clear-groups -- "$@")
}

# A port on the loopback that nobody listens on; below 32768, so that no client's own port is in its way.
cluster_free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
    done
    echo 'no free port between 20000 and 32000' >&2
    return 1
}

# Makes the folder, or a folder in /tmp and a link to it; prints where it is.
cluster_make_folder() {
    local dir=$1 user place
    user=$(cluster_user)
    mkdir -p "$(dirname "$dir")"
    mkdir "$dir"
    if [ -n "$user" ]; then chown "$user:$(id -g "$user")" "$dir"; fi
    if ! cluster_run test -w "$dir"; then
        rmdir "$dir"
        place=$(cluster_run mktemp -d /tmp/pgchat.XXXXXX)
        ln -s "$place" "$dir"
    fi
    (cd "$dir" && pwd -P)
}

# A socket's whole path may have 107 bytes; the file's name takes 15 of them.
cluster_make_socket_folder() {
    local socket=$1/socket
    if [ ${#socket} -gt 92 ]; then socket=$(cluster_run mktemp -d /tmp/pgchat-socket.XXXXXX); fi
    cluster_run mkdir -p -m 700 "$socket"
    echo "$socket"
}

cluster_create() {
    local dir=$1 tcp=no preload=pgchat settings=() place socket password port
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --tcp) tcp=yes ;;
        --no-preload) preload= ;;
        --set) settings+=("$2"); shift ;;
        *) echo "cluster.sh: unknown option $1" >&2; return 2 ;;
        esac
        shift
    done
    if [ -e "$dir" ] || [ -L "$dir" ]; then echo "cluster.sh: $dir exists" >&2; return 1; fi
    place=$(cluster_make_folder "$dir")
    socket=$(cluster_make_socket_folder "$place")
    port=$(cluster_free_port)
    printf 'socket=%s\nport=%s\ntcp=%s\n' "$socket" "$port" "$tcp" | cluster_run tee "$place/cluster" >/dev/null
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && echo "$password" | cluster_run tee "$place/password" >/dev/null)
    cluster_run "$(cluster_bindir)/initdb" -D "$place/data" -U postgres --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=trust --auth-host=scram-sha-256 --pwfile="$place/password" |
        cluster_run tee "$place/initdb.log" >/dev/null
    {
        echo "listen_addresses = '$([ $tcp = no ] || echo 127.0.0.1)'"
        echo "port = $port"
        echo "unix_socket_directories = '$socket'"
        echo "shared_preload_libraries = '$preload'"
        echo "log_line_prefix = '%m [%p] %b %d '"
        for setting in ${settings[@]+"${settings[@]}"}; do echo "${setting%%=*} = '${setting#*=}'"; done
    } | cluster_run tee -a "$place/data/postgresql.conf" >/dev/null
}

# Reads the file that marks a folder as a cluster of this script into the caller's place, socket, port and tcp.
cluster_read() {
    if [ ! -f "$1/cluster" ]; then echo "cluster.sh: $1 is no cluster of this script" >&2; return 1; fi
    place=$(cd "$1" && pwd -P)
    # shellcheck disable=SC1091
    . "$place/cluster"
}

cluster_control() {
    cluster_run "$(cluster_bindir)/pg_ctl" -s -w -t 60 -D "$1/data" "${@:2}"
}

cluster_start() {
    local place socket port tcp
    cluster_read "$1"
    if ! cluster_control "$place" -l "$place/server.log" start; then
        tail -n 20 "$place/server.log" >&2
        return 1
    fi
}

cluster_is_running() {
    cluster_control "$1" status >/dev/null 2>&1
}

cluster_stop() {
    local place socket port tcp
    cluster_read "$1"
    if cluster_is_running "$place"; then cluster_control "$place" -m "${2:-fast}" stop; fi
}

cluster_remove() {
    local place socket port tcp
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then return; fi
    if [ -L "$1" ] && [ ! -e "$1" ]; then rm "$1"; return; fi
    cluster_read "$1"
    cluster_stop "$1" immediate
    rm -rf "$socket" "$place"
    if [ -L "$1" ]; then rm "$1"; fi
}

cluster_env() {
    local place socket port tcp
    cluster_read "$1"
    printf 'export PGHOST=%q PGPORT=%q PGUSER=postgres PGDATABASE=postgres' "$socket" "$port"
    printf ' PGCHAT_CLUSTER=%q PGCHAT_SERVER_LOG=%q' "$place" "$place/server.log"
    if [ "$tcp" = yes ]; then printf ' PGCHAT_TCP_HOST=127.0.0.1 PGPASSWORD=%q' "$(cat "$place/password")"; fi
    echo
}

cluster_psql_line() {
    local place socket port tcp
    cluster_read "$1"
    echo "$(cluster_bindir)/psql -h $socket -p $port -U postgres ${2:-postgres}"
}

cluster_main() {
    local command=${1:-}
    if [ $# -lt 2 ]; then
        sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        return 2
    fi
    shift
    case $command in
    create) cluster_create "$@" ;;
    start) cluster_start "$@" ;;
    restart) cluster_stop "$1" && cluster_start "$1" ;;
    stop) cluster_stop "$@" ;;
    remove) cluster_remove "$@" ;;
    env) cluster_env "$@" ;;
    psql-line) cluster_psql_line "$@" ;;
    *) echo "cluster.sh: unknown command $command" >&2; return 2 ;;
    esac
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then cluster_main "$@"; fi
