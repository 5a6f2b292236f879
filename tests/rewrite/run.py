#!/usr/bin/env python3
"""Traces made of traces: convert, cut, merge, recover and diff, on all good ones.

    run.py GTRACE ORACLE FOLDER    FOLDER: texts of good traces, as in tests/traces

What comes out must be accepted by both judges and say the same events; what is lost on the way is
in LOST below and nowhere else. A judge that cannot be had (ORACLE does not exist) is silent.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

GTRACE, ORACLE, FOLDER = sys.argv[1:4]
VERSIONS = ["1.22", "1.23", "1.25", "1.26"]

failures = 0
done = {}


def fail(name, text):
    global failures
    failures += 1
    print(f"FAIL {name}: {text}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          timeout=60)


def judge(name, trace, *flags):
    for judge_of in ([GTRACE, "verify"], [ORACLE]):
        if not os.path.exists(judge_of[0]):
            continue
        r = run(*judge_of, *flags, trace)
        if r.returncode != 0:
            fail(name, f"{os.path.basename(judge_of[0])}: {r.stdout}{r.stderr}".rstrip())
            return False
    return True


def gtrace(name, *command, status=0):
    """Runs the command; counts it; gives back what it said."""
    r = run(GTRACE, *command)
    done[command[0]] = done.get(command[0], 0) + 1
    if r.returncode != status:
        fail(name, f"gtrace {' '.join(command)}: status {r.returncode}, expected {status}: "
                   f"{r.stderr}")
    return r


def events(trace):
    """[(seconds, text)] of all events, facts and samples; the generations' own lines are left out."""
    lines = run(GTRACE, "dump", "--events", trace).stdout.splitlines()
    out = []
    for line in lines:
        time, _, text = line.partition(" ")
        if re.match(r"\d+\.\d+$", time) and not text.startswith("generation"):
            out.append((float(time), text))
    return out


# --- convert -----------------------------------------------------------------------------------

def without_what_122_lacks(texts):
    """The events as a trace of 1.22 says them: what GoSwitch means is there either way."""
    out = []
    for text in texts:
        if " fact " in text or re.search(r" (Span|HeapObject|GoroutineStack)", text):
            continue
        text = text.replace("GoStatusStack", "GoStatus")
        out.append(re.sub(r"(GoStatus .*) stack=\S+", r"\1", text))
    return out


def kinds(texts):
    """Names of events, however they are written; a GoSwitch is what it means."""
    means = {"GoSwitch": "GoUnblock", "GoSwitchDestroy": "GoUnblock",
             "GoCreateBlocked": "GoCreate"}
    out = []
    for text in texts:
        name = re.sub(r"^(?:\S+=\S+ )*(?:implied )?", "", text).split(" ")[0]
        if name not in ("GoStatus", "ProcStatus"):  # what is listed twice is listed once
            out.append(means.get(name, name))
    return sorted(out)


def check_convert(name, trace):
    whole = events(trace)
    for version in VERSIONS:
        out = trace + "." + version
        gtrace(f"{name} to {version}", "convert", "--to", version, trace, "-o", out)
        if not judge(f"{name} to {version}", out):
            continue
        with open(out, "rb") as f:
            if f.read(16) != f"go {version} trace\0\0\0".encode():
                fail(name, f"the header is not that of {version}")
        texts, expected = [t for _, t in events(out)], [t for _, t in whole]
        if version == "1.22":
            texts, expected = kinds(without_what_122_lacks(texts)), kinds(
                without_what_122_lacks(expected))
            # An unblock of a G that was created blocked has no place.
            for text in expected[:]:
                if "GoCreateBlocked" in "".join(t for _, t in whole) and text == "GoUnblock" and \
                        expected.count(text) > texts.count(text):
                    expected.remove(text)
        if texts != expected:
            fail(f"{name} to {version}", "other events: " + "; ".join(
                sorted(set(texts) ^ set(expected))[:4]))
        # And back: nothing more is lost.
        back = out + ".back"
        gtrace(f"{name} back to 1.26", "convert", "--to", "1.26", out, "-o", back)
        judge(f"{name} by {version} back to 1.26", back)


# --- cut ---------------------------------------------------------------------------------------

STATES = re.compile(r"(GoStatus|ProcStatus|GoStatusStack|GCActive|STWBegin|GCSweepActive|"
                    r"GCMarkAssistActive|GoLabel)\b")


def by_m(listed):
    """M -> its events in their order, without states and numbers, which count from the beginning.
    Between two Ms the order is that of times alone, and times may be equal."""
    out = {}
    for text in listed:
        if not STATES.search(text) and not re.search(r" fact | implied |CPUSample", text):
            m, what = re.fullmatch(r"M=(\S+) P=\S+ G=\S+ (.*)", text).groups()
            out.setdefault(m, []).append(re.sub(r" (?:g_seq|p_seq|gc_seq)=\d+", "", what))
    return out


def names(listed):
    """G -> the names that it gets, in their order."""
    out = {}
    for text in listed:
        label = re.search(r" G=(\d+) GoLabel label_string=(.*)", text)
        if label:
            out.setdefault(label[1], []).append(label[2])
    return out


def check_names(name, before, inside, found):
    """A thread that has a name as the part begins has it from when it runs there first."""
    had, gets, said = names(before), names(inside), names(found)
    for text in before:
        gone = re.search(r" G=(\d+) Go(?:Switch)?Destroy", text)
        if gone:
            had.pop(gone[1], None)
    for g in had.keys() | gets.keys():
        # Where it runs, it has it before anything else.
        runs = re.compile(rf"Go(?:Start|Switch|SwitchDestroy) g={g} |G={g} Go(?!Syscall|Label|Status)|"
                          rf"G={g} (?:GoSyscallEnd$|GoLabel )|M=(\d+) .*GoStatus\w* g={g} m=\1 "
                          "gstatus=Running")
        first = next((text for text in inside if runs.search(text)), " GoLabel ")
        running = any(re.search(rf"M=(\d+) .*GoStatus\w* g={g} m=\1 gstatus=Running", text)
                      for text in found)
        again = " GoLabel " not in first or running
        expected = had.get(g, [])[-1:] * again + gets.get(g, [])
        if said.get(g, []) != expected:
            fail(name, f"names of {g}: {said.get(g)}, expected {expected}")
        own = next((text for text in found if f" G={g} " in text), "")
        if again and g in had and not re.search(r" G=\d+ (GoLabel|GoSyscallEnd)", own):
            fail(name, f"{g} has no name yet as it runs: {own}")
    done["names"] = done.get("names", 0) + sum(g in said and g not in gets for g in had)


def check_cut(name, trace):
    whole = [(t, e) for t, e in events(trace) if not re.search(r" fact | implied |CPUSample", e)]
    if len(whole) < 4:
        return
    start = whole[0][0]
    windows = [(0.0, 0.5), (0.25, 0.75), (0.5, 1.0), (0.4, 0.45), (0.5, None)]
    if any(" GoLabel " in e for _, e in whole):  # from each of its events on
        windows += [(i / (len(whole) - 1), None) for i in range(len(whole))]
    for first, last in windows:
        begin, end = (whole[int(x * (len(whole) - 1))][0] - start for x in (first, last or 1.0))
        out = trace + ".cut"
        window = ("--from", f"{round(begin * 1e9)}ns")
        if last is not None:
            window += ("--to", f"{round(end * 1e9)}ns")
        gtrace(f"{name} {window}", "cut", *window, trace, "-o", out)
        if not judge(f"{name} {window}", out):
            continue
        inside = by_m(e for t, e in whole if begin - 1e-10 <= t - start <= end + 1e-10)
        found = by_m(e for _, e in events(out))
        if found != inside:
            fail(f"{name} {window}", f"other events: {found}, expected {inside}")
        check_names(f"{name} {window}", [e for t, e in whole if begin - 1e-10 > t - start],
                    [e for t, e in whole if begin - 1e-10 <= t - start <= end + 1e-10],
                    [e for _, e in events(out)])


SEQUENCE = re.compile(r" (?:g_seq|p_seq)=\d+")
# What belongs to a processor, to the collector, or says a state again.
NOBODYS = re.compile(r"(Proc|GC(Active|Begin|End|Sweep)|GoStatus|GCMarkAssistActive|ProcsChange)")


def by_g(listed, kept=None):
    """G -> what it did and what was done to it, in that order. kept: those that there may be."""
    out, creators = {}, {}
    for text in listed:
        if re.search(r" fact | implied |CPUSample", text):
            continue
        g, what = re.fullmatch(r"M=\S+ P=\S+ G=(\S+) (.*)", text).groups()
        of = re.match(r"(?:GoStart|GoUnblock|GoCreate\w*) (?:new_)?g=(\d+)", what)
        if of and what.startswith("GoCreate"):
            creators[of[1]] = g
        if NOBODYS.match(what) or (kept and of and of[1] not in kept):
            continue
        for which in {g, of and of[1]} - {"-", None}:
            out.setdefault(which, []).append(SEQUENCE.sub("", what))
    return out, creators


def check_cut_threads(name, trace):
    """Some threads out of a trace: of those, and who created them, all that there was."""
    listed = [e for _, e in events(trace)]
    everybody, creators = by_g(listed)
    # What a switch is for the one of the two that is kept is another event.
    same = not any("GoSwitch" in e for e in listed)
    for pick in (0, 1, 2):
        named = sorted(everybody)[pick::3][:3]
        kept = set(named)
        for g in named:
            while creators.get(g, "-") != "-":
                g = creators[g]
                kept.add(g)
        if not kept:
            continue
        out = trace + ".threads"
        patterns = ",".join("#" + g for g in named)
        gtrace(f"{name} {patterns}", "cut", "--threads", patterns, trace, "-o", out)
        if judge(f"{name} {patterns}", out) and same:
            found, expected = (by_g(list_, kept)[0] for list_ in (
                [e for _, e in events(out)], listed))
            expected = {g: es for g, es in expected.items() if g in kept}
            if found != expected:
                fail(f"{name} {patterns}", f"other events: {found}, expected {expected}")


# --- merge -------------------------------------------------------------------------------------

def check_merge(name, trace):
    """With itself: all ids collide."""
    out = trace + ".merged"
    r = run(GTRACE, "merge", trace, trace, trace, "-o", out)
    if r.returncode == 1 and "only traces of version 1.26 that gtrace has written" in r.stderr:
        return
    done["merge"] = done.get("merge", 0) + 1
    if r.returncode != 0:
        fail(f"{name} merged", r.stderr)
    elif judge(f"{name} merged", out):
        count = sum(e.count("GoUnblock") for _, e in events(trace))
        merged = sum(e.count("GoUnblock") for _, e in events(out))
        if merged < 3 * count:
            fail(f"{name} merged", f"{merged} unblocks of 3 times {count}")


# --- recover -----------------------------------------------------------------------------------

def check_recover(name, trace):
    """Cut short anywhere, without a spool: the whole generations are kept."""
    with open(trace, "rb") as f:
        data = f.read()
    if not data.startswith(b"go 1.26"):
        return
    kept = set()
    for part in range(1, 9):
        out = trace + ".short"
        with open(out, "wb") as f:
            f.write(data[:16 + (len(data) - 16) * part // 8])
        good = run(GTRACE, "verify", out).stdout
        whole = re.search(r"truncated after (\d+) good|ok: (\d+) generation", good)
        count = int(next(x for x in whole.groups() if x)) if whole else 0
        r = gtrace(f"{name} at {part}/8", "recover", out, status=0 if count else 1)
        if r.returncode == 0:
            judge(f"{name} at {part}/8", out)
            if f"{count} generation" not in r.stderr:
                fail(f"{name} at {part}/8", f"expected {count} generations: {r.stderr}")
        kept.add(count)
    if max(kept) == 0:
        fail(name, "not even whole it has a generation")


# --- diff --------------------------------------------------------------------------------------

def check_diff(name, trace):
    r = gtrace(f"{name} diff", "diff", "--json", trace, trace)
    if r.returncode != 0:
        return
    said = json.loads(r.stdout)
    for table in ("sites", "objects", "routines"):
        for row in said[table]:
            if row["grown_ns_per_s"] != 0 or len(set(row["total_ns"])) != 1:
                fail(f"{name} diff", f"a trace differs from itself: {row}")
    stat = json.loads(run(GTRACE, "stat", "--json", "--system", trace).stdout or "{}")
    if stat and said["traces"][0]["duration_ns"] != said["traces"][1]["duration_ns"]:
        fail(f"{name} diff", "two durations")


# --- wrong use ---------------------------------------------------------------------------------

def check_usage(trace, scratch):
    out = os.path.join(scratch, "out")
    for status, *command in (
            (2, "convert", trace, "-o", out),
            (2, "convert", "--to", "1.24", trace, "-o", out),
            (2, "convert", "--to", "1.25", trace),
            (2, "convert", "--to", "1.25", trace + ".missing", "-o", out),
            (2, "convert", "--to", "1.25", trace, "-o", "/nowhere/out"),
            (2, "cut", "--from", "soon", trace, "-o", out),
            (1, "cut", "--from", "1h", trace, "-o", out),
            (1, "cut", "--threads", "nobody", trace, "-o", out),
            (2, "merge", "-o", out),
            (1, "merge", trace, __file__, "-o", out),
            (2, "recover"),
            (2, "recover", trace + ".missing"),
            (2, "recover", __file__, "-o", out),
            (2, "diff", trace),
            (2, "diff", trace, trace + ".missing"),
            (2, "diff", trace, trace, "--top", "x")):
        r = gtrace("usage", *command, status=status)
        if not r.stderr:
            fail("usage", f"nothing is said: {command}")
    if os.path.exists(out):
        fail("usage", "something was written")
    # A full disk.
    if os.path.exists("/dev/full"):
        for command in (["convert", "--to", "1.25", trace], ["cut", trace], ["recover", trace]):
            r = gtrace("full disk", *command, "-o", "/dev/full", status=2)
            if "No space left" not in r.stderr:
                fail("full disk", f"{command}: {r.stderr}")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for text in sorted(os.listdir(FOLDER)):
            name = text.removesuffix(".txt")
            trace = os.path.join(scratch, name + ".trace")
            run(GTRACE, "assemble", os.path.join(FOLDER, text), "-o", trace)
            check_convert(name, trace)
            check_cut(name, trace)
            check_cut_threads(name, trace)
            check_merge(name, trace)
            check_recover(name, trace)
            check_diff(name, trace)
        check_usage(os.path.join(scratch, "calls.trace"), scratch)
    for command, least in (("convert", 100), ("cut", 40), ("names", 5), ("merge", 10), ("recover", 100),
                           ("diff", 20)):
        if done.get(command, 0) < least:
            fail("coverage", f"{command} was tried {done.get(command, 0)} times")
    print(", ".join(f"{n} × {c}" for c, n in sorted(done.items())))
    sys.exit(1 if failures else 0)


main()
