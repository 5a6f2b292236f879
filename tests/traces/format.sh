#!/bin/sh
# docs/format.md is generated: is it what the event table says now?
#
#   format.sh GTRACE ROOT
set -eu
if ! "$1" spec --markdown | diff -u "$2/docs/format.md" -; then
  echo "docs/format.md is old: gtrace spec --markdown >docs/format.md" >&2
  exit 1
fi
"$1" spec --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) > 50'
