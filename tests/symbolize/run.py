#!/usr/bin/env python3
"""gtrace symbolize: what Go's reader sees in the stacks of programs whose lines are known.

    run.py --gtrace GTRACE --preload LIBRARY --oracle ORACLE --judge JUDGE --cc 'COMMAND'
           [--cxx 'COMMAND'] [unittest's arguments]
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SKIP = 77
FRAME = re.compile(r'^\t\s*"((?:[^"\\]|\\.)*)"\s*"((?:[^"\\]|\\.)*)" (\d+) ([0-9a-f]+)$')


def line_of(source, mark):
    """The number of the line that ends in the comment `in MARK`."""
    for number, line in enumerate((HERE / source).read_text().splitlines(), 1):
        if re.search(rf"/[/*] in {mark}\b", line):
            return number
    raise KeyError(mark)


class Symbolize(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("GTRACE_", "DEBUGINFOD"))}

    # --- Words of the tests ---

    def call(self, *command, status=0, **more):
        more.setdefault("env", self.env)
        done = subprocess.run([str(c) for c in command], cwd=self.dir, capture_output=True,
                              text=True, timeout=100, check=False, **more)
        self.assertEqual(done.returncode, status, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def build(self, source="known.c", *flags, name="app", compiler=None):
        self.call(*(compiler or ARGS.cc), "-g", "-O2", *flags, HERE / source, "-o", name,
                  "-lpthread")
        return self.dir / name

    def trace(self, program, name="app.trace", status=0, **env):
        self.call(program, status=status, env={**self.env, **env, "LD_PRELOAD": ARGS.preload,
                                               "GTRACE_OUT": str(self.dir / name)})
        return self.dir / name

    def symbolize(self, trace, *options, status=0, **env):
        return self.call(ARGS.gtrace, "symbolize", *options, trace, status=status,
                         env={**self.env, **env})

    def stacks(self, trace):
        """All stacks, innermost first: lists of (function, file, line, pc), as Go's reader has
        them. Both judges accept the trace."""
        self.call(ARGS.judge, trace, env={**self.env, "GTRACE": ARGS.gtrace,
                                          "ORACLE": ARGS.oracle})
        done = self.call(ARGS.oracle, "--list", trace)
        found, frames = [], None
        for line in done.stdout.splitlines():
            match = FRAME.match(line)
            if match:
                func, file, number, pc = match.groups()
                func = re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), func)
                frames.append((func, file, int(number), int(pc, 16)))
            elif line.startswith("stack "):
                frames = []
                found.append(frames)
        return found

    def stack_of(self, trace, function, skip="std::"):
        """The only stack that begins in that function, but for frames whose names begin so."""
        found = []
        for frames in self.stacks(trace):
            while frames and frames[0][0].lstrip("<").startswith(skip):
                frames = frames[1:]
            if frames and frames[0][0] == function:
                found.append(frames)
        self.assertEqual(len(found), 1, f"{function}: {found} of {self.stacks(trace)}")
        return found[0]

    def places(self, frames, source):
        """(function, mark) of frames with a line of the source that is marked."""
        lines = (HERE / source).read_text().splitlines()
        found = []
        for func, file, number, _ in frames:
            if pathlib.Path(file).name == source:
                mark = re.search(r"/[/*] in (\w+)", lines[number - 1])
                found.append((func, mark and mark[1]))
        return found

    KNOWN_C = [("nap", "nap"), ("rest", "rest"), ("work", "work"), ("thread", "thread")]

    def assert_known_c(self, trace):
        frames = self.stack_of(trace, "nap")
        self.assertEqual(self.places(frames, "known.c"), self.KNOWN_C)
        return frames

    def assert_raw(self, trace):
        """As the library wrote it: no lines, no inlined functions."""
        for frames in self.stacks(trace):
            for func, file, line, pc in frames:
                self.assertEqual(line, 1, (func, file))
                self.assertEqual(pc >> 56, 0)

    # --- Lines, names, inlined functions ---

    def test_c(self):
        trace = self.trace(self.build())
        self.assert_raw(trace)
        before = self.stacks(trace)
        done = self.symbolize(trace)
        self.assertRegex(done.stdout, r"app\.trace: \d+ places in code of files, \d+ with file")
        frames = self.assert_known_c(trace)
        # Pcs of their own: the real one with the depth, of which the code's own function has 0.
        pcs = [pc for *_, pc in frames[:3]]
        self.assertEqual([pc >> 56 for pc in pcs], [2, 1, 0])
        self.assertEqual(len({pc & (1 << 56) - 1 for pc in pcs}), 1)
        # Without the inlined ones the stacks are what they were.
        self.assertCountEqual([[pc for *_, pc in s if not pc >> 56] for s in self.stacks(trace)],
                              [[pc for *_, pc in s] for s in before])

    def test_clang(self):
        clang = next((c for c in ("clang", "clang-14") if shutil.which(c)), None)
        if not clang:
            self.skipTest("no clang")
        for flags in ([], ["-gdwarf-4"]):  # Clang writes no .debug_aranges
            trace = self.trace(self.build("known.c", *flags, compiler=[clang]))
            self.symbolize(trace)
            self.assert_known_c(trace)

    def test_forms_of_debug_information(self):
        for flags in (["-gdwarf-4"], ["-gsplit-dwarf"], ["-gz"], ["-static-libgcc", "-no-pie"],
                      ["-fdebug-types-section"], ["-flto"]):
            with self.subTest(flags=flags):
                trace = self.trace(self.build("known.c", *flags))
                self.symbolize(trace)
                self.assert_known_c(trace)

    def test_cpp(self):
        if not ARGS.cxx:
            self.skipTest("no C++ compiler")
        trace = self.trace(self.build("known.cpp", compiler=ARGS.cxx))
        self.symbolize(trace)
        frames = self.stack_of(trace, "shop::(anonymous namespace)::Till<int>::pay")
        self.assertEqual(self.places(frames, "known.cpp"),
                         [("shop::(anonymous namespace)::Till<int>::pay", "pay"),
                          ("shop::buy<long>", "buy"), ("thread", "thread")])

    def test_rust(self):
        if not shutil.which("rustc"):
            self.skipTest("no rustc")
        for mangling in ([], ["-C", "symbol-mangling-version=v0"]):
            self.call("rustc", "-g", "-O", *mangling, HERE / "known.rs", "-o", "app")
            trace = self.trace(self.dir / "app")
            self.symbolize(trace)
            frames = [s for s in self.stacks(trace) if ("shop::buy" in str(s))
                      and "sleep" in s[0][0]]
            self.assertEqual(len(frames), 1, frames)
            named = [(re.sub(r"^.*(?=shop)", "", f), m)
                     for f, m in self.places(frames[0], "known.rs")][:2]
            self.assertRegex(named[0][0], r"^shop::Till<.*>+::pay$")
            self.assertEqual([m for _, m in named], ["pay", "buy"])
            self.assertEqual(named[1][0], "shop::buy")
            self.assertNotRegex(str(self.stacks(trace)), r"_ZN|_RN|17h[0-9a-f]{16}E")

    def test_names_alone(self):
        """Without debug information C++ names are told as people write them all the same."""
        if not ARGS.cxx:
            self.skipTest("no C++ compiler")
        program = self.build("known.cpp", compiler=ARGS.cxx)
        trace = self.trace(program)
        self.call("strip", "-g", program)
        self.symbolize(trace)
        frames = self.stack_of(trace, "shop::buy<long>")
        self.assertEqual([f for f, *_ in frames[:2]], ["shop::buy<long>", "thread"])
        self.assertEqual({(file, line) for _, file, line, _ in frames[:2]}, {(str(program), 1)})

    # --- Where debug information is ---

    def strip(self, program, debug):
        self.call("objcopy", "--only-keep-debug", program, debug)
        self.call("strip", program)
        self.call("objcopy", f"--add-gnu-debuglink={debug}", program)

    def test_debuglink(self):
        program = self.build()
        self.strip(program, "app.debug")
        trace = self.trace(program)
        self.assertIn("app+0x", str(self.stacks(trace)))
        done = self.symbolize(trace, "-v")
        self.assertIn(f"from {self.dir / 'app.debug'}", done.stdout)
        self.assert_known_c(trace)

    def test_debuglink_with_other_content(self):
        program = self.build("known.c", "-Wl,--build-id=none")
        self.strip(program, "app.debug")
        trace = self.trace(program)
        with open(self.dir / "app.debug", "ab") as file:
            file.write(b"x")  # its checksum is another
        done = self.symbolize(trace, "-v")
        self.assertIn("no debug information", done.stdout)
        self.assert_raw(trace)

    def test_build_id_in_a_folder(self):
        program = self.build()
        notes = self.call("readelf", "-n", program).stdout
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
        folder = self.dir / "debug" / ".build-id" / build_id[:2]
        folder.mkdir(parents=True)
        self.call("objcopy", "--only-keep-debug", program, folder / f"{build_id[2:]}.debug")
        self.call("strip", program)
        trace = self.trace(program)
        self.symbolize(trace, "-o", "raw")
        self.assert_raw(self.dir / "raw")
        self.symbolize(trace, "--debug-path", self.dir / "debug")
        self.assert_known_c(trace)

    def test_debuginfod_is_asked_only_if_it_is_named(self):
        """A server that is a folder, so that nothing goes over a network here either."""
        if not any(pathlib.Path("/usr/lib").rglob("libdebuginfod.so.1")):
            self.skipTest("no libdebuginfod")
        program = self.build()
        build_id = re.search(r"Build ID: ([0-9a-f]+)",
                             self.call("readelf", "-n", program).stdout)[1]
        answers = self.dir / "server" / "buildid" / build_id
        answers.mkdir(parents=True)
        self.call("objcopy", "--only-keep-debug", program, answers / "debuginfo")
        self.call("strip", program)
        trace = self.trace(program)
        more = {"DEBUGINFOD_CACHE_PATH": str(self.dir / "cache")}
        self.symbolize(trace, "-o", "raw", **more)
        self.assert_raw(self.dir / "raw")
        self.assertFalse((self.dir / "cache").exists())
        self.symbolize(trace, DEBUGINFOD_URLS=f"file://{self.dir}/server/", **more)
        self.assert_known_c(trace)

    # --- What is not as it was ---

    def test_another_file_now(self):
        program = self.build()
        trace = self.trace(program)
        raw = trace.read_bytes()
        self.build("known.c", "-DOTHER", "-O1")
        done = self.symbolize(trace)
        self.assertIn(f"{program}: left as it is: it is another file now", done.stderr)
        self.assert_raw(trace)
        # Nothing but what is the same: a second run with the right file does it all.
        self.build()
        self.symbolize(trace)
        self.assert_known_c(trace)
        self.assertGreater(trace.stat().st_size, len(raw))

    def test_a_file_that_is_gone(self):
        program = self.build()
        trace = self.trace(program)
        program.unlink()
        done = self.symbolize(trace, "-v")
        self.assertIn(f"{program}: ", done.stdout)
        self.assertIn("No such file", done.stdout)
        self.assert_raw(trace)

    def test_without_build_id_the_time_decides(self):
        program = self.build("known.c", "-Wl,--build-id=none")
        trace = self.trace(program)
        self.symbolize(trace, "-o", "good")
        self.assert_known_c(self.dir / "good")
        later = program.stat().st_mtime + 4000
        os.utime(program, (later, later))
        done = self.symbolize(trace)
        self.assertIn("changed after the trace was written", done.stderr)
        self.assert_raw(trace)

    def test_again_it_stays_the_same(self):
        trace = self.trace(self.build())
        self.symbolize(trace)
        once = trace.read_bytes()
        self.symbolize(trace)
        self.assertEqual(trace.read_bytes(), once)
        # What was found does not go when the program does.
        (self.dir / "app").unlink()
        self.symbolize(trace)
        self.assertEqual(trace.read_bytes(), once)

    # --- Code made at run time ---

    def jit(self):
        program = self.build("jit.c")
        done = subprocess.run([program], cwd=self.dir, check=False, capture_output=True, text=True,
                              env={**self.env, "LD_PRELOAD": ARGS.preload,
                                   "GTRACE_OUT": str(self.dir / "app.trace")})
        if done.returncode == SKIP:
            self.skipTest("no memory that can be written and executed")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = pathlib.Path(done.stdout.strip())
        self.addCleanup(path.unlink, missing_ok=True)
        return self.dir / "app.trace", path

    def test_map(self):
        trace, _ = self.jit()
        self.assertEqual([f[:3] for f in self.stack_of(trace, "nap")][1], ("?", "?", 1))
        self.symbolize(trace)
        self.assertEqual([f[:3] for f in self.stack_of(trace, "nap")][1],
                         ("JS:*made", "/app/made.js", 12))
        once = trace.read_bytes()
        self.symbolize(trace)
        self.assertEqual(trace.read_bytes(), once)

    def test_map_of_python(self):
        trace, _ = self.jit()
        pc = self.stack_of(trace, "nap")[1][3]
        (self.dir / "map").write_text(f"{pc - 9:x} 100 py::made:/app/made.py\n"
                                      f"{pc - 9:x} 9 py::other:/app/other.py\n"
                                      f"{pc:x} 1000000")
        self.symbolize(trace, "--perf-map", "map")
        self.assertEqual([f[:3] for f in self.stack_of(trace, "nap")][1],
                         ("py::made", "/app/made.py", 1))

    def test_map_that_is_not_to_be_believed(self):
        trace, path = self.jit()
        os.utime(path, (1, 1))
        done = self.symbolize(trace)
        self.assertIn(f"{path}: it is older than the trace", done.stderr)
        self.assertEqual(self.stack_of(trace, "nap")[1][0], "?")
        moved = self.dir / "map"
        shutil.move(path, moved)
        path.symlink_to(moved)
        self.assertIn(str(path), self.symbolize(trace).stderr)
        self.assertEqual(self.stack_of(trace, "nap")[1][0], "?")
        self.symbolize(trace, "-p", moved)  # who names one knows what it is
        self.assertEqual(self.stack_of(trace, "nap")[1][0], "JS:*made")

    # --- Traces and files that are wrong ---

    def test_damaged_debug_information(self):
        """Bytes of it changed at random: any answer, no crash, and a trace that is valid."""
        program = self.build("known.c", "-gdwarf-4")
        trace = self.trace(program)
        whole = program.read_bytes()
        sections = self.call("readelf", "-SW", program).stdout
        spots = [(int(o, 16), int(n, 16)) for o, n in
                 re.findall(r"\.debug_(?:info|abbrev|line|ranges|str)\s+PROGBITS\s+\S+ (\S+) (\S+)",
                            sections)]
        self.assertGreaterEqual(len(spots), 4)
        for seed in range(60):
            chance = random.Random(seed)
            data = bytearray(whole)
            for _ in range(1 << chance.randrange(9)):
                at, n = chance.choice(spots)
                data[at + chance.randrange(n)] = chance.randrange(256)
            program.write_bytes(data)
            with self.subTest(seed=seed):
                self.symbolize(trace, "-o", "out")
                self.call(ARGS.gtrace, "verify", "out")

    def test_damaged_elf(self):
        program = self.build()
        trace = self.trace(program)
        whole = program.read_bytes()
        notes = whole.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
        for seed in range(60):
            chance = random.Random(seed)
            data = bytearray(whole)
            # Headers, and the table of sections at the end; the build id must stay.
            for _ in range(1 << chance.randrange(5)):
                at = chance.choice([chance.randrange(16, notes), -chance.randrange(1, 2400)])
                data[at] = chance.randrange(256)
            program.write_bytes(data[:chance.choice([len(data), chance.randrange(len(data))])])
            with self.subTest(seed=seed):
                self.symbolize(trace, "-o", "out")
                self.call(ARGS.gtrace, "verify", "out")

    def test_truncated_trace(self):
        trace = self.trace(self.build())
        whole = trace.read_bytes()
        trace.write_bytes(whole + whole[16:16 + len(whole) // 2])
        done = self.symbolize(trace, status=3)
        self.assertIn("is incomplete", done.stderr)
        data = trace.read_bytes()
        self.assertTrue(data.endswith(whole[16:16 + len(whole) // 2]))
        trace.write_bytes(data[:-(len(whole) // 2)])
        self.assert_known_c(trace)

    def test_no_trace(self):
        (self.dir / "file").write_text("no trace")
        done = self.symbolize("file", status=2)
        self.assertIn("not a Go execution trace", done.stderr)
        self.assertEqual((self.dir / "file").read_text(), "no trace")
        self.assertEqual([p.name for p in self.dir.iterdir()], ["file"])
        self.symbolize("none", status=2)

    def test_invalid_trace(self):
        trace = self.trace(self.build())
        data = trace.read_bytes()[:-1] + struct.pack("B", 99)
        trace.write_bytes(data)
        self.symbolize(trace, status=1)
        self.assertEqual(trace.read_bytes(), data)

    def test_unfinished(self):
        trace = self.trace(self.build())
        data = trace.read_bytes()
        spool = self.dir / "app.trace.spool"
        spool.write_text("")
        self.assertIn("spool", self.symbolize(trace, status=2).stderr)
        self.assertEqual(trace.read_bytes(), data)
        self.symbolize(trace, "-o", "out")
        self.assert_known_c(self.dir / "out")

    def test_full_disk(self):
        trace = self.trace(self.build())
        data = trace.read_bytes()
        done = self.symbolize(trace, "-o", "/dev/full", status=2)
        self.assertIn("/dev/full: No space left", done.stderr)
        self.assertEqual(trace.read_bytes(), data)

    def test_standard_input_and_output(self):
        trace = self.trace(self.build())
        with open(trace, "rb") as data:
            done = subprocess.run([ARGS.gtrace, "symbolize", "-"], stdin=data, check=True,
                                  capture_output=True)
        (self.dir / "out").write_bytes(done.stdout)
        self.assert_known_c(self.dir / "out")
        self.assertIn(b"places in code of files", done.stderr)

    # --- gtrace run ---

    def run_traced(self, *arguments, status=0, **env):
        return self.call(ARGS.gtrace, "run", *arguments, status=status, env={**self.env, **env})

    def test_run(self):
        self.build()
        self.run_traced("./app")
        self.assert_known_c(self.dir / "app.trace")
        self.run_traced("--no-symbolize", "./app")
        self.assert_raw(self.dir / "app.trace")

    def test_run_with_children(self):
        self.build()
        self.run_traced("-o", "t", "sh", "-c", "./app; ./app; exit 5", status=5)
        traces = list(self.dir.glob("t.*"))
        self.assertEqual(len(traces), 2)
        for trace in traces:
            self.assert_known_c(trace)

    def test_run_does_not_use_the_network(self):
        program = self.build()
        self.call("strip", program)
        self.run_traced("./app", DEBUGINFOD_URLS=f"file://{self.dir}/server/",
                        DEBUGINFOD_CACHE_PATH=str(self.dir / "cache"))
        self.assertFalse((self.dir / "cache").exists())

    def test_recover(self):
        """What a kill has left gets its lines when it is recovered."""
        program = self.build("known.c", "-DKILLED")
        trace = self.trace(program, status=-signal.SIGKILL)
        other = self.dir / "other.trace"
        self.call(ARGS.gtrace, "recover", "--no-symbolize", trace, "-o", other)
        self.assert_raw(other)
        self.call(ARGS.gtrace, "recover", trace, "-o", other)
        self.assert_known_c(other)
        # To standard output, as it is.
        with open(other, "wb") as out:
            subprocess.run([ARGS.gtrace, "recover", trace, "-o", "-"], cwd=self.dir, stdout=out,
                           stderr=subprocess.DEVNULL, check=True)
        self.assert_raw(other)
        # In place: the spool is gone before, or it would be left alone as unfinished.
        self.call(ARGS.gtrace, "recover", trace)
        self.assert_known_c(trace)
        self.assertEqual(list(self.dir.glob("*.spool")), [])

    def test_recover_where_children_are_not_waited_for(self):
        """A parent that ignores SIGCHLD leaves that to the command."""
        program = self.build("known.c", "-DKILLED")
        trace = self.trace(program, status=-signal.SIGKILL)
        self.call(ARGS.gtrace, "recover", trace,
                  preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assert_known_c(trace)

    def test_run_where_nothing_can_be_renamed(self):
        """The trace stays when its folder cannot be written to any more."""
        if os.geteuid() == 0:
            self.skipTest("root can always write")
        self.build()
        out = self.dir / "out"
        out.mkdir()
        done = self.run_traced("-o", "out/t", "sh", "-c", "./app; chmod 555 out")
        out.chmod(0o755)
        self.assertIn("has no source lines", done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("--gtrace", "--preload", "--oracle", "--judge"):
        parser.add_argument(option, required=True, type=os.path.realpath)
    parser.add_argument("--cc", required=True, type=str.split)
    parser.add_argument("--cxx", default=[], type=str.split)
    ARGS, rest = parser.parse_known_args()
    probe = subprocess.run([ARGS.gtrace, "symbolize", "/nonexistent"], check=False,
                           capture_output=True, text=True)
    if "was built without" in probe.stderr:
        print(probe.stderr, end="")
        sys.exit(SKIP)
    if subprocess.run([ARGS.oracle, "--help"], check=False, capture_output=True
                      ).returncode == SKIP:
        print("SKIP: no Go, whose reader looks at the stacks")
        sys.exit(SKIP)
    unittest.main(argv=[sys.argv[0], *rest])
