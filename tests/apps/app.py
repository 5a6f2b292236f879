"""What the real programs share: the stage on which each plays twice, servers, clients, checks.

Used by run and the files of apps beside it (packers, servers, languages, tools). An app is a
function that takes a Stage and gives back what must be equal both ways; @app names it.
"""

import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "programs"))
import traced
from traced import Failure

HERE = pathlib.Path(__file__).resolve().parent
# Servers may be in a folder that only root has in PATH.
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
ROOT = os.getuid() == 0

APPS = {}  # name: (function, out, killed)


class Skip(Exception):
    pass


def app(name, out="%p.trace", killed=False):
    """Names an app. out is its GTRACE_OUT: without %p, only children with threads leave traces.
    killed: signals end some of its processes, whose traces then lack the last generation."""
    def take(function):
        APPS[name] = (function, out, killed)
        return function
    return take


def find(*names):
    """Paths of programs, or the test is skipped."""
    paths = [shutil.which(name, path=PATH) for name in names]
    for name, path in zip(names, paths):
        if not path:
            raise Skip(f"{name} is not installed")
    return paths[0] if len(paths) == 1 else paths


def demand(condition, text):
    if not condition:
        raise Failure(text)


def digest(path):
    """Of one file, or of all files under a folder, with their names."""
    import hashlib
    path = pathlib.Path(path)
    if not path.is_dir():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    sums = [f"{p.relative_to(path)} {digest(p)}" for p in sorted(path.rglob("*")) if p.is_file()]
    return hashlib.sha256("\n".join(sums).encode()).hexdigest()


class Stage:
    """One way of running: the environment with or without the library, and a folder."""

    def __init__(self, shop, name, way, long=False, **settings):
        self.shop, self.way, self.long = shop, way, long
        self.folder = shop.folder / f"{name}.{way}"
        self.folder.mkdir()
        # Some programs become another user, who must find the folder, and make files in it.
        for folder in (shop.folder, self.folder):
            folder.chmod(0o777)
        self.traces = self.folder / "traces"
        self.traces.mkdir(mode=0o777)
        self.traces.chmod(0o777)
        self.log = self.folder / "gtrace.log"
        self.binaries = shop.build / "tests/apps"
        self.clean = shop.environment()
        _, out, _ = APPS[name]
        if way == "plain":
            self.env = shop.environment()
        else:
            # A copy, where every user may read it.
            library = shutil.copy(shop.library, self.folder)
            self.env = shop.environment([library], out=self.traces / out, period="100ms",
                                        log=self.log, **settings)

    def longer(self, short, long):
        return long if self.long else short

    def run(self, *command, timeout=300, env=None, cwd=None, stdin=None, **extra):
        """Ending, output and errors of a traced command; its own failure is no failure here."""
        outcome = traced.Outcome(command, {**self.env, **(env or {})}, cwd or self.folder,
                                 timeout=timeout, stdin=stdin or subprocess.DEVNULL, **extra)
        return [outcome.ending(), outcome.stdout, outcome.stderr]

    def well(self, *command, **how):
        """The same, and the status must be 0."""
        done = self.run(*command, **how)
        demand(done[0] == "0", f"{command[0]} ends with {done[0]}:\n{done[1][-3000:]}{done[2]}")
        return done

    def client(self, *command, timeout=300, **how):
        """What is never traced: load generators, preparations."""
        how = {"env": self.clean, "cwd": self.folder, **how}
        p = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                           timeout=timeout, errors="replace", **how)
        demand(p.returncode == 0, f"{command[0]}: status {p.returncode}: {p.stdout}{p.stderr}")
        return p.stdout


def free_port():
    """Not one of those that the kernel gives to clients: one of another test could have it next."""
    while True:
        with socket.socket() as s:
            port = random.randrange(20000, 32000)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def without_figures(text):
    return re.sub(r"\d+", "N", text)


class Server:
    """A server in the background, on a port of its own, which ends by a signal or a command."""

    def __init__(self, stage, command, port, **how):
        self.log = stage.folder / "log"
        self.port = port
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(list(map(str, command)), env=stage.env,
                                            cwd=stage.folder, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True, **how)
        until = time.monotonic() + traced.HANGS
        while True:
            try:
                self.connect().close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.kill()
                    text = self.log.read_text(errors="replace")
                    raise Failure(f"{command[0]} does not listen:\n{text}") from None
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """All that the server may have left; nothing where it ended well."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=traced.HANGS)

    def talk(self, text, end):
        """Sends text and reads until the answer ends as said."""
        with self.connect() as s:
            s.sendall(text.encode())
            answer = b""
            while not answer.endswith(end.encode()):
                part = s.recv(65536)
                if not part:
                    break
                answer += part
        return answer.decode()

    def end(self, how=None, timeout=traced.HANGS):
        if how:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"does not end:\n{self.log.read_text(errors='replace')}") from None

    def said(self):
        return self.log.read_text(errors="replace")
