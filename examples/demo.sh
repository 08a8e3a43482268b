#!/usr/bin/env bash
# `make demo`: builds and installs pgchat, makes a private cluster in build/demo and plays the main job on it; the cluster
# stays up until `make demo-stop`.
#
# The model is OPENAI_API_KEY's, ANTHROPIC_API_KEY's or OLLAMA_HOST's where one is set (PGCHAT_DEMO_MODEL names another
# of that provider), else the small one that the project carries, else the built-in echo provider. A key reaches only the
# environment of the private server.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# shellcheck source=test/cluster/cluster.sh
. test/cluster/cluster.sh

cluster=$root/build/demo
servers=$root/build/demo-servers

step() { printf '\n== %s\n' "$*"; }

# Sets kind, base_url, auth, options and model (of the provider `demo`), and says which it is.
choose_provider() {
    local settings hosts
    base_url='' auth='none' options='{}' trusted='localhost,127.0.0.0/8,::1'
    if [ -n "${OPENAI_API_KEY:-}" ]; then
        kind=openai base_url=${OPENAI_BASE_URL:-https://api.openai.com/v1} auth=bearer options='{"api_key_env": "OPENAI_API_KEY"}'
        model=${PGCHAT_DEMO_MODEL:-gpt-4o-mini}
        because='OPENAI_API_KEY is set'
    elif [ -n "${ANTHROPIC_API_KEY:-}" ]; then
        kind=anthropic base_url=${ANTHROPIC_BASE_URL:-https://api.anthropic.com} auth=x_api_key
        options='{"api_key_env": "ANTHROPIC_API_KEY"}'
        model=${PGCHAT_DEMO_MODEL:-claude-3-5-haiku-latest}
        because='ANTHROPIC_API_KEY is set'
    elif [ -n "${OLLAMA_HOST:-}" ]; then
        kind=ollama base_url=$(ollama_url "$OLLAMA_HOST")
        hosts=${base_url#*://}
        trusted=$trusted,${hosts%%[:/]*}
        model=${PGCHAT_DEMO_MODEL:-$(first_ollama_model "$base_url")}
        because='OLLAMA_HOST is set'
    else
        settings=$(test/servers.sh start "$servers" llama)
        eval "$settings"
        if [ -n "${PGCHAT_LLAMA_PORT:-}" ]; then
            kind=openai base_url=http://127.0.0.1:$PGCHAT_LLAMA_PORT/v1 model=stories260K
            because='a local llama-server, as no provider is set in the environment'
        else
            kind=echo model=echo
            because="the built-in provider, as $PGCHAT_LLAMA_SKIP"
        fi
    fi
    echo "model $model of provider kind $kind ($because)"
}

# OLLAMA_HOST is a host, host:port or URL; 0.0.0.0 is what a server listens on.
ollama_url() {
    local url=$1
    case $url in http://* | https://*) ;; *) url=http://$url ;; esac
    url=${url/0.0.0.0/127.0.0.1}
    case ${url#*://} in *:*) ;; *) url=$url:11434 ;; esac
    echo "${url%/}"
}

first_ollama_model() {
    local model
    model=$(curl -fsS --max-time 10 "$1/api/tags" | sed -n 's/.*"models":\[{"name":"\([^"]*\)".*/\1/p')
    if [ -z "$model" ]; then
        echo "no model found at $1; pull one, or set PGCHAT_DEMO_MODEL" >&2
        return 1
    fi
    echo "$model"
}

start() {
    local began=$SECONDS
    stop
    step 'Packages'
    test/packages.sh build
    step 'Build and install'
    test/install.sh
    echo "installed into $("${PG_CONFIG:-pg_config}" --pkglibdir)"
    step 'Model'
    choose_provider
    step 'A private cluster'
    cluster_create "$cluster" --set "pgchat.trusted_hosts=$trusted"
    cluster_start "$cluster"
    eval "$(cluster_env "$cluster")"
    psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE DATABASE demo'
    echo "$cluster"
    PGDATABASE=demo PGOPTIONS='' psql -X -f examples/demo.sql -v ON_ERROR_STOP=1 -v kind="$kind" -v base_url="$base_url" \
        -v auth="$auth" -v options="$options" -v model="$model"
    step "Done in $((SECONDS - began)) s. The cluster stays up; go on by hand with"
    echo
    echo "    $(cluster_psql_line "$cluster" demo)"
    echo
    echo 'make demo-stop removes it.'
}

stop() {
    if [ -d "$servers" ]; then
        test/servers.sh stop "$servers"
        rm -r "$servers"
    fi
    cluster_remove "$cluster"
}

case ${1:-} in
start) start ;;
stop) stop ;;
*)
    echo 'usage: demo.sh start|stop' >&2
    exit 2
    ;;
esac
