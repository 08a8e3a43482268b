#!/bin/sh
# Runs the unpacked llama-server of DIR in place of this shell, with the unpacked C library and loader.
# usage: llama_server.sh DIR [arguments of llama-server]
set -eu
root=${1:?usage: llama_server.sh DIR [arguments]}/root
shift

# The one path that fits the pattern best; packages of later versions may have other folder names.
find_one() { find "$root" -path "$1" 2>/dev/null | sort | head -n 1; }

loader=$(find_one '*/ld-linux-x86-64.so.2')
backend=$(find_one '*/libggml-cpu-x64.so')
[ -n "$backend" ] || backend=$(find_one '*/libggml-cpu*.so*')
server=$(find_one '*/bin/llama-server')
libraries=$(find "$root" -name '*.so*' -exec dirname {} + | sort -u | tr '\n' ':')
if [ -z "$loader" ] || [ -z "$server" ]; then
    echo "no llama-server under $root" >&2
    exit 1
fi
[ -z "$backend" ] || export GGML_BACKEND_PATH="$backend"
exec "$loader" --library-path "${libraries%:}" "$server" "$@"
