"""Tracers to measure: how each is put over a command, and whether it is there.

The only list of them. A tracer is a name, a sentence, what it needs, and a function that is given a
fresh empty folder for its trace and yields a Launch; the code after the yield ends the session.
"""
import contextlib
import dataclasses
import os
import shutil
import subprocess


LOG = "said.log"        # in a trace's folder: what the tracer had to say, not part of its size


@dataclasses.dataclass
class Launch:
    """What is put before a command, and into its environment."""
    prefix: list = dataclasses.field(default_factory=list)
    env: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Tracer:
    name: str
    doc: str
    start: object           # folder -> context manager of a Launch
    missing: str = ""       # what is not there; empty: can run
    writes: bool = True     # leaves a file: a run without one has failed


class TracerError(Exception):
    """A tracer's own command failed."""


@contextlib.contextmanager
def untraced(folder):
    yield Launch()


def preload(library, **env):
    @contextlib.contextmanager
    def start(folder):
        more = {name: value.replace("FOLDER", str(folder)) for name, value in env.items()}
        yield Launch(env={"LD_PRELOAD": str(library), **more})
    return start


def wrapped(*command):
    @contextlib.contextmanager
    def start(folder):
        yield Launch(prefix=[word.replace("FOLDER", str(folder)) for word in command])
    return start


def lttng(*, snapshot=False, blocking=False, library=""):
    def call(*args):
        done = subprocess.run(["lttng", *args], capture_output=True, text=True)
        if done.returncode != 0:
            raise TracerError(f"lttng {args[0]}: {(done.stderr or done.stdout).strip()}")

    @contextlib.contextmanager
    def start(folder):
        session = f"gtrace-bench-{os.getpid()}"
        call("create", session, *(["--snapshot"] if snapshot else []), f"--output={folder}")
        try:
            if blocking:
                call("enable-channel", "-s", session, "-u", "--blocking-timeout=inf", "c")
            call("enable-event", "-s", session, "-u", *(["-c", "c"] if blocking else []),
                 "lttng_ust_pthread:*")
            call("start", session)
            yield Launch(env={"LD_PRELOAD": library,
                              **({"LTTNG_UST_ALLOW_BLOCKING": "1"} if blocking else {})})
            call("stop", session)
        finally:
            call("destroy", session)
    return start


def library_path(soname):
    """Where the dynamic loader finds soname; empty if it does not."""
    for command in (["ldconfig", "-p"], ["/sbin/ldconfig", "-p"]):
        try:
            text = subprocess.run(command, capture_output=True, text=True).stdout
        except FileNotFoundError:
            continue
        for line in text.splitlines():
            name, _, path = line.strip().partition(" ")
            if name.startswith(soname):
                return path.rpartition("=> ")[2]
    return ""


def gtrace(library, name, doc, **env):
    return Tracer(name, doc, preload(library, GTRACE_OUT="FOLDER/%p.trace",
                                     GTRACE_LOG=f"FOLDER/{LOG}", **env), not_built(library))


def not_built(path):
    return "" if path.exists() else f"{path} is not built"


def own(build):
    """The references and gtrace itself."""
    library = build / "preload/libgtrace.so"
    null = build / "tests/bench/bench-null.so"
    floor = build / "tests/bench/bench-floor.so"
    return [
        Tracer("null", "forwards each call and does nothing: the price of interposition",
               preload(null), not_built(null), writes=False),
        Tracer("floor", "two events into memory around each call that blocks: no stack, no file",
               preload(floor), not_built(floor), writes=False),
        gtrace(library, "gtrace", "as users run it: with call stacks, to a file"),
        gtrace(library, "gtrace-nostacks", "GTRACE_STACKS=0", GTRACE_STACKS="0"),
        Tracer("gtrace-off", "preloaded, GTRACE_OUT unset: what it costs to leave it in",
               preload(library), not_built(library), writes=False),
    ]


def peers():
    """Other tracers, those that are installed and those that are not."""
    def lacks(program):
        return "" if shutil.which(program) else f"{program} is not installed"

    wrapper = library_path("liblttng-ust-pthread-wrapper.so")
    no_lttng = lacks("lttng") or ("" if wrapper else
                                  "liblttng-ust-pthread-wrapper.so is not installed")
    sched = ["-e", "sched:sched_switch,sched:sched_waking"]
    return [
        Tracer("lttng-snap", "LTTng-UST pthread wrapper, ring in memory, nothing written",
               lttng(snapshot=True, library=wrapper), no_lttng, writes=False),
        Tracer("lttng-block", "LTTng-UST pthread wrapper, lossless to a file",
               lttng(blocking=True, library=wrapper), no_lttng),
        Tracer("uftrace-libcall", "uftrace record: every PLT call of the program",
               wrapped("uftrace", "record", "--force", "--no-event", "-d", "FOLDER/u"),
               lacks("uftrace")),
        Tracer("mutrace", "statistics of mutexes at exit, no trace", wrapped("mutrace"),
               lacks("mutrace"), writes=False),
        Tracer("eztrace", "eztrace -t pthread to OTF2",
               wrapped("eztrace", "-o", "FOLDER/e", "-t", "pthread"), lacks("eztrace")),
        Tracer("perf-sched", "perf record of sched_switch and sched_waking",
               wrapped("perf", "record", "-q", "-o", "FOLDER/p", *sched, "--"), lacks("perf")),
        Tracer("perf-sched-g", "the same with call stacks",
               wrapped("perf", "record", "-q", "-g", "-o", "FOLDER/p", *sched, "--"),
               lacks("perf")),
        Tracer("strace-futex", "strace -f -e futex to a file",
               wrapped("strace", "-f", "-e", "trace=futex", "-o", "FOLDER/s"), lacks("strace")),
        Tracer("strace-c", "strace -f -c: counts only",
               wrapped("strace", "-f", "-c", "-o", "FOLDER/s"), lacks("strace")),
    ]
