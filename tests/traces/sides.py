#!/usr/bin/env python3
"""Whatever is in a file, verify says the same of it with one thread and with several.

    sides.py GTRACE SEED COUNT FOLDER...

Of each trace that the texts in the folders give: the trace itself, and COUNT spoiled copies of it
(a byte changed, bytes left out, a generation twice or in another's place).
"""

import pathlib
import random
import subprocess
import sys
import tempfile


def say(gtrace, jobs, arguments, trace):
    result = subprocess.run([gtrace, "verify", "--jobs", str(jobs), *arguments, trace],
                            capture_output=True, text=True, errors="replace")
    return result.returncode, result.stdout + result.stderr


def spoil(data, dice):
    """A copy of data that differs in one place."""
    at, length = dice.randrange(16, len(data)), dice.randrange(1, 40)
    kind = dice.randrange(4)
    if kind == 0:
        return data[:at] + bytes([dice.randrange(256)]) + data[at + 1:]
    if kind == 1:
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:]
    if kind == 2:
        return data[:at] + data[at + length:]
    # 52 ends a generation: mostly this makes whole ones stand twice, or one less.
    ends = [15] + [i for i, byte in enumerate(data) if i > 15 and byte == 52]
    first, last = sorted(dice.choices(ends, k=2))
    piece = data[first + 1:last + 1]
    return data[:first + 1] + (piece + piece if dice.randrange(2) else b"") + data[last + 1:]


def main():
    gtrace, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    compared = differ = good = 0
    with tempfile.TemporaryDirectory(prefix="gtrace-sides-") as folder:
        trace = pathlib.Path(folder, "trace")
        for text in sorted(t for f in sys.argv[4:] for t in pathlib.Path(f).glob("*.txt")):
            if subprocess.run([gtrace, "assemble", text, "-o", trace], capture_output=True).returncode:
                continue
            whole = trace.read_bytes()
            if len(whole) <= 16:
                continue
            for data in [whole] + [spoil(whole, dice) for _ in range(count)]:
                trace.write_bytes(data)
                for arguments in ([], ["--lenient"], ["--each", "--live"]):
                    one, three = say(gtrace, 1, arguments, trace), say(gtrace, 3, arguments, trace)
                    compared += 1
                    good += one[0] == 0
                    if one != three:
                        differ += 1
                        print(f"{text.name} {' '.join(arguments)}: one thread says\n  {one}\n"
                              f"three say\n  {three}")
                        kept = pathlib.Path(tempfile.gettempdir(), f"gtrace-sides-{differ}")
                        kept.write_bytes(data)
                        print(f"kept as {kept}")
    print(f"{compared} comparisons, {good} of valid traces, {differ} differ")
    return differ != 0 or good == 0


sys.exit(main())
