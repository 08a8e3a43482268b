#!/usr/bin/env bash
# `make seed-demo`: people, conversations, deliberations and usage for trying things out, made by sql/demo/seed.sql.
#
# They go to the database that PGDATABASE, PGHOST, PGPORT or PGSERVICE lead to, which must have the extension; without any of
# these, to database demo_data on the cluster of `make demo`, which is made where it is not there. PGCHAT_DEMO_AMONG_USERS=1
# lets them into a database that has users.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=test/cluster/cluster.sh
. test/cluster/cluster.sh

cluster=$root/build/demo

# How to reach, by hand, the database that the environment names; never with a password.
psql_line() {
    local name line=''
    for name in PGSERVICE PGHOST PGPORT PGUSER PGDATABASE; do
        if [ -n "${!name:-}" ]; then line+=$(printf '%s=%q ' "$name" "${!name}"); fi
    done
    echo "${line}psql"
}

# Has the environment name database demo_data on the demo's cluster.
use_demo_cluster() {
    if [ -e "$cluster/cluster" ]; then
        if ! cluster_is_running "$(cd "$cluster" && pwd -P)"; then cluster_start "$cluster"; fi
    else
        examples/demo.sh start
    fi
    eval "$(cluster_env "$cluster")"
    if [ -z "$(psql -XAtq -v ON_ERROR_STOP=1 -c "SELECT 1 FROM pg_database WHERE datname = 'demo_data'")" ]; then
        psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE DATABASE demo_data'
    fi
    export PGDATABASE=demo_data
    psql -Xq -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION IF NOT EXISTS pgchat'
}

if [ -n "${PGDATABASE:-}${PGHOST:-}${PGPORT:-}${PGSERVICE:-}" ]; then
    line=$(psql_line)
else
    use_demo_cluster
    line=$(cluster_psql_line "$cluster" demo_data)
fi
among_users=false
if [ "${PGCHAT_DEMO_AMONG_USERS:-0}" = 1 ]; then among_users=true; fi
psql -X -v psql="$line" -v among_users=$among_users -f sql/demo/seed.sql
