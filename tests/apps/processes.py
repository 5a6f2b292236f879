"""Processes of Python in every way that it makes them, and event loops; started by run.

The output does not depend on the scheduler. The argument multiplies the load.
"""

import asyncio
import concurrent.futures
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

LOAD = int(sys.argv[1]) if len(sys.argv) > 1 else 1


def square(n):
    return n * n


def sum_up(lock, total, ready):
    ready.wait()
    for _ in range(200):
        with lock:
            total.value += 1


def shared(method):
    """Semaphores and a barrier between processes, queues with their feeder threads, a pool."""
    context = multiprocessing.get_context(method)
    lock, ready = context.Lock(), context.Barrier(3)
    total = context.Value("i", 0)
    children = [context.Process(target=sum_up, args=(lock, total, ready)) for _ in range(3)]
    for c in children:
        c.start()
    for c in children:
        c.join()
    with context.Pool(2) as pool:
        squares = sum(pool.imap_unordered(square, range(50 * LOAD), chunksize=5))
    return total.value, [c.exitcode for c in children], squares


def commands():
    """subprocess: vfork or fork, pipes both ways, a failing exec, kill, a time-out."""
    said = [subprocess.run(["cat"], input=b"x" * 300000, capture_output=True).stdout.count(b"x")]
    for _ in range(10 * LOAD):
        said.append(subprocess.call("exit 7", shell=True))
    try:
        subprocess.run(["/no/such/program"])
    except FileNotFoundError as e:
        said.append(e.errno)
    p = subprocess.Popen(["sleep", "100"], preexec_fn=os.setsid)
    p.send_signal(signal.SIGTERM)
    said.append(p.wait())
    try:
        subprocess.run(["sleep", "100"], timeout=0.1)
    except subprocess.TimeoutExpired:
        said.append("time out")
    said.append(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(
        "/bin/sh", ["sh", "-c", "kill -9 $$"], os.environ), 0)[1]))
    said.append(os.popen("echo popen").read())
    return said


def forks_beside_threads():
    """Children of a process whose other threads hold locks and make more children."""
    codes = []

    def fork(n):
        for i in range(5):
            pid = os.fork()
            if pid == 0:
                os._exit(n * 5 + i)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    threads = [threading.Thread(target=fork, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sorted(codes)


def sockets():
    """A server of threads, a client that polls, selects and epolls."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(3):
            s, _ = listener.accept()
            with s:
                while data := s.recv(1000):
                    time.sleep(0.01)
                    s.sendall(data[::-1])

    server = threading.Thread(target=serve)
    server.start()
    got = []
    for how in ("select", "poll", "epoll"):
        with socket.create_connection(listener.getsockname()) as s:
            s.setblocking(False)
            for n in range(5):
                s.sendall(f"{how}{n}".encode())
                if how == "select":
                    select.select([s], [], [])
                elif how == "poll":
                    poll = select.poll()
                    poll.register(s, select.POLLIN)
                    poll.poll()
                else:
                    with select.epoll() as epoll:
                        epoll.register(s, select.EPOLLIN)
                        epoll.poll()
                got.append(s.recv(100).decode())
    server.join()
    return got


def loop():
    """asyncio: an event loop, a server in it, subprocesses, work in threads."""
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        async def ask(n):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(f"line {n}\n".encode())
            said = await reader.readline()
            writer.close()
            return said.decode()

        said = await asyncio.gather(*[ask(n) for n in range(20 * LOAD)])
        child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE,
                                                     stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate(b"through a child")
        slept = await asyncio.gather(*[asyncio.to_thread(time.sleep, 0.01) for _ in range(5)])
        server.close()
        return len(said), said[7], out, slept

    return asyncio.run(main())


def signals():
    """Handlers run between bytecodes of main; sigwait and timers in the kernel."""
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
    # Again and again: the first may come before the wait for it has begun.
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    del seen[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
    seen.append(int(signal.sigwait([signal.SIGUSR1])))
    seen.append(signal.sigtimedwait([signal.SIGUSR1], 0.01))
    return seen


def executor():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return sum(pool.map(square, range(50 * LOAD), chunksize=10))


if __name__ == "__main__":
    for part in (commands, forks_beside_threads, sockets, loop, signals, executor):
        print(part.__name__, part(), flush=True)
    for way in ("fork", "spawn", "forkserver"):
        print(way, shared(way), flush=True)
    sys.exit(23)
