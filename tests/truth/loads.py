"""What runs while both records are taken."""

import os
import shutil
import signal
import socket
import subprocess
import time

import traced

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
LOADS = {}
TIMEOUT = 90


class Missing(Exception):
    """A program that the load needs is not installed."""


class Ended(OSError):
    """A handler jumped out of the tracer (docs/limits.md): the trace ends there, or there is none."""


def load(function):
    LOADS[function.__name__.replace("_", "-")] = function
    return function


def find(name):
    path = shutil.which(name, path=PATH)
    if not path:
        raise Missing(f"{name} is not installed")
    return path


def run(shop, name, command, env, seconds):
    if command:
        subprocess.run(command, env=env, check=False)
    else:
        LOADS[name](shop, env, seconds)


def call(command, env):
    try:
        p = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True,
                           timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise OSError(f"{command[0]} is still running after {TIMEOUT} s") from None
    if p.returncode != 0:
        raise OSError(f"{command[0]} ends with {p.returncode}: {p.stdout}{p.stderr}")
    if traced.JUMPED in p.stderr:
        raise Ended(p.stderr.strip())
    if "gtrace: " in p.stderr:
        raise traced.Failure(p.stderr.strip())


@load
def primitives(shop, env, seconds):
    """every pthread primitive, a futex, and real work between: tests/truth/primitives.c"""
    call([shop.build / "tests/truth/primitives", seconds], env)


@load
def stress(shop, env, seconds):
    """the load of the stress tests: tests/stress/load.c"""
    call([shop.build / "tests/stress/load", seconds], env)


class Server:
    def __init__(self, shop, env, command, port):
        self.process = subprocess.Popen(list(map(str, command)), env=env, cwd=shop.folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.port = port

    def __enter__(self):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.process.kill()
        raise OSError("the server does not answer")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@load
def memcached(shop, env, seconds):
    """memcached with 4 threads under memcaslap, which only sets: all want the same list of its cache"""
    server, client = find("memcached"), find("memcaslap")
    port = free_port()
    sets = shop.folder / "sets.conf"
    sets.write_text("key\n16 16 1\nvalue\n64 64 1\ncmd\n0 1.0\n")
    with Server(shop, env, [server, "-t", 4, "-l", "127.0.0.1", "-p", port, "-u", "root"], port):
        call([client, "-s", f"127.0.0.1:{port}", "-T", 2, "-c", 64, "-F", sets,
              "-t", f"{max(int(seconds), 1)}s"], shop.environment())


@load
def redis(shop, env, seconds):
    """redis with 4 io-threads under redis-benchmark; lists are freed by its thread for that"""
    server, client = find("redis-server"), find("redis-benchmark")
    port = free_port()
    free = "for i=1,200 do redis.call('rpush', KEYS[1], i) end return redis.call('unlink', KEYS[1])"
    with Server(shop, env, [server, "--port", port, "--bind", "127.0.0.1", "--save", "",
                            "--list-max-listpack-size", 1, "--enable-debug-command", "no",
                            "--io-threads", 4, "--io-threads-do-reads", "yes"], port):
        clean = shop.environment()
        call([client, "-p", port, "-q", "-n", int(5000 * seconds), "-c", 50, "-P", 16,
              "-t", "set,get"], clean)
        call([client, "-p", port, "-q", "-n", int(1000 * seconds), "-c", 20,
              "eval", free, 1, "list"], clean)


NGINX = """
daemon off; master_process off; pid nginx.pid; error_log nginx.log notice;
thread_pool readers threads=4;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi; keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port}; root .; sendfile off;
        aio threads=readers; directio 512; output_buffers 2 128k;
    }}
}}
"""


@load
def nginx(shop, env, seconds):
    """nginx, whose 4 threads read a file, under wrk"""
    server, client = find("nginx"), find("wrk")
    port = free_port()
    (shop.folder / "nginx.conf").write_text(NGINX.format(port=port))
    (shop.folder / "file").write_bytes(bytes(200_000))
    shop.folder.chmod(0o755)
    with Server(shop, env, [server, "-p", shop.folder, "-c", shop.folder / "nginx.conf"], port):
        call([client, "-t", 2, "-c", 20, "-d", f"{max(int(seconds), 1)}s",
              f"http://127.0.0.1:{port}/file"], shop.environment())
