#!/bin/sh
# Unpacks llama.cpp's llama-server, with the libraries it needs, from Debian sid into DIR; nothing is installed. The mirror
# is that of this machine's own apt sources. What was unpacked is kept and used again.
# usage: fetch.sh DIR; exits with 75 where the packages cannot be had.
set -eu
dir=${1:?usage: fetch.sh DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

give_up() {
    echo "llama-server cannot be had here: $1" >&2
    exit 75
}

# True where the unpacked server runs.
works() { [ -d "$dir/root" ] && "$here/llama_server.sh" "$dir" --version >"$dir/version.log" 2>&1; }

# The first URI of a Debian archive (not security, not another vendor) in the machine's sources.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -n -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\/debian\/\{0,1\}\) .*/\2/p' \
            -e 's/^URIs: *\([^ ]*\/debian\/\{0,1\}\) *$/\1/p' | head -n 1
}

works && exit 0

command -v apt-get >/dev/null && command -v dpkg >/dev/null || give_up "this is no Debian system"
[ "$(dpkg --print-architecture)" = amd64 ] || give_up "only amd64 is provided for"
uri=$(mirror)
[ -n "$uri" ] || give_up "no Debian mirror in the apt sources"

rm -rf "$dir/apt" "$dir/packages" "$dir/root"
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/packages" "$dir/root"
: >"$dir/apt/status"
key=/usr/share/keyrings/debian-archive-keyring.gpg
option=
[ ! -r "$key" ] || option="[signed-by=$key]"
echo "deb $option $uri sid main" >"$dir/apt/sources.list"

apt() {
    timeout 300 apt-get -qq -o Dir::Etc::sourcelist="$dir/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$dir/apt/lists" -o Dir::State::status="$dir/apt/status" -o Dir::Cache="$dir/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::Check-Valid-Until=false "$@" >>"$dir/apt.log" 2>&1
}

# What the server and its libraries depend on, by name, changes with time: apt knows.
packages() {
    apt_cache_options="-o Dir::Etc::sourcelist=$dir/apt/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$dir/apt/lists
        -o Dir::State::status=$dir/apt/status -o Dir::Cache=$dir/apt/cache"
    # shellcheck disable=SC2086
    apt-cache $apt_cache_options depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances llama.cpp-tools 2>>"$dir/apt.log" |
        grep -E '^(llama|lib(llama|ggml|mtmd|c6|stdc\+\+6|gcc-s1|gomp1|ssl3|zstd1|curl|z1)|zlib1g)' |
        grep -Ev -e '-(dev|cuda|hip|vulkan|blas|opencl|rpc|extra|doc|dbg|dbgsym)' | sort -u
}

apt update || give_up "the package lists of sid cannot be read (see $dir/apt.log)"
names=$(packages)
[ -n "$names" ] || give_up "sid has no llama.cpp-tools (see $dir/apt.log)"
# shellcheck disable=SC2086
(cd "$dir/packages" && apt download $names) || give_up "the packages cannot be downloaded (see $dir/apt.log)"
for package in "$dir"/packages/*.deb; do
    dpkg -x "$package" "$dir/root"
done
rm -rf "$dir/apt" "$dir/packages"
works || give_up "the unpacked server does not run (see $dir/version.log)"
