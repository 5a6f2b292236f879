#!/usr/bin/env python3
"""The help texts and what is made of them: manual pages, which mandoc and man find nothing wrong with;
completion in the shells that are here; and the options that a command takes are those that it tells.

    manuals.py SOURCE BUILD GTRACE
"""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

LISTED = re.compile(r"(?m)^  ([a-z]+) +\S")
ROW = re.compile(r'\{[\s\\]*"([\w-]+)",\s*(no|required|optional)_argument')
LETTERS = re.compile(r'getopt_long\(\s*argc, argv, "([^"]*)"')


def output(*command, status=0):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{command} ended with {done.returncode}: {done.stderr}"
    return done.stdout + done.stderr


def needs(program):
    here = shutil.which(program)
    if here is None:
        print(f"SKIP: no {program}")  # said even where all else is good
    return unittest.skipUnless(here, f"no {program}")


class Manuals(unittest.TestCase):
    def setUp(self):
        self.commands = LISTED.findall(output(GTRACE, "--help"))
        self.pages = [BUILD / "tools/gtrace.1"] + [BUILD / f"tools/gtrace-{c}.1" for c in self.commands]

    def test_help(self):
        self.assertIn("verify", self.commands)
        for command in self.commands:
            with self.subTest(command):
                text = output(GTRACE, command, "--help")
                self.assertEqual(text, output(GTRACE, "help", command))
                self.assertEqual(text, output(GTRACE, command, "-h"))
                self.assertLessEqual(max(map(len, text.splitlines())), 100)
                self.assertEqual([line for line in text.splitlines() if line.endswith(" ")], [])
                self.assertIn("Try: gtrace", output(GTRACE, command, "--no-such-option", status=2))
        self.assertIn("no command", output(GTRACE, "help", "nothing", status=2))

    def test_options_are_those_told(self):
        """What getopt is given in cmd_NAME.c, against the page that is made of the help text."""
        shared = {"GT_WINDOW_OPTIONS": "window.h", "GT_PACK_OPTION": "pack.h"}
        for command in self.commands:
            text = (SOURCE / f"tools/cmd_{command}.c").read_text(encoding="utf-8")
            for name, header in shared.items():
                if name in text:
                    text += (SOURCE / "tools" / header).read_text(encoding="utf-8")
            taken = {f"--{name}": kind for name, kind in ROW.findall(text)}
            for letter, value in re.findall(r"([a-zA-Z])(:?)", (LETTERS.findall(text) or [""])[0]):
                taken[f"-{letter}"] = "required" if value else "no"
            told = {}
            page = (BUILD / f"tools/gtrace-{command}.1").read_text(encoding="utf-8").replace("\\-", "-")
            terms = re.findall(r"(?m)^(?:\.TP\n(\\fB-.*)|\\fBgtrace .*\n(?:[^.].*\n)*)", page)
            usage = re.search(r"\.nf\n((?:.*\n)*?)\.fi", page)[1]
            for term in [*terms, usage]:  # what the list says counts: in a usage the FILE may follow
                for name, value in re.findall(r"\\fB(--?[\w-]+)\\fR(\[=|[ =](?:\\fI|[\d.]+\|))?", term):
                    told.setdefault(name, {"": "no", "[=": "optional"}.get(value, "required"))
                # "-o, --output FILE": both take one.
                for short, long in re.findall(r"\\fB(-\w)\\fR, \\fB(--[\w-]+)\\fR \\fI", term):
                    told[short] = told[long]
            told = {name: kind for name, kind in told.items() if name not in ("--", "-h", "--help")}
            taken = {name: kind for name, kind in taken.items() if name not in ("-h", "--help")}
            with self.subTest(command):
                self.assertEqual(told, taken)

    @needs("mandoc")
    def test_mandoc(self):
        for page in self.pages:
            with self.subTest(page.name):
                self.assertEqual(output("mandoc", "-Tlint", "-Wwarning", str(page)), "")

    @needs("man")
    def test_man(self):
        for page in self.pages:
            with self.subTest(page.name):
                done = subprocess.run(["man", "--warnings", "-Tutf8", "-l", page], capture_output=True,
                                      text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    # --- Completion ------------------------------------------------------------------------------

    def complete(self, *words):
        """What bash offers for the last word."""
        script = BUILD / "tools/gtrace.bash"
        quoted = " ".join(f"'{w}'" for w in words)
        return output("bash", "-c", f"""compopt() {{ :; }}
            . '{script}'
            COMP_WORDS=({quoted})
            COMP_CWORD={len(words) - 1}
            _gtrace
            printf '%s\\n' "${{COMPREPLY[@]}}" """).split()

    @needs("bash")
    def test_bash(self):
        self.assertEqual(self.complete("gtrace", ""), [*self.commands, "help"])
        self.assertEqual(self.complete("gtrace", "ver"), ["verify"])
        self.assertEqual(self.complete("gtrace", "help", "ver"), ["verify"])
        self.assertEqual(self.complete("gtrace", "export", "--to", "p"), ["perfetto"])
        self.assertEqual(self.complete("gtrace", "convert", "--to", ""), ["1.22", "1.23", "1.25", "1.26"])
        self.assertEqual(self.complete("gtrace", "verify", "--l"), ["--live", "--lenient"])
        self.assertEqual(self.complete("gtrace", "verify", "x"), [])
        for command in self.commands:
            self.assertIn("--help", self.complete("gtrace", command, "-"))

    @needs("zsh")
    def test_zsh(self):
        self.assertEqual(output("zsh", "-n", str(BUILD / "tools/_gtrace")), "")

    @needs("fish")
    def test_fish(self):
        script = BUILD / "tools/gtrace.fish"
        offered = output("fish", "--no-config", "-c", f"source {script}; complete -C 'gtrace export --to p'")
        self.assertEqual([line.split("\t")[0] for line in offered.splitlines()], ["perfetto"])


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv[1]).resolve()
    BUILD = pathlib.Path(sys.argv[2]).resolve()
    GTRACE = sys.argv[3]
    unittest.main(argv=sys.argv[:1])
