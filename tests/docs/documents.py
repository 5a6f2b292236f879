#!/usr/bin/env python3
"""The documents say what is: links lead somewhere, generated text is up to date, and every
subcommand that is named exists.

    documents.py SOURCE_ROOT GTRACE
"""

import pathlib
import re
import subprocess
import sys
import unittest


def documents():
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return {p: p.read_text(encoding="utf-8") for p in sorted(found)}


def name(path):
    return path.relative_to(ROOT).as_posix()


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        broken = []
        for path, text in documents().items():
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if "://" not in target and not (path.parent / target).exists():
                    broken.append(f"{name(path)}: {target}")
        self.assertEqual(broken, [])

    def test_named_files_exist(self):
        """`core/base/env.def` and the like, in the texts for readers of the tree."""
        missing = []
        pattern = r"`\.?/?((?:core|preload|tools|tests|scripts|docs|include)/[\w./-]*\w)"
        for path in (ROOT / n for n in ("README.md", "CONTRIBUTING.md", "HACKING.md")):
            for target in re.findall(pattern, path.read_text(encoding="utf-8")):
                if not (ROOT / target).exists():
                    missing.append(f"{name(path)}: {target}")
        self.assertEqual(missing, [])

    def test_generated_documents_are_up_to_date(self):
        run = subprocess.run([ROOT / "scripts/gen-docs", "--check"], capture_output=True, text=True,
                             check=False)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_variables_exist(self):
        known = set(re.findall(r'"(GTRACE_\w+)"', (ROOT / "core/base/env.def").read_text()))
        self.assertIn("GTRACE_OUT", known)
        texts = {name(p): t for p, t in documents().items()
                 if "design" not in p.name and "adr" not in p.parts}
        texts["docs/man/gtrace.1"] = (ROOT / "docs/man/gtrace.1").read_text(encoding="utf-8")
        unknown = [f"{n}: {v}" for n, t in texts.items()
                   for v in set(re.findall(r"GTRACE_[A-Z]+", t)) - known]
        self.assertEqual(unknown, [])

    def test_subcommands_exist(self):
        manual = (ROOT / "docs/man/gtrace.1").read_text(encoding="utf-8")
        text = "\n".join(t for p, t in documents().items()
                         if p.name in ("README.md", "HACKING.md", "CONTRIBUTING.md", "limits.md"))
        named = set(re.findall(r"^\.It Cm (\w+)", manual, re.M))
        self.assertIn("run", named)
        named |= set(re.findall(r"(?:`|^build/tools/)gtrace ([a-z]+)", text, re.M))
        for command in sorted(named):
            with self.subTest(command):
                run = subprocess.run([GTRACE, command, "--help"], capture_output=True, text=True,
                                     check=False)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn(f"gtrace {command}", run.stdout)

    def test_manual_page_parses(self):
        manual = (ROOT / "docs/man/gtrace.1").read_text(encoding="utf-8")
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES"):
            self.assertRegex(manual, rf"(?m)^\.Sh {section}$")
        opened, closed = (len(re.findall(rf"(?m)^\.{m}\b", manual)) for m in ("Bl", "El"))
        self.assertEqual(opened, closed)


if __name__ == "__main__":
    ROOT = pathlib.Path(sys.argv[1]).resolve()
    GTRACE = sys.argv[2]
    unittest.main(argv=sys.argv[:1])
