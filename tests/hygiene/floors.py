#!/usr/bin/env python3
"""The folders are floors: a file includes its own floor and lower ones; no header includes itself
in a circle; each header compiles alone.

    floors.py SOURCE_ROOT COMPILER [ARGUMENT]...
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

# Floor: the floors that it may include. Longer paths first.
BELOW = {
    "core/base": {"core/base"},
    "core": {"core", "core/base", "include"},
    "preload": {"preload", "core", "core/base", "include"},
    "tools": {"tools", "core/base"},  # the reader shares the format with the writer, not its code
    "include": {"include"},
}
SEARCHED = ("core", "include")  # the include directories of the build, besides a file's own folder


def files(suffixes):
    found = []
    for floor in BELOW:
        found += (p for p in (ROOT / floor).rglob("*") if p.suffix in suffixes)
    return sorted(set(found))


def floor_of(path):
    relative = path.relative_to(ROOT).as_posix()
    return next((f for f in BELOW if relative.startswith(f + "/")), None)


def includes(path):
    """(line number, text, the file it means or None) of each #include "..."."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match:
            places = [path.parent, *(ROOT / folder for folder in SEARCHED)]
            target = next((p / match[1] for p in places if (p / match[1]).is_file()), None)
            yield number, match[1], target.resolve() if target else None


class Floors(unittest.TestCase):
    def test_includes_go_down(self):
        sources = files({".c", ".h", ".def"})
        self.assertGreater(len(sources), 10, "hardly any file found: wrong SOURCE_ROOT?")
        wrong = []
        for path in sources:
            floor = floor_of(path)
            for number, text, target in includes(path):
                where = f"{path.relative_to(ROOT)}:{number}: \"{text}\""
                if target is None:
                    wrong.append(f"{where} is in no floor that {floor} sees")
                elif floor_of(target) not in BELOW[floor]:
                    wrong.append(f"{where} is on floor {floor_of(target)}, above or beside {floor}")
        self.assertEqual(wrong, [])

    def test_no_circles(self):
        headers = {p.resolve(): [t for _, _, t in includes(p) if t] for p in files({".h"})}
        done, path = set(), []

        def walk(header):
            if header in path:
                circle = path[path.index(header):] + [header]
                self.fail(" -> ".join(p.relative_to(ROOT).as_posix() for p in circle))
            if header in headers and header not in done:
                path.append(header)
                for target in headers[header]:
                    walk(target)
                done.add(path.pop())

        for header in headers:
            walk(header)

    def test_headers_compile_alone(self):
        with tempfile.TemporaryDirectory() as scratch:
            for header in files({".h"}):
                unit = pathlib.Path(scratch) / "unit.c"
                # Twice: a missing guard is found too.
                unit.write_text(f'#include "{header}"\n#include "{header}"\nint unit;\n')
                command = [*COMPILER, "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic",
                           "-Werror", "-Wno-unused-function", "-fsyntax-only",
                           *(f"-I{ROOT / folder}" for folder in SEARCHED), str(unit)]
                with self.subTest(header.relative_to(ROOT).as_posix()):
                    run = subprocess.run(command, capture_output=True, text=True, check=False)
                    self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv[1]).resolve()
    COMPILER = sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
