#!/usr/bin/env python3
"""Traces of Go programs: gtrace's reader must say of them what Go's own says.

    run.py GTRACE LIST ORACLE TIES [OPTIONS]

Runs every scene of scenes/ and the programs of Go's own tests of its tracer, traced by Go's
runtime; adds the texts of traces in this tree and in Go's. Both judges must accept each trace and
parts that are cut out of it, and the two readers must give the same events (tests/oracle/equal.py).
What Go's runtime gets wrong by itself, a crash in its tracer or a trace that Go's own reader
rejects, is played again: gtrace must reject such a trace too.

    --size N          how much each scene does; 1 in the suite
    --go V,V,...      Go releases to run the scenes with, as 1.22.12, besides the one installed:
                      each is fetched as the go command does, so the network is needed
    --programs        also the programs of Go's own tests, which take some seconds each
    --keep DIR        keep the traces there
    --more FILE...    compare these too

Without Go >= 1.26 it says SKIP.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../oracle"))
sys.path.insert(0, os.path.join(HERE, "../traces"))
import equal  # noqa: E402
import run as texts  # noqa: E402

# Scenes to run once more in another way: events of Go's AllocFree experiment (since 1.23).
VARIANTS = [("gc", "alloc", {"GODEBUG": "traceallocfree=1"}),
            ("coroutines", "alloc", {"GODEBUG": "traceallocfree=1"}),
            ("storm", "one", {"GOMAXPROCS": "1"}),
            ("storm", "eight", {"GOMAXPROCS": "8"}),
            ("callbacks", "one", {"GOMAXPROCS": "1"})]

# How often a program of Go's is played until Go's own reader accepts its traces. With its AllocFree
# experiment Go 1.26.8 loses a batch, or crashes in traceAdvance, which reads trace buffers that are
# gone: 2 of 1,800 runs of the scene gc, six at once on two processors.
TRIES = 4

failures = 0


def fail(text):
    global failures
    failures += 1
    print(f"FAIL {text}")


def run(command, **more):
    return subprocess.run(command, capture_output=True, check=False, **more)


class Go:
    """A release of Go."""

    def __init__(self, command, version=None):
        self.command = command
        self.env = {k: v for k, v in os.environ.items()
                    if k not in ("GOOS", "GOARCH", "GOEXPERIMENT", "GOFLAGS", "GODEBUG")}
        self.env.update(GOWORK="off", GOTOOLCHAIN="local", GO111MODULE="on")
        if not {"GOCACHE", "XDG_CACHE_HOME", "HOME"} & set(self.env):
            self.env["GOCACHE"] = os.path.join(tempfile.gettempdir(), "gtrace-go-cache")
        if version is None:
            self.env["GOPROXY"] = "off"
        else:
            self.env["GOTOOLCHAIN"] = "go" + version
        self.name = self.say("env", "GOVERSION")
        self.root = self.say("env", "GOROOT")

    def say(self, *arguments):
        r = run([self.command, *arguments], env=self.env, cwd="/")
        if r.returncode != 0:
            raise OSError(r.stderr.decode())
        return r.stdout.decode().strip()

    def build(self, package, output):
        r = run([self.command, "build", "-buildvcs=false", "-o", output, *package],
                env=self.env, cwd=os.path.join(HERE, "scenes"))
        if r.returncode != 0:
            fail(f"{self.name}: {package} cannot be built: {r.stderr.decode()}")
        return r.returncode == 0


def play_until_sound(judges, name, command, paths, **more):
    """Runs a program until Go accepts the traces that it writes; paths finds them."""
    written = []
    for left in range(TRIES - 1, -1, -1):
        for path in written:  # the next run may write fewer
            os.remove(path)
        r = run(command, **more)
        wrong = ""
        if r.returncode != 0:
            wrong = f"{name} ends with {r.returncode}: {r.stderr.decode(errors='replace')[:500]}"
        written = paths(r)
        for path in written:
            theirs = run([judges[1], path])
            if theirs.returncode == 0:
                continue
            wrong = wrong or f"{path} is rejected: {theirs.stdout.decode(errors='replace')[:500]}"
            if run([judges[0], "verify", "--quiet", path]).returncode == 0:
                fail(f"{path}: gtrace accepts what Go rejects: {wrong}")
        if not wrong:
            return
        if left == 0:
            fail(f"{TRIES} times in a row, the last: {wrong}")
            return
        print(f"played again, as Go's runtime went wrong: {wrong}")


def play(go, judges, size, folder):
    """All scenes with one Go."""
    program = os.path.join(folder, go.name + ".scenes")
    if not go.build(["."], program):
        return
    names = run([program, "-list"]).stdout.decode().split()
    plays = [(name, "", {}) for name in names]
    plays += [v for v in VARIANTS if v[0] in names]
    for name, variant, env in plays:
        prefix = os.path.join(folder, go.name + variant)
        play_until_sound(judges, f"{go.name}: scene {name} {variant}",
                         [program, "-n", str(size), "-o", prefix, name],
                         lambda _, p=f"{prefix}.{name}": glob.glob(p + ".*trace"),
                         env={**os.environ, **env})
    os.remove(program)


def play_programs(go, judges, folder):
    """The programs of Go's own tests, which trace to their standard output."""
    pattern = os.path.join(go.root, "src/internal/trace/testdata/testprog/*.go")
    for path in sorted(glob.glob(pattern)):
        program = os.path.join(folder, "program")
        if not go.build([path], program):
            continue
        name = f"{go.name}.{os.path.basename(path)[:-3]}.trace"
        path = os.path.join(folder, name)

        def keep(result, path=path):
            with open(path, "wb") as f:
                f.write(result.stdout)
            return [path]

        play_until_sound(judges, name, [program], keep, cwd=folder)
        os.remove(program)


def assemble_texts(gtrace, folder):
    """The texts in this tree that Go's reader accepts, and those of Go's tests."""
    sources = [(t.name.replace("/", "-"), open(t.path, encoding="utf-8").read())
               for t in texts.all_traces() if t.expect == "ok"]
    for path in texts.go_tests():
        with open(path, encoding="utf-8") as f:
            sources.append((os.path.basename(path), f.read().split("-- trace --\n")[1]))
    for name, text in sources:
        path = os.path.join(folder, name + ".trace")
        r = run([gtrace, "assemble", "-", "-o", path], input=text.encode())
        if r.returncode != 0:
            fail(f"{name}: {r.stderr.decode()}")


def judge(gtrace, oracle, paths):
    """Both judges accept them."""
    for command in ([gtrace, "verify", "--quiet"], [oracle]):
        r = run([*command, *paths])
        if r.returncode != 0:
            bad = [s for s in r.stdout.decode(errors="replace").split("\n") if ": ok: " not in s]
            text = "\n  ".join(bad)[:3000]
            fail(f"{command[0]} ends with {r.returncode}: {text} {r.stderr.decode()}")


def cut(gtrace, paths, folder):
    """Parts of them: from the middle on, and a third of their goroutines, at any moment."""
    os.makedirs(folder)
    for path in paths:
        out = os.path.join(folder, os.path.basename(path))
        text = run([gtrace, "dump", "--events", path]).stdout.decode(errors="replace")
        times = [t.replace(".", "") for t in re.findall(r"^(\d+\.\d{9}) M=", text, re.M)]
        gs = sorted(set(re.findall(r" G=(\d+) ", text)), key=int)
        if len(gs) < 2:
            continue
        middle = f"{int(times[len(times) // 2]) - int(times[0])}ns"
        for n, options in enumerate((["--from", middle],
                                     ["--threads", ",".join("#" + g for g in gs[::3][:50])],
                                     ["--threads", ",".join("#" + g for g in gs[1::3][:50]),
                                      "--to", middle])):
            r = run([gtrace, "cut", *options, path, "-o", f"{out}.{n}"])
            if r.returncode != 0:
                fail(f"{path}: cut {' '.join(options)}: {r.stderr.decode()}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("gtrace")
    parser.add_argument("list")
    parser.add_argument("oracle")
    parser.add_argument("ties")
    parser.add_argument("--size", type=int, default=1)
    parser.add_argument("--go", default="")
    parser.add_argument("--programs", action="store_true")
    parser.add_argument("--keep")
    parser.add_argument("--more", nargs="*", default=[])
    args = parser.parse_args()
    found = run([os.path.join(HERE, "../oracle/build.sh"), "--check"])
    if found.returncode == 77:
        print("SKIP: no Go >= 1.26: nobody to compare with")
        sys.exit(77)
    command = found.stdout.decode().strip()
    gos = [Go(command)] + [Go(command, v) for v in args.go.split(",") if v]
    folder = args.keep or tempfile.mkdtemp()
    try:
        os.makedirs(folder, exist_ok=True)
        for go in gos:
            play(go, (args.gtrace, args.oracle), args.size, folder)
            if args.programs:
                play_programs(go, (args.gtrace, args.oracle), folder)
        written = sorted(glob.glob(os.path.join(folder, "*.trace")))
        judge(args.gtrace, args.oracle, written + args.more)
        assemble_texts(args.gtrace, folder)
        paths = sorted(glob.glob(os.path.join(folder, "*.trace"))) + args.more
        parts = os.path.join(folder, "parts")
        cut(args.gtrace, paths, parts)
        judge(args.gtrace, args.oracle, glob.glob(os.path.join(parts, "*")))
        traces, events, bad = equal.compare_all((args.list, args.oracle, args.ties), paths,
                                                print if args.keep else equal.silent)
    finally:
        if not args.keep:
            shutil.rmtree(folder)
    bad += failures
    print(f"{traces} traces ({len(written)} of Go programs, by {', '.join(g.name for g in gos)}), "
          f"{events:,} events, {bad} failures")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
