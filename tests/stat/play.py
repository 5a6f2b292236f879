"""Traces as text, of plays that a test writes: who locks what when, who waits, who ends that.

    play = Play(strings)
    main = play.main("main")
    a = play.thread(main, 10, "worker")          created by main at 10 us
    play.block(a, 100, MUTEX, ["take", "worker"], (0x1000, MUTEX), owner=main)
    play.unblock(a, 400, main, ["give", "main"])  and runs again 1 us later
    text = play.text()

Times are microseconds. A stack is a list of functions, innermost first; a function may be (name, pc)
where two calls of it are to be told apart. Facts are those that the library writes, in its encoding.
"""

NOBODY = 18446744073709551615
MUTEX, COND, THREAD = 1, 2, 3  # enum gt_object, and of the first two enum gt_reason as well
JOIN, SLEEP = 3, 5  # enum gt_reason
REASONS = {MUTEX: "sync", COND: "sync.(*Cond).Wait", JOIN: "sync (pthread_join)", SLEEP: "sleep"}
WAKER, NO_WAKER, TIMEOUT = 1, 2, 3  # enum gt_ended
FACT_BLOCK, FACT_WAIT_END, FACT_CALL = 1, 2, 5
READ = 1  # calls.def


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


class Thread:
    def __init__(self, g, routine):
        self.g, self.m, self.p, self.routine = g, 100 + g, g - 1, routine
        self.seq, self.p_seq = 0, 0
        self.events, self.facts = [], []  # (ns, text), (ns, numbers)

    def on(self, us, text):
        self.events.append((int(us * 1000), text))

    def take_proc(self, us):
        self.p_seq += 1
        if self.p_seq == 1:
            self.on(us, f"ProcStatus dt=%d p={self.p} pstatus=2")
        self.on(us, f"ProcStart dt=%d p={self.p} p_seq={self.p_seq}")

    def next(self):
        self.seq += 1
        return self.seq


class Play:
    def __init__(self):
        self.names, self.stacks, self.threads, self.pcs = {}, {}, [], {}
        for number, text in REASONS.items():
            self.names[text] = len(self.names) + 1

    def name(self, text):
        return self.names.setdefault(text, len(self.names) + 1)

    def stack(self, frames):
        frames = tuple(f if isinstance(f, tuple) else (f, 0) for f in frames)
        for frame in frames:
            self.name(frame[0])
            self.pcs.setdefault(frame, 0x1000 + 0x100 * len(self.pcs))
        return self.stacks.setdefault(frames, len(self.stacks) + 1) if frames else 0

    def main(self, routine):
        t = Thread(1, routine)
        self.threads.append(t)
        t.p_seq = 0
        t.on(0, "ProcStatus dt=%d p=0 pstatus=1")
        t.on(0, f"GoStatusStack dt=%d g=1 m={t.m} gstatus=2 stack={self.stack([routine])}")
        t.on(0, "ProcsChange dt=%d procs_value=4 stack=0")
        return t

    def thread(self, creator, us, routine):
        t = Thread(len(self.threads) + 1, routine)
        self.threads.append(t)
        where = self.stack([creator.routine])
        creator.on(us, f"GoCreate dt=%d new_g={t.g} new_stack={self.stack([routine])} stack={where}")
        t.take_proc(us + 1)
        t.on(us + 1, f"GoStart dt=%d g={t.g} g_seq={t.next()}")
        return t

    def fact(self, t, us, *numbers):
        t.facts.append((int(us * 1000), numbers))

    def block(self, t, us, reason, frames, what=None, owner=None):
        """what: (address, kind), perhaps with its epoch, or a thread that is joined."""
        if isinstance(what, Thread):
            self.fact(t, us, FACT_BLOCK, t.g, 0x7000 + what.g, 0, THREAD, what.m)
        elif what is not None:
            address, kind, *epoch = what
            self.fact(t, us, FACT_BLOCK, t.g, address, *(epoch or [0]), kind,
                      owner.m if owner else 0)
        t.on(us, f"GoBlock dt=%d reason_string={self.name(REASONS[reason])} "
             f"stack={self.stack(frames)}")
        t.on(us, "ProcStop dt=%d")

    def unblock(self, t, us, waker, frames=(), how=None, late=1):
        """waker None: nobody, the thread finds out itself; late: us until it runs."""
        unblock = f"GoUnblock dt=%d g={t.g} g_seq={t.next()} stack={self.stack(frames)}"
        if waker:
            waker.on(us, unblock)
        self.fact(t, us + late, FACT_WAIT_END, t.g, how or (WAKER if waker else NO_WAKER), 0,
                  waker.g if waker else 0)
        t.take_proc(us + late)
        if not waker:
            t.on(us + late, unblock)
        t.on(us + late, f"GoStart dt=%d g={t.g} g_seq={t.next()}")

    def call(self, t, begin, end, number, frames, result=0):
        """A system call that kept its processor."""
        t.on(begin, f"GoSyscallBegin dt=%d p_seq={self.proc_seq(t)} stack={self.stack(frames)}")
        self.fact(t, end, FACT_CALL, number, 0, result << 1)
        t.on(end, "GoSyscallEnd dt=%d")

    def proc_seq(self, t):
        t.p_seq += 1
        return t.p_seq

    def end(self, t, us):
        t.on(us, "GoDestroy dt=%d")
        t.on(us, "ProcStop dt=%d")

    def text(self):
        main = self.threads[0]
        out = ["Trace Go1.26", f"EventBatch gen=1 m={NOBODY} time=1000 size=auto", "Sync",
               "Frequency freq=1000000000", "ClockSnapshot dt=1 mono=1000 sec=1700000001 nsec=5"]
        self.name("play.c")
        batches, facts = [], []
        for t in self.threads:
            at = 1000
            batches.append(f"EventBatch gen=1 m={t.m} time=1000 size=auto")
            for ns, text in sorted(t.events, key=lambda e: e[0]):
                batches.append(text % (1000 + ns - at))
                at = 1000 + ns
            at, data = 1000, b"G\x01"
            for ns, numbers in sorted(t.facts, key=lambda f: f[0]):
                data += varint(numbers[0]) + varint(1000 + ns - at)
                data += b"".join(map(varint, numbers[1:]))
                at = 1000 + ns
            if t.facts:
                quoted = "".join(f"\\x{b:02x}" for b in data)
                facts.append(f'ExperimentalBatch exp=1 gen=1 m={t.m} time=1000\n\tdata="{quoted}"')
        out += [f"EventBatch gen=1 m={NOBODY} time=1000 size=auto", "Strings"]
        out += [f'String id={number}\n\tdata="{text}"' for text, number in self.names.items()]
        out += [f"EventBatch gen=1 m={NOBODY} time=1000 size=auto", "Stacks"]
        for frames, number in self.stacks.items():
            out.append(f"Stack id={number} nframes={len(frames)}")
            out += [f"\tpc={self.pcs[f]} func={self.names[f[0]]} file={self.names['play.c']} line=1"
                    for f in frames]
        return "\n".join(out + batches + facts + ["EndOfGeneration", ""])
