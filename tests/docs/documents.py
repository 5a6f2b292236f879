#!/usr/bin/env python3
"""The documents say what is: links lead somewhere, generated text is up to date, and every
subcommand, test and hook that is named exists.

    documents.py SOURCE_ROOT BUILD_ROOT GTRACE
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

# Where a thread may be cancelled because it waits: those that POSIX demands, and glibc's own.
CANCELLATION_POINTS = """
accept aio_suspend clock_nanosleep close connect creat fcntl fdatasync fsync lockf mq_receive mq_send
mq_timedreceive mq_timedsend msgrcv msgsnd msync nanosleep open openat pause poll pread pselect
pthread_cond_timedwait pthread_cond_wait pthread_join pthread_testcancel pwrite read readv recv
recvfrom recvmsg select sem_timedwait sem_wait send sendmsg sendto sigpause sigsuspend sigtimedwait
sigwait sigwaitinfo sleep system tcdrain usleep wait waitid waitpid write writev
accept4 cnd_timedwait cnd_wait copy_file_range creat64 epoll_pwait epoll_pwait2 epoll_wait fallocate
fallocate64 fcntl64 getrandom lockf64 open64 open_by_handle_at openat64 posix_fallocate ppoll pread64
preadv preadv2 preadv64 preadv64v2 pthread_clockjoin_np pthread_cond_clockwait pthread_timedjoin_np
pwrite64 pwritev pwritev2 pwritev64 pwritev64v2 recvmmsg sem_clockwait sendmmsg splice
sync_file_range tee thrd_join thrd_sleep vmsplice wait3 wait4
""".split()


def documents():
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return {p: p.read_text(encoding="utf-8") for p in sorted(found)}


def name(path):
    return path.relative_to(ROOT).as_posix()


def anchors(text):
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def tests():
    """suite/name of each test of the build, and the suites that there are."""
    listed = json.loads((BUILD / "meson-info/intro-tests.json").read_text(encoding="utf-8"))
    suites = {s.rsplit(":", 1)[-1] for t in listed for s in t["suite"]}
    return {f"{s.rsplit(':', 1)[-1]}/{t['name']}" for t in listed for s in t["suite"]}, suites


def cells(line):
    return [c.strip() for c in line.strip().strip("|").split("|")]


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        broken = []
        for path, text in documents().items():
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if "://" not in target and not (path.parent / target).exists():
                    broken.append(f"{name(path)}: {target}")
        self.assertEqual(broken, [])

    def test_links_lead_to_headings(self):
        broken = []
        for path, text in documents().items():
            for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", text):
                file = path.parent / target if target else path
                if not file.exists() or anchor not in anchors(file.read_text(encoding="utf-8")):
                    broken.append(f"{name(path)}: {target}#{anchor}")
        self.assertEqual(broken, [])

    def test_complaints_are_answered(self):
        text = (ROOT / "docs/complaints.md").read_text(encoding="utf-8")
        rows = [cells(line) for line in re.findall(r"^\| \d.*$", text, re.M)]
        self.assertEqual([int(r[0]) for r in rows], list(range(1, len(rows) + 1)))
        known, suites = tests()
        named = {r[0]: re.findall(r"`([\w-]+/[\w -]+)`", r[3]) for r in rows}
        self.assertEqual([n for n, found in named.items()
                          if not found and "](" not in rows[int(n) - 1][3]], [], "no answer")
        missing = [f"{n}: {t}" for n, found in named.items() for t in found if t not in known]
        # Without a C++ compiler or the unit tests' library, some are not built.
        if missing and not ("unit" in suites and "programs/cpp_exceptions" in known):
            self.skipTest(f"not all tests are built here: {missing}")
        self.assertEqual(missing, [])

    def test_functions_without_a_hook(self):
        """None of those that are listed has one, and what waits has one or is listed."""
        text = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
        section = re.search(r"^## Functions without a hook$(.*?)^## ", text, re.M | re.S)[1]
        named = {f for row in re.findall(r"^\| `.*$", section, re.M)
                 for f in re.findall(r"`(\w+)`", cells(row)[0])}
        self.assertIn("dlopen", named)
        hooked = re.findall(r"^GT_NODE\((\w+),", (ROOT / "preload/hooks.def").read_text(), re.M)
        self.assertEqual(sorted(named & set(hooked)), [])
        self.assertEqual(sorted(set(CANCELLATION_POINTS) - named - set(hooked)), [])

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
        listed = subprocess.run([GTRACE, "--help"], capture_output=True, text=True, check=True).stdout
        text = "\n".join(t for p, t in documents().items()
                         if p.name in ("README.md", "HACKING.md", "CONTRIBUTING.md", "limits.md"))
        named = set(re.findall(r"^  ([a-z]+) ", listed, re.M))
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
    BUILD = pathlib.Path(sys.argv[2]).resolve()
    GTRACE = sys.argv[3]
    unittest.main(argv=sys.argv[:1])
