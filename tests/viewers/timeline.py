"""The timelines that gtrace export writes, read back: of Perfetto by protoc with the published schema,
of Chrome by json. Both become the same lists, so that they can be compared and checked alike."""

import collections
import json
import pathlib
import re
import subprocess

SCHEMA = pathlib.Path(__file__).resolve().parent / "perfetto.proto"

# thread: its name, None for the process. row: "" or the name of a track below the thread's or the
# process's. Times: ns since the beginning of the trace.
Slice = collections.namedtuple("Slice", "thread row begin end name category args stack")
Moment = collections.namedtuple("Moment", "thread time name category args stack")
Arrow = collections.namedtuple("Arrow", "number out_of out_time into into_time")
Count = collections.namedtuple("Count", "name time value")


class Timeline:
    def __init__(self):
        self.process = None
        self.tids = {}  # thread name -> tid
        self.slices, self.moments, self.counts = [], [], []
        self.starts, self.ends = {}, {}  # of arrows: number -> (thread, time)

    def arrows(self):
        assert self.starts.keys() == self.ends.keys(), \
            f"arrows that do not end: {sorted(self.starts.keys() ^ self.ends.keys())}"
        return [Arrow(n, *self.starts[n], *self.ends[n]) for n in sorted(self.starts)]


# --- Perfetto ----------------------------------------------------------------------------------------

TOKEN = re.compile(r'(\w+)(?: \{|: ("(?:[^"\\]|\\.)*"|\S+))|\}')
ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


def unquote(text):
    def byte(match):
        code = match[1]
        return bytes([int(code, 8)]) if len(code) == 3 else LETTERS.get(code, code)

    return ESCAPE.sub(byte, text[1:-1].encode("utf-8", "surrogateescape")).decode("utf-8")


def messages(text):
    """What protoc --decode prints: dicts of lists."""
    root = collections.defaultdict(list)
    stack = [root]
    for match in TOKEN.finditer(text):
        name, value = match[1], match[2]
        if name is None:
            stack.pop()
            continue
        assert not name.isdigit(), f"field {name} is not in the schema: {text[match.start():][:200]}"
        if value is None:
            stack.append(collections.defaultdict(list))
            stack[-2][name].append(stack[-1])
        elif value[0] == '"':
            stack[-1][name].append(unquote(value))
        else:
            stack[-1][name].append(int(value) if re.fullmatch(r"-?\d+", value) else value)
    assert len(stack) == 1
    return root


class Perfetto(Timeline):
    TABLES = ("event_categories", "event_names", "debug_annotation_names",
              "debug_annotation_string_values", "function_names", "source_paths", "frames",
              "callstacks", "mapping_paths", "mappings")

    def __init__(self, data):
        super().__init__()
        text = subprocess.run(["protoc", f"-I{SCHEMA.parent}", "--decode=perfetto.protos.Trace",
                               SCHEMA.name], input=data, capture_output=True, check=True).stdout
        self.tables = {name: {} for name in self.TABLES}
        self.tracks, self.counters = {}, {}
        events = []
        for packet in messages(text.decode("utf-8"))["packet"]:
            assert packet["trusted_packet_sequence_id"] == [1]
            for table in packet["interned_data"]:
                self.intern(table)
            for snapshot in packet["clock_snapshot"]:
                assert packet["sequence_flags"] == [1] and not events
                self.clocks = {c["clock_id"][0]: c["timestamp"][0] for c in snapshot["clocks"]}
                assert snapshot["primary_trace_clock"] == ["BUILTIN_CLOCK_MONOTONIC"]
                assert packet["trace_packet_defaults"][0]["timestamp_clock_id"] == [3]
            for track in packet["track_descriptor"]:
                self.track(track)
            for event in packet["track_event"]:
                assert packet["sequence_flags"] == [2]
                events.append((packet["timestamp"][0], event))
            for sample in packet["perf_sample"]:
                name = {tid: name for name, tid in self.tids.items()}[sample["tid"][0]]
                self.moments.append(Moment(name, packet["timestamp"][0], "CPU sample", "CPU sample",
                                           {}, self.stack(sample)))
        # Readers sort by time, and keep what has the same time in the order of the file.
        events.sort(key=lambda e: e[0])
        self.open = collections.defaultdict(list)
        for time, event in events:
            self.event(time, event)
        assert not any(self.open.values()), "a slice without an end"

    def intern(self, tables):
        for name, entries in tables.items():
            for entry in entries:
                iid = entry["iid"][0]
                assert iid not in self.tables[name], f"{name} {iid} is there twice"
                self.tables[name][iid] = (entry["name"] or entry["str"] or [entry])[0]

    def track(self, track):
        uuid = track["uuid"][0]
        if track["process"]:
            self.process = track["process"][0]
            self.tracks[uuid] = (None, "")
        elif track["thread"]:
            thread = track["thread"][0]
            assert thread["pid"] == self.process["pid"]
            before = self.tracks.get(uuid, (None, ""))[0]
            name = thread["thread_name"][0]
            if before is not None:  # it has got another name
                self.tids.pop(before, None)
                for other, (of, row) in self.tracks.items():
                    self.tracks[other] = (name, row) if of == before else (of, row)
            self.tracks[uuid] = (name, "")
            self.tids[name] = thread["tid"][0]
        else:
            parent = self.tracks[track["parent_uuid"][0]]
            self.tracks[uuid] = (parent[0], track["name"][0])
            if track["counter"]:
                self.counters[uuid] = track["name"][0]

    def stack(self, event):
        """Function names, the innermost first."""
        if not event["callstack_iid"]:
            return ()
        frames = self.tables["callstacks"][event["callstack_iid"][0]]["frame_ids"]
        names = []
        for frame in (self.tables["frames"][f] for f in reversed(frames)):
            assert frame["mapping_id"][0] in self.tables["mappings"]
            function = frame["function_name_id"]
            names.append(self.tables["function_names"][function[0]] if function
                         else f"0x{frame['rel_pc'][0]:x}")
        return tuple(names)

    def args(self, event):
        found = {}
        for note in event["debug_annotations"]:
            words = self.tables["debug_annotation_string_values"]
            key = self.tables["debug_annotation_names"][note["name_iid"][0]]
            found[key] = words[note["string_value_iid"][0]] if note["string_value_iid"] \
                else note["int_value"][0]
        return found

    def event(self, time, event):
        uuid = event["track_uuid"][0]
        kind = event["type"][0]
        if kind == "TYPE_COUNTER":
            self.counts.append(Count(self.counters[uuid], time, event["counter_value"][0]))
            return
        thread, row = self.tracks[uuid]
        if kind == "TYPE_SLICE_END":
            begin, name, category, args, stack = self.open[uuid].pop()
            self.slices.append(Slice(thread, row, begin, time, name, category, args, stack))
            return
        for number in event["flow_ids"]:
            assert number not in self.starts and number not in self.ends, "an end before its begin"
            self.starts[number] = (thread, time)
        for number in event["terminating_flow_ids"]:
            assert number in self.starts and number not in self.ends, "an end before its begin"
            self.ends[number] = (thread, time)
        what = (self.tables["event_names"][event["name_iid"][0]],
                self.tables["event_categories"][event["category_iids"][0]],
                self.args(event), self.stack(event))
        if kind == "TYPE_INSTANT":
            self.moments.append(Moment(thread, time, *what))
        else:
            self.open[uuid].append((time, *what))


# --- Chrome ------------------------------------------------------------------------------------------

class Chrome(Timeline):
    def __init__(self, data):
        super().__init__()
        rows = {0: (None, "")}
        for event in json.loads(data, parse_float=str)["traceEvents"]:
            if event["ph"] == "M":
                self.metadata(rows, event)
        for event in json.loads(data, parse_float=str)["traceEvents"]:
            if event["ph"] != "M":
                self.event(rows, event)

    def metadata(self, rows, event):
        name = event["args"]["name"]
        if event["name"] == "process_name":
            self.process = {"pid": [event["pid"]], "process_name": [name]}
        elif ", tid " in name:
            name, tid = name.rsplit(", tid ", 1)
            self.tids = {n: t for n, t in self.tids.items() if n != rows.get(event["tid"], " ")[0]}
            self.tids[name] = int(tid)
            rows[event["tid"]] = (name, "")
        elif ": " in name:
            rows[event["tid"]] = tuple(name.rsplit(": ", 1))
        else:
            rows[event["tid"]] = (None, name)

    @staticmethod
    def ns(text):
        micro, nano = text.split(".")
        return int(micro) * 1000 + int(nano)

    def event(self, rows, event):
        thread, row = rows[event["tid"]]
        time = self.ns(event["ts"])
        args = dict(event.get("args", {}))
        stack = tuple(args.pop("stack", ()))
        if "bind_id" in event:
            number = int(event["bind_id"], 16)
            assert event["ph"] == "X" and ("flow_in" in event) != ("flow_out" in event)
            ends = self.ends if "flow_in" in event else self.starts
            assert number not in ends, f"arrow {number} ends twice"
            ends[number] = (thread, time)
        if event["ph"] == "X" and "flow_out" in event:  # a moment
            self.moments.append(Moment(thread, time, event["name"], event["cat"], args, stack))
        elif event["ph"] == "X":
            self.slices.append(Slice(thread, row, time, time + self.ns(event["dur"]), event["name"],
                                     event["cat"], args, stack))
        elif event["ph"] == "i":
            self.moments.append(Moment(thread, time, event["name"], event["cat"], args, stack))
        elif event["ph"] == "C":
            self.counts.append(Count(event["name"], time, *args.values()))
        else:
            raise AssertionError(f"an event of kind {event['ph']}")
