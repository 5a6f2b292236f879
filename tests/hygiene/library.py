#!/usr/bin/env python3
"""What libgtrace.so asks of the process that it is loaded into, read from its ELF headers.

    library.py LIBRARY imports.allowed

One class, one promise; docs/design.md, "Rules for code inside somebody else's process".
"""

import re
import subprocess
import sys
import unittest

TLS_MAX = 256  # bytes of static TLS: the reserve that late loading needs is small, and shared

VERSION_MAX = (2, 17)  # of glibc; aarch64 begins there, and the oldest that is tested is 2.31

NEEDED_ALLOWED = {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}

# Never, whatever the allow-list says: each of these can call back into a hook, or allocate.
FORBIDDEN = re.compile(
    r"^(malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|memalign|strn?dup"
    r"|v?(f|s|sn|as|d)?printf|.*_chk|f(open(64)?|close|puts|putc|write|read|lush|gets)|put(s|char)"
    r"|std(in|out|err)|perror|pthread_(?!self$).*|__tls_get_addr|_Unwind_.*"
    r"|__gcc_personality_v0|dlv?sym|dladdr1?|dlopen)$")


def readelf(*options):
    command = ["readelf", "-W", *options, LIBRARY]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def read_allowed():
    """imports.allowed: 'symbol  reason' on each line, # for comments."""
    allowed = {}
    with open(ALLOWED, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                symbol, _, reason = line.strip().partition(" ")
                if not reason.strip():
                    sys.exit(f"{ALLOWED}:{number}: {symbol}: an import needs a reason")
                allowed[symbol] = reason.strip()
    return allowed


def undefined():
    """The names that the library imports, without version."""
    names = set()
    for line in readelf("--dyn-syms").splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[6] == "UND":
            name = fields[7].split("@")[0]
            names.add("environ" if name == "__environ" else name)  # one variable, two names
    return names


class Library(unittest.TestCase):
    def test_needs_libc_alone(self):
        """Any other library would be put before the program's own, for all symbol lookups."""
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d")))
        self.assertIn("libc.so.6", needed)
        self.assertEqual(needed - NEEDED_ALLOWED, set())

    def test_loads_on_old_systems(self):
        """However new the system that it was built on is: one import of a new version is enough to
        refuse the whole library, and the program with it."""
        versions = set(re.findall(r"@GLIBC_([\d.]+) \(\d+\)", readelf("--dyn-syms")))
        self.assertTrue(versions, "no version found at all: this test reads it wrongly")
        too_new = {v for v in versions if tuple(map(int, v.split("."))) > VERSION_MAX}
        self.assertEqual(too_new, set())
        needed = re.search(r"Version needs section.*", readelf("-V"), re.S)
        self.assertNotIn("GLIBC_ABI", needed.group(), "a feature that old loaders refuse")

    def test_no_text_relocations(self):
        dynamic = readelf("-d")
        self.assertIn("Dynamic section", dynamic)
        self.assertNotIn("TEXTREL", dynamic)

    def test_is_never_unloaded_or_rpathed(self):
        self.assertNotRegex(readelf("-d"), r"\((RPATH|RUNPATH)\)")

    def test_stack_stays_not_executable(self):
        """One object that asks for an executable stack makes all stacks of the process so."""
        flags = re.search(r"GNU_STACK\s+(?:0x\w+\s+){5}(\w+)", readelf("-l"))
        self.assertIsNotNone(flags, "no PT_GNU_STACK: the kernel takes that as executable")
        self.assertNotIn("E", flags.group(1))

    def test_tls_is_small_and_initial_exec(self):
        tls = re.search(r"^\s+TLS\s+0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x(\w+)", readelf("-l"), re.M)
        self.assertLessEqual(int(tls.group(1), 16) if tls else 0, TLS_MAX)
        relocations = readelf("-r")
        self.assertIn("R_X86_64_" if "X86-64" in readelf("-h") else "R_", relocations)
        for dynamic in ("DTPMOD", "DTPOFF", "TLSDESC"):
            self.assertNotIn(dynamic, relocations, "a TLS access that may allocate")

    def test_imports_nothing_forbidden(self):
        self.assertEqual(sorted(n for n in undefined() if FORBIDDEN.match(n)), [])

    def test_imports_are_explained(self):
        names = undefined()
        self.assertTrue(names, "no import found at all: this test looks at the wrong file")
        self.assertEqual(sorted(names - read_allowed().keys()), [],
                         f"imports that {ALLOWED} gives no reason for")

    def test_no_reason_is_left_over(self):
        """Except of pure functions, which one compiler calls and the other does not."""
        explained = {name for name, reason in read_allowed().items() if reason != "pure"}
        self.assertEqual(sorted(explained - undefined()), [],
                         f"{ALLOWED} explains what is not imported (any more)")


if __name__ == "__main__":
    LIBRARY, ALLOWED = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
