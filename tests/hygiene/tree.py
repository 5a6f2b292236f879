#!/usr/bin/env python3
"""Rules that any file of the tree keeps: its length, no path of the machine it was written on.

    tree.py SOURCE_ROOT
"""

import os
import pathlib
import re
import sys
import unittest

LINES_MAX = 600  # beyond it a file no longer fits one head: cut it, or say why here
LONG_FOR_A_REASON = {
    "preload/hooks.def",  # one table of everything that is hooked; nobody reads it from end to end
}

CODE = {".c", ".h", ".def", ".py", ".sh", ".go", ".cc", ".cpp", ""}
SKIPPED = re.compile(r"^(\.git|\.cache|__pycache__|build.*)$")
# Folders where any checkout may lie, and whose names texts may hence mention.
COMMON = {"/", "/tmp", "/usr", "/usr/src", "/usr/local", "/usr/local/src", "/opt", "/home", "/root",
          "/src", "/srv", "/var", "/var/tmp", "/mnt", "/build", "/builds"}


def files():
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if not SKIPPED.match(f)
                            and not os.path.exists(os.path.join(folder, f, "meson-private")))
        found += (pathlib.Path(folder) / n for n in sorted(names))
    return [p for p in found if p.is_file() and not p.is_symlink()]


def text_of(path):
    """None for what is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


class Tree(unittest.TestCase):
    def test_length(self):
        code = [p for p in files() if p.suffix in CODE]
        self.assertGreater(len(code), 20, "hardly any file found: wrong SOURCE_ROOT?")
        long = []
        for path in code:
            name = path.relative_to(ROOT).as_posix()
            lines = (text_of(path) or "").count("\n")
            if lines > LINES_MAX and name not in LONG_FOR_A_REASON:
                long.append(f"{name}: {lines} lines")
        self.assertEqual(long, [])

    def test_no_path_of_this_machine(self):
        places = {str(ROOT), str(ROOT.parent), str(pathlib.Path.home())} - COMMON
        places.add(str(ROOT))
        pattern = re.compile("|".join(re.escape(p) + r"(?=/|\b)" for p in sorted(places)))
        named = []
        for path in files():
            for number, line in enumerate((text_of(path) or "").splitlines(), 1):
                if pattern.search(line):
                    named.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
        self.assertEqual(named, [])


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv[1]).resolve()
    unittest.main(argv=sys.argv[:1])
