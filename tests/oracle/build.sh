#!/bin/sh
# The build of the first judge: tests/oracle/*.go as a program that may import internal/trace.
#
# Go lets nobody outside its own tree import an internal package. An overlay puts our files into
# the tree for the time of one build: GOROOT is read only, the network is not used, and the tests
# stay on the reader of the Go that is installed. The paths in the overlay are made here, from
# `go env GOROOT` and the folder of this script.
#
#   build.sh OUTPUT     build the program
#   build.sh --check    only print the go command that would be used
#
# GO names the go command; otherwise the one in PATH, otherwise the place of Go's own installer.
# Exit status 77, as meson understands it: no Go >= 1.26 here.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

skip() {
  echo "SKIP: no Go >= 1.26: the first judge is silent ($1)" >&2
  exit 77
}

[ $# -eq 1 ] || { echo "usage: build.sh OUTPUT | --check" >&2; exit 2; }

# Nothing of the caller's Go settings may change what is built, or fetch another Go.
export GOTOOLCHAIN=local GOPROXY=off GOWORK=off GOENV=off GOFLAGS='' GO111MODULE=on CGO_ENABLED=0
unset GOOS GOARCH GOEXPERIMENT

if [ -n "${GO:-}" ]; then
  go=$(command -v "$GO") || skip "GO=$GO is not a command"
else
  go=$(command -v go) || go=/usr/local/go/bin/go
  [ -x "$go" ] || skip "go is not in PATH"
fi

version=$("$go" env GOVERSION 2>/dev/null) || skip "$go does not run"
minor=$(echo "$version" | sed -n 's/.*go1\.\([0-9][0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt 26 ]; then
  skip "$go is $version"
fi
goroot=$("$go" env GOROOT)
[ -f "$goroot/src/internal/trace/testtrace/validation.go" ] || skip "no sources in $goroot/src"

if [ "$1" = --check ]; then
  echo "$go"
  exit 0
fi

mkdir -p "$(dirname -- "$1")"
out=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
if [ -z "${GOCACHE:-}${XDG_CACHE_HOME:-}${HOME:-}" ]; then
  export GOCACHE="$out.gocache" GOPATH="$out.gocache/path"
fi

# A quote or a backslash in a path would need escaping in JSON; say so instead.
case "$goroot$here" in
  *[\"\\]*) echo "build.sh: a quote or backslash in '$goroot' or '$here'" >&2; exit 2 ;;
esac

# Under names of our own, then moved: two may build at once.
overlay=$out.$$.json
trap 'rm -f "$overlay" "$out.$$"' EXIT

# The folder gtoracle exists only in the overlay.
{
  printf '{"Replace":{'
  comma=
  for file in "$here"/*.go; do
    printf '%s"%s/src/internal/trace/gtoracle/%s":"%s"' \
      "$comma" "$goroot" "$(basename -- "$file")" "$file"
    comma=,
  done
  printf '}}\n'
} >"$overlay"

(cd "$goroot/src" &&
  "$go" build -overlay "$overlay" -buildvcs=false -o "$out.$$" internal/trace/gtoracle)
mv -f "$out.$$" "$out"
