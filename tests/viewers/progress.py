#!/usr/bin/env python3
"""The line of progress: on a terminal, when reading takes more than a second, and gone at the end;
nowhere else.

    progress.py GTRACE TRACE_TEXT    a trace of several generations
"""

import fcntl
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import termios
import time


def unread(pipe):
    """The bytes that nobody has taken out of it yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def run(command, data, terminal, **env):
    """What COMMAND, which gets the data on its standard input, says on standard error."""
    read, write = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=write,
                               env={**os.environ, "TERM": "xterm", **env})
    os.close(write)
    process.stdin.write(data[:-1])
    process.stdin.flush()
    while unread(process.stdin) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(1.2)
    process.stdin.write(data[-1:])
    process.stdin.close()
    said = b""
    while True:
        try:
            more = os.read(read, 4096)
        except OSError:  # how a terminal ends
            more = b""
        if not more:
            break
        said += more
    assert process.wait() == 0, said
    return said


def main():
    gtrace, text = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder, "x.trace")
        subprocess.run([gtrace, "assemble", text, "-o", trace], check=True)
        data = trace.read_bytes()
        out = str(pathlib.Path(folder, "out"))
        for command in (["verify", "-"], ["stat", "-"], ["export", "--to", "perfetto", "-o", out, "-"],
                        ["pprof", "--type", "block", "-o", out, "-"]):
            said = run([gtrace, *command], data, True)
            assert f"gtrace {command[0]}: 0.0 MB".encode() in said, (command, said)
            assert said.endswith(b"\r\033[K"), (command, said)
            assert b"\033[2m" in said, (command, said)
        said = run([gtrace, "verify", "-"], data, True, NO_COLOR="1")
        assert b"gtrace verify" in said and b"m" not in said.replace(b"verify: 0.0 MB", b""), said
        assert run([gtrace, "verify", "-"], data, True, TERM="dumb") == b""
        assert run([gtrace, "verify", "-"], data, False) == b""


if __name__ == "__main__":
    main()
