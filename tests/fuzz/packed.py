#!/usr/bin/env python3
"""Inputs of the target input: a trace's text as packed files, whole and damaged in ways that have names.

    packed.py GTRACE TEXT FOLDER
"""

import pathlib
import struct
import subprocess
import sys

HEADER = 16


def stored(data, checked=0):
    """A frame whose one block is stored: 0x20 is one segment with its size in a byte."""
    assert len(data) < 256
    block = len(data) << 3 | 1
    return (b"\x28\xb5\x2f\xfd" + bytes([0x20 | checked, len(data)]) +
            struct.pack("<I", block)[:3] + data)


def skipped(data, kind=0):
    return struct.pack("<II", 0x184d2a50 + kind, len(data)) + data


def main():
    gtrace, text, folder = sys.argv[1:]
    made = {}
    for form in "plain", "packed":
        option = ["--zstd=3"] if form == "packed" else []
        made[form] = subprocess.run([gtrace, "assemble", text, "-o", "-", *option],
                                    stdout=subprocess.PIPE, check=True).stdout
    plain, packed = made["plain"], made["packed"]
    pieces = [plain[:HEADER]] + [plain[i:i + 200] for i in range(HEADER, len(plain), 200)]
    frames = b"".join(map(stored, pieces))
    table = packed.rfind(struct.pack("<I", 0x184d2a5e))
    count = (len(packed) - table - 8 - 9) // 8
    inputs = {
        "plain": plain, "packed": packed, "stored": frames, "no-table": packed[:table],
        "cut-in-magic": packed[:27], "cut-in-block": packed[:table // 2 + 20],
        "cut-before-sum": packed[:table - 2], "cut-in-table": packed[:table + 11],
        "skip-first": skipped(b"anything") + packed, "skip-between": stored(plain[:HEADER]) +
        skipped(b"") + skipped(frames, 15) + stored(plain[HEADER:HEADER + 50]),
        "skip-too-long": packed + struct.pack("<II", 0x184d2a50, 0xffffffff),
        "skips-alone": skipped(b"a") + skipped(b"b", 7),
        "flipped-block": packed[:60] + bytes([packed[60] ^ 0x10]) + packed[61:],
        "flipped-sum": packed[:table - 1] + bytes([packed[table - 1] ^ 1]) + packed[table:],
        "wrong-block-size": frames[:25] + b"\x28\xb5\x2f\xfd\x20\x05" + b"\xff\xff\x1f" + plain,
        "wrong-content-size": stored(plain[:HEADER]) + b"\x28\xb5\x2f\xfd\x20\x09" +
        stored(plain[HEADER:HEADER + 60])[6:],
        "reserved-block": frames[:25] + b"\x28\xb5\x2f\xfd\x20\x05\x2f\x00\x00abcde",
        "huge-window": b"\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00" + plain,
        "run-of-one-byte": b"\x28\xb5\x2f\xfd\x00\x60" + struct.pack("<I", 0x80000 << 3 | 3)[:3] + b"g",
        "less-than-promised": b"\x28\xb5\x2f\xfd\x20\x04\x01\x00\x00" + frames,
        "empty-frames": stored(b"") * 3 + frames, "other-bytes-behind": packed + b"behind it",
        "twice": packed + packed, "trace-in-two": stored(plain[:7]) + stored(plain[7:HEADER]),
        "lying-table": packed[:table + 8] + b"\xff" * 8 * count + packed[-9:],
        "wanted-dictionary": b"\x28\xb5\x2f\xfd\x21\x07\x05\x29\x00\x00abcde",
    }
    name = pathlib.Path(text).stem
    for i, (what, data) in enumerate(inputs.items()):
        pathlib.Path(folder, f"{what}-{name}").write_bytes(bytes([i % 6]) + data)


main()
