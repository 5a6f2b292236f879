#!/usr/bin/env python3
"""What gtrace stat answers about plays (play.py) of which the answer is known: who held the lock that
threads waited for, deadlocks, orders of locks, critical paths, and parts of a trace.

    answers.py GTRACE JUDGE    JUDGE also judges every trace that is written here
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from play import COND, JOIN, MUTEX, READ, SLEEP, TIMEOUT, Play

GTRACE, JUDGE = map(os.path.abspath, sys.argv[1:3])
FOLDER = tempfile.TemporaryDirectory()
SCREEN = 40  # lines
failures = 0


def check(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"FAIL {what}: {got!r}, not {wanted!r}")


def has(what, text, *parts):
    """Each part stands in the text, in this order."""
    global failures
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            failures += 1
            print(f"FAIL {what}: no {part!r} (after {parts[:parts.index(part)]}) in\n{text}")
            return
        at = found + len(part)


def run(*args, status=0):
    done = subprocess.run([GTRACE, "stat", *args], capture_output=True, text=True,
                          cwd=FOLDER.name, env=dict(os.environ, LC_ALL="C.UTF-8"), check=False)
    check(f"status of {args}", done.returncode, status)
    return done.stdout + done.stderr


def made(name, play):
    path = pathlib.Path(FOLDER.name, name + ".trace")
    text = path.with_suffix(".txt")
    text.write_text(play.text())
    subprocess.run([GTRACE, "assemble", text, "-o", path], check=True)
    done = subprocess.run([JUDGE, path], capture_output=True, text=True, check=False,
                          env=dict(os.environ, GTRACE=GTRACE))
    check(f"the judges of {name}: {done.stdout}{done.stderr}", done.returncode, 0)
    return path.name


def screen(trace, *args):
    text = run(trace, *args)
    check(f"{trace} fits on a screen", len(text.splitlines()) <= SCREEN, True)
    return text


def answer(trace, *args):
    return json.loads(run("--json", trace, *args))


def planted():
    """Two workers wait for the janitor's slow section; four locks besides are hot, and short."""
    p = Play()
    main = p.main("main")
    workers = [p.thread(main, 10 + i, "worker") for i in range(2)]
    janitor = p.thread(main, 20, "janitor")
    for i in range(40):  # each of the hot ones is waited for ten times
        lock, at = (0x1000 + 0x40 * (i % 4), MUTEX), 100 + 50 * i
        p.block(workers[0], at, MUTEX, ["get", "worker"], lock, workers[1])
        p.unblock(workers[0], at + 20, workers[1], ["put", "worker"])
    slow = (0x4000, MUTEX)
    p.block(workers[0], 3000, MUTEX, ["std::mutex::lock", "lookup", "worker"], slow, janitor)
    p.block(workers[1], 3100, MUTEX, ["std::mutex::lock", "lookup", "worker"], slow, janitor)
    p.call(janitor, 3400, 4900, READ, ["load", "rebuild_index", "janitor"], 512)
    p.unblock(workers[0], 5000, janitor, ["std::mutex::unlock", "rebuild_index", "janitor"])
    p.unblock(workers[1], 5050, workers[0], ["lookup", "worker"])
    trace = made("planted", p)

    text = screen(trace)
    has("the screen", "\n".join(text.splitlines()[:9]), "mutex #5 0x4000",
        "held by janitor in rebuild_index ← janitor 99 %", "waited for by worker ×2 in lookup",
        "was in read 74 %", "→ no read under this lock in rebuild_index ← janitor: 74 %")
    objects = answer(trace)["objects"]
    top = objects[0]
    check("the top object", (top["address"], top["waits"], top["total_ns"], top["object"]),
          ("0x4000", 2, 3950000, 5))
    # Each moment of a wait is charged to who set the lock free next.
    check("its holders",
          [(h["thread"], h["stack"][-2], h["waits"], h["total_ns"], h["held_ns"])
           for h in top["holders"]],
          [(janitor.g, "rebuild_index", 1, 3900000, 2000000),
           (workers[0].g, "lookup", 1, 50000, 50000)])
    check("what they did", {(d["state"], d.get("call")): d["total_ns"] for d in top["doing"]},
          {("call", "read"): 2925000, ("running", None): 975000 + 48999, ("runnable", None): 1001})
    check("all charges are all waits",
          [sum(h["total_ns"] for h in o["holders"]) for o in objects],
          [o["total_ns"] for o in objects])
    return trace


def retaken():
    """A condition whose mutex is held, a time-out, a wait until the end."""
    p = Play()
    main = p.main("main")
    a, b = p.thread(main, 10, "worker"), p.thread(main, 12, "worker")
    lock = (0x1000, MUTEX)
    p.block(a, 100, MUTEX, ["timed", "worker"], lock, main)
    p.unblock(a, 150, None, how=TIMEOUT)
    p.block(a, 200, COND, ["await", "worker"], (0x2000, COND))
    p.fact(a, 501, 4, a.g, 0x1000, b.g, 200000)  # a retake, of the mutex that b set free
    p.fact(a, 501, 10, a.g, 30000)  # on a processor in that wait
    p.unblock(a, 500, main, ["signal", "main"])
    p.block(b, 600, MUTEX, ["take", "worker"], lock, main)
    p.end(main, 1000)
    trace = made("retaken", p)
    top = answer(trace)["objects"][0]
    objects = {o["address"]: o for o in answer(trace)["objects"]}
    check("the mutex", (top["address"], top["waits"], top["retakes"]["total_ns"]),
          ("0x1000", 2, 200000))
    check("its holders: until the end main, b at the retake, nobody at the time-out",
          sorted((h["thread"] or 0, h["total_ns"]) for h in top["holders"]),
          [(0, 51001), (1, 400001), (b.g, 200000)])
    check("a condition has no holder", objects["0x2000"]["holders"], [])
    has("the screen", screen(trace),
        "1 wait, until their threads ran again, these were on a processor for 30",
        "1 timed out", "1 still waiting at the end")
    check("on a processor", [t["waits_with_cpu"] for t in answer(trace)["threads"]
                             if "waits_with_cpu" in t],
          [{"waits": 1, "until_running_ns": 301001, "on_cpu_ns": 30000}])


def budgeted():
    """Two steps of the overhead governor, each with what it left out."""
    p = Play()
    main = p.main("main")
    for us, cost in ((100, 2000), (200, 500)):
        p.fact(main, us, 11, 90000, cost, 300, 64 - us // 10)
        p.fact(main, us, 12, 8, 70, 7000, 40)
        p.fact(main, us, 12, 9, 5, 9000, 4)
    p.fact(main, 201, 8, 11, 10000)  # 1 %
    p.fact(main, 202, 3, 8, 140)
    p.fact(main, 203, 3, 9, 10)
    p.end(main, 1000)
    trace = made("budgeted", p)
    check("the budget", answer(trace)["budget"],
          {"cpu_ns": 180000, "cost_ns": 2500, "held_ns": 600, "kept": False,
           "calls_left_out": 140, "calls_ns": 14000, "waits_left_out": 10, "waits_ns": 18000,
           "depth_min": 44, "steps": 2})
    has("the screen", screen(trace),
        "GTRACE_BUDGET 1 % not kept: tracing took 1.4 % of 180 µs of processor time, 600 ns of",
        "Left out for it: 140 calls (14.0 µs or so), 10 waits (18.0 µs), all of which seem to run; "
        "stacks had 44 frames")
    main.facts[-3] = (201000, (8, 11, 20000))  # 2 %
    trace = made("within", p)
    check("kept", answer(trace)["budget"]["kept"], True)
    has("the screen", screen(trace), "GTRACE_BUDGET 2 %: tracing took 1.4 %")


def handed_on():
    """Three threads come while main has the mutex; each has it in turn, and two for the condition."""
    p = Play()
    main = p.main("main")
    a, b, c = (p.thread(main, 10 + i, "worker") for i in range(3))
    lock = (0x1000, MUTEX, 7)
    for t in (a, b):
        p.block(t, 100, COND, ["await", "worker"], (0x2000, COND))
    p.block(c, 300, MUTEX, ["take", "worker"], lock, main)
    # main signals at 200, and sets the mutex free at 500; a does so at 600, b at 650.
    p.fact(a, 501, 4, a.g, 0x1000, main.g, 300000)
    p.unblock(a, 500, main, ["signal", "main"])
    p.fact(b, 601, 4, b.g, 0x1000, a.g, 400000)
    p.unblock(b, 600, main, ["signal", "main"])
    p.unblock(c, 650, b, ["give", "worker"])
    p.end(main, 1000)
    trace = made("handed_on", p)
    mutexes = [o for o in answer(trace)["objects"] if o["kind"] == "mutex"]
    check("one mutex, of whose epoch a retake says nothing", len(mutexes), 1)
    top = mutexes[0]
    check("each has what was waited until he set it free",
          [(h["thread"], h["stack"], h["total_ns"], h["held_ns"]) for h in top["holders"]],
          [(main.g, ["signal", "main"], 800000, 300000), (a.g, [], 200000, 100000),
           (b.g, ["give", "worker"], 50000, 50000)])
    check("who came after a condition", [t["thread"] for t in top["retakes"]["threads"]],
          [b.g, a.g])
    has("the screen", screen(trace), "held by main in signal ← main 76 %",
        "waited for by worker ×3 in await ← worker and 1 other place",
        "67 % of it after waits on conditions")


def deadlock():
    p = Play()
    main = p.main("main")
    a, b = p.thread(main, 10, "transfer"), p.thread(main, 12, "audit")
    alone = p.thread(main, 14, "again")
    accounts, journal = (0x1000, MUTEX), (0x2000, MUTEX)
    p.block(a, 100, MUTEX, ["write_journal", "transfer"], journal, b)
    p.block(b, 150, MUTEX, ["sum_accounts", "audit"], accounts, a)
    p.block(alone, 200, MUTEX, ["again"], (0x3000, MUTEX), alone)
    p.block(main, 300, JOIN, ["main"], a)
    trace = made("deadlock", p)
    text = screen(trace)
    has("the screen", "\n".join(text.splitlines()[:9]),
        "Deadlock: 2 threads wait for each other, for 150 µs",
        "transfer", "waits for mutex #1 0x2000, which audit has: in write_journal ← transfer",
        "audit", "waits for mutex #2 0x1000, which transfer has: in sum_accounts ← audit",
        "Deadlock: 1 thread waits for itself", "mutex #3 0x3000, which it itself has")
    told = answer(trace)
    check("circles", told["deadlocks"], 2)
    check("who is in which",
          {w["thread"]: (w["owner"], w["deadlock"]) for w in told["waiting"]},
          {a.g: (b.g, 1), b.g: (a.g, 1), alone.g: (alone.g, 2), main.g: (a.g, None)})
    check("the order, too, is wrong", told["inversions"], [[1, 2]])


def orders():
    """A then B in one place, B then A in another; C and D are only taken one after the other."""
    p = Play()
    main = p.main("main")
    t = [p.thread(main, 10 + 2 * i, f"t{i}") for i in range(4)]
    a, b, c, d = ((0x1000 * i, MUTEX) for i in range(1, 5))

    def nested(at, outer, inner, who, other, function):
        """`who` has outer, for which t[2] waits; it waits for inner, which `other` sets free."""
        p.block(t[2], at, MUTEX, ["take", "t2"], outer, who)
        p.block(who, at + 10, MUTEX, ["take_inner", (function, 1), who.routine], inner, other)
        p.unblock(who, at + 20, other, ["give", other.routine])
        p.unblock(t[2], at + 40, who, [(function, 2), who.routine])

    nested(100, a, b, t[0], t[3], "outer_then_inner")
    nested(200, b, a, t[1], t[3], "inner_then_outer")
    # t3 sets c free and takes it again while t2 waits, and in between wants d: not inside.
    for first, second, at in ((c, d, 300), (d, c, 400)):
        p.block(t[2], at, MUTEX, ["take", "t2"], first, t[3])
        p.block(t[3], at + 10, MUTEX, ["use_second", ("loop", 1), "t3"], second, t[1])
        p.unblock(t[3], at + 20, t[1], ["give", "t1"])
        p.unblock(t[2], at + 40, t[3], ["use_first", ("loop", 2), "t3"])
    # Somebody else is seen with it in between.
    trace = made("orders", p)
    told = answer(trace)
    number = {o["address"]: o["object"] for o in told["objects"]}
    check("inversions", told["inversions"], [[number["0x1000"], number["0x2000"]]])
    check("pairs", {(o["held"], o["wanted"]): (o["sure"], o["unsure"], o["thread"])
                    for o in told["orders"]},
          {(number["0x1000"], number["0x2000"]): (1, 0, t[0].g),
           (number["0x2000"], number["0x1000"]): (1, 0, t[1].g),
           (number["0x3000"], number["0x4000"]): (0, 1, t[3].g),
           (number["0x4000"], number["0x3000"]): (0, 1, t[3].g)})
    has("the screen", screen(trace), "Lock order", "mutex #1 0x1000, then mutex #2 0x2000: t0 in "
        "take_inner ← outer_then_inner", "but mutex #2 0x2000, then mutex #1 0x1000: t1")


def paths():
    """main joins a, which waits for b's lock; b, made by a, reads while it has it."""
    p = Play()
    main = p.main("main")
    a = p.thread(main, 100, "worker")
    b = p.thread(a, 200, "helper")
    p.block(main, 150, JOIN, ["main"], a)
    p.block(a, 300, MUTEX, ["take", "worker"], (0x1000, MUTEX), b)
    p.call(b, 400, 800, READ, ["load", "helper"], 1)
    p.unblock(a, 900, b, ["give", "helper"])
    p.block(a, 950, SLEEP, ["pause", "worker"])
    p.unblock(a, 1000, None)
    p.unblock(main, 1100, a, ["exit", "worker"])
    p.end(a, 1101)
    p.end(main, 1200)
    trace = made("paths", p)

    def parts(*args):
        found = answer(trace, *args)["critical_path"]
        sums = collections.Counter()
        for q in found["parts"]:
            sums[q["thread"], q["state"], q.get("call") or q.get("reason")] += q["total_ns"]
        return found, sums

    whole, sums = parts("--critical-path=thread=#1")
    check("the whole path", (whole["begin_ns"], whole["end_ns"]), (0, 1200000))
    # From main's end: main, a (with its sleep), b (with its read), a again, which made b, main.
    check("its steps", [(s["thread"], s["created"]) for s in whole["steps"]],
          [(main.g, False), (a.g, False), (b.g, False), (a.g, True), (main.g, True)])
    check("its parts, in us",
          {k: round(v / 1000) for k, v in sums.items() if v > 3000},
          {(main.g, "running", None): 199, (a.g, "running", None): 99 + 99 + 49,
           (a.g, "waiting", "sleep"): 51, (b.g, "running", None): 199 + 100,
           (b.g, "call", "read"): 400})
    check("nothing is missing", sum(sums.values()), 1200000)
    longest, sums = parts("--critical-path")
    check("the longest wait", (longest["thread"], longest["begin_ns"], longest["end_ns"]),
          (main.g, 150000, 1100000))
    check("it is explained", sum(sums.values()), 950000)
    has("the screen", screen(trace, "--critical-path"), "Critical path of the longest wait",
        "main waited 950 µs (join)", "42 %", "helper was in read: load ← helper")
    has("no such end", run(trace, "--critical-path=nothing", status=1), "no such end: nothing")


def cuts(trace):
    """Of planted: the last two waits begin at 3 and 3.1 ms, and end at 5 and 5.05 ms."""
    whole = answer(trace)
    part = answer(trace, "--from", "4ms", "--to", "5ms")
    top = part["objects"][0]
    check("a millisecond of two waits", (len(part["objects"]), top["waits"], top["total_ns"]),
          (1, 2, 2000000))
    check("who had it then", [(h["thread"], h["total_ns"]) for h in top["holders"]],
          [(4, 2000000)])
    check("the cut", part["cut"], {"from_ns": 4000000, "to_ns": 5000000, "thread": None,
                                   "object": None})
    check("running in it",
          {t["id"]: t["running_ns"] for t in part["threads"] if t["running_ns"]},
          {1: 1000000, 4: 100000})
    one = answer(trace, "--object", "#5")
    check("one object", [(o["address"], o["total_ns"]) for o in one["objects"]],
          [("0x4000", 3950000)])
    check("by its address", answer(trace, "--object", "0x4000")["objects"], one["objects"])
    mine = answer(trace, "--thread", "#3")
    check("one thread's waits", [(o["address"], o["total_ns"]) for o in mine["objects"]],
          [("0x4000", 1950000)])
    check("and nobody else's times",
          [t["id"] for t in mine["threads"] if t["running_ns"] + t["blocked_ns"]], [3])
    check("the others are there", len(mine["threads"]), len(whole["threads"]))
    has("the screen", screen(trace, "--from", "4ms", "--to", "5ms", "--thread", "#3"),
        "Only from 4.00 ms to 5.00 ms · thread #3", "1.00 ms        1", "0x4000",
        "held by janitor in rebuild_index")
    has("no such object", run(trace, "--object", "#99", status=1), "nothing waited for an object #99")
    check("threads by a pattern",
          answer(trace, "--thread", "w?rk*")["objects"][0]["threads"],
          [t for t in answer(trace)["objects"][0]["threads"] if t["thread"] in (2, 3)])
    check("by another", [t["id"] for t in answer(trace, "--thread", "[!w]anitor")["threads"]
                         if t["running_ns"]], [4])
    has("no such thread", run(trace, "--thread", "nobody", status=1), "no thread nobody")
    has("no time", run(trace, "--from", "soon", status=2), "soon: expected a time")


def shortened():
    """Somebody makes the file shorter while it is read: that is said, with its name."""
    p = Play()
    main = p.main("main")
    worker = p.thread(main, 10, "worker")
    for i in range(3000):
        p.block(worker, 100 + 10 * i, MUTEX, ["get", "worker"], (0x1000, MUTEX), main)
        p.unblock(worker, 105 + 10 * i, main, ["put", "main"])
    path = pathlib.Path(FOLDER.name, made("shortened", p))
    # Its output is far more than a pipe takes, so that it is still reading then.
    with subprocess.Popen([GTRACE, "dump", "--events", path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as dump:
        dump.stdout.read(1)
        os.truncate(path, 0)
        _, said = dump.communicate()
    check("a file that became shorter", (dump.returncode, said),
          (2, f"gtrace: {path.resolve()}: became shorter while it was read\n"))


first = planted()
retaken()
budgeted()
handed_on()
deadlock()
orders()
paths()
cuts(first)
shortened()
sys.exit(1 if failures else 0)
