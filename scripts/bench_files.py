"""Count what jobs do to files: what a shared file system sees of each.

    python scripts/bench_files.py results/FOLDER/point.json ...

Each target is a file of a complete run in this folder; its job is run again under strace, by a
Snakemake of its own as on a cluster's node. Printed for each is how often files are opened, asked
about and changed, and the bytes read and written, by who does it (Snakemake or the job's program)
and where the file is. Python's own files count as the environment.
"""

import argparse
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CALLS = "%file,getdents64,read,pread64,write,pwrite64,clone,clone3,fork,vfork"
LINE = re.compile(r"^(?P<process>\d+) +(?P<call>\w+)\((?P<given>.*)\) += (?P<result>-?\d+)")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
OF_NUMBER = re.compile(r"^(?:AT_FDCWD|\d+)<(/[^>]*)>")
OPENS = {"open", "openat", "openat2"}
CHANGES = {"rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"}
CHANGES |= {"link", "linkat", "symlink", "symlinkat", "chmod", "fchmodat", "utimensat", "truncate"}
READS, WRITES = {"read", "pread64"}, {"write", "pwrite64"}
BY_NUMBER = {*READS, *WRITES, "getdents64"}
BIRTHS = {"clone", "clone3", "fork", "vfork"}
UNFINISHED, RESUMED = "<unfinished ...>", re.compile(r"^(\d+) +<\.\.\. \w+ resumed>")
RESULTS = ("results", "resources", "logs", "benchmarks", ".snakemake")
COLUMNS = ("opened", "asked", "changed", "read", "written")


class Call(NamedTuple):
    """A system call: its process, its name, the file that it is about, what it returned."""

    process: int
    name: str
    file: str
    result: int
    given: str


def calls(trace: Path, folder: Path) -> Iterator[Call]:
    """Yield the calls of a trace."""
    for line in _whole(trace):
        if found := LINE.match(line):
            given, name = found["given"], found["call"]
            file = _opened(given) if name in BY_NUMBER else _named(given, folder)
            yield Call(int(found["process"]), name, file, int(found["result"]), given)


def _whole(trace: Path) -> Iterator[str]:
    """Yield the lines of a trace, those in one piece that another process's came between."""
    begun: dict[str, str] = {}
    with trace.open(errors="replace") as lines:
        for line in lines:
            if line.rstrip().endswith(UNFINISHED):
                begun[line.split()[0]] = line.rstrip().removesuffix(UNFINISHED)
            elif resumed := RESUMED.match(line):
                yield begun.pop(resumed[1], "") + line[resumed.end() :]
            else:
                yield line


def _opened(given: str) -> str:
    """Return the open file that a call names by its number; else nothing."""
    found = OF_NUMBER.match(given)
    return found[1] if found else ""


def _named(given: str, folder: Path) -> str:
    """Return the file that a call names by a path, perhaps within an open folder; else nothing."""
    path = QUOTED.search(given)
    return str(Path(_opened(given) or folder) / path[1]) if path else _opened(given)


def place(file: str, folder: Path) -> str | None:
    """Return which part of the shared file system a file is in; None for the node's own."""
    for prefix in {sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib")}:
        if file.startswith(prefix):
            return "environment"
    if not file.startswith(f"{folder}/"):
        return None
    return "results" if file[len(str(folder)) + 1 :].startswith(RESULTS) else "checkout"


def count(trace: Path, folder: Path) -> dict[tuple[str, str], Counter[str]]:
    """Return the counts of a trace by who made the calls and where the files are."""
    programs: set[int] = set()
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for call in calls(trace, folder):
        if call.name == "execve" and "scripts/" in call.given and "snakemake" not in call.given:
            programs.add(call.process)
        if call.name in BIRTHS and call.process in programs:
            programs.add(call.result)
        if where := place(call.file, folder):
            who = "program" if call.process in programs else "Snakemake"
            counts[who, where].update(_kinds(call))
    return counts


def _kinds(call: Call) -> dict[str, int]:
    if call.name in READS:
        return {"read": max(call.result, 0)}
    if call.name in WRITES:
        return {"written": max(call.result, 0)}
    if call.name in OPENS:
        return {"opened": 1}
    return {"changed": 1} if call.name in CHANGES else {"asked": 1}


def traced(target: str, folder: Path) -> dict[tuple[str, str], Counter[str]]:
    """Run the job of a target again and count."""
    with tempfile.TemporaryDirectory() as scratch:
        trace = Path(scratch) / "trace"
        strace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-o", str(trace), "-e", CALLS]
        snakemake = [sys.executable, "-m", "snakemake", "--cores", "1", "--force", "--nolock"]
        done = subprocess.run([*strace, *snakemake, target], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: {target}: {done.stderr}")
        return count(trace, folder)


def main() -> None:
    """Print a table for each target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="+", help="files of a complete run in this folder")
    for target in parser.parse_args().targets:
        print(f"\n{target}\n{'by':12}{'where':14}", *(f"{name:>12}" for name in COLUMNS), sep="")
        for (who, where), counted in sorted(traced(target, Path.cwd()).items()):
            figures = (f"{counted[name]:12,}" for name in COLUMNS)
            print(f"{who:12}{where:14}", *figures, sep="", flush=True)


if __name__ == "__main__":
    main()
