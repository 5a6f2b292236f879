#!/usr/bin/env python3
"""Does a bad trace reach every place where Go's reader or validator refuses one?

    sites.py GTRACE           checks it
    sites.py GTRACE --map     also prints which traces reach which place; slow

Builds the oracle with counters in Go's sources (tests/oracle/cover.go), reads every trace in bad/
with it, and looks at each statement there that makes or returns an error. One that no trace reaches
must stand in sites.txt with the reason why none can; one that stands there must not be reached.
"""

import os
import re
import subprocess
import sys
import tempfile

import run

# Where reading can fail. The rest of event.go makes events for tests of Go's own.
FILES = ["version/version.go", "reader.go", "generation.go", "batch.go", "batchcursor.go",
         "base.go", "order.go", "event.go", "testtrace/validation.go"]
SITE = re.compile(r"Errorf\(|errors\.New\(|panic\(fmt|return (.*, )?err$")
NO_READING = re.compile(r"[mM]ake[A-Z]|addStack$|Errorf$|Errors$")
BLOCK = re.compile(r"internal/trace/(\S+):(\d+)\.\d+,(\d+)\.\d+ \d+ (\d+)$")


class Site:
    def __init__(self, file, line, name):
        self.file, self.line, self.name = file, line, name


def sites_of(root):
    """Named by file, function and message, which outlive a change elsewhere in the file."""
    found = []
    for file in FILES:
        function, seen = "", {}
        with open(os.path.join(root, "src/internal/trace", file), encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                if m := re.match(r"func (\([^)]*\) )?(\w+)", line):
                    function, seen = m[2], {}
                if not SITE.search(line.strip()) or NO_READING.match(function):
                    continue
                message = re.search(r'"(.*?)"', line)
                word = message[1] if message else "err"
                seen[word] = seen.get(word, 0) + 1
                nth = f" ({seen[word]})" if seen[word] > 1 else ""
                found.append(Site(file, number, f"{file} {function}: {word}{nth}"))
    return found


def reached(go, folders, sites):
    """The names of the sites that the runs of these folders reached."""
    text = subprocess.run([go, "tool", "covdata", "textfmt", "-i=" + ",".join(folders),
                           "-o=/dev/stdout"], capture_output=True, text=True, check=True).stdout
    blocks = {}
    for m in filter(None, map(BLOCK.match, text.split("\n"))):
        blocks.setdefault(m[1], []).append((int(m[2]), int(m[3]), int(m[4])))
    names = set()
    for site in sites:
        # The smallest block around it: its statements run together.
        around = [b for b in blocks.get(site.file, []) if b[0] <= site.line <= b[1]]
        if around and min(around, key=lambda b: b[1] - b[0])[2] > 0:
            names.add(site.name)
    return names


def table():
    reasons, reason = {}, ""
    with open(os.path.join(run.HERE, "sites.txt"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("# "):
                reason = line[2:].strip()
            elif line.strip():
                reasons[line.strip()] = reason
    return reasons


def assemble(gtrace, folder):
    paths = []
    for name in sorted(os.listdir(os.path.join(run.HERE, "bad"))):
        path = os.path.join(folder, name[:-4])
        r = run.run(gtrace, "assemble", os.path.join(run.HERE, "bad", name), "-o", path)
        if r.returncode != 0:
            run.fail(name, r.stderr)
        paths.append(path)
    return paths


def main():
    gtrace = sys.argv[1]
    build = os.path.join(run.HERE, "../oracle/build.sh")
    found = run.run(build, "--check")
    if found.returncode == 77:
        print("SKIP: no Go >= 1.26: nobody to compare with")
        sys.exit(77)
    go = found.stdout.strip()
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    version, root = subprocess.run([go, "env", "GOVERSION", "GOROOT"], env=env, check=True,
                                   capture_output=True, text=True).stdout.split()
    if not re.match(r"go1\.26\b", version):
        print(f"SKIP: sites.txt is about Go 1.26, and this is {version}")
        sys.exit(77)
    sites, reasons = sites_of(root), table()
    with tempfile.TemporaryDirectory() as scratch:
        oracle, covered = os.path.join(scratch, "oracle"), os.path.join(scratch, "covered")
        traces = os.path.join(scratch, "traces")
        os.mkdir(covered)
        os.mkdir(traces)
        subprocess.run([build, "--cover", oracle], check=True)
        paths = assemble(gtrace, traces)
        subprocess.run([oracle, *paths], env={**os.environ, "GOCOVERDIR": covered}, check=True)
        folders = [os.path.join(covered, os.path.basename(p)) for p in paths]
        names = reached(go, folders, sites)
        if sys.argv[2:] == ["--map"]:
            by = {os.path.basename(f): reached(go, [f], sites) for f in folders}
            for site in sites:
                of = [t for t in by if site.name in by[t]] or [reasons.get(site.name, "?")]
                print(f"{site.name}\n    {' '.join(of)}")
    for site in sites:
        if site.name not in names and site.name not in reasons:
            run.fail(site.name, f"no trace in bad/ reaches line {site.line}")
        if site.name in names and site.name in reasons:
            run.fail(site.name, "is reached, and sites.txt says that it cannot be")
    for name in set(reasons) - {s.name for s in sites}:
        run.fail(name, f"sites.txt: {version} has no such place")
    print(f"{len(sites)} places where Go refuses a trace: {len(names)} reached by {len(paths)} "
          f"traces, {len(reasons)} that none can reach; {run.failures} failures")
    sys.exit(1 if run.failures else 0)


if __name__ == "__main__":
    main()
