"""Threads of Python in their common shapes, with an output that does not depend on the scheduler.

The interpreter's own lock is a mutex with condition variables; every switch of threads goes
through them. Started by run.
"""

import concurrent.futures
import queue
import sys
import threading
import time


def counters():
    lock, total = threading.Lock(), 0

    def add():
        nonlocal total
        for _ in range(2000):
            with lock:
                total += 1

    threads = [threading.Thread(target=add, name=f"counter-{i}") for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return total


def pipeline():
    numbers, squares = queue.Queue(maxsize=8), queue.Queue()

    def square():
        while (n := numbers.get()) is not None:
            squares.put(n * n)
            numbers.task_done()

    workers = [threading.Thread(target=square) for _ in range(3)]
    for w in workers:
        w.start()
    for n in range(500):
        numbers.put(n)
    numbers.join()
    for _ in workers:
        numbers.put(None)
    for w in workers:
        w.join()
    return sum(squares.get() for _ in range(500))


def turns():
    condition, turn, spoken = threading.Condition(), 0, []

    def speak(me):
        nonlocal turn
        for _ in range(50):
            with condition:
                condition.wait_for(lambda: turn == me)
                spoken.append(me)
                turn = (me + 1) % 3
                condition.notify_all()

    threads = [threading.Thread(target=speak, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return spoken == [0, 1, 2] * 50


def pool():
    def work(n):
        time.sleep(0.001)
        if n == 13:
            raise ValueError("thirteen")
        return n

    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        futures = [executor.submit(work, n) for n in range(40)]
        errors = [str(f.exception()) for f in futures if f.exception()]
        return sum(f.result() for f in futures if not f.exception()), errors


def computing():
    """Long enough for the interpreter to take its lock from one thread and give it to another."""
    with concurrent.futures.ThreadPoolExecutor(3) as executor:
        return sum(executor.map(lambda n: sum(range(n)), [200_000] * 12))


threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
for part in (counters, pipeline, turns, pool, computing):
    print(part.__name__, part())
sys.stdout.flush()
sys.exit(21)
