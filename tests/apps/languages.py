"""Interpreters, compilers and runtimes with threads and processes of their own."""

import os
import shutil

from app import HERE, Skip, app, demand, digest, find


def python(stage, name):
    # The program itself: sys.executable may be a script that starts it.
    real = os.path.realpath("/proc/self/exe")
    return stage.run(real, HERE / name, stage.longer(1, 5), timeout=300)


@app("python")
def python_threads(stage):
    answers = python(stage, "threads.py")
    demand(answers[0] == "21", f"ends with {answers[0]}: {answers[2]}")
    return answers


@app("python-processes", killed=True) # pools terminate their workers
def python_processes(stage):
    answers = python(stage, "processes.py")
    demand(answers[0] == "23", f"ends with {answers[0]}: {answers[1]}{answers[2]}")
    return answers


@app("node")
def node(stage):
    answers = stage.run(find("node"), HERE / "workers.js", stage.longer(1, 10), timeout=300)
    demand(answers[0] == "24", f"ends with {answers[0]}: {answers[1]}{answers[2]}")
    return answers


@app("java")
def java(stage):
    answers = stage.run(find("java"), "-Xshare:auto", "-Xmx256m", HERE / "Threads.java",
                        stage.longer(1, 20), timeout=300)
    demand(answers[0] == "25", f"ends with {answers[0]}: {answers[1]}{answers[2]}")
    return answers


@app("ruby")
def ruby(stage):
    answers = stage.run(find("ruby"), HERE / "threads.rb", stage.longer(1, 10), timeout=300)
    demand(answers[0] == "26", f"ends with {answers[0]}: {answers[1]}{answers[2]}")
    return answers


@app("erlang")
def erlang(stage):
    compiler, runtime = find("erlc", "erl")
    stage.client(compiler, HERE / "threads.erl")
    answers = stage.run(runtime, "-noshell", "-s", "threads", "main", stage.longer(1, 20),
                        timeout=300)
    demand(answers[0] == "27", f"ends with {answers[0]}: {answers[1]}{answers[2]}")
    return answers


@app("cpp")
def cpp(stage):
    binary = stage.binaries / "pool"
    if not binary.exists():
        raise Skip("the C++ program is not built: no C++ compiler")
    answers = stage.run(binary)
    demand(answers[0] == "22", f"ends with {answers[0]}: {answers[2]}")
    return answers


@app("gcc")
def gcc(stage):
    """The driver starts a compiler, an assembler and a linker for each file, by vfork or spawn."""
    compiler = find("gcc")
    sources = []
    for i in range(stage.longer(4, 40)):
        source = stage.folder / f"part{i}.c"
        source.write_text("#include <stdio.h>\n#include <pthread.h>\n" + "".join(
            f"int f{i}_{n}(int a) {{ return a * {n} + f{i}_{n - 1}(a - 1); }}\n" if n else
            f"int f{i}_0(int a) {{ printf(\"%d\\n\", a); return a; }}\n" for n in range(200)))
        sources.append(source.name)
    (stage.folder / "main.c").write_text("int f0_3(int); int main(void) { return f0_3(9) & 1; }\n")
    answers = stage.well(compiler, "-O2", "-pipe", "-flto=2", "-o", "linked", "main.c", *sources)
    answers += stage.run(stage.folder / "linked")
    answers += stage.run(compiler, "-c", "part0.c", "no-such-file.c")
    answers.append(digest(stage.folder / "part0.o") if (stage.folder / "part0.o").exists() else "")
    return answers


@app("clang")
def clang(stage):
    compiler = next(filter(None, map(shutil.which, ["clang", "clang-14", "clang-16", "clang-19"])),
                    None)
    if not compiler:
        raise Skip("clang is not installed")
    (stage.folder / "one.c").write_text("#include <stdio.h>\nint main(void) { puts(\"one\"); }\n")
    return [*stage.well(compiler, "-O2", "-pthread", "-o", "one", "one.c"),
            digest(stage.folder / "one"), *stage.run(stage.folder / "one"),
            *stage.run(compiler, "no-such-file.c")]


@app("cargo")
def cargo(stage):
    """Cargo talks with rustc by pipes and a jobserver; rustc and its linker have many threads."""
    tool = find("cargo")
    crate = stage.folder / "crate"
    shutil.copytree(HERE / "crate", crate)
    # The path of the crate is in its hashes; what it says is not.
    said = stage.run(tool, "build", "--offline", "--quiet", "-j", "2", cwd=crate, timeout=300)
    demand(said[0] == "0", f"cargo ends with {said[0]}: {said[2]}")
    broken = stage.run(tool, "build", "--offline", "--quiet", "--features", "broken", cwd=crate,
                       timeout=300)
    return [*said, broken[0], "this_is_not_there" in broken[2],
            *stage.run(crate / "target/debug/crate")]
