#!/usr/bin/env python3
"""Manual pages and completion for shells, from what the commands say with --help: each thing is said once,
there. Run by the build.

    pages.py GTRACE VERSION SOURCE FOLDER COMMAND...

Writes to FOLDER gtrace-COMMAND.1 for each; gtrace.1 from SOURCE, with the list of commands in place of
its line `.\\" COMMANDS`, and that of exit statuses in place of `.\\" STATUS`; gtrace.bash, gtrace.fish,
and _gtrace for zsh. The COMMANDs must be all that gtrace --help lists.

The form of a help text, which is an error to depart from: usage lines; then, with empty lines between,
paragraphs; lists, indented, of a term, two spaces or more and what it means (which may begin in the next
line and go on in others); and examples, which are indented too and are no lists. A paragraph that ends
in `WORD:` says that the list below has the values of WORD. The last sentence of a paragraph may begin
with `Exit status:`.
"""

import collections
import datetime
import pathlib
import re
import subprocess
import sys

Option = collections.namedtuple("Option", "names value optional doc")
Help = collections.namedtuple("Help", "name brief usage blocks status options values")

FILES = {"FILE", "FILE...", "OUT", "PATH", "MAP", "TEXT", "A", "B"}


def fail(text):
    sys.exit(f"pages.py: {text}")


# --- Reading ----------------------------------------------------------------------------------------

def items(lines):
    """[(term, meaning)] of a list; None: it is none."""
    starts = [n for line in lines for m in [re.match(r" +\S+(?: \S+)*?(?:, \S+(?: \S+)*?)*  +(?=\S)", line)]
              if m for n in [m.end()]]
    found = []
    if not starts:
        return None
    column = collections.Counter(starts).most_common(1)[0][0]
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if indent > 8 and found:
            found[-1][1].append(line.strip())
            continue
        apart = re.match(r" +(\S+(?: \S+)*)(?:  +(\S.*))?$", line.rstrip())
        if apart[2] is None and len(line) > column and line[column - 1] == " ":
            found.append((line[:column].strip(), [line[column:].strip()]))
        else:
            found.append((apart[1], [apart[2]] if apart[2] else []))
    return [(term, " ".join(meaning)) for term, meaning in found]


def named(term):
    """The options of the term of a list, or of a usage: [(names, value, optional)]."""
    found = []
    for part in re.findall(r"(-[\w-]+)(?:(\[=)(\w+)\]|[ =]([A-Z0-9][^\s,\]]*))?", term):
        found.append(([part[0]], part[2] or part[3] or None, bool(part[1])))
    # "-o, --output FILE" is one option, "--from T, --to T" are two.
    if len(found) == 2 and found[0][1] is None and re.match(r"-\w, --", term):
        return [(found[0][0] + found[1][0], *found[1][1:])]
    return found


def read(gtrace, name, brief):
    text = subprocess.run([gtrace, name, "--help"], capture_output=True, check=True).stdout.decode()
    if not text.startswith(f"usage: gtrace {name}"):
        fail(f"gtrace {name} --help does not begin with its usage")
    usage, *rest = text.rstrip("\n").split("\n\n")
    blocks, status, options, values = [], None, {}, {}
    awaited = None
    for block in rest:
        lines = block.split("\n")
        if not block.startswith(" "):
            joined = " ".join(lines)
            if "Exit status: " in joined:
                joined, status = re.split(r" ?Exit status: ", joined)
            if joined:
                blocks.append(("text", joined))
            awaited = re.search(r"\b([A-Z]+):$", joined)
            continue
        found = items(lines)
        blocks.append(("list", found) if found else ("example", [line[2:] for line in lines]))
        if found and awaited:
            values[awaited[1]] = [(term, doc) for term, doc in found]
        for term, doc in found or []:
            for names, value, optional in named(term) if term.startswith("-") else []:
                options[names[-1]] = Option(names, value, optional, doc)
        awaited = None
    for names, value, optional in named(re.sub(r"\[--\].*", "", usage)):
        known = next((o for o in options.values() if names[0] in o.names), None)
        if known is None or "|" in (value or "") or (value in values and known.value != value):
            options[names[0]] = Option(names, value, optional, known.doc if known else "")
    options.setdefault("--help", Option(["-h", "--help"], None, False, "this text"))
    return Help(name, brief, usage, blocks, status, list(options.values()), values)


# --- Manual pages -----------------------------------------------------------------------------------

def roff(text):
    for plain, escaped in (("\\", "\\e"), ("-", "\\-"), ("^", "\\(ha"), ("~", "\\(ti"), ("`", "\\(ga")):
        text = text.replace(plain, escaped)
    return re.sub(r"(?m)^(?=[.'])", r"\\&", text)


def bold(text):
    """Options in bold, what they take in italics."""
    text = re.sub(r"(?<![\w\\-])((?:\\-){1,2}[a-z][\w\\-]*)", r"\\fB\1\\fR", text)
    return re.sub(r"(?<![\w$.%\\])([A-Z][A-Z0-9]*)(?![\w(.-])", r"\\fI\1\\fR", text)


def prose(text):
    text = re.sub(r"(?<=[a-z0-9)`])([.?!]) (?=[A-Z])", r"\1\n", text)
    return re.sub(r"(?<![\w\\-])((?:\\-){1,2}[a-z][\w\\-]*)", r"\\fB\1\\fR", roff(text))


def exit_status(text):
    """A list of numbers, or else what it says."""
    parts = re.split(r"(?:^|[,;] )(\d) ", text.rstrip("."))
    if parts[0]:
        return [prose(text)]
    return [line for status, meaning in zip(parts[1::2], parts[2::2])
            for line in (".TP", f"\\fB{status}\\fR", prose(meaning))]


def page(text, version, date):
    title = f"gtrace\\-{text.name}"
    out = [f'.TH "{title.upper()}" 1 "{date}" "gtrace {version}" "gtrace"', ".SH NAME",
           f"{title} \\- {roff(text.brief)}", ".SH SYNOPSIS", ".nf"]
    for line in text.usage.split("\n"):
        line = re.sub(r"^usage: |^       ", "", line)
        command = f"gtrace {text.name}"
        if line.startswith(command):
            out.append(f"\\fBgtrace {text.name}\\fR" + bold(roff(line[len(command):])))
        else:
            out.append(bold(roff(line)))
    out += [".fi", ".SH DESCRIPTION"]
    section = "DESCRIPTION"
    for kind, block in text.blocks:
        if kind == "text":
            if section == "OPTIONS":
                out.append(".SH NOTES")
                section = "NOTES"
            elif not out[-1].startswith(".SH"):
                out.append(".PP")
            out.append(prose(block))
        elif kind == "example":
            out += [".PP", ".nf", ".RS", *map(roff, block), ".RE", ".fi"]
        else:
            if block[0][0].startswith("-") and section != "OPTIONS":
                out.append(".SH OPTIONS")
                section = "OPTIONS"
            for term, meaning in block:
                out += [".TP", bold(roff(term)) if term.startswith("-") else f"\\fB{roff(term)}\\fR",
                        prose(meaning) if meaning else "\\&"]
    if text.status:
        out += [".SH EXIT STATUS", *exit_status(text.status)]
    out += [".SH SEE ALSO", ".BR gtrace (1)"]
    return "\n".join(out) + "\n"


def overview(source, listed, commands):
    """Its two lists are in the macros of the page: mdoc."""
    rows = [(f"Xr gtrace-{c.name} 1", c.brief[0].upper() + c.brief[1:] + ".") for c in commands]
    status = " ".join(listed.split("Exit status: ")[1].split("\n\n")[0].split())
    status, rest = status.split(". ", 1)
    numbers = re.split(r"(?:^|[,;] )(\d) ", status)
    parts = [(f"Li {n}", meaning[0].upper() + meaning[1:] + ".")
             for n, meaning in zip(numbers[1::2], numbers[2::2])]
    for name, found in (("COMMANDS", rows), ("STATUS", parts)):
        marker = f'.\\" {name}\n'
        if source.count(marker) != 1 or not found:
            fail(f"gtrace.1 has no line for {name}, or gtrace --help has nothing for it")
        lines = [f".It {term}\n{roff(meaning)}\n" for term, meaning in found]
        after = f".Pp\n{roff(rest)}\n" if name == "STATUS" else ""
        source = source.replace(marker, "".join([".Bl -tag -width Ds\n", *lines, ".El\n", after]))
    return source


# --- Completion -------------------------------------------------------------------------------------

def choices(text, option):
    """The values that an option takes, as far as its help lists them: words, or None."""
    if option.value in text.values:
        return [term for term, _ in text.values[option.value]]
    return option.value.split("|") if "|" in (option.value or "") else None


def brief(doc):
    return re.split(r"[;:.(](?= |$)| by default", doc)[0].replace("'", "’").replace('"', "").strip()


def bash(commands):
    words, values = [], []
    for text in commands:
        for option in text.options:
            known = choices(text, option)
            patterns = " | ".join(f"{text.name}/{name}" for name in option.names)
            if known:
                values.append(f'\t{patterns}) COMPREPLY=($(compgen -W "{" ".join(known)}" -- "$word"))'
                              f'; return ;;')
            elif option.value and not option.optional and option.value not in FILES:
                values.append(f"\t{patterns}) compopt +o default; return ;;")
        names = " ".join(name for option in text.options for name in option.names)
        words.append(f'\t{text.name}) options="{names}" ;;')
    names = " ".join(c.name for c in commands)
    return "\n".join([
        "# Completion of gtrace for bash. Made from gtrace --help.",
        "_gtrace() {",
        "\tlocal word=${COMP_WORDS[COMP_CWORD]} options=",
        "\tif ((COMP_CWORD == 1)); then",
        f'\t\tCOMPREPLY=($(compgen -W "{names} help" -- "$word"))',
        "\t\tcompopt +o default",
        "\t\treturn",
        "\tfi",
        "\tcase ${COMP_WORDS[1]}/${COMP_WORDS[COMP_CWORD - 1]} in",
        f'\thelp/help) COMPREPLY=($(compgen -W "{names}" -- "$word")); compopt +o default; return ;;',
        *values,
        "\tesac",
        "\t[[ $word == -* ]] || return",
        "\tcase ${COMP_WORDS[1]} in",
        *words,
        "\tesac",
        '\tCOMPREPLY=($(compgen -W "$options" -- "$word"))',
        "}",
        "complete -o default -F _gtrace gtrace", ""])


def zsh(commands):
    out = ["#compdef gtrace", "# Completion of gtrace for zsh. Made from gtrace --help.",
           "local -a commands=("]
    out += [f"\t'{c.name}:{brief(c.brief)}'" for c in commands]
    out += [")", "if ((CURRENT == 2)); then", "\t_describe command commands", "\treturn", "fi",
            "shift words", "((CURRENT--))", "case $words[1] in"]
    for text in commands:
        out.append(f"{text.name})\n\t_arguments -s \\")
        for option in text.options:
            known = choices(text, option)
            doc = re.sub(r"([\[\]:\\])", r"\\\1", brief(option.doc))
            action = ""
            if option.value:
                what = f"({' '.join(known)})" if known else "_files" if option.value in FILES else " "
                action = ("::" if option.optional else ":") + \
                    re.sub(r"[^\w]", " ", option.value) + ":" + what
            for name in option.names:
                glue = ("=-" if option.optional else "=") if option.value and name[1] == "-" else ""
                out.append(f"\t\t'{name}{glue}[{doc}]{action}' \\")
        rest = "'*::: :_normal'" if text.name == "run" else "'*:file:_files'"
        out.append(f"\t\t{rest}\n\t;;")
    return "\n".join([*out, "help) _describe command commands ;;", "esac", ""])


def fish(commands):
    out = ["# Completion of gtrace for fish. Made from gtrace --help."]
    for c in commands:
        out.append(f"complete -c gtrace -n __fish_use_subcommand -x -a {c.name} -d '{brief(c.brief)}'")
    for text in commands:
        for option in text.options:
            known = choices(text, option)
            line = f"complete -c gtrace -n '__fish_seen_subcommand_from {text.name}'"
            for name in option.names:
                line += f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}"
            if known:
                line += f" -x -a '{' '.join(known)}'"
            elif option.value and not option.optional:
                line += " -r" if option.value in FILES else " -x"
            out.append(line + (f" -d '{brief(option.doc)}'" if option.doc else ""))
    return "\n".join([*out, ""])


def main():
    gtrace, version, source, folder, *expected = sys.argv[1:]
    listed = subprocess.run([gtrace, "--help"], capture_output=True, check=True).stdout.decode()
    rows = re.findall(r"(?m)^  ([a-z]+) +(\S.*)$", listed)
    if [name for name, _ in rows] != expected:
        fail(f"gtrace --help lists {' '.join(n for n, _ in rows)}, the build {' '.join(expected)}")
    commands = [read(gtrace, name, brief) for name, brief in rows]
    folder = pathlib.Path(folder)
    source = pathlib.Path(source).read_text(encoding="utf-8")
    day = re.search(r"(?m)^\.Dd (.*)$", source)[1]
    date = datetime.datetime.strptime(day, "%B %d, %Y").date().isoformat()
    for text in commands:
        (folder / f"gtrace-{text.name}.1").write_text(page(text, version, date), encoding="utf-8")
    (folder / "gtrace.1").write_text(overview(source, listed, commands), encoding="utf-8")
    for name, make in (("gtrace.bash", bash), ("_gtrace", zsh), ("gtrace.fish", fish)):
        (folder / name).write_text(make(commands), encoding="utf-8")


if __name__ == "__main__":
    main()
