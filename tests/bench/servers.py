"""Real programs: servers under their own load generators, and compressors.

The servers run on one half of the processors and their load on the other, where there are two or
more: so a request costs what it costs, whatever the load generator does meanwhile, and the
scheduler does not decide the figure. With the rest of a machine busy it is still the server's own
processor time a request that is steadiest.
"""
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

from workloads import TIMEOUT, UNTRACED, Row, RunError, Sample, check_loaded, environment, \
    reason, run_command

TICK = os.sysconf("SC_CLK_TCK")
PROCESSORS = sorted(os.sched_getaffinity(0))
SERVER = set(PROCESSORS[:max(1, len(PROCESSORS) // 2)])
LOAD = set(PROCESSORS) - SERVER or SERVER
SECONDS = 2
INPUT_MB = 48


# --- Processes ------------------------------------------------------------------------------------

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


def tree(pid):
    """A process and all that it has made and that live."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def cpu_seconds(pid):
    """User and system time of a process and of all that it has made, those that are over too."""
    seconds = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            # The kernel's clock of a process: to the nanosecond, where stat counts ticks.
            seconds += time.clock_gettime(~one << 3 | 2)
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            seconds += (int(fields[13]) + int(fields[14])) / TICK
    return seconds


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def server(launch, scratch, comm, argv, port, *, pinned=True, ready=None, **more):
    """Starts a server, waits until it listens (and a command ready says yes), gives its pid; ends
    it as an operator would."""
    log = open(scratch / "server.log", "w+")
    pin = (lambda: os.sched_setaffinity(0, SERVER)) if pinned else None
    process = subprocess.Popen([*launch.prefix, *map(str, argv)], env=environment(launch),
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               start_new_session=True, preexec_fn=pin, **more)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                if not ready or subprocess.run(ready, stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL).returncode == 0:
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


def under_load(pid, argv, *, pinned=True, **more):
    """Runs a load generator; gives its output, its seconds, the server's own cpu seconds."""
    alone, before, began = tree(pid), cpu_seconds(pid), time.perf_counter()
    out, _ = run_command(UNTRACED, argv, processors=LOAD if pinned else None, **more)
    wall = time.perf_counter() - began
    # Processes for connections that are closed now: their time is their parent's when they are over.
    deadline = time.monotonic() + 2
    while set(tree(pid)) - set(alone) and time.monotonic() < deadline:
        time.sleep(0.01)
    return out, wall, cpu_seconds(pid) - before


def found(pattern, out, who):
    match = re.search(pattern, out, re.M)
    if not match or float(match[1]) == 0:
        raise RunError(f"{who} says: {out.strip()[-300:]}")
    return float(match[1])


# --- Servers --------------------------------------------------------------------------------------

def memcached(launch, scratch):
    port = free_port()
    user = ["-u", "root"] if os.geteuid() == 0 else []
    argv = ["memcached", "-t", 4, "-l", "127.0.0.1", "-p", port, "-U", 0, *user]
    with server(launch, scratch, "memcached", argv, port) as pid:
        out, _, cpu = under_load(pid, ["memcaslap", "-s", f"127.0.0.1:{port}", "-T", 2, "-c", 16,
                                       "-t", f"{SECONDS}s"])
    seconds = found(r"Run time: ([\d.]+)s", out, "memcaslap")
    ops = found(r"Ops: (\d+)", out, "memcaslap")
    return Sample(seconds / ops * 1e6, cpu / ops * 1e6, ops)


def redis_with(io_threads, ops, pinned):
    def run(launch, scratch):
        port = free_port()
        argv = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", scratch, "--io-threads", io_threads,
                "--io-threads-do-reads", "yes"]
        with server(launch, scratch, "redis-server", argv, port, pinned=pinned) as pid:
            _, wall, cpu = under_load(pid, ["redis-benchmark", "-p", port, "-t", "get", "-c", 50,
                                            "-n", ops, "-q"], pinned=pinned)
        return Sample(wall / ops * 1e6, cpu / ops * 1e6, ops)
    return run


NGINX = """
daemon off; master_process on; worker_processes {workers}; pid {folder}/nginx.pid;
error_log {folder}/nginx.log; {user}
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
    fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
    sendfile on; keepalive_requests 1000000000;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def nginx(launch, scratch):
    port, folder = free_port(), scratch / "nginx"
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text("small\n" * 40)
    user = "user root root;" if os.geteuid() == 0 else ""
    (folder / "conf").write_text(NGINX.format(folder=folder, port=port, workers=len(SERVER),
                                              user=user))
    argv = ["nginx", "-p", folder, "-e", folder / "nginx.log", "-c", folder / "conf"]
    with server(launch, scratch, "nginx", argv, port) as pid:
        out, wall, cpu = under_load(pid, ["wrk", "-t", len(LOAD), "-c", 32, "-d", f"{SECONDS}s",
                                          f"http://127.0.0.1:{port}/index.html"])
    if "Socket errors" in out or "Non-2xx" in out:
        raise RunError(f"wrk says: {out.strip()[-300:]}")
    ops = found(r"(\d+) requests in", out, "wrk")
    return Sample(1e6 / found(r"Requests/sec: +([\d.]+)", out, "wrk"), cpu / ops * 1e6, ops)


def postgres_tools():
    """The folder of the newest PostgreSQL's programs, which Debian keeps out of the PATH."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                     key=lambda path: int(path.parent.name), reverse=True)
    for folder in [*folders, *map(pathlib.Path, os.get_exec_path())]:
        if all((folder / name).exists() for name in ("postgres", "initdb", "pgbench")):
            return folder
    return None


def postgres(launch, scratch):
    tools, port, data = postgres_tools(), free_port(), scratch / "postgres"
    # It refuses to be root; anybody else may be it.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    argv = [tools / "postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={data}", "-c", "autovacuum=off"]
    bench = [tools / "pgbench", "-h", "127.0.0.1", "-p", port, "-U", "boss"]
    ready = [tools / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    if not data.exists():
        data.mkdir(mode=0o700)
        if user:
            shutil.chown(data, "nobody", "nogroup")
        run_command(UNTRACED, [tools / "initdb", "-D", data, "-N", "-U", "boss", "-A", "trust",
                               "--locale=C"],
                    **user)
        with server(UNTRACED, scratch, "postgres", argv, port, ready=ready, **user):
            run_command(UNTRACED, [*bench, "-i", "-s", 4, "-q", "postgres"])
    with server(launch, scratch, "postgres", argv, port, ready=ready, **user) as pid:
        out, _, cpu = under_load(pid, [*bench, "-S", "-M", "prepared", "-n", "-c", 4, "-j",
                                       len(LOAD), "-T", SECONDS, "postgres"])
    ops = found(r"transactions actually processed: (\d+)", out, "pgbench")
    return Sample(1e6 / found(r"tps = ([\d.]+)", out, "pgbench"), cpu / ops * 1e6, ops)


# --- Compressors ----------------------------------------------------------------------------------

def compressor_input(scratch):
    """Made once a session: text-like bytes that compress about threefold, always the same."""
    path = scratch / "compressor.in"
    if not path.exists():
        dice = random.Random(1)
        words = [bytes(dice.choices(b"etaoinshrdlu", k=dice.randint(2, 9))) + b" "
                 for _ in range(4096)]
        block = b"".join(dice.choices(words, k=400_000))
        with open(path, "wb") as file:
            for _ in range(INPUT_MB):
                at = dice.randrange(len(block) - (1 << 20))
                file.write(block[at:at + (1 << 20)])
    return path


def compressor(*argv):
    def run(launch, scratch):
        source = compressor_input(scratch)
        began = time.perf_counter()
        _, cpu = run_command(launch, [*argv, source], subprocess.DEVNULL)
        wall = time.perf_counter() - began
        return Sample(wall / INPUT_MB * 1e3, cpu / INPUT_MB * 1e3, INPUT_MB)
    return run


# --- The list -------------------------------------------------------------------------------------

def rows():
    def lacks(*programs):
        gone = [p for p in programs if not shutil.which(p)]
        return f"{' and '.join(gone)} not installed" if gone else ""

    def app(name, doc, run, missing, unit="us/request"):
        return Row(f"app_{name}", doc, run, "app", unit, missing)

    apart = "server and load on processors of their own; cpu is the server's own" \
        if SERVER != LOAD else "server and load share the processor; cpu is the server's own"
    return [
        app("memcached", f"memcached -t 4 under memcaslap, {apart}", memcached,
            lacks("memcached", "memcaslap")),
        app("redis", f"redis-server under redis-benchmark -t get, {apart}",
            redis_with(1, 160_000, True), lacks("redis-server", "redis-benchmark")),
        app("redis_io", "redis-server --io-threads 2, whose threads spin, not pinned; cpu is the "
            "server's own", redis_with(2, 60_000, False),
            lacks("redis-server", "redis-benchmark")),
        app("nginx", f"nginx under wrk, a small file, {apart}", nginx, lacks("nginx", "wrk")),
        app("postgres", f"postgres under pgbench -S -M prepared, {apart}", postgres,
            "" if postgres_tools() else "postgres not installed"),
        app("pigz", f"pigz -p 4 of a {INPUT_MB} MB file, the whole command",
            compressor("pigz", "-k", "-c", "-p", 4), lacks("pigz"), "ms/MB"),
        app("zstd", f"zstd -T2 -9 of a {INPUT_MB} MB file, the whole command",
            compressor("zstd", "-q", "-k", "-c", "-T2", "-9"), lacks("zstd"), "ms/MB"),
    ]
