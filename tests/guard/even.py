#!/usr/bin/env python3
"""even.py PROGRAM - does what is malformed take as many instructions as what is not?

Runs PROGRAM (tests/guard/even.c) under callgrind. The cases of a group must not differ by a single
instruction: counts, unlike times, do not depend on what else the machine does. It says nothing of
memory that is looked up by a secret, or of instructions that take longer for some operands: the
first is what the build preset ct is for.
"""
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# How many there are: cases that nobody counted must not go unnoticed.
CASES = {"premaster": 1483, "AES-128-CBC-SHA": 326, "AES-256-CBC-SHA256": 326,
         "AES-256-CBC-SHA384": 326}
SKIPPED = 77


def measure(program):
    """{group: {case: instructions}}"""
    groups = collections.defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no",
                               f"--callgrind-out-file={folder}/out", program],
                              capture_output=True, text=True, timeout=280, check=False)
        if done.returncode != 0:
            sys.exit(f"{program} failed:\n{done.stdout}{done.stderr}")
        for path in pathlib.Path(folder).iterdir():
            text = path.read_text(errors="replace")
            label = re.search(r"^desc: Trigger: Client Request: (.*?): (.*)$", text, re.M)
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            if label and total:
                groups[label[1]][label[2]] = int(total[1])
    return groups


def main():
    if shutil.which("valgrind") is None:
        print("SKIP: instructions are not counted: valgrind is not installed")
        return SKIPPED
    groups = measure(sys.argv[1])
    wrong = []
    for group, expected in CASES.items():
        counts = groups.get(group, {})
        if len(counts) != expected or 0 in counts.values():
            wrong.append(f"{group}: {len(counts)} cases were counted, not {expected}")
            continue
        usual, num = collections.Counter(counts.values()).most_common(1)[0]
        print(f"{group}: {num} of {len(counts)} cases take {usual} instructions")
        wrong += [f"{group}: {case} takes {count}" for case, count in sorted(counts.items())
                  if count != usual]
    print("\n".join(wrong[:40]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
