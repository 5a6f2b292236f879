"""What the tests of whole programs share: run one with and without the library, ask both judges,
and read a trace as lists of threads and waits.

Used by run, truth and kill9 here, and by tests/apps/run. Python's standard library alone.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
SKIP = 77  # as meson understands it


# How long a program that takes a second at most may take on a machine that does much else.
HANGS = 120


# Now and then a load whose handlers jump ends its trace so (docs/limits.md).
JUMPED = "a signal handler jumped out of the tracer, the trace ends here"


class Failure(Exception):
    """A test failed; the text says what was expected and what was there."""


class Unexpected(Failure):
    """A trace that is in order says other things than was expected."""


def parser(description):
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--build", default=os.environ.get("MESON_BUILD_ROOT", TESTS.parent / "build"),
                   type=pathlib.Path, help="meson's build folder")
    p.add_argument("--keep", type=pathlib.Path, metavar="DIR",
                   help="work in DIR and leave the traces there")
    return p


class Workshop:
    """The things under test, and a folder for traces."""

    def __init__(self, args):
        self.build = args.build.resolve()
        self.library = self.build / "preload/libgtrace.so"
        self.gtrace = self.build / "tools/gtrace"
        self.oracle = self.build / "tests/oracle/oracle"  # where there is Go
        self.programs = self.build / "tests/programs"
        for path in (self.library, self.gtrace):
            if not path.exists():
                sys.exit(f"{path} is not there; build first, or say --build")
        self.keep = args.keep
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            self.folder = args.keep.resolve()
        else:
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gtrace-test."))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, preload=(), **gtrace):
        """The caller's environment without anything of gtrace, then what is given."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("GTRACE_") and k != "LD_PRELOAD"}
        if preload:
            env["LD_PRELOAD"] = ":".join(map(str, preload))
        env.update({f"GTRACE_{k.upper()}": str(v) for k, v in gtrace.items()})
        return env

    def witnessed(self, report, command, env):
        """The command under the witness of tests/both, which has no library itself."""
        ours = [f"{k}={v}" for k, v in env.items() if k == "LD_PRELOAD" or k.startswith("GTRACE_")]
        return [self.build / "tests/both/witness", report, "env", *ours, *command]

    def judge(self, *traces, flags=()):
        """Both judges on each file; a rejection is a Failure with what they said."""
        command = [TESTS / "judge", "--build", self.build, *flags, *traces]
        p = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if p.returncode != 0:
            raise Failure(f"rejected (status {p.returncode}): {p.stdout}{p.stderr}".rstrip())
        return p.stdout + p.stderr

    def dump(self, form, trace, *options, cut=False):
        """The trace as text; cut: it may be one that was cut short, which ends with status 1."""
        p = subprocess.run([self.gtrace, "dump", form, *options, trace], capture_output=True,
                           text=True, errors="replace")
        if p.returncode not in ((0, 1) if cut else (0,)):
            raise Failure(f"gtrace dump {form} {trace}: {p.stderr}".rstrip())
        return p.stdout


class Outcome:
    """What a program did: output, errors, and how it ended."""

    def __init__(self, command, env, cwd, timeout=HANGS, stdin=subprocess.DEVNULL, **how):
        # A pipe would stay open as long as a forgotten child; files do not care.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            p = subprocess.Popen(list(map(str, command)), env=env, cwd=cwd, stdin=stdin,
                                 stdout=out, stderr=err, start_new_session=True, **how)
            try:
                self.status = p.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
                self.status = f"still running after {timeout} s"
            out.seek(0)
            err.seek(0)
            self.stdout = out.read().decode(errors="replace")
            self.stderr = err.read().decode(errors="replace")
        self.pid = p.pid

    def ending(self):
        if isinstance(self.status, int) and self.status < 0:
            return signal.Signals(-self.status).name
        return str(self.status)

    def expect_same(self, other):
        for what in ("ending", "stdout", "stderr"):
            plain, mine = getattr(other, what), getattr(self, what)
            if callable(plain):
                plain, mine = plain(), mine()
            if plain != mine:
                raise Failure(f"{what} without the library:\n{plain}\n{what} with it:\n{mine}")


class Wait:
    """One time that a thread blocked, and what ended it; times in nanoseconds."""

    def __init__(self, g, begin, reason, stack):
        self.g, self.begin, self.reason, self.stack = g, begin, reason, stack
        self.end = None      # runnable again
        self.resumed = None  # running again
        self.waker = None    # a thread, or None for nobody
        self.waker_stack = []
        self.on_cpu = None   # of it on a processor, where the trace says so (GTRACE_CPU)

    def blocked(self):
        return self.end - self.begin

    def until_resumed(self):
        return self.resumed - self.begin

    REASONS = {"mutex": "sync", "cond": "sync.(*Cond).Wait", "join": "sync (pthread_join)",
               "rwlock": "sync (rwlock)", "sem": "sync (semaphore)", "barrier": "sync (barrier)",
               "once": "sync (once)", "futex": "sync (futex)", "lock": "sync (file lock)",
               "sleep": "sleep", "network": "network", "select": "select",
               "child": "wait for a process", "signal": "wait for a signal",
               "queue": "message queue"}

    def matches(self, key, value):
        if key == "in":
            return value in self.stack
        if key == "reason":
            return self.reason == self.REASONS[value]
        if key == "by":
            if value == "nobody":
                return self.end is not None and self.waker is None
            return value in self.waker_stack
        raise Failure(f"unknown word in an expectation: {key}")


class Call:
    """A call that a fact names: a system call, or a wait whose reason is known. Its line in the
    golden text is the same for both; here `as` tells which it was."""

    def __init__(self, g, name, arg, result, began):
        self.g, self.name, self.arg, self.result = g, name, arg, result
        self.reason, self.stack = began.reason if began else None, began.stack if began else []

    def matches(self, key, value):
        if key == "in":
            return value in self.stack
        if key == "name":
            return self.name == value
        if key == "arg":
            return self.arg == value
        if key == "result":
            return self.result == value
        if key == "as":
            return self.reason == ("syscall" if value == "syscall" else Wait.REASONS[value])
        raise Failure(f"unknown word in an expectation: {key}")


class Spin:
    """A wait for a spin lock that was sampled."""

    def __init__(self, g, ns, weight, stack):
        self.g, self.ns, self.weight, self.stack = g, ns, weight, stack

    def matches(self, key, value):
        if key == "in":
            return value in self.stack
        raise Failure(f"unknown word in an expectation: {key}")


class Retake:
    """The part of a wait for a condition in which its mutex was waited for."""

    def __init__(self, g, owner, ns):
        self.g, self.owner, self.ns = g, owner, ns


class Yields:
    """Calls of sched_yield: so many that were summed up, or one that took long."""

    def __init__(self, g, count, stack):
        self.g, self.count, self.stack = g, count, stack

    def matches(self, key, value):
        if key == "in":
            return value in self.stack
        raise Failure(f"unknown word in an expectation: {key}")


class Loss:
    """What was lost or left out since the trace began."""

    OF = {"hook": 1, "thread": 2, "mailbox": 3, "stack": 4, "table": 5, "end": 6, "short": 7,
          "budget_calls": 8, "budget_waits": 9}

    def __init__(self, what, count):
        self.what, self.count = what, count

    def matches(self, key, value):
        if key == "of":
            return self.what == self.OF[value]
        raise Failure(f"unknown word in an expectation: {key}")


class About:
    """A setting, or what the library has found out about its process."""

    def __init__(self, what, value):
        self.what, self.value = what, value

    def matches(self, key, value):
        number = {"what": self.what, "value": self.value}.get(key)
        if number is None:
            raise Failure(f"unknown word in an expectation: {key}")
        return number == int(value)


class Thread:
    def __init__(self, g, entry, created=None):
        self.g, self.entry, self.created = g, entry, created
        self.destroyed = None

    def matches(self, key, value):
        if key == "of":
            return self.entry == value
        raise Failure(f"unknown word in an expectation: {key}")


class Trace:
    """A trace as `gtrace dump --events --stacks` tells it: tools/events.c has the lines."""

    EVENT = re.compile(r"(-?)(\d+)\.(\d{9}) M=(\S+) P=\S+ G=(\S+) (\w+)(.*)")
    NUMBER = re.compile(r" (\w+)=(\d+)")
    TEXT = re.compile(r" \w+=\"((?:[^\"\\]|\\.)*)\"")
    CALL = re.compile(r".* \((\S+?)(?: (?:[a-z]+ )?(\d+))? = (.*)\)$")
    FRAME = re.compile(r"\t(\S+|  <) (.*) \S+:\d+ 0x[0-9a-f]+$")

    def __init__(self, workshop, file, cut=False):
        self.threads, self.waits = {}, []
        self.calls, self.spins, self.yields, self.retakes = [], [], [], []
        self.losses = {}   # by what
        self.abouts = {}   # the same
        self.open = {}     # the wait of each thread that waits
        self.begun = {}    # the system call of each thread that is in one, as a Wait
        self.last_on = {}  # the thread that ran last on each M
        event, stacks = None, {}
        for line in workshop.dump("--events", file, "--stacks", cut=cut).splitlines():
            if line.startswith("\t"):
                name, function = self.FRAME.match(line).groups()
                if name != "  <":
                    frames = stacks.setdefault(name, [])
                frames.append(function)
                continue
            self.take(event, stacks if event else {})
            event, stacks = self.EVENT.match(line), {}
        self.take(event, stacks)
        # gtrace's own threads are not the program's.
        self.threads = {g: t for g, t in self.threads.items()
                        if not t.entry.startswith("runtime.") or t.entry == "runtime.main"}
        for name in ("waits", "calls", "spins", "yields", "retakes"):
            setattr(self, name, [x for x in getattr(self, name) if x.g in self.threads])

    def take(self, event, stacks):
        if not event:
            return
        sign, seconds, ns, m, runs, kind, rest = event.groups()
        now = int(sign + seconds + ns)
        numbers = {k: int(v) for k, v in self.NUMBER.findall(rest)}
        stack = stacks.get("stack", [])
        if runs != "-":
            self.last_on[m] = int(runs)
        if kind == "fact":
            self.take_fact(m, rest, numbers, stack)
        elif kind == "GoCreate":
            entry = stacks.get("new_stack", [""])[-1]
            self.threads[numbers["new_g"]] = Thread(numbers["new_g"], entry, now)
        elif kind in ("GoStatus", "GoStatusStack"):
            g = numbers["g"]
            self.threads.setdefault(g, Thread(g, stack[-1] if stack else ""))
        elif kind == "GoSyscallBegin":
            self.begun[int(runs)] = Wait(int(runs), now, "syscall", stack)
        elif kind in ("GoSyscallEnd", "GoSyscallEndBlocked"):
            self.begun.pop(int(runs), None)
        elif kind == "GoStop":
            if self.TEXT.search(rest)[1] == "sched_yield":
                self.yields.append(Yields(int(runs), 1, stack))
        elif kind == "GoStart":
            g = self.last_on[m] = numbers["g"]
            if g in self.open:
                self.open.pop(g).resumed = now
        elif kind == "GoDestroy":
            self.threads[int(runs)].destroyed = now
        elif kind == "GoBlock":
            self.open[int(runs)] = Wait(int(runs), now, self.TEXT.search(rest)[1], stack)
            self.waits.append(self.open[int(runs)])
        elif kind == "GoUnblock" and numbers["g"] in self.open:
            wait = self.open[numbers["g"]]
            wait.end = now
            # A wake-up that was posted late stands in the waker's M, where no G may run by then.
            waker = int(runs) if runs != "-" else self.last_on.get(m)
            if waker != wait.g:
                wait.waker, wait.waker_stack = waker, stack

    def take_fact(self, m, rest, numbers, stack):
        """Facts of an M stand before the first of its events that is not earlier."""
        name = rest.split()[0]
        g = self.last_on.get(m)
        if name == "Call":
            call, arg, result = self.CALL.match(rest).groups()
            began = self.begun.get(g) or self.open.get(g)
            self.calls.append(Call(g, call, arg, result, began))
        elif name == "Spin":
            self.spins.append(Spin(g, numbers["ns"], numbers["weight"], stack))
        elif name == "Yields":
            self.yields.append(Yields(g, numbers["count"], []))
        elif name == "Loss":
            self.losses[numbers["what"]] = Loss(numbers["what"], numbers["count"])
        elif name == "About":
            self.abouts[numbers["what"]] = About(numbers["what"], numbers["value"])
        elif name == "OnCpu":
            self.open[numbers["g"]].on_cpu = numbers["ns"]
        elif name == "Retake":
            self.retakes.append(Retake(numbers["g"], numbers["owner"], numbers["ns"]))

    def of(self, entry):
        """The one thread with this start routine."""
        found = [t for t in self.threads.values() if t.entry == entry]
        if len(found) != 1:
            raise Failure(f"{len(found)} threads are named {entry}: "
                          f"{[t.entry for t in self.threads.values()]}")
        return found[0]

    def select(self, noun, conditions):
        things = {
            "wait": self.waits,
            "create": [t for t in self.threads.values() if t.created is not None],
            "destroy": [t for t in self.threads.values() if t.destroyed is not None],
            "call": self.calls,
            "spin": self.spins,
            "yield": self.yields,
            "loss": list(self.losses.values()),
            "about": list(self.abouts.values()),
        }[noun]
        return [x for x in things if all(x.matches(*c) for c in conditions)]

    def expect(self, text):
        """So many things of a kind, with all of these properties; "2", "2-5" or "2+" of them:

            2+ wait in=waiter by=main       waits with this function of the waiter's stack and this
                                            one of the waker's; reason=mutex, by=nobody
            1 create of=worker              threads with this start routine; destroy: that ended
            3 call in=main name=read        calls that a fact names; arg=5 its descriptor,
                                            result=10 or result=EAGAIN, as=syscall or a reason of
                                            Wait.REASONS: as=network
            1+ spin in=worker               waits for a spin lock, as sampled
            100 yield                       calls of sched_yield, summed up or not
            3 loss of=short                 what was counted as lost or left out (Loss.OF)
            1 about what=12 value=1         a setting (events.def, GT_ABOUT)
        """
        count, noun, *words = text.split()
        low, _, high = count.rstrip("+").partition("-")
        low = int(low)
        high = int(high) if high else (float("inf") if count.endswith("+") else low)
        things = self.select(noun, [w.split("=", 1) for w in words])
        found = sum(x.count for x in things) if noun in ("yield", "loss") else len(things)
        if not low <= found <= high:
            waits = "\n".join(f"  {w.g} {w.reason} in {'<'.join(w.stack)} by {w.waker} "
                              f"{'<'.join(w.waker_stack)}" for w in self.waits[:40])
            calls = "\n".join(f"  {c.g} {c.name} {c.arg} = {c.result} as {c.reason} in "
                              f"{'<'.join(c.stack)}" for c in self.calls[:40])
            raise Unexpected(f"expected: {text}\nfound: {found}\nwaits:\n{waits}\n"
                             f"calls:\n{calls}")
