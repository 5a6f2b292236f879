#!/usr/bin/env python3
"""Mutants of good traces: gtrace verify and Go's reader must agree on each.

    mutate.py GTRACE ORACLE COUNT [SEED [FILE...]]

Takes the texts in good/ and Go's own test traces, or the traces FILE..., changes one to three lines
(drops, doubles or swaps them, or changes a number) or a few bytes of the trace, and asks both
judges. Where gtrace is stricter on purpose (rule 8 of the model, a frequency of 0, facts that
cannot be read, the spelling of the header) its message says so and is let pass.
The same seed gives the same mutants; a disagreement is kept and named.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile

from run import HERE, go_tests, run

# Go keeps 8 bits of a status.
STRICTER_STATUS = re.compile(r"invalid status for goroutine \d+: (\d+)")
LAST = 2**64 - 1
NUMBERS = [0, 1, 2, 3, 4, 5, 10, 11, 255, 256, 258, 2**32, 2**63 - 1, 2**63, LAST - 1, LAST]
BATCH = 200  # files for one run of the oracle


def sources():
    texts = []
    for name in sorted(os.listdir(os.path.join(HERE, "good"))):
        with open(os.path.join(HERE, "good", name), encoding="utf-8") as f:
            texts.append((name, f.read()))
    for path in go_tests():
        with open(path, encoding="utf-8") as f:
            head, text = f.read().split("-- trace --\n")
        if "SUCCESS" in head and len(text) < 20000:
            texts.append((os.path.basename(path), text))
    return texts


def change_number(rng, lines, i):
    found = list(re.finditer(r"=(\d+)", lines[i]))
    if not found:
        return
    m = rng.choice(found)
    old = int(m.group(1))
    new = rng.choice([old + 1, max(old - 1, 0), *NUMBERS,
                      rng.choice(re.findall(r"=(\d+)", "\n".join(lines)))])
    lines[i] = f"{lines[i][:m.start()]}={new}{lines[i][m.end():]}"


def mutate(rng, text):
    text = re.sub(r"size=\d+", "size=auto", text)
    lines = [s for s in text.split("\n") if s.strip() and not s.startswith("#")]
    for _ in range(rng.randint(1, 3)):
        i = rng.randrange(1, len(lines))
        kind = rng.random()
        if kind < 0.15:
            del lines[i]
        elif kind < 0.3:
            lines.insert(i, lines[i])
        elif kind < 0.45:
            k = rng.randrange(1, len(lines))
            lines[i], lines[k] = lines[k], lines[i]
        else:
            change_number(rng, lines, i)
        if len(lines) < 3:
            break
    return "\n".join(lines) + "\n"


def mutate_bytes(rng, path):
    """Changes, drops, doubles or cuts some bytes of a file."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    for _ in range(rng.randint(1, 3)):
        i = rng.randrange(len(data))
        n = min(rng.randint(1, 12), len(data) - i)
        kind = rng.random()
        if kind < 0.4:
            data[i] ^= 1 << rng.randrange(8)
        elif kind < 0.6:
            data[i] = rng.choice([0, 1, 2, 127, 128, 255, data[rng.randrange(len(data))]])
        elif kind < 0.75 and len(data) > n:
            del data[i:i + n]
        elif kind < 0.9:
            data[i:i] = data[i:i + n]
        elif i > 0:
            del data[i:]
    with open(path, "wb") as f:
        f.write(data)


def refused_alone(gtrace):
    """What gtrace alone refuses, by its messages: a pattern."""
    table = json.loads(run(gtrace, "spec", "--json").stdout)
    facts = "(" + "|".join(row["name"] for row in table if row["kind"] == "fact") + ")"
    return re.compile(r"in that M's batch|frequency is 0|fact|before it in its batch"
                      rf"|offset \d+: {facts} \w+=|a {facts} is cut"
                      r"|without an end-of-generation byte|after its header|not a Go execution")


def stricter(said, alone):
    """Whether a refusal is one of those that gtrace alone makes."""
    status = STRICTER_STATUS.search(said)
    return alone.search(said) or (status and int(status[1]) % 256 <= 4)


def verdicts(program, paths):
    """Path -> (good, line). Each program prints one line for each file."""
    r = subprocess.run([program, *paths], capture_output=True, text=True, errors="replace",
                       check=False)
    found = {}
    for line in (r.stdout + r.stderr).split("\n"):
        path, _, rest = line.partition(": ")
        if path in paths and path not in found:
            found[path] = (rest.startswith("ok"), rest)
    return found


def main():
    gtrace, oracle, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = sys.argv[4] if len(sys.argv) > 4 else "1"
    if run(oracle, "--help").returncode == 77:
        print("SKIP: no Go >= 1.26: nobody to compare with")
        sys.exit(77)
    rng = random.Random(seed)
    alone = refused_alone(gtrace)
    texts = [(f, run(gtrace, "dump", f).stdout) for f in sys.argv[5:]] or sources()
    asked = good = 0
    failures = []
    with tempfile.TemporaryDirectory() as scratch:
        verify = os.path.join(scratch, "verify")
        with open(verify, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nexec "{gtrace}" verify "$@"\n')
        os.chmod(verify, 0o755)
        while asked < count:
            mutants = {}
            for _ in range(min(BATCH, count - asked)):
                name, text = rng.choice(texts)
                in_bytes = rng.random() < 0.4
                mutant = mutate(rng, text) if not in_bytes else text
                path = os.path.join(scratch, f"{asked}.trace")
                asked += 1
                r = subprocess.run([gtrace, "assemble", "-", "-o", path], input=mutant,
                                   capture_output=True, text=True, check=False)
                if r.returncode == 0:
                    if in_bytes:
                        mutate_bytes(rng, path)
                        mutant = f"its bytes: {open(path, 'rb').read().hex()}\n"
                    mutants[path] = (name, mutant)
            ours, theirs = verdicts(verify, list(mutants)), verdicts(oracle, list(mutants))
            for path, (name, mutant) in mutants.items():
                if path not in ours or path not in theirs:
                    failures.append((name, mutant, f"no verdict: gtrace {ours.get(path)}, "
                                                   f"oracle {theirs.get(path)}"))
                    continue
                (a, said_a), (b, said_b) = ours[path], theirs[path]
                good += a
                if a != b and not (b and stricter(said_a, alone)):
                    failures.append((name, mutant, f"gtrace: {said_a}\noracle: {said_b}"))
    for name, mutant, text in failures[:20]:
        print(f"--- mutant of {name}\n{mutant}{text}")
    print(f"seed {seed}: {asked} mutants, {good} good ones, {len(failures)} disagreements")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
