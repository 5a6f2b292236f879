"""What is measured: rows of the bench programs, start-up, memory; real programs are in servers.py.

A row's run(launch, scratch) gives a Sample: wall and cpu cost of one op, and how many ops the
process did in all. Anything unexpected is a RunError, never a figure.
"""
import dataclasses
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import statistics
import subprocess
import time

from tracers import Launch

TIMEOUT = 60            # seconds for one process; only a hang takes so long
UNTRACED = Launch()     # load generators are never traced


class RunError(Exception):
    """A run gave no figure; the text says why."""


@dataclasses.dataclass
class Sample:
    wall: float             # per op, in the row's unit
    cpu: float              # the same, user+system; None where it has no meaning
    ops: float              # all ops of the process, to divide the file's bytes by


@dataclasses.dataclass
class Row:
    name: str
    doc: str
    run: object             # (Launch, scratch folder) -> Sample
    kind: str               # micro, event, start, memory, idle, app
    unit: str               # of both costs; lower is better throughout
    missing: str = ""


# --- Processes ------------------------------------------------------------------------------------

def environment(launch):
    env = {name: value for name, value in os.environ.items()
           if name != "LD_PRELOAD" and not name.startswith("GTRACE_")}
    return {**env, **launch.env}


def check_loaded(text):
    """ld.so only warns when a preload is not loaded: that run would measure nothing."""
    if "from LD_PRELOAD cannot be preloaded" in text:
        raise RunError(text.strip().splitlines()[0])


def reason(returncode):
    return f"killed by {signal.Signals(-returncode).name}" if returncode < 0 else \
        f"exit status {returncode}"


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_command(launch, argv, stdout=subprocess.PIPE, processors=None, **more):
    """Runs argv to its end; gives its output and its cpu seconds, a tracer's own included."""
    before = children_cpu()
    pin = (lambda: os.sched_setaffinity(0, processors)) if processors else None
    process = subprocess.Popen([*launch.prefix, *map(str, argv)], env=environment(launch),
                               stdin=subprocess.DEVNULL, stdout=stdout,
                               stderr=subprocess.PIPE, text=True, start_new_session=True,
                               preexec_fn=pin, **more)
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise RunError(f"hung: killed after {TIMEOUT} s") from None
    cpu = children_cpu() - before
    check_loaded(err)
    if process.returncode != 0:
        raise RunError(f"{reason(process.returncode)}: {err.strip()[-400:]}")
    return out, cpu


# --- The bench programs ---------------------------------------------------------------------------

def list_of(path):
    """Names and sentences of the rows of a program."""
    listed = subprocess.run([path, "--list"], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in listed.stdout.splitlines()]


def figures(out):
    try:
        # The last line: some tracers speak on standard output too.
        found = next(json.loads(line) for line in reversed(out.splitlines())
                     if line.startswith('{"row"'))
    except (StopIteration, ValueError):
        raise RunError(f"no figures in its output: {out[-200:]!r}") from None
    return Sample(found["wall"], found.get("cpu"), found["all_ops"])


def bench_row(path, name, doc, seconds):
    def run(launch, scratch):
        return figures(run_command(launch, [path, name, "--seconds", seconds])[0])

    kind, unit = {"memory_per_thread": ("memory", "B/thread"),
                  "idle_10000": ("idle", "us/s")}.get(name, ("micro", "ns/op"))
    return Row(name, doc, run, kind, unit)


def event_row(build, program, name, doc, seconds):
    """These link gtrace's own code, so a tracer is the build of gtrace and not a preload."""
    def run(launch, scratch):
        path = (launch.build or build) / "tests/bench" / program
        if not path.exists():
            raise RunError(f"{path} is not built")
        env = {key: value.replace("%p", "event") for key, value in launch.env.items()
               if key != "LD_PRELOAD"}
        return figures(run_command(Launch(env=env), [path, name, seconds])[0])

    return Row(name, doc, run, "event", "ns/event")


def program_rows(build, seconds):
    """Rows below many frames are taken from both builds of a program, the others from the first."""
    rows = []
    for program, make in (("bench", lambda program, name, doc: bench_row(
            build / "tests/bench" / program, name, doc, seconds)),
                          ("event", lambda program, name, doc: event_row(
            build, program, name, doc, seconds))):
        for built, suffix in ((program, ""), (f"{program}-nofp", "_nofp")):
            rows += [make(built, name, doc)
                     for name, doc in list_of(build / "tests/bench" / built)
                     if name.endswith(suffix)]
    return rows


# --- Start-up -------------------------------------------------------------------------------------

STARTS = 20


def startup(launch, scratch):
    """The median of some runs of true, each a fresh process."""
    walls, cpus = [], []
    argv = [*launch.prefix, shutil.which("true")]
    program = shutil.which(argv[0])
    env = environment(launch)
    errors = scratch / "startup.err"
    to_file = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
               (os.POSIX_SPAWN_OPEN, 2, errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)]
    for _ in range(STARTS):
        began = time.perf_counter()
        pid = os.posix_spawn(program, argv, env, file_actions=to_file)
        alive = os.pidfd_open(pid)
        hung = not select.select([alive], [], [], TIMEOUT)[0]
        if hung:
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        walls.append(time.perf_counter() - began)
        cpus.append(usage.ru_utime + usage.ru_stime)
        os.close(alive)
        if hung:
            raise RunError(f"hung: killed after {TIMEOUT} s")
        check_loaded(errors.read_text(errors="replace"))
        if status != 0:
            raise RunError(reason(os.waitstatus_to_exitcode(status)))
    return Sample(statistics.median(walls) * 1e6, statistics.median(cpus) * 1e6, STARTS)


def all_rows(build, seconds):
    import servers      # which stands on this file

    return program_rows(build, seconds) + [
        Row("startup", "one process of true", startup, "start", "us/process",
            "" if shutil.which("true") else "true not installed"),
    ] + servers.rows()
