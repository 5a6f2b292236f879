"""Tracers to measure: how each is put over a command, and whether it is there.

The only list of them. A tracer is a name, a sentence, what it needs, which rows it sees, and a
function that is given a fresh empty folder for its trace and yields a Launch; the code after the
yield ends the session.
"""
import contextlib
import dataclasses
import fnmatch
import os
import pathlib
import shutil
import signal
import subprocess
import time


LOG = "said.log"        # in a trace's folder: what the tracer had to say, not part of its size
TIMEOUT = 60            # seconds for a tracer's own command


@dataclasses.dataclass
class Launch:
    """What is put before a command, and into its environment; the build of gtrace it is by."""
    prefix: list = dataclasses.field(default_factory=list)
    env: dict = dataclasses.field(default_factory=dict)
    build: pathlib.Path = None


@dataclasses.dataclass
class Tracer:
    name: str
    doc: str
    start: object           # folder -> context manager of a Launch
    missing: str = ""       # what is not there; empty: can run
    writes: bool = True     # leaves a file: a run without one has failed
    stacks: bool = False    # notes call stacks
    peer: bool = False      # somebody else's
    sees: tuple = ("*",)    # patterns of the rows whose operations it notes
    gtrace: bool = False

    def takes(self, row):
        """Whether it has something to do in that row; a cost of seeing nothing is no figure."""
        if row.kind == "event":
            return self.gtrace
        return any(fnmatch.fnmatch(row.name, pattern) for pattern in self.sees)


class TracerError(Exception):
    """A tracer's own command failed."""


@contextlib.contextmanager
def untraced(folder):
    yield Launch()


def preload(library, build=None, **env):
    @contextlib.contextmanager
    def start(folder):
        more = {name: value.replace("FOLDER", str(folder)) for name, value in env.items()}
        yield Launch(env={"LD_PRELOAD": str(library), **more}, build=build)
    return start


def wrapped(*command):
    @contextlib.contextmanager
    def start(folder):
        yield Launch(prefix=[word.replace("FOLDER", str(folder)) for word in command])
    return start


# --- LTTng: a daemon, and a session for each run ---------------------------------------------------

def call_lttng(*args):
    try:
        done = subprocess.run(["lttng", *args], capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise TracerError(f"lttng {args[0]}: nothing in {TIMEOUT} s") from None
    if done.returncode != 0:
        raise TracerError(f"lttng {args[0]}: {(done.stderr or done.stdout).strip()}")


def lttng_daemon():
    """Its pid, 0 if there is none."""
    home = pathlib.Path("/var/run/lttng" if os.geteuid() == 0 else
                        pathlib.Path.home() / ".lttng")
    try:
        pid = int((home / "lttng-sessiond.pid").read_text())
        return pid if os.readlink(f"/proc/{pid}/exe") else 0     # not of one that nobody reaps
    except (OSError, ValueError):
        return 0


@contextlib.contextmanager
def daemons():
    """Around a whole benchmark: a daemon that was not there before does not stay."""
    before = lttng_daemon()
    yield
    pid = lttng_daemon()
    if pid and pid != before:
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            if not lttng_daemon():
                break
            time.sleep(0.1)


def lttng(*, snapshot=False, blocking=False, library=""):
    @contextlib.contextmanager
    def start(folder):
        session = f"gtrace-bench-{os.getpid()}"
        call_lttng("create", session, *(["--snapshot"] if snapshot else []), f"--output={folder}")
        try:
            if blocking:
                call_lttng("enable-channel", "-s", session, "-u", "--blocking-timeout=inf", "c")
            call_lttng("enable-event", "-s", session, "-u", *(["-c", "c"] if blocking else []),
                       "lttng_ust_pthread:*")
            call_lttng("start", session)
            yield Launch(env={"LD_PRELOAD": library,
                              **({"LTTNG_UST_ALLOW_BLOCKING": "1"} if blocking else {})})
            call_lttng("stop", session)
        finally:
            call_lttng("destroy", session)
    return start


# --- The list --------------------------------------------------------------------------------------

def library_path(soname):
    """Where a library lies that ld.so knows; empty if it does not."""
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


def gtrace(library, name, doc, stacks=True, **env):
    build = library.parent.parent
    return Tracer(name, doc, preload(library, build, GTRACE_OUT="FOLDER/%p.trace",
                                     GTRACE_LOG=f"FOLDER/{LOG}", **env),
                  not_built(library), stacks=stacks, gtrace=True)


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
        gtrace(library, "gtrace-nostacks", "GTRACE_STACKS=0", stacks=False, GTRACE_STACKS="0"),
        Tracer("gtrace-off", "preloaded, GTRACE_OUT unset: what it costs to leave it in",
               preload(library), not_built(library), writes=False),
    ]


# Of rows that differ in depth or place alone, peers are shown one.
LOCKS = ("mutex_*", "deep20_*")
APPS = ("app_memcached", "app_redis", "app_pigz", "app_zstd")
SLEEPS = (*LOCKS, "cond_pingpong_pin", "sem_*")


def peers():
    """Other tracers, those that are installed and those that are not."""
    def lacks(program):
        return "" if shutil.which(program) else f"{program} is not installed"

    def peer(name, doc, start, missing, sees, **more):
        return Tracer(name, doc, start, missing, sees=sees, peer=True, **more)

    wrapper = library_path("liblttng-ust-pthread-wrapper.so")
    no_lttng = lacks("lttng") or ("" if wrapper else
                                  "liblttng-ust-pthread-wrapper.so is not installed")
    sched = ["-e", "sched:sched_switch,sched:sched_waking"]
    switches = ("mutex_handoff", "deep20_*", "cond_pingpong_pin", "sem_*", "pipe_*",
                "thread_churn_pin", *APPS)
    return [
        peer("lttng-snap", "LTTng-UST pthread wrapper, ring in memory, nothing written",
             lttng(snapshot=True, library=wrapper), no_lttng, (*LOCKS, *APPS), writes=False),
        peer("lttng-block", "LTTng-UST pthread wrapper, lossless to a file",
             lttng(blocking=True, library=wrapper), no_lttng, (*LOCKS, *APPS)),
        peer("uftrace", "uftrace record: every PLT call of the program",
             wrapped("uftrace", "record", "--force", "--no-event", "-d", "FOLDER/u"),
             lacks("uftrace"), (*SLEEPS, "rwlock_*", "pipe_*", "*_syscall", "syscall_mix",
                                "thread_churn_pin", "malloc_free", "memory_per_thread", "startup",
                                *APPS)),
        peer("mutrace", "statistics of locks at exit, no trace", wrapped("mutrace"),
             lacks("mutrace"), (*LOCKS, "cond_pingpong_pin", "rwlock_*", "app_memcached"), writes=False),
        peer("eztrace", "eztrace -t pthread to OTF2",
             wrapped("eztrace", "-o", "FOLDER/e", "-t", "pthread"), lacks("eztrace"),
             (*SLEEPS, "rwlock_*", "thread_churn_pin", *APPS)),
        peer("eztrace-io", "eztrace -t posixio to OTF2",
             wrapped("eztrace", "-o", "FOLDER/e", "-t", "posixio"), lacks("eztrace"),
             ("pipe_*", "*_syscall")),
        peer("perf-sched", "perf record of sched_switch and sched_waking",
             wrapped("perf", "record", "-q", "-o", "FOLDER/p", *sched, "--"), lacks("perf"),
             switches),
        peer("perf-sched-g", "the same with call stacks",
             wrapped("perf", "record", "-q", "-g", "-o", "FOLDER/p", *sched, "--"),
             lacks("perf"), switches, stacks=True),
        peer("strace-futex", "strace -f -e futex to a file",
             wrapped("strace", "-f", "-e", "trace=futex", "-o", "FOLDER/s"), lacks("strace"),
             ("mutex_handoff", "cond_pingpong_pin", "sem_*")),
        peer("strace-c", "strace -f -c: counts only",
             wrapped("strace", "-f", "-c", "-o", "FOLDER/s"), lacks("strace"),
             ("pipe_*", "read_syscall", "syscall_mix", "thread_churn_pin")),
        peer("heaptrack", "heaptrack: every allocation with its stack, which gtrace does not note",
             wrapped("heaptrack", "-o", "FOLDER/h"), lacks("heaptrack"), ("malloc_free",),
             stacks=True),
    ]
