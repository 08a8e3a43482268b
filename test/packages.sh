#!/usr/bin/env bash
# Installs the Debian packages that pgchat needs, where some are missing; the one place that lists them.
#
#   packages.sh build [test]
#
# A server that PG_CONFIG names is used as it is, and gets its headers where they are missing; otherwise the newest supported
# one that the machine can have is installed.
set -euo pipefail

build_packages=(g++ make libcurl4-openssl-dev libssl-dev libcrypt-dev libkrb5-dev libsimdjson-dev libqrencode-dev nlohmann-json3-dev curl)
test_packages=(cmake python3-psycopg libgtest-dev python3 openssl libtap-parser-sourcehandler-pgtap-perl pgbouncer)
# What a rule or a test uses and reports as skipped without it. The runtimes of languages that snippets are in are large: who has them, tests them.
optional_packages=(shellcheck clang-format python3-psycopg-pool jq)
if command -v javac >/dev/null; then optional_packages+=(libpostgresql-jdbc-java libhikaricp-java libslf4j-java); fi
server_versions='18 17 16 15'

say() { echo "packages: $*"; }

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]
}

can_be_had() {
    [[ $(apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(] ]]
}

pg_config() { command "${PG_CONFIG:-pg_config}" "$@" 2>/dev/null; }

# The major version of the server that PG_CONFIG names, if it is supported and can be run; else nothing.
installed_server() {
    local version
    [ -x "$(pg_config --bindir)/initdb" ] || return 0
    version=$(pg_config --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    case " $server_versions " in *" $version "*) echo "$version" ;; esac
}

# The same, if it can be built against too. The header counts: Debian ships pgxs.mk with the client programs.
present_server() {
    if [ -f "$(pg_config --pgxs)" ] && [ -f "$(pg_config --includedir-server)/postgres.h" ]; then installed_server; fi
}

has_extension() {
    [ -f "$(pg_config --sharedir)/extension/$1.control" ]
}

# Adds what is missing of the server to `missing`, for the groups asked for.
add_server_packages() {
    local version
    version=$(present_server)
    if [ -z "$version" ]; then
        for version in $(installed_server) $server_versions; do
            if can_be_had "postgresql-$version" && can_be_had "postgresql-server-dev-$version"; then break; fi
            version=
        done
        if [ -z "$version" ]; then
            say "there is no package of PostgreSQL ${server_versions// /, } here; install one and set PG_CONFIG" >&2
            exit 1
        fi
        add_missing "postgresql-$version" "postgresql-server-dev-$version"
        if [ "$1" = yes ]; then add_missing "postgresql-$version-pgtap" "postgresql-$version-plpgsql-check"; fi
    elif [ "$1" = yes ]; then
        has_extension pgtap || missing+=("postgresql-$version-pgtap")
        has_extension plpgsql_check || missing+=("postgresql-$version-plpgsql-check")
    fi
}

add_missing() {
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
}

refresh_lists() {
    $as_root apt-get -qq update </dev/null || say 'some package lists could not be fetched; going on with those there are' >&2
}

install_missing() {
    DEBIAN_FRONTEND=noninteractive $as_root apt-get -qq -y --no-install-recommends install "$@" </dev/null >/dev/null
}

with_tests=no
for group in "$@"; do
    case $group in
    build) ;;
    test) with_tests=yes ;;
    *) say "unknown group $group" >&2; exit 2 ;;
    esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "this is no Debian system; needed are a C++20 compiler, PostgreSQL 15 to 18 with server headers, and the development files of libcurl, OpenSSL, libcrypt, simdjson, libqrencode and nlohmann-json"
    exit 0
fi

missing=()
wanted=("${build_packages[@]}")
if [ $with_tests = yes ]; then wanted+=("${test_packages[@]}"); fi
add_missing "${wanted[@]}"
optional=()
if [ $with_tests = yes ]; then
    for package in "${optional_packages[@]}"; do is_installed "$package" || optional+=("$package"); done
fi
if [ -n "$(present_server)" ]; then add_server_packages $with_tests; server_known=yes; else server_known=no; fi
if [ ${#missing[@]} -eq 0 ] && [ ${#optional[@]} -eq 0 ] && [ $server_known = yes ]; then exit 0; fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root='sudo --preserve-env=DEBIAN_FRONTEND'
    elif [ ${#missing[@]} -eq 0 ] && [ $server_known = yes ]; then
        say "goes on without ${optional[*]}"
        exit 0
    else
        say "missing: ${missing[*]-} ${optional[*]-}$([ $server_known = yes ] || echo ' postgresql-N postgresql-server-dev-N (N: 15 to 18)'); run \"make packages\" as root"
        exit 1
    fi
fi

refresh_lists
if [ $server_known = no ]; then add_server_packages $with_tests; fi
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    install_missing "${missing[@]}" || { say "apt-get could not install ${missing[*]}" >&2; exit 1; }
fi
for package in ${optional[@]+"${optional[@]}"}; do
    if can_be_had "$package" && install_missing "$package"; then say "installed $package"; else say "goes on without $package"; fi
done
