# What the scripts need from the system, and how they get it. Sourced, not run.
#
#   need cmd NAME PACKAGE      a program in PATH
#   need lib NAME PACKAGE      a library that pkg-config knows
#   need file NAME PACKAGE     a file below /usr/lib, with * in its name or not
#   install_needed             installs the packages of all needs that are not met, or says why not
#   find_go                    prints the folder of a Go >= 1.26, if there is one
#
# shellcheck shell=bash

go_minimum=26 # of Go 1.x: the first that reads what gtrace writes
needed=()

say() {
	if [[ -t 1 ]]; then
		printf '\n\033[1m==> %s\033[0m\n' "$*"
	else
		printf '\n==> %s\n' "$*"
	fi
}
die() { printf '%s: %s\n' "$0" "$*" >&2; exit 1; }

need() {
	case $1 in
	cmd) PATH=$PATH:/usr/sbin command -v "$2" >/dev/null ;;
	lib) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
	file) compgen -G "/usr/lib/$2" >/dev/null ;;
	esac || needed+=("$3")
}

need_for_build() {
	need cmd meson meson
	need cmd ninja ninja-build
	need cmd gcc gcc
	need cmd pkg-config pkg-config
	need lib libxxhash libxxhash-dev # ids of stacks and strings
	need lib libdw libdw-dev         # source files and lines: gtrace symbolize
	need file '*/libiberty.a' libiberty-dev # names of C++ and Rust, for the same
	need lib zlib zlib1g-dev           # gtrace pprof compresses
	need lib libzstd libzstd-dev     # compressed traces
	need lib sqlite3 libsqlite3-dev  # gtrace export --to sqlite; and tests/apps
	# libc's headers are only a recommendation of gcc's package.
	[[ -e /usr/include/stdlib.h ]] || needed+=(libc6-dev)
}

# Real programs that tests/apps runs under load. Java, Cargo and Clang run where they are.
need_for_apps() {
	need cmd pigz pigz
	need cmd zstd zstd
	need cmd xz xz-utils
	need cmd ffmpeg ffmpeg
	need cmd memcached memcached
	need cmd memcaslap libmemcached-tools
	need cmd redis-server redis-server
	need cmd redis-benchmark redis-tools
	need cmd nginx nginx-light
	need cmd wrk wrk
	compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || needed+=(postgresql)
	need cmd git git
	need cmd tmux tmux
	need cmd node nodejs
	need cmd ruby ruby
	need cmd erl erlang-base
	need cmd haproxy haproxy
	need cmd mariadbd mariadb-server-core
	need cmd mariadb mariadb-client-core
	need cmd stress-ng stress-ng
	compgen -G '/usr/lib/llvm-*/lib/libomp.so' >/dev/null || needed+=(libomp-dev)
}

as_root() {
	if [[ $(id -u) == 0 ]]; then
		"$@"
	else
		sudo "$@"
	fi
}

install_needed() {
	((${#needed[@]})) || return 0
	say "Missing here, to be installed with apt: ${needed[*]}"
	command -v apt-get >/dev/null ||
		die "no apt-get on this system; install what answers to these Debian packages, then run this again"
	[[ $(id -u) == 0 ]] || command -v sudo >/dev/null ||
		die "neither root nor sudo; as root: apt-get install ${needed[*]}"
	# Packages of servers (the tests run some, each on its own port) would start them as services.
	local policy=/usr/sbin/policy-rc.d made=
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod +x "$policy"
		made=1
	fi
	local rc=0
	{
		as_root apt-get -q -o Acquire::Retries=3 update &&
			as_root env DEBIAN_FRONTEND=noninteractive \
				apt-get -q -o Acquire::Retries=3 install -y --no-install-recommends "${needed[@]}"
	} </dev/null || rc=$?
	[[ -z $made ]] || as_root rm -f "$policy"
	((rc == 0)) || die "apt-get could not install ${needed[*]}"
	hash -r
	needed=()
}

find_go() {
	local go
	for go in "$(command -v go || true)" /usr/local/go/bin/go /usr/lib/go-1.*/bin/go \
		"$(scripts/fetch-go --where)/bin/go"; do
		if [[ -x $go ]] && GOTOOLCHAIN=local "$go" version |
			grep -Eq " go1\.($(seq -s '|' $go_minimum $((go_minimum + 40))))([. ]|rc|beta)"; then
			dirname "$go"
			return
		fi
	done
}
