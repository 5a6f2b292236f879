"""Tools: version control, a terminal multiplexer, a database in the process, a stress machine."""

import re
import time

from app import Failure, Skip, app, demand, find


def history(commits, files):
    """For git fast-import: commits that each change some of many files, with fixed dates."""
    parts = []
    for n in range(commits):
        parts.append(f"commit refs/heads/main\ncommitter A <a@example.org> {1700000000 + n} +0000\n"
                     f"data 9\ncommit {n % 10}\n")
        for i in range(files if n == 0 else 10):
            file = (n * 37 + i) % files
            text = "".join(f"{line} of {file} as of {n if line % 50 == file % 50 else 0}\n"
                           for line in range(200))
            parts.append(f"M 100644 inline d{file % 20}/f{file}\ndata {len(text)}\n{text}\n")
    return "".join(parts)


@app("git")
def git(stage):
    """Packs are made and indexed by threads; the parts talk by pipes, made by fork and exec."""
    tool = find("git")
    stage.clean["GIT_CONFIG_NOSYSTEM"] = stage.env["GIT_CONFIG_NOSYSTEM"] = "1"
    stage.clean["HOME"] = stage.env["HOME"] = str(stage.folder)
    (stage.folder / ".gitconfig").write_text("""
[pack] threads = 4
[index] threads = 4
[checkout] workers = 3
thresholdForParallelism = 1
[core] preloadIndex = true
[grep] threads = 4
[gc] auto = 0
[protocol "file"] allow = always
[user] name = A
email = a@example.org
[init] defaultBranch = main
""")
    source = stage.folder / "source"
    stage.client(tool, "init", "-q", "--bare", source)
    feed = stage.folder / "feed"
    feed.write_text(history(stage.longer(150, 1500), stage.longer(600, 3000)))
    with open(feed) as f:
        stage.client(tool, "-C", source, "fast-import", "--quiet", stdin=f)
    # Without deltas to copy, so that the threads have something to search.
    said = [stage.well(tool, "-C", source, "repack", "-q", "-a", "-d", "-f", "--window=20")]
    said.append(stage.well(tool, "clone", "-q", "--no-local", f"file://{source}", "work"))
    work = stage.folder / "work"
    said.append(stage.well(tool, "-C", work, "fsck", "--full", "--no-progress"))
    said.append(stage.well(tool, "-C", work, "log", "--format=%H %s", "--stat"))
    said.append(stage.well(tool, "-C", work, "grep", "-c", "7 of 7"))
    for file in sorted(work.glob("d1/*")):
        file.write_text("changed\n")
    said.append(stage.well(tool, "-C", work, "status", "--short"))
    dates = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
    said.append(stage.well(tool, "-C", work, "commit", "-q", "-a", "-m", "change", env=dates))
    said.append(stage.well(tool, "-C", work, "push", "-q", "origin", "HEAD:other"))
    said.append(stage.well(tool, "-C", source, "rev-parse", "main", "other"))
    said.append(stage.run(tool, "-C", work, "checkout", "no-such-branch"))
    # Each way has its own folder.
    return [str(s).replace(str(stage.folder), "") for s in said]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@app("tmux", killed=True) # panes end by SIGHUP
def tmux(stage):
    """The server makes itself a daemon; each pane is a child on a terminal of its own."""
    tool = [find("tmux"), "-S", stage.folder / "socket", "-f", "/dev/null"]
    shell = {"ENV": "", "PS1": "$ ", "SHELL": "/bin/sh", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    said = [stage.well(*tool, "new-session", "-d", "-x", "80", "-y", "24", "-s", "one",
                       "/bin/sh", env=shell)]
    try:
        def screen(pane, until):
            end = time.monotonic() + 120
            while until not in (text := stage.well(*tool, "capture-pane", "-p", "-t", pane)[1]):
                if time.monotonic() > end:
                    raise Failure(f"{until!r} does not appear in {pane}:\n{text}")
                time.sleep(0.05)
            return text

        screen("one", "$")
        for n in range(stage.longer(3, 20)):
            stage.well(*tool, "send-keys", "-t", "one", f"echo $((1000 + {n})) | tr 0-9 a-j",
                       "Enter")
            screen("one", f"{1000 + n}".translate({48 + i: 97 + i for i in range(10)}) + "\n$")
        said.append(screen("one", "$"))
        said.append(stage.well(*tool, "split-window", "-d", "-t", "one", "echo second; sleep 100"))
        said.append(screen("one.1", "second"))
        said.append(stage.well(*tool, "list-panes", "-t", "one", "-F", "#{pane_width}x#{pane_height}"))
        pids = stage.well(*tool, "list-panes", "-s", "-F", "#{pid} #{pane_pid}")[1].split()
    finally:
        said.append(stage.run(*tool, "kill-server"))
    # The server and the panes end in their own time.
    end = time.monotonic() + 120
    while any(map(is_alive, pids)):
        demand(time.monotonic() < end, f"still there: {pids}")
        time.sleep(0.01)
    return said


@app("sqlite")
def sqlite(stage):
    binary = stage.binaries / "sqlite"
    if not binary.exists():
        raise Skip("the program with SQLite is not built: no libsqlite3-dev")
    answers = stage.run(binary, stage.longer(200, 3000), timeout=300)
    demand(answers[0] == "26", f"ends with {answers[0]}: {answers[2]}")
    return answers


# Operations that each does in a second or less; sem does not look at them, and goes by time. So
# does mutex: where one process has done them all before the other has begun, that one fails.
STRESSORS = {
    "pthread": 2000, "mutex": None, "sem": None, "sem-sysv": 100000, "futex": 20000,
    "fork": 100, "vfork": 10000, "clone": 300, "pipe": 100000, "poll": 50000, "epoll": 5000,
    "mq": 50000, "msg": 200000, "sigq": 50000,
}


def stress(name, count):
    @app(f"stress-ng-{name}", out="stress.%p.trace", killed=True)
    def run(stage):
        """Counts and times differ each time; that it says successful, and its status, do not."""
        how = ["--timeout", stage.longer(2, 20)] if count is None else [
            f"--{name}-ops", stage.longer(count, 10 * count), "--timeout", 300]
        answers = stage.run(find("stress-ng"), f"--{name}", "2", *how, "--verify",
                            "--temp-path", stage.folder, timeout=400)
        text = answers[1] + answers[2]
        return [answers[0], re.findall(r"successful run completed|FAIL|fail:.*|error:.*", text)]
    return run


for stressor, operations in STRESSORS.items():
    stress(stressor, operations)
