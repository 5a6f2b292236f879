#!/usr/bin/env python3
"""gtrace run: what it refuses and why, and what it keeps of a program that it runs.

    run.py GTRACE COMPILER [ARGUMENT]...
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TRACE = b"go 1.26 trace\0\0\0"
EXIT_3 = "int main(void) { return 3; }\n"


class Run(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("GTRACE_")}

    def path(self, name):
        return pathlib.Path(self.dir, name)

    def build(self, name, *flags, source=EXIT_3):
        subprocess.run([*COMPILER, *flags, "-x", "c", "-", "-o", self.path(name)], input=source,
                       check=True, text=True, capture_output=True)

    def script(self, name, text):
        self.path(name).write_text(text, encoding="utf-8")
        self.path(name).chmod(0o755)

    def patch(self, name, offset, byte):
        """An executable whose header has one other byte."""
        self.build("whole")
        data = bytearray(self.path("whole").read_bytes())
        data[offset] = byte
        self.path(name).write_bytes(data)
        self.path(name).chmod(0o755)

    def gtrace(self, *arguments, **options):
        return subprocess.run([GTRACE, "run", *arguments], cwd=self.dir, env=self.env, check=False,
                              capture_output=True, text=True, timeout=60, **options)

    def refused(self, status, reason, *arguments):
        run = self.gtrace(*arguments)
        self.assertIn(reason, run.stderr)
        self.assertEqual((run.returncode, run.stdout), (status, ""))
        self.assertEqual(list(pathlib.Path(self.dir).glob("*.trace")), [])

    # --- Programs that cannot be traced ---

    def test_static(self):
        self.build("app", "-static")
        self.refused(2, "./app is statically linked", "./app")

    def test_static_pie(self):
        self.build("app", "-static-pie")
        self.refused(2, "./app is statically linked", "./app")

    def test_script_of_a_static_interpreter(self):
        self.build("app", "-static")
        self.script("script", f"#!{self.path('app')} -x\n")
        self.refused(2, "app is statically linked", "./script")

    def test_other_machine(self):
        self.patch("app", 18, 243)
        self.refused(2, "./app is a program for riscv", "./app")

    def test_32_bit(self):
        self.patch("app", 4, 1)
        self.refused(2, "./app is a 32-bit program", "./app")

    def test_musl(self):
        loader = self.path("ld-musl-x86_64.so.1")
        self.script(loader.name, "")
        self.build("app", f"-Wl,--dynamic-linker={loader}")
        self.refused(2, "./app is built for musl", "./app")

    def test_missing_loader(self):
        self.build("app", "-Wl,--dynamic-linker=/nowhere/ld-linux.so.2")
        self.refused(127, "needs the loader /nowhere/ld-linux.so.2", "./app")

    @unittest.skipUnless(os.getuid() == 0, "only root can give a file away")
    def test_setuid(self):
        if os.statvfs(self.dir).f_flag & os.ST_NOSUID:
            self.skipTest("the temporary folder is mounted nosuid")
        self.build("app")
        os.chown(self.path("app"), 65534, 65534)
        self.path("app").chmod(0o4755)
        self.refused(2, "./app is setuid", "./app")

    def test_cut_off(self):
        self.build("whole")
        self.path("app").write_bytes(self.path("whole").read_bytes()[:70])
        self.path("app").chmod(0o755)
        self.refused(126, "./app: its ELF headers are broken", "./app")

    # --- Commands that do not start ---

    def test_not_found(self):
        self.refused(127, "no-such-command: not found in PATH", "no-such-command")
        self.refused(127, "./app: No such file", "./app")

    def test_not_executable(self):
        self.path("app").write_text(EXIT_3, encoding="utf-8")
        self.refused(126, "./app: not executable", "./app")

    def test_missing_interpreter(self):
        self.script("app", "#!/nowhere/perl\n")
        self.refused(126, "its interpreter /nowhere/perl", "./app")

    def test_usage(self):
        self.refused(2, "which command?")
        self.refused(2, "--period soon: not a duration", "--period", "soon", "true")
        self.refused(2, "--no-such: no such option", "--no-such", "true")

    # --- The trace's place ---

    def test_other_files_are_left_alone(self):
        self.path("notes").write_text("mine", encoding="utf-8")
        self.refused(2, "notes exists and is not a trace", "-o", "notes", "true")
        self.assertEqual(self.path("notes").read_text(encoding="utf-8"), "mine")
        self.refused(2, "/dev/null exists and is not a trace", "-o", "/dev/null", "true")

    def test_missing_folder(self):
        self.refused(2, "folder none: No such file", "-o", "none/app.out", "true")

    def test_trace_is_written_and_replaced(self):
        self.build("app")
        for _ in range(2):
            run = self.gtrace("-v", "./app")
            self.assertEqual(run.returncode, 3)
            self.assertIn("app.trace, ", run.stderr)
            self.assertEqual(self.path("app.trace").read_bytes()[:16], TRACE)
            self.path("app.trace").write_bytes(TRACE + b"an old one")

    # --- What the program keeps ---

    def test_silence(self):
        """Without a terminal and without trouble only the program speaks."""
        self.build("app", source='#include <stdio.h>\nint main(void) { return puts("out") < 0; }\n')
        run = self.gtrace("./app")
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "out\n", ""))

    def test_arguments_and_environment(self):
        self.script("env.py", "#!/usr/bin/env python3\nimport os, sys\n"
                              "print(sys.argv[1:], os.environ['GTRACE_OUT'])\n")
        run = self.gtrace("-o", "x.trace", "--period", "10ms", "--", "./env.py", "a b", "-o")
        # The library itself has added what its children need in GTRACE_OUT.
        self.assertRegex(run.stdout, rf"^\['a b', '-o'\] {self.dir}/x\.trace(\.%[pP])?\n$")

    def test_settings_are_variables(self):
        told = 'echo $GTRACE_CPU $GTRACE_PERIOD $GTRACE_MIN $GTRACE_EVENTS $GTRACE_BUDGET'
        run = self.gtrace("--cpu", "--period", "10ms", "--min", "5us", "-e", "sync", "--budget", "0.5%",
                          "sh", "-c", told)
        self.assertEqual((run.returncode, run.stdout), (0, "1 10ms 5us sync 0.5%\n"))
        self.assertEqual(self.gtrace("sh", "-c", told).stdout, "\n")

    def test_options_after_the_command_are_its_own(self):
        self.script("app", '#!/bin/sh\necho "$@"\n')
        run = self.gtrace("./app", "--help", "-v")
        self.assertEqual((run.returncode, run.stdout), (0, "--help -v\n"))

    def test_script_without_interpreter_line(self):
        self.script("app", 'echo "$0" "$@"\nexit 5\n')
        run = self.gtrace("./app", "1")
        self.assertEqual((run.returncode, run.stdout), (5, "./app 1\n"))

    def test_killed(self):
        run = self.gtrace("sh", "-c", "kill -SEGV $$")
        self.assertEqual(run.returncode, 128 + signal.SIGSEGV)
        self.assertIn("sh: Segmentation fault", run.stderr)

    def test_signals_are_handed_on(self):
        self.build("app", source="#include <signal.h>\n#include <unistd.h>\n"
                   "static void end(int n) { _exit(n + 40); }\n"
                   "int main(void) { signal(SIGTERM, end); signal(SIGUSR1, end);"
                   " if (write(1, \".\", 1) == 1) for (;;) pause(); }\n")
        for number in (signal.SIGTERM, signal.SIGUSR1):
            with subprocess.Popen([GTRACE, "run", "./app"], cwd=self.dir, env=self.env,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
                self.assertEqual(run.stdout.read(1), b".")
                run.send_signal(number)
                run.communicate(timeout=60)
                self.assertEqual(run.returncode, number + 40)

    def test_terminal_signals_arrive_once(self):
        """^C reaches the whole group; gtrace must not hand it on a second time, nor die of it."""
        self.build("app", source="#include <signal.h>\n#include <unistd.h>\n"
                   "static volatile sig_atomic_t got;\nstatic void count(int n) { got += n == 2; }\n"
                   "int main(void) { signal(SIGINT, count); if (write(1, \".\", 1) != 1) return 9;"
                   " while (!got) usleep(1000); usleep(200000); return got; }\n")
        try:
            pid, terminal = os.forkpty()
        except OSError as e:
            self.skipTest(f"no terminal to be had here: {e}")
        if pid == 0:
            os.chdir(self.dir)
            os.execve(GTRACE, [GTRACE, "run", "./app"], self.env)
        while os.read(terminal, 1) != b".":
            time.sleep(0.01)
        os.write(terminal, b"\x03")
        output = b""
        try:
            while chunk := os.read(terminal, 4096):
                output += chunk
        except OSError:  # the other end is closed
            pass
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 1, output)
        self.assertIn(b"gtrace stat app.trace", output)


if __name__ == "__main__":
    GTRACE = os.path.realpath(sys.argv[1])
    COMPILER = sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
