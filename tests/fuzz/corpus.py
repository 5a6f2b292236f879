#!/usr/bin/env python3
"""A corpus, one file of lines (replay.c tells the form), as a folder of inputs and back.

    corpus.py unpack CORPUS FOLDER
    corpus.py pack CORPUS FOLDER      what has a name keeps it; others are named by their hash
"""

import hashlib
import os
import re
import sys


def read(corpus):
    if not os.path.exists(corpus):
        return {}
    with open(corpus, encoding="ascii") as f:
        return {bytes.fromhex(data): name for name, data in (s.rstrip("\n").split(" ") for s in f)}


def main():
    _, way, corpus, folder = sys.argv
    known = read(corpus)
    if way == "unpack":
        for data, name in known.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        return
    inputs = {data: name for data, name in known.items() if not re.fullmatch("[0-9a-f]{12}", name)}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        inputs.setdefault(data, hashlib.sha1(data).hexdigest()[:12])
    with open(corpus, "w", encoding="ascii") as f:
        f.writelines(sorted(f"{name} {data.hex()}\n" for data, name in inputs.items()))


if __name__ == "__main__":
    main()
