#!/usr/bin/env python3
"""No hook is forgotten: each body in hooks.def is called by a program of tests/programs or faults.

    exercised.py hooks.def PROGRAM...

What a program calls is read from its undefined symbols, name and version. A body is called where any
of its nodes is: the same body stands behind all of them.
"""

import os
import re
import subprocess
import sys
import unittest

# What no program that is built here can call, and what does.
ELSEWHERE = {
    "old_start_main": "the start code of programs linked before glibc 2.34",
}


def bodies():
    """{id: {(name, version)}} of the GT_NODE rows."""
    with open(HOOKS, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    found = {}
    row = r'^GT_NODE\((\w+), (\w+), \w+, "@@?", GLIBC_(\w+)\)$'
    for name, body, version in re.findall(row, text, re.M):
        found.setdefault(body, set()).add((name, "GLIBC_" + version.replace("_", ".")))
    return found


def called():
    """{(name, version)} that the programs import."""
    command = ["nm", "-D", "--undefined-only", "--with-symbol-versions", *PROGRAMS]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^\s+[Uw] (\w+)@(GLIBC_[\d.]+)$", output, re.M))


class Exercised(unittest.TestCase):
    @unittest.skipUnless(os.uname().machine == "x86_64", "hooks.def has x86-64's versions")
    def test_each_body_is_called(self):
        self.maxDiff = None
        expected, imports = bodies(), called()
        self.assertGreater(len(expected), 0, f"no GT_NODE row found in {HOOKS}")
        self.assertGreater(len(imports), 0, "the programs import nothing: what was given?")
        forgotten = sorted(b for b, nodes in expected.items() if not nodes & imports and b not in ELSEWHERE)
        self.assertEqual(forgotten, [], "no program of tests/programs calls these hooks")


if __name__ == "__main__":
    HOOKS, *PROGRAMS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
