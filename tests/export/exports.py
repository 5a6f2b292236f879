#!/usr/bin/env python3
"""gtrace pprof, and gtrace export to collapsed, csv and sqlite.

    exports.py GTRACE JUDGE --preload LIBRARY PROGRAM...

Of traces whose content is known, and of traced programs: what is written is of its format, and its
totals are exactly those of gtrace stat --json, of the whole trace and of parts of it. docs/sqlite.md
says what is in the database, and its queries run.
"""

import argparse
import csv
import gzip
import io
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = TESTS.parent / "docs/sqlite.md"
TEXTS = ["stat/known.txt", "traces/good/objects.txt", "traces/good/calls.txt",
         "traces/good/syscall.txt", "traces/good/cpu_samples.txt", "traces/good/unseen_thread.txt"]
SYNC = ("sync", "chan", "select")
LOCKS = ("sync", "sync (rwlock)")


def gtrace(*arguments, status=0):
    done = subprocess.run([ARGS.gtrace, *map(str, arguments)], capture_output=True, check=False)
    if b"built without" in done.stderr:
        raise unittest.SkipTest(done.stderr.decode())
    if done.returncode != status:
        raise AssertionError(f"{arguments}: {done.returncode} instead of {status}: {done.stderr}")
    return done


# --- profile.proto ---------------------------------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of each field of a message: only numbers and bytes are in a profile."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        elif tag & 7 != 0:
            raise AssertionError(f"field {tag >> 3} of type {tag & 7}")
        yield tag >> 3, value


def packed(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


class Profile:
    """A profile with its references resolved: what a reader of it sees."""

    def __init__(self, data):
        message = list(fields(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data))
        strings = [v.decode() for n, v in message if n == 6]
        assert strings[0] == ""
        functions, locations, self.mappings = {}, {}, {}
        for n, value in message:
            if n == 5:
                f = dict(fields(value))
                functions[f[1]] = (strings[f[2]], strings[f[4]])
            elif n == 3:
                m = dict(fields(value))
                self.mappings[m[1]] = (m[2], m[3], m[4], strings[m[5]], strings[m[6]])
        for n, value in message:
            if n == 4:
                here = dict(fields(value))
                lines = [dict(fields(v)) for f, v in fields(value) if f == 4]
                locations[here[1]] = ([(*functions[i[1]], i[2]) for i in lines], here[3], here[2])
        self.types = [tuple(strings[v] for _, v in fields(t)) for n, t in message if n == 1]
        self.comments = [strings[v] for n, v in message if n == 13]
        self.time, self.duration = dict(message)[9], dict(message)[10]
        self.samples = []
        for n, value in message:
            if n == 2:
                sample = list(fields(value))
                stack = [locations[i] for f, v in sample if f == 1 for i in packed(v)]
                labels = {}
                for f, v in sample:
                    if f == 3:
                        label = dict(fields(v))
                        labels[strings[label[1]]] = (strings[label[2]] if 2 in label else
                                                     label.get(3))
                values = [x for f, v in sample if f == 2 for x in packed(v)]
                self.samples.append((stack, values, labels))

    def total(self):
        return [sum(v[i] for _, v, _ in self.samples) for i in range(len(self.types))]


def pprof(trace, kind, *options):
    return Profile(gtrace("pprof", "--type", kind, "-o", "-", *options, trace).stdout)


# --- What gtrace stat says -------------------------------------------------------------------------

def totals(trace, *options):
    """ns by type of profile: of the program's own threads."""
    model = json.loads(gtrace("stat", "--json", *options, trace).stdout.decode())
    own = [t for t in model["threads"] if not t["system"]]

    def reasons(wanted):
        return sum(ns for t in own for reason, ns in t["waiting_ns"].items() if wanted(reason))

    return {
        "block": reasons(lambda r: any(s in r for s in SYNC)),
        "mutex": reasons(lambda r: r in LOCKS) +
                 sum(s["retakes"]["total_ns"] for s in model["sites"] if not s["system"]),
        "net": reasons(lambda r: r == "network"),
        "wait": sum(t["blocked_ns"] for t in own),
        "syscall": sum(t["syscall_ns"] + t["syscall_blocked_ns"] for t in own),
        "sched": sum(t["runnable_ns"] for t in own),
    }, model


def collapsed(trace, weight, *options):
    text = gtrace("export", "--to", "collapsed", "--weight", weight, *options, trace).stdout.decode()
    lines = {}
    for line in text.splitlines():
        stack, ns = re.fullmatch(r"([^\n]+) ([1-9][0-9]*)", line).groups()
        assert stack not in lines, f"twice: {stack}"
        lines[stack] = int(ns)
    return lines


def table(trace, *options):
    text = gtrace("export", "--to", "csv", *options, trace).stdout.decode()
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def database(trace, *options):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "a.db"
        gtrace("export", "--to", "sqlite", "-o", file, *options, trace)
        disk, memory = sqlite3.connect(file), sqlite3.connect(":memory:")
        disk.backup(memory)
        disk.close()
        return memory


class Equal(unittest.TestCase):
    """Totals, of each trace."""

    def test_profiles(self):
        for trace in TRACES:
            sums, model = totals(trace)
            for kind, ns in sums.items():
                profile = pprof(trace, kind)
                self.assertEqual(profile.types, [("contentions", "count"), ("delay", "nanoseconds")])
                self.assertEqual(profile.total()[1], ns, f"{trace.name}: {kind}")
                self.assertEqual(sum(collapsed(trace, kind).values()), ns, f"{trace.name}: {kind}")
                self.assertEqual(profile.duration, model["duration_ns"])
                for loss in model["losses"]:
                    self.assertIn(f"lost: {loss['count']} {loss['text']}", profile.comments)
            self.assertEqual(pprof(trace, "wait").total()[0],
                             sum(sum(t["ended"].values()) for t in model["threads"]
                                 if not t["system"]))

    def test_parts(self):
        for trace in TRACES:
            _, model = totals(trace)
            third = model["duration_ns"] // 3
            own = [t for t in model["threads"] if not t["system"]]
            for options in (["--from", f"{third}ns"], ["--to", f"{third}ns"],
                            ["--from", f"{third}ns", "--to", f"{2 * third}ns"],
                            *(["--thread", name] for t in own[-1:]
                              for name in (f"#{t['id']}", str(t["tid"]), t["routine"], *t["labels"])
                              if name and name.isprintable())):
                sums, _ = totals(trace, *options)
                for kind, ns in sums.items():
                    self.assertEqual(pprof(trace, kind, *options).total()[1], ns,
                                     f"{trace.name} {options}: {kind}")

    def test_csv(self):
        for trace in TRACES:
            _, model = totals(trace)
            rows = table(trace, "--system")
            for t in model["threads"]:
                mine = [r for r in rows if r["thread"] == str(t["id"]) and r["kind"] != "call"]
                for one, next_one in zip(mine, mine[1:]):
                    self.assertEqual(one["end_ns"], next_one["begin_ns"], "a gap")
                ns = {k: sum(int(r["end_ns"]) - int(r["begin_ns"]) for r in mine if r["kind"] == k)
                      for k in ("running", "runnable", "wait", "syscall")}
                self.assertEqual(ns, {"running": t["running_ns"], "runnable": t["runnable_ns"],
                                      "wait": t["blocked_ns"],
                                      "syscall": t["syscall_ns"] + t["syscall_blocked_ns"]})

    def test_sqlite(self):
        for trace in TRACES:
            sums, model = totals(trace)
            db = database(trace)

            def one(query):
                return db.execute(query).fetchone()[0]

            self.assertEqual(one("PRAGMA integrity_check"), "ok")
            self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
            self.assertEqual(one("SELECT value FROM meta WHERE key = 'duration_ns'"),
                             model["duration_ns"])
            own = {t["id"]: t for t in model["threads"] if not t["system"]}
            states = {r[0]: r[1:] for r in db.execute(
                "SELECT thread, running_ns, runnable_ns, waiting_ns, syscall_ns FROM thread_states")}
            self.assertEqual(states, {i: (t["running_ns"], t["runnable_ns"], t["blocked_ns"],
                                          t["syscall_ns"] + t["syscall_blocked_ns"])
                                      for i, t in own.items()})
            for view, ns in (("top_sites", sums["wait"]), ("longest_waits", sums["wait"]),
                             ("blame", sums["mutex"])):
                column = "ns" if view == "longest_waits" else "total_ns"
                self.assertEqual(one(f"SELECT coalesce(sum({column}), 0) FROM {view}"), ns, view)
            self.assertEqual(dict(db.execute("SELECT thread, sum(total_ns) FROM holders GROUP BY thread")),
                             {o["thread"]: o["total_ns"] for o in model["owners"]})
            graph = {}
            for w in model["wakes"]:
                if w["waker"] is not None and w["wakee"] in own:
                    key = w["waker"], w["wakee"], w["reason"]
                    graph[key] = graph.get(key, 0) + w["total_ns"]
            self.assertEqual({r[:3]: r[3] for r in db.execute(
                "SELECT waker, wakee, reason, total_ns FROM wake_graph")}, graph)
            objects = {(int(o["address"], 16), o["epoch"], o["kind"]): o["total_ns"]
                       for o in model["objects"] if o["waits"]}
            self.assertEqual({r[:3]: r[3] for r in db.execute(
                "SELECT address, epoch, objects.kind, total_ns FROM top_objects JOIN objects ON id = object")},
                objects)


class Known(unittest.TestCase):
    """Traces whose content is known."""

    def test_collapsed(self):
        known = next(t for t in TRACES if t.name == "known.trace")
        self.assertEqual(collapsed(known, "block"), {"worker;take?[31m;[mutex]": 13000000})
        self.assertEqual(collapsed(known, "mutex"), {"main;give\ufffd;[mutex]": 11000000,
                                                     "[unlock not seen];[mutex]": 2000000})
        self.assertEqual(collapsed(known, "mutex", "--to", "4ms"),
                         {"[unlock not seen];[mutex]": 5000000})

    def test_labels(self):
        known = next(t for t in TRACES if t.name == "known.trace")
        profile = pprof(known, "mutex")
        self.assertEqual([(frames[0][0][0], values, labels)
                          for frames, values, labels in profile.samples], [
            (("give\ufffd", "x.c", 1), [1, 4000000],
             {"what": "mutex", "thread": "main #1", "routine": "main", "tid": 10,
              "waiter": 'tea "maker"', "object": "0x1000"}),
            (("give\ufffd", "x.c", 1), [1, 7000000],
             {"what": "mutex", "thread": "main #1", "routine": "main", "tid": 10,
              "waiter": "worker #3", "object": "0x1000"}),
            (("[unlock not seen]", "", 0), [1, 2000000],
             {"what": "mutex", "thread": 'tea "maker"', "routine": "worker", "tid": 11,
              "waiter": "worker #3", "object": "0x1000"})])
        # One microsecond before the snapshot of the clocks.
        self.assertEqual(profile.time, 1700000001 * 10**9 + 5 - 1000)

    def test_mappings(self):
        """Frames of a traced program lie in mappings, and those have build ids."""
        trace = next(t for t in TRACES if t.name == "lock_contended.trace")
        profile = pprof(trace, "mutex")
        for frames, _, labels in profile.samples:
            self.assertEqual(labels["what"], "mutex")
            for [(function, _, _)], address, mapping in frames:
                start, limit, _, file, build_id = profile.mappings[mapping]
                self.assertTrue(start <= address < limit, function)
                self.assertEqual(pathlib.Path(file).name, "lock_contended")
                self.assertRegex(build_id, "^([0-9a-f]{2})*$")
        self.assertEqual(profile.samples[0][2]["thread"], "thread_a #3")

    def test_inlined(self):
        """A function that is inlined is a line of the same location."""
        text = (TESTS / "stat/known.txt").read_text(encoding="utf-8")
        text = text.replace("Stack id=3 nframes=2\n\tpc=30", "Stack id=3 nframes=3\n"
                            f"\tpc={30 | 1 << 56} func=7 file=6 line=9\n\tpc=30")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "inlined.txt"
            file.write_text(text, encoding="utf-8")
            gtrace("assemble", file, "-o", file.with_suffix(".trace"))
            frames = pprof(file.with_suffix(".trace"), "block").samples[0][0]
        self.assertEqual(frames, [([('tea "maker"', "x.c", 9), ("take\x1b[31m", "x.c", 1)], 30, 0),
                                  ([("worker", "x.c", 1)], 20, 0)])

    def test_samples(self):
        trace = next(t for t in TRACES if t.name == "cpu_samples.trace")
        profile = pprof(trace, "cpu", "--system")
        self.assertEqual(profile.types, [("samples", "count")])
        self.assertEqual(sorted(s[0][0][0][0][0] for s in profile.samples), ["[no stack]", "main"])
        self.assertEqual(database(trace).execute("SELECT count(*) FROM samples").fetchone(), (2,))

    def test_events(self):
        spec = json.loads(gtrace("spec", "--json").stdout)
        timed = [e["name"] for e in spec if e["kind"] in ("event", "allocation")]
        for trace in TRACES:
            _, model = totals(trace)
            db = database(trace, "--events")
            names = dict(db.execute("SELECT name, count(*) FROM events GROUP BY name"))
            self.assertEqual(sum(names.get(n, 0) for n in timed), model["events"], trace.name)
            self.assertEqual(names["Sync"], model["generations"])

    def test_global_is_named(self):
        trace = next(t for t in TRACES if t.name == "lock_contended.trace")
        self.assertEqual(pprof(trace, "block").samples[0][2]["object"], "mutex")
        self.assertIn(("mutex #1 mutex",), database(trace).execute("SELECT name FROM objects").fetchall())

class Document(unittest.TestCase):
    """docs/sqlite.md is right."""

    def test_tables_and_views(self):
        db = database(TRACES[0])
        text = DOCUMENT.read_text(encoding="utf-8")
        for name, in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"):
            row = re.search(rf"^\| `{name}` \|(.*)$", text, re.M)
            self.assertTrue(row, f"{name} is not described")
            said = set(re.findall(r"`(\w+)`", row[1]))
            if name == "own_waits":
                said |= {c[1] for c in db.execute("PRAGMA table_info(waits)")}
            for column in db.execute(f"PRAGMA table_info({name})"):
                self.assertIn(column[1], said, f"{name} does not tell its column")

    def test_queries(self):
        queries = re.findall(r"^```sql\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
        queries = [q for block in queries for q in block.split(";") if q.strip()]
        self.assertGreater(len(queries), 8)
        found = [0] * len(queries)
        for trace in TRACES:
            db = database(trace)
            for i, query in enumerate(queries):
                found[i] += len(db.execute(query).fetchall())
        never = [q for q, n in zip(queries, found) if n == 0 and "2100000000" not in q]
        self.assertEqual(never, [], "no trace has an answer")


class Trouble(unittest.TestCase):
    """What cannot be read or written."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return pathlib.Path(self.folder.name, name)

    def commands(self, to, trace):
        return (["pprof", "--type", "block", "-o", to, trace],
                *(["export", "--to", f, "-o", to, trace] for f in ("collapsed", "csv", "sqlite")))

    def test_truncated(self):
        whole = next(t for t in TRACES if t.name == "truth_retake.trace").read_bytes()
        self.path("cut.trace").write_bytes(whole[:-20])
        for command in self.commands(self.path("out"), self.path("cut.trace")):
            self.assertIn(b"truncated", gtrace(*command, status=3).stderr)
            self.assertTrue(self.path("out").exists())
            self.path("out").unlink()

    def test_invalid(self):
        for text, status in (("traces/bad/stop_p_none.txt", 1), ("", 2)):
            trace = self.path("bad.trace")
            if text:
                gtrace("assemble", TESTS / text, "-o", trace)
            else:
                trace.write_bytes(b"something else")
            for command in self.commands(self.path("out"), trace):
                error = gtrace(*command, status=status).stderr
                self.assertIn(str(trace).encode(), error)
                self.assertTrue(status == 2 or b"offset" in error)
                self.assertEqual(os.listdir(self.folder.name), ["bad.trace"])

    def test_full_disk(self):
        for command in self.commands("/dev/full", TRACES[0]):
            self.assertIn(b"/dev/full", gtrace(*command, status=2).stderr)

    def test_no_folder(self):
        for command in self.commands(self.path("none/out"), TRACES[0]):
            self.assertIn(b"none/out", gtrace(*command, status=2).stderr)

    def test_interrupted(self):
        export = subprocess.Popen([ARGS.gtrace, "export", "--to", "csv", "-o", self.path("out"), "-"],
                                  stdin=subprocess.PIPE)
        while not os.listdir(self.folder.name):
            self.assertIsNone(export.poll())
            time.sleep(0.01)
        export.terminate()
        export.wait()
        export.stdin.close()
        self.assertEqual(export.returncode, -signal.SIGTERM)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_old_file_is_replaced(self):
        self.path("out").write_text("old")
        self.path("out").chmod(0o640)
        self.path("link").symlink_to("out")
        gtrace("export", "--to", "csv", "-o", self.path("link"), TRACES[0])
        self.assertTrue(self.path("link").is_symlink())
        self.assertNotEqual(self.path("out").read_text(encoding="utf-8"), "old")
        self.assertEqual(self.path("out").stat().st_mode & 0o777, 0o640)
        self.assertEqual(sorted(os.listdir(self.folder.name)), ["link", "out"])

    def test_usage(self):
        trace = TRACES[0]
        for wrong in (["pprof", trace], ["pprof", "--type", "block", trace],
                      ["pprof", "--type", "blocks", "-o", "-", trace],
                      ["pprof", "--type", "block", "-o", "-", "--from", "soon", trace],
                      ["pprof", "--type", "block", "-o", "-"],
                      ["export", trace], ["export", "--to", "word", trace],
                      ["export", "--to", "sqlite", trace],
                      ["export", "--to", "collapsed", "--weight", "kilo", trace]):
            self.assertIn(b"--help", gtrace(*wrong, status=2).stderr)


def prepare(folder):
    """The traces, judged."""
    for text in TEXTS:
        trace = folder / f"{pathlib.Path(text).stem}.trace"
        gtrace("assemble", TESTS / text, "-o", trace)
        yield trace
    for program in ARGS.programs:
        trace = folder / f"{pathlib.Path(program).name}.trace"
        environment = dict(os.environ, GTRACE_OUT=str(trace), GTRACE_EVENTS="all",
                           LD_PRELOAD=os.path.abspath(ARGS.preload))
        subprocess.run([os.path.abspath(program)], env=environment, cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["sh", ARGS.judge, trace], check=True, stdout=subprocess.DEVNULL)
        yield trace


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser()
    PARSER.add_argument("gtrace", type=os.path.abspath)
    PARSER.add_argument("judge", type=os.path.abspath)
    PARSER.add_argument("--preload", required=True)
    PARSER.add_argument("programs", nargs="+")
    ARGS = PARSER.parse_args()
    with tempfile.TemporaryDirectory() as FOLDER:
        TRACES = list(prepare(pathlib.Path(FOLDER)))
        unittest.main(argv=sys.argv[:1])
