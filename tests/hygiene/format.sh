#!/usr/bin/env bash
# The C files are as .clang-format wants them. Written for version 14; others disagree with it.
#
#   format.sh SOURCE_ROOT
set -euo pipefail
cd "$1"

tool=$(command -v clang-format-14 || command -v clang-format || true)
if [[ -z $tool || $("$tool" --version) != *" 14."* ]]; then
	echo "SKIP: no clang-format 14 here"
	exit 77
fi
folders=()
for folder in core preload tools include tests; do
	[[ ! -d $folder ]] || folders+=("$folder")
done
find "${folders[@]}" -name '*.[ch]' -print0 |
	xargs -0 -r "$tool" --dry-run -Werror 2>&1 | head -n 40
exit "${PIPESTATUS[0]}"
