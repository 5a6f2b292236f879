#!/bin/sh
# The build of the first judge: tests/oracle/*.go as a program that may import internal/trace.
#
# Go lets nobody outside its own tree import an internal package. An overlay puts our files into
# the tree for the time of one build: GOROOT is read only, the network is not used, and the tests
# stay on the reader of the Go that is installed. The paths in the overlay are made here, from
# `go env GOROOT` and the folder of this script.
#
#   build.sh OUTPUT            build the program
#   build.sh --cover OUTPUT    the same, with counters in Go's reader and validator (cover.go)
#   build.sh --ties OUTPUT     the same, with a reader whose order is certain (list.go)
#   build.sh --check           only print the go command that would be used
#
# GO names the go command; otherwise the one in PATH, otherwise the place of Go's own installer.
# Exit status 77, as meson understands it: no Go >= 1.26 here.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

skip() {
  echo "SKIP: no Go >= 1.26: the first judge is silent ($1)" >&2
  exit 77
}

flags=
ties=
if [ "${1-}" = --ties ]; then
  ties=yes
  shift
elif [ "${1-}" = --cover ]; then
  flags="-tags=gtcover -cover -covermode=atomic"
  flags="$flags -coverpkg=internal/trace,internal/trace/testtrace,internal/trace/version"
  shift
fi
[ $# -eq 1 ] || { echo "usage: build.sh [--cover | --ties] OUTPUT | --check" >&2; exit 2; }

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
patched=$out.$$.go
trap 'rm -rf "$overlay" "$out.$$" "$patched"' EXIT

# Ties of times are broken by the place of an M in the file. Each change must find its line, and one
# line alone.
change() {
  file=$1
  shift
  [ -f "$patched/$file" ] || cp "$goroot/src/internal/trace/$file" "$patched/$file"
  for edit in "$@"; do
    sed "$edit" "$patched/$file" >"$patched/new"
    if [ "$(diff "$patched/$file" "$patched/new" | grep -c '^>')" -ne 1 ]; then
      echo "build.sh: $file of $version is not as expected: $edit" >&2
      exit 2
    fi
    mv "$patched/new" "$patched/$file"
  done
}
mkdir "$patched"
if [ -n "$ties" ]; then
  change reader.go \
    's/for _, m := range r.gen.batchMs {/for place, m := range r.gen.batchMs {/' \
    's/bc := &batchCursor{m: m}/bc := \&batchCursor{m: m, place: place}/'
  change generation.go 's/slices.SortFunc(samples/slices.SortStableFunc(samples/'
  change batchcursor.go \
    's/^\tm       ThreadID$/\tm ThreadID; place int/' \
    's/return cmp.Compare(b.ev.time, a.ev.time)/return cmp.Or(cmp.Compare(b.ev.time, a.ev.time), cmp.Compare(b.place, a.place))/' \
    's/heap\[(i-1)\/2\].ev.time > heap\[i\].ev.time/heap[(i-1)\/2].compare(heap[i]) > 0/' \
    's/b\[i1\].ev.time; t < minT {/b[i1].ev.time; t < minT || t == minT \&\& b[i1].place < b[minIdx].place {/' \
    's/b\[i2\].ev.time; t < minT {/b[i2].ev.time; t < minT || t == minT \&\& b[i2].place < b[minIdx].place {/'
fi

# The folder gtoracle exists only in the overlay.
{
  printf '{"Replace":{'
  comma=
  for file in "$here"/*.go; do
    printf '%s"%s/src/internal/trace/gtoracle/%s":"%s"' \
      "$comma" "$goroot" "$(basename -- "$file")" "$file"
    comma=,
  done
  for file in "$patched"/*.go; do
    [ ! -f "$file" ] ||
      printf ',"%s/src/internal/trace/%s":"%s"' "$goroot" "$(basename -- "$file")" "$file"
  done
  printf '}}\n'
} >"$overlay"

# shellcheck disable=SC2086 # the flags are words
(cd "$goroot/src" &&
  "$go" build $flags -overlay "$overlay" -buildvcs=false -o "$out.$$" internal/trace/gtoracle)
mv -f "$out.$$" "$out"
