#!/usr/bin/env python3
"""check_man.py SOURCE CLEAT - the man pages build, and list the options that --help lists: no more,
no fewer. Pages: docs/man/cleat.1.scd and docs/man/cleat-COMMAND.1.scd for every command."""
import pathlib
import re
import subprocess
import sys

PAGES = pathlib.Path(sys.argv[1]) / "docs/man"
CLEAT = sys.argv[2]
OPTION = r"(?<![\w-])--[a-z][a-z0-9.-]*[a-z0-9]"


def help_of(*words):
    return subprocess.run([CLEAT, *words, "--help"], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=20).stdout


def listed(text):
    """What a help text names, be it in a sentence."""
    return set(re.findall(OPTION, text))


def defined(page):
    """What a page has an entry for: the lines that begin with an option, in bold."""
    lines = [line for line in page.splitlines() if re.match(r"\*-", line)]
    return set(re.findall(r"\*(" + OPTION + r")\*", "\n".join(lines)))


def check(command, parts):
    name = "cleat" if command is None else f"cleat-{command}"
    path = PAGES / f"{name}.1.scd"
    if not path.exists():
        return [f"{path.name} is missing"]
    page = path.read_text()
    bad = []
    done = subprocess.run(["scdoc"], input=page.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        bad.append(f"{path.name}: {done.stderr.decode().strip()}")
    texts = [help_of(*([command] if command else []), *part) for part in parts]
    wanted = set().union(*(listed(text) for text in texts))
    if command is not None and len(wanted) < 2:
        bad.append(f"cleat {command} --help lists no option")
    bad += [f"{path.name}: {option} is in --help, but has no entry" for option in
            sorted(wanted - defined(page))]
    bad += [f"{path.name}: {option} has an entry, but is not in --help" for option in
            sorted(defined(page) - wanted)]
    return bad


def main():
    commands = re.findall(r"^  ([a-z-]+) ", help_of(), re.M)
    bad = [] if commands else ["cleat --help lists no command"]
    bad += check(None, [[]])
    for command in commands:
        text = help_of(command)
        # A command may have commands of its own, as `cleat cert show`.
        nested = text.startswith(f"Usage: cleat {command} COMMAND")
        parts = re.findall(r"^  ([a-z]+) ", text, re.M) if nested else []
        bad += check(command, [[]] + [[part] for part in parts])
    print("\n".join(bad) if bad else f"{len(commands) + 1} pages agree with --help")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
