#!/usr/bin/env python3
"""The library exports its hooks and its public API, under glibc's own versions, and nothing else.

    exports.py LIBRARY hooks.def gtrace.h

hooks.def is compared with the library, and with the libc of this machine as an independent witness: a
program may have been linked against any node of a function that has moved.
"""

import os
import re
import subprocess
import sys
import unittest

LIBPTHREAD_MERGED = (2, 34)  # before it the functions are in another library


def exported(path):
    """{name: {version: is it the default}} of the defined dynamic symbols; "" for no version."""
    command = ["nm", "-D", "--defined-only", "--with-symbol-versions", path]
    names = {}
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        _, kind, symbol = line.split()
        name, default, version = symbol.partition("@")
        if kind != "A":  # the version nodes themselves
            names.setdefault(name, {})[version.lstrip("@")] = version.startswith("@")
    return names


def hooks():
    """The same of hooks.def, from its GT_NODE rows."""
    with open(HOOKS, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    names = {}
    row = r'^GT_NODE\((\w+), \w+, \w+, "(@@?)", (GLIBC_\w+)\)$'
    for name, at, version in re.findall(row, text, re.M):
        names.setdefault(name, {})["GLIBC_" + version[6:].replace("_", ".")] = at == "@@"
    return names


def public():
    """The functions that gtrace.h declares, if it is there yet."""
    if not os.path.exists(API):
        return set()
    with open(API, encoding="utf-8") as file:
        return set(re.findall(r"\b(gtrace_\w+)\s*\(", file.read()))


def libc():
    """The libc that this process runs on."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return next(line.split()[-1] for line in maps if re.search(r"/libc[.-]", line))


def libc_version():
    return tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")))


def is_newer(version):
    """Than this machine's libc."""
    return tuple(map(int, version.removeprefix("GLIBC_").split("."))) > libc_version()


class Exports(unittest.TestCase):
    def setUp(self):
        self.maxDiff = None

    def test_hooks_and_api_alone(self):
        expected = hooks()
        self.assertGreater(len(expected), 0, f"no GT_NODE row found in {HOOKS}")
        expected.update({name: {"": False} for name in public()})
        self.assertEqual(exported(LIBRARY), expected)

    @unittest.skipUnless(os.uname().machine == "x86_64", "hooks.def has x86-64's versions")
    @unittest.skipUnless(libc_version() >= LIBPTHREAD_MERGED, "glibc older than 2.34")
    def test_versions_are_those_of_libc(self):
        theirs = exported(libc())
        for name, versions in hooks().items():
            with self.subTest(name):
                there = {v: default for v, default in versions.items() if not is_newer(v)}
                if there == versions:
                    self.assertEqual(versions, theirs.get(name))
                else:  # its default is one that this libc does not have yet
                    self.assertEqual(there.keys(), theirs.get(name, {}).keys())


if __name__ == "__main__":
    LIBRARY, HOOKS, API = sys.argv[1:4]
    unittest.main(argv=sys.argv[:1])
