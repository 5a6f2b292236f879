#!/bin/sh
# tests/judge obeys both judges: each may reject alone, and a missing Go silences only the first.
#
#   judge_test.sh JUDGE     the judges themselves are replaced by scripts with a known answer
set -eu

judge=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
: >"$dir/x.trace"
for status in 0 1 3 77; do
  # shellcheck disable=SC2016 # expanded by the script that is written
  printf '#!/bin/sh\necho "$(basename "$0") $*"\nexit %s\n' $status >"$dir/says$status"
  chmod +x "$dir/says$status"
done

failed=0
# expect STATUS TEXT ORACLE GTRACE FLAGS...: the status of judge and a line of its output
expect() {
  want=$1 text=$2 oracle=$3 gtrace=$4
  shift 4
  got=0
  out=$(ORACLE=$oracle GTRACE=$gtrace "$judge" "$@" "$dir/x.trace" 2>&1) || got=$?
  case $got,$out in
    $want,*"$text"*) echo "ok - $want $text" ;;
    *) echo "FAIL - expected $want with '$text', got $got: $out"; failed=1 ;;
  esac
}

expect 0 "says0 verify" "$dir/says0" "$dir/says0"
expect 0 "says0 verify --each --live --allow-truncated $dir" "$dir/says0" "$dir/says0" \
  --each --live --allow-truncated
expect 1 "Go's reader rejects" "$dir/says1" "$dir/says0"
expect 1 "gtrace verify rejects" "$dir/says0" "$dir/says1"
expect 1 "gtrace verify rejects" "$dir/says3" "$dir/says1"
expect 1 "Go's reader rejects" "$dir/says1" "$dir/says3"
expect 3 "" "$dir/says3" "$dir/says0"
expect 3 "" "$dir/says0" "$dir/says3"
expect 0 "says0 verify" "$dir/says77" "$dir/says0"
expect 1 "gtrace verify rejects" "$dir/says77" "$dir/says1"
expect 2 "second judge is missing" "$dir/says0" "$dir/none"
expect 2 "usage:" "$dir/says0" "$dir/says0" --no-such-flag

# No Go: the loud line, and the second judge alone decides.
export GO="$dir/none"
expect 0 "SKIP: no Go >= 1.26: the first judge is silent" "" "$dir/says0" --build "$dir"
expect 1 "gtrace verify rejects" "" "$dir/says1" --build "$dir"
exit $failed
