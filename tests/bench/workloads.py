"""What is measured: rows of the bench program, start-up, memory, and real programs.

The only list of rows. A row's run(launch, scratch) gives a Sample: wall and cpu cost of one op, and
how many ops the process did in all. Anything unexpected is a RunError, never a figure.
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import random
import re
import resource
import select
import shutil
import signal
import socket
import statistics
import subprocess
import time

from tracers import Launch

TIMEOUT = 120           # seconds for one process; only a hang takes so long
UNTRACED = Launch()     # load generators are never traced
TICK = os.sysconf("SC_CLK_TCK")


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
    kind: str               # micro, start, memory, app
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


def run_command(launch, argv, stdout=subprocess.PIPE):
    """Runs argv to its end; gives its output and its cpu seconds, a tracer's own included."""
    before = children_cpu()
    process = subprocess.Popen([*launch.prefix, *map(str, argv)], env=environment(launch),
                               stdin=subprocess.DEVNULL, stdout=stdout,
                               stderr=subprocess.PIPE, text=True, start_new_session=True)
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


# --- The bench program ----------------------------------------------------------------------------

def bench_rows(folder, seconds):
    rows = []
    for program in ("bench", "bench-nofp"):
        path = folder / program
        listed = subprocess.run([path, "--list"], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            name, doc = line.split("\t")
            if program == "bench-nofp" and not name.endswith("_nofp"):
                continue
            rows.append(bench_row(path, name, doc, seconds))
    return rows


def bench_row(path, name, doc, seconds):
    def run(launch, scratch):
        out, _ = run_command(launch, [path, name, "--seconds", seconds])
        try:
            # The last line: some tracers speak on standard output too.
            figures = next(json.loads(line) for line in reversed(out.splitlines())
                           if line.startswith('{"row"'))
        except (StopIteration, ValueError):
            raise RunError(f"no figures in its output: {out[-200:]!r}") from None
        return Sample(figures["wall"], figures.get("cpu"), figures["all_ops"])

    memory = name == "memory_per_thread"
    return Row(name, doc, run, "memory" if memory else "micro",
               "B/thread" if memory else "ns/op")


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


# --- Real programs --------------------------------------------------------------------------------

PIGZ_MB = 200


def pigz_input(scratch):
    """Made once a session: text-like bytes that compress about threefold, always the same."""
    path = scratch / "pigz.in"
    if not path.exists():
        dice = random.Random(1)
        words = [bytes(dice.choices(b"etaoinshrdlu", k=dice.randint(2, 9))) + b" "
                 for _ in range(4096)]
        block = b"".join(dice.choices(words, k=400_000))
        with open(path, "wb") as file:
            for _ in range(PIGZ_MB):
                at = dice.randrange(len(block) - (1 << 20))
                file.write(block[at:at + (1 << 20)])
    return path


def pigz(launch, scratch):
    source = pigz_input(scratch)
    began = time.perf_counter()
    _, cpu = run_command(launch, ["pigz", "-k", "-c", "-p", 4, source], subprocess.DEVNULL)
    wall = time.perf_counter() - began
    return Sample(wall / PIGZ_MB * 1e3, cpu / PIGZ_MB * 1e3, PIGZ_MB)


def children(pid):
    """Processes whose parent is pid."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def find_server(pid, comm):
    """The server itself, which a tracer that is a program of its own has as a descendant."""
    todo = [pid]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == comm[:15]:
                return pid
        todo += children(pid)
    raise RunError(f"no process named {comm} under the tracer")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def server(launch, scratch, comm, argv, port):
    """Starts a server, waits until it listens, gives its pid; ends it as an operator would."""
    log = open(scratch / "server.log", "w+")
    process = subprocess.Popen([*launch.prefix, *map(str, argv)], env=environment(launch),
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None:
                log.seek(0)
                raise RunError(f"{reason(process.returncode)} at start: {log.read()[-400:]}")
            if time.monotonic() > deadline:
                raise RunError("the server does not listen after 30 s")
            time.sleep(0.02)
        pid = find_server(process.pid, comm)
        yield pid
        os.kill(pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            raise RunError("the server does not end 30 s after SIGTERM") from None
        if process.returncode not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            raise RunError(f"the server: {reason(process.returncode)}")
        log.seek(0)
        check_loaded(log.read())
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def memcached(launch, scratch):
    port = free_port()
    user = ["-u", "root"] if os.geteuid() == 0 else []
    argv = ["memcached", "-t", 4, "-l", "127.0.0.1", "-p", port, "-U", 0, *user]
    with server(launch, scratch, "memcached", argv, port) as pid:
        before = cpu_seconds(pid)
        out, _ = run_command(UNTRACED, ["memcaslap", "-s", f"127.0.0.1:{port}", "-T", 2,
                                        "-c", 16, "-t", "3s"])
        cpu = cpu_seconds(pid) - before
    found = re.search(r"Run time: ([\d.]+)s Ops: (\d+) TPS: (\d+)", out)
    if not found or int(found[2]) == 0:
        raise RunError(f"memcaslap says: {out.strip()[-200:]}")
    seconds, ops = float(found[1]), int(found[2])
    return Sample(seconds / ops * 1e6, cpu / ops * 1e6, ops)


def redis(launch, scratch):
    port, ops = free_port(), 200_000
    argv = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", scratch]
    with server(launch, scratch, "redis-server", argv, port) as pid:
        before = cpu_seconds(pid)
        began = time.perf_counter()
        run_command(UNTRACED, ["redis-benchmark", "-p", port, "-t", "get", "-c", 50, "-n",
                               ops, "-q"])
        wall = time.perf_counter() - began
        cpu = cpu_seconds(pid) - before
    return Sample(wall / ops * 1e6, cpu / ops * 1e6, ops)


def all_rows(build, seconds):
    def lacks(*programs):
        gone = [p for p in programs if not shutil.which(p)]
        return f"{' and '.join(gone)} not installed" if gone else ""

    return bench_rows(pathlib.Path(build) / "tests/bench", seconds) + [
        Row("startup", "one process of true", startup, "start", "us/process", lacks("true")),
        Row("app_pigz", f"pigz -p 4 of a {PIGZ_MB} MB file, the whole command", pigz, "app",
            "ms/MB", lacks("pigz")),
        Row("app_memcached", "memcached -t 4 under memcaslap, sharing the processors; cpu is the "
            "server's own", memcached, "app", "us/request", lacks("memcached", "memcaslap")),
        Row("app_redis", "redis-server under redis-benchmark -t get; cpu is the server's own",
            redis, "app", "us/request", lacks("redis-server", "redis-benchmark")),
    ]
