#!/usr/bin/env python3
"""What a load's tracer says decides: a jump out of it is tried again, all else is a failure."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "programs"))

import loads    # noqa: E402
import traced   # noqa: E402

EXPECTED = (
    (f"gtrace: {traced.JUMPED}: /tmp/x.trace", 0, loads.Ended),
    ("gtrace: no memory left (GTRACE_BUFFERS), the trace ends here: /tmp/x.trace", 0, traced.Failure),
    ("the program's own words", 0, None),
    (f"gtrace: {traced.JUMPED}: /tmp/x.trace", 3, OSError),
)

for words, status, expected in EXPECTED:
    try:
        loads.call(["sh", "-c", 'echo "$1" >&2; exit "$2"', "sh", words, status], None)
        found = None
    except (OSError, traced.Failure) as e:
        found = type(e)
    if found is not expected:
        sys.exit(f"{words!r}, status {status}: {found}, not {expected}")
print(f"ok: {len(EXPECTED)} endings")
