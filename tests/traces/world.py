"""A world of threads (M), processors (P) and goroutines (G) in which at each step somebody does
something that is legal then, and the trace of it. For schedules.py, which tells what for.
"""

import random

NONE = 2**64 - 1
GO_STATES = {"Runnable": 1, "Running": 2, "Syscall": 3, "Waiting": 4}
P_STATES = {"Running": 1, "Idle": 2, "Syscall": 3}
REASONS = ["sync", "chan receive", "select", "", "sleep \"x\" \\ \x01\xe9"]


def quoted(text):
    """As list.c prints a text."""
    return '"' + "".join(chr(c) if 0x20 < c < 0x7f and chr(c) not in '"\\' else f"\\x{c:02x}"
                         for c in text.encode("latin-1")) + '"'


def source(text):
    """As the assembler reads it."""
    return "".join(chr(c) if 0x20 <= c < 0x7f and chr(c) not in '"\\' else f"\\x{c:02x}"
                   for c in text.encode("latin-1"))


class G:
    def __init__(self, number, state):
        self.id, self.state, self.seq, self.m = number, state, 0, None
        self.regions, self.assist, self.stolen = [], False, False


class P:
    def __init__(self, number, state):
        self.id, self.state, self.seq, self.m, self.sweep = number, state, 0, None, False


class M:
    def __init__(self, number):
        self.id, self.g, self.p, self.known = number, None, None, False


class World:
    """Everything that is there, and what has been written of it."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.version = rng.choice([22, 23, 25, 26, 26])
        self.skewed = seed % 2 == 1
        self.time, self.text, self.happened = rng.randrange(1000, 10**9), [], []
        self.next_id, self.tasks, self.gc, self.gc_seq = 1, {}, False, rng.randrange(100)
        self.generation, self.syncs, self.collector = 0, 0, None
        self.gs, self.ms, self.no_m = [], [], M(NONE)
        self.ps = [P(i, "Idle") for i in range(rng.randint(1, 5))]
        self.stacks = [[(100 * i + k, f"f{i}.{k}", f"file{i}.go", 7 * k + 1)
                        for k in range(rng.randint(1, 5))] for i in range(1, 8)]
        self.stop_world = None
        self.begin_generation()
        for _ in range(rng.randint(1, 6)):  # those that were there before the trace
            self.before(rng.choice(["Waiting", "Runnable", "Running", "Syscall", "bare Syscall"]))

    # --- writing ---

    def id(self):
        self.next_id += self.rng.randint(1, 3)
        return self.next_id

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings) + self.first_id) if text else 0

    def stack(self):
        """A stack: its id here, and its frames."""
        if self.rng.random() < 0.4:
            return 0, None
        i = self.rng.randrange(len(self.stacks))
        return self.stack_ids.setdefault(i, len(self.stack_ids) + self.first_id), self.stacks[i]

    def event(self, m, name, fields, stack=None, own=None, context=None, **arguments):
        """An event in the stream of m: as text, and as list.c will print it."""
        self.time += self.rng.randint(2, 60)
        self.streams.setdefault(m, []).append((self.time, name, arguments))
        m.known = m.known or m.id != NONE
        if context is None:
            context = (m.id, m.p and m.p.id, m.g and m.g.id)
        words = " ".join("-" if i in (None, NONE) else str(i) for i in context)
        self.happened.append((self.time, f"{words} {fields}", own, stack))

    def go(self, m, name, g, to, reason="", own=None, stack=None, context=None, was=None, **more):
        fields = f"Go {g.id} {was or g.state} {to} {quoted(reason)}"
        self.event(m, name, fields, stack, own or (), context, **more)
        g.state = to

    def proc(self, m, name, p, to, was=None, **more):
        shown = {"Syscall": "Running"}
        fields = f"Proc {p.id} {shown.get(was or p.state, was or p.state)} {shown.get(to, to)} \"\""
        self.event(m, name, fields, None, (), **more)
        p.state = to

    # --- generations ---

    def begin_generation(self):
        self.generation += 1
        self.streams, self.strings, self.stack_ids, self.samples = {}, {}, {}, []
        self.first_id = self.rng.choice([1, 1, 7, 10**6])
        self.traced, self.gc_traced = set(), not self.gc
        self.begun = self.time = self.time + self.rng.randint(2, 1000)
        self.syncs += 1
        self.snapshot = (self.begun + 1, 5000 + self.begun, 1700000000 + self.generation, 9)
        snapshot = " ".join(map(str, self.snapshot)) if self.version >= 25 else ""
        self.happened.append((self.begun, f"sync {self.syncs} {snapshot}".strip(), None, None))

    def end_generation(self):
        """What was silent is listed; then everything is written."""
        for p in self.ps:
            self.trace_p(p)
        for g in self.gs:
            self.trace_g(g, silent=True)
        out, rng = self.text, self.rng
        head = f"EventBatch gen={self.generation} m={{}} time={{}} size=auto"
        nobody = head.format(NONE, self.begun)
        clock = [nobody, "Frequency freq=1000000000"]
        if self.version >= 25:
            clock[1:1] = ["Sync"]
            clock.append("ClockSnapshot dt=1 mono={1} sec={2} nsec={3}".format(*self.snapshot))
        batches = [[clock]]
        for m, events in self.streams.items():
            skew = rng.randrange(-500, 500) if self.skewed and m.id != NONE else 0
            mine, i = [], 0
            while i < len(events):
                n = rng.randint(1, 40)
                last = max(events[i][0] + skew - rng.randint(0, 1), self.begun)
                batch = [head.format(m.id, last)]
                for time, name, arguments in events[i:i + n]:
                    time = max(time + skew, last)
                    words = " ".join(f"{k.rstrip('_')}={v}" for k, v in arguments.items())
                    batch.append(f"{name} dt={time - last} {words}".strip())
                    last = time
                mine.append(batch)
                i += n
            batches.append(mine)
        batches.append([[nobody, "Strings"] + [f'String id={i}\n\tdata="{source(s)}"'
                                               for s, i in self.strings.items()]])
        stacks = [nobody, "Stacks"]
        for k, i in self.stack_ids.items():
            frames = self.stacks[k]
            stacks.append(f"Stack id={i} nframes={len(frames)}")
            stacks += [f"\tpc={pc} func={self.string(f)} file={self.string(n)} line={line}"
                       for pc, f, n, line in frames]
        batches[-1][0][2:] = [f'String id={i}\n\tdata="{source(s)}"'
                              for s, i in self.strings.items()]
        batches.append([stacks])
        if self.samples:
            batches.append([[nobody, "CPUSamples"] + self.samples])
        while batches:  # those of one M keep their order
            of = rng.choice(batches)
            out += of.pop(0)
            if not of:
                batches.remove(of)
        if self.version >= 26:
            out.append("EndOfGeneration")

    def trace_p(self, p, by=None):
        """Its status, if this generation has none yet. Where it is idle, by whom does not count,
        but an open range must be told before what m does with it."""
        if p in self.traced:
            return
        self.traced.add(p)
        p.seq = 0
        here = p.m or (by if by and (p.sweep or self.rng.random() < 0.5) else self.no_m)
        was = p.state
        if not hasattr(p, "seen"):
            p.seen = True
            was = "Undetermined" if self.first() else "NotExist"
        self.proc(here, "ProcStatus", p, p.state, was=was, p_=p.id, pstatus=P_STATES[p.state])
        if p.sweep:
            self.event(here, "GCSweepActive",
                       f"RangeActive \"GC\\x20incremental\\x20sweep\" Proc {p.id}", p_=p.id)

    def first(self):
        return self.generation == 1

    def trace_g(self, g, was=None, silent=False, by=None):
        """The same of a G. That of one in a call stands with its M if that does anything else."""
        if g in self.traced:
            return
        self.traced.add(g)
        g.seq = 0
        here, m, context = self.no_m, g.m, None
        if m is None and by and (g.assist or self.rng.random() < 0.5):
            here = by
        if m is not None and (m.p or not silent or self.rng.random() < 0.5):
            here = m
            if m.p:
                self.trace_p(m.p)
        elif m is not None:
            context = (m.id, None, g.id if m.known and m.g is g and not was else None)
            m.known = True
        arguments = {"g_": g.id, "m_": m.id if m else NONE, "gstatus": GO_STATES[g.state]}
        stack = own = None
        name = "GoStatus"
        if self.version >= 23 and self.rng.random() < 0.5:
            name, (number, own) = "GoStatusStack", self.stack()
            arguments["stack_"], stack = number, own
        if context is None and here is not self.no_m and was:
            context = (m.id, m.p and m.p.id, None)
        self.go(here, name, g, g.state, was=was or g.state, own=own, stack=stack, context=context,
                **arguments)
        if g.assist:
            self.event(here, "GCMarkAssistActive",
                       f"RangeActive \"GC\\x20mark\\x20assist\" Go {g.id}", g_=g.id)

    def trace_gc(self):
        """That a collection goes on, by somebody who runs."""
        if self.gc_traced:
            return
        for m in self.ms:
            if m.g and m.p and m.g.state == "Running":
                self.touch(m)
                self.gc_traced = True
                self.gc_seq += 1
                self.event(m, "GCActive", "RangeActive \"GC\\x20concurrent\\x20mark\\x20phase\"",
                           gc_seq=self.gc_seq)
                return

    def touch(self, m, *others):
        """Before an event of m: the statuses of all that it is about."""
        for x in (m.p, m.g, *others):
            if isinstance(x, P):
                self.trace_p(x, by=m)
            elif isinstance(x, G):
                self.trace_g(x, by=m)

    # --- before the trace ---

    def before(self, state):
        g = G(self.id(), state.split()[-1])
        if state in ("Running", "Syscall"):
            free = [p for p in self.ps if p.state == "Idle" and p not in self.traced]
            if not free:
                return
            m = M(self.id() * 10)
            self.ms.append(m)
            p = free[0]
            p.state = state
            p.m = m
            self.trace_p(p)
            m.p, g.m = p, m
        elif state == "bare Syscall":
            g.m = M(self.id() * 10)
            self.ms.append(g.m)
        self.gs.append(g)
        self.trace_g(g, was="Undetermined")
        if g.m:
            g.m.g = g

    # --- what can be done ---

    def idle(self, kind, state):
        found = [x for x in kind if x.state == state]
        return self.rng.choice(found) if found else None

    def take_p(self, m):
        p = self.idle(self.ps, "Idle")
        if p is None:
            return
        self.touch(m, p)
        p.seq += 1
        self.proc(m, "ProcStart", p, "Running", p_=p.id, p_seq=p.seq)
        p.m, m.p = m, p

    def give_p(self, m):
        self.touch(m)
        p = m.p
        self.proc(m, "ProcStop", p, "Idle")
        p.m, m.p = None, None

    def start(self, m):
        g = self.idle(self.gs, "Runnable")
        if g is None:
            return
        self.touch(m, g)
        g.seq += 1
        self.go(m, "GoStart", g, "Running", g_=g.id, g_seq=g.seq)
        g.m, m.g = m, g

    def create(self, m):
        blocked = self.version >= 23 and self.rng.random() < 0.3
        self.touch(m)
        g = G(self.id(), "NotExist")
        (new, entry), (number, stack) = self.stack(), self.stack()
        self.go(m, "GoCreateBlocked" if blocked else "GoCreate", g,
                "Waiting" if blocked else "Runnable", own=entry, stack=stack,
                new_g=g.id, new_stack=new, stack_=number)
        self.gs.append(g)
        self.traced.add(g)

    def unblock(self, m):
        g = self.idle(self.gs, "Waiting")
        if g is None:
            return
        self.touch(m, g)
        g.seq += 1
        number, stack = self.stack()
        self.go(m, "GoUnblock", g, "Runnable", stack=stack, g_=g.id, g_seq=g.seq, stack_=number)

    def leave(self, m, name, to):
        self.touch(m)
        g, reason, (number, stack) = m.g, self.rng.choice(REASONS), self.stack()
        self.go(m, name, g, to, reason, own=stack, stack=stack,
                reason_string=self.string(reason), stack_=number)
        g.m = m.g = None

    def destroy(self, m):
        self.touch(m)
        g = m.g
        if g.assist:
            self.assist(m)
        self.go(m, "GoDestroy", g, "NotExist")
        self.gone(m, g)

    def gone(self, m, g):
        self.gs.remove(g)
        m.g = None

    def switch(self, m):
        if self.version < 23:
            return
        g, last = self.idle(self.gs, "Waiting"), self.rng.random() < 0.3 and not m.g.assist
        if g is None:
            return
        self.touch(m, g)
        g.seq += 1
        old = m.g
        self.go(m, "GoSwitchDestroy" if last else "GoSwitch", g, "Runnable", g_=g.id, g_seq=g.seq)
        # The rest follows from it, at the next two ns.
        to = "NotExist" if last else "Waiting"
        place = f"{m.id} {m.p.id}"
        self.happened.append((self.time + 1, f"{place} {old.id} Go {old.id} Running {to} \"\"", (),
                              None))
        self.happened.append((self.time + 2, f"{place} - Go {g.id} Runnable Running \"\"", (),
                              None))
        self.time += 2
        old.state, old.m = to, None
        if last:
            self.gs.remove(old)
        g.state, g.m, m.g = "Running", m, g

    def call(self, m):
        self.touch(m)
        m.p.seq += 1
        number, stack = self.stack()
        self.go(m, "GoSyscallBegin", m.g, "Syscall", own=stack, stack=stack, p_seq=m.p.seq,
                stack_=number)
        m.p.state = "Syscall"

    def return_(self, m):
        self.touch(m)
        self.go(m, "GoSyscallEnd", m.g, "Running")
        m.p.state = "Running"

    def steal(self, m):
        p = self.idle(self.ps, "Syscall")
        if p is None:
            return
        victim = p.m
        self.touch(victim)
        self.touch(m)
        p.seq += 1
        self.proc(m, "ProcSteal", p, "Idle", p_=p.id, p_seq=p.seq, m_=victim.id)
        p.m = victim.p = None
        victim.g.stolen = True

    def return_blocked(self, m):
        self.touch(m)
        g = m.g
        self.go(m, "GoSyscallEndBlocked", g, "Runnable")
        g.m = m.g = None

    def destroy_in_call(self, m):
        self.touch(m)
        g, p = m.g, m.p
        # Where clocks are wrong, it might end before its P is stolen: one event more.
        if g.assist or p and p.sweep or self.skewed and g.stolen:
            return
        if p:  # left behind: first of all it is stolen from this M, 1 ns before the end
            self.event(m, "GoDestroySyscall", f"Proc {p.id} Running Idle \"\"", None, ())
            self.time += 1
            fields = f"{m.id} {p.id} {g.id} Go {g.id} Syscall NotExist \"\""
            self.happened.append((self.time, fields, (), None))
            self.ps.remove(p)
            m.p = None
            self.ps.append(P(len(self.ps) + 100 + self.id(), "Idle"))
        else:
            self.go(m, "GoDestroySyscall", g, "NotExist")
        self.gone(m, g)

    def appear(self, m):
        self.touch(m)
        g = G(self.id(), "NotExist")
        self.go(m, "GoCreateSyscall", g, "Syscall", new_g=g.id)
        self.gs.append(g)
        self.traced.add(g)
        g.m, m.g = m, g

    def collect(self, m):
        # Which collection is the first of a file, only clocks can tell, unless one M does them.
        self.collector = self.collector or (m, self.generation)
        if self.skewed and self.collector[1] == self.generation and self.collector[0] is not m:
            return
        self.touch(m)
        self.trace_gc()
        if not self.gc_traced:
            return
        self.gc_seq += 1
        number, stack = self.stack()
        name = "\"GC\\x20concurrent\\x20mark\\x20phase\""
        if self.gc:
            self.event(m, "GCEnd", "RangeEnd " + name, gc_seq=self.gc_seq)
        else:
            self.event(m, "GCBegin", "RangeBegin " + name, stack, gc_seq=self.gc_seq, stack_=number)
        self.gc = not self.gc

    def sweep(self, m):
        self.touch(m)
        name, p = "\"GC\\x20incremental\\x20sweep\"", m.p
        if p.sweep:
            self.event(m, "GCSweepEnd", f"RangeEnd {name} Proc {p.id} 5 6", swept_value=5,
                       reclaimed_value=6)
        else:
            number, stack = self.stack()
            self.event(m, "GCSweepBegin", f"RangeBegin {name} Proc {p.id}", stack, stack_=number)
        p.sweep = not p.sweep

    def assist(self, m):
        self.touch(m)
        name, g = "\"GC\\x20mark\\x20assist\"", m.g
        if g.assist:
            self.event(m, "GCMarkAssistEnd", f"RangeEnd {name} Go {g.id}")
        else:
            number, stack = self.stack()
            self.event(m, "GCMarkAssistBegin", f"RangeBegin {name} Go {g.id}", stack, stack_=number)
        g.assist = not g.assist

    def stop_the_world(self, m):
        self.touch(m)
        number, stack = self.stack()
        kind = self.string("GC \"sweep\"")
        name = quoted("stop-the-world (GC \"sweep\")") + f" Go {m.g.id}"
        self.event(m, "STWBegin", "RangeBegin " + name, stack, kind_string=kind, stack_=number)
        if self.rng.random() < 0.5:
            self.metric(m)
        self.event(m, "STWEnd", "RangeEnd " + name)

    def metric(self, m):
        self.touch(m)
        value = self.rng.choice([0, 1, 4096, 2**40, 2**64 - 1])
        name, argument, shown = self.rng.choice([
            ("ProcsChange", "procs_value", "/sched/gomaxprocs:threads"),
            ("HeapAlloc", "heapalloc_value", "/memory/classes/heap/objects:bytes"),
            ("HeapGoal", "heapgoal_value", "/gc/heap/goal:bytes")])
        number, stack = self.stack() if name == "ProcsChange" else (None, None)
        more = {} if number is None else {"stack_": number}
        self.event(m, name, f"Metric {shown} {value}", stack, **{argument: value}, **more)

    def say(self, m):
        self.touch(m)
        text, (number, stack) = self.rng.choice(["a", "b c", "\xff\x00"]), self.stack()
        task, key = self.rng.choice([0, 5, 2**40]), self.string(text)
        what = self.rng.randrange(6)
        if what == 0:
            self.event(m, "GoLabel", f"Label {m.g.id} {quoted(text)}", label_string=key)
        elif what == 1:
            self.event(m, "UserLog", f"Log {task} {quoted(text)} \"\"", stack, task=task,
                       key_string=key, value_string=0, stack_=number)
        elif what == 2:
            m.g.regions.append((task, text))
            self.event(m, "UserRegionBegin", f"RegionBegin {task} {quoted(text)}", stack, task=task,
                       name_string=key, stack_=number)
        elif what == 3:
            if m.g.regions:  # else the end of one that began before the trace
                task, text = m.g.regions.pop()
            self.event(m, "UserRegionEnd", f"RegionEnd {task} {quoted(text)}", stack, task=task,
                       name_string=self.string(text), stack_=number)
        elif what == 4:
            new, parent = self.id(), self.rng.choice([0, 3, NONE])
            shown = "-" if parent in (0, NONE) else parent
            # Tasks may end on other Ms, whose clocks may be wrong: then an end has no begin.
            if not self.skewed:
                self.tasks[new] = (shown, text)
            self.event(m, "UserTaskBegin", f"TaskBegin {new} {shown} {quoted(text)}", stack,
                       task=new, parent_task=parent, name_string=key, stack_=number)
        else:
            task = self.rng.choice([*self.tasks, 999999])
            shown, name = self.tasks.pop(task, ("-", ""))
            self.event(m, "UserTaskEnd", f"TaskEnd {task} {shown} {quoted(name)}", stack, task=task,
                       stack_=number)

    def sample(self, m):
        number, stack = self.stack()
        self.time += self.rng.randint(2, 9)
        p, g = (m.p.id if m.p else NONE), (m.g.id if m.g else 0)
        self.samples.append(f"CPUSample time={self.time} m={m.id} p={p} g={g} stack={number}")
        shown = " ".join("-" if i in (NONE, 0) and k != 1 else "-" if i == NONE else str(i)
                         for k, i in enumerate((m.id, p, g)))
        self.happened.append((self.time, f"{shown} StackSample", None, stack))

    def choices(self, m):
        """What m can do now, the likely things more than once."""
        if m.g is None and m.p is None:
            return [self.take_p] * 6 + [self.appear, self.steal]
        if m.g is None:
            return [self.start] * 6 + [self.create, self.unblock, self.unblock, self.steal] + (
                [] if m.p.sweep else [self.give_p])
        if m.g.state == "Syscall":
            if m.p is None:
                return [self.return_blocked, self.take_p, self.destroy_in_call]
            if m.p.state == "Syscall":
                return [self.return_] * 3 + [self.give_p, self.destroy_in_call, self.sample]
            return [self.return_blocked]
        return [self.create, self.unblock, self.unblock, self.call, self.call, self.collect,
                self.sweep, self.assist, self.stop_the_world, self.metric, self.say, self.say,
                self.switch, self.sample, self.destroy, self.steal,
                lambda m: self.leave(m, "GoStop", "Runnable"),
                lambda m: self.leave(m, "GoBlock", "Waiting"),
                lambda m: self.leave(m, "GoBlock", "Waiting")]

    def step(self):
        if len(self.ms) < 6 and (not self.ms or self.rng.random() < 0.02):
            self.ms.append(M(self.id() * 10))
        m = self.rng.choice(self.ms)
        self.rng.choice(self.choices(m))(m)

    def run(self):
        rng = self.rng
        generations = rng.randint(1, 5)
        for i in range(generations):
            for _ in range(rng.choice([0, 20, 100, 300])):
                self.step()
            while not self.gc_traced:  # until somebody runs who can
                self.step()
                self.trace_gc()
            self.end_generation()
            if i + 1 < generations:
                self.begin_generation()
        return f"Trace Go1.{self.version}\n" + "\n".join(self.text) + "\n"

    def listing(self):
        """What list.c must print."""
        lines, printed, events, total = [], set(), 0, 0

        def hash_of(text):
            number = 14695981039346656037
            for c in text.encode():
                number = (number ^ c) * 1099511628211 % 2**64
            return number

        def stack(frames):
            if not frames:
                return " -"
            text = "".join(f"\n\t {quoted(f)} {quoted(n)} {line} {pc:x}"
                           for pc, f, n, line in frames)
            number = hash_of(text)
            if number not in printed:
                printed.add(number)
                lines.append(f"stack {number:x}{text}")
            return f" {number:x}"

        self.happened.append((self.happened[-1][0] + 1, f"sync {self.syncs + 1}", None, None))
        for time, words, own, frames in self.happened:
            if not words.startswith("sync"):
                words += stack(own) if own is not None else ""
                words += stack(frames)
                total += hash_of(" " + words)
                events += 1
            lines.append(f"{time} {words}")
        lines.append(f"end {events} events {self.syncs + 1} syncs sum {total % 2**64:x}\n")
        return "\n".join(lines).encode()
