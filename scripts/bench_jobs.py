"""What a job costs beside its work, by phase, for each program of a features and a weights study.

A study of each kind is made of one photo, by the workflow in a temporary folder. Then the command
of one job of each program runs again, several times, and so do its beginnings: an interpreter
that does nothing, one that imports what the program imports, one that opens its model besides.
What these take less what the one before took are the phases; ``work`` is what the job's own
stopwatches counted in codec and graph; ``warm`` the run that warms up, which is not counted there
and as long as that of the one photo; ``rest`` what is left: files with their sums, options. The
least of the runs counts. ``beside`` is all but work and warming up.
"""

import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from nnrd.core import program
from nnrd.core.errors import UserError
from nnrd.core.files import read_record
from nnrd.report.benchmarks import CODEC, INFERENCE

ROOT = Path(__file__).resolve().parents[1]
COMMON = {"model": "ssdlite300_mobilenet_v2", "dataset": "demo_images", "items": 1}
CODECS = [{"nnc": {"qp": [-26]}}]
STUDIES = {
    "features": COMMON | {"kind": "features", "splits": [73], "codecs": CODECS},
    "weights": COMMON | {"kind": "weights", "codecs": CODECS},
}
MODELS = ("--part1", "--part2", "--onnx")  # options that name what a program opens
ROW = "{:<20} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}"
PHASES = ("start", "imports", "model", "work", "warm", "rest")


class Spent(NamedTuple):
    """Seconds of wall time and of CPU, and the largest memory in MB."""

    wall: float
    cpu: float


def main(args: argparse.Namespace) -> None:
    """Make the studies, and print a line a program, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("bench.yaml").write_text(yaml.safe_dump({"run": list(STUDIES), "studies": STUDIES}))
        make(args.cores)
        print(ROW.format("program, ms", *PHASES, "wall", "beside", "CPU", "modules"))
        start = least(["-c", "pass"], args.runs)
        for name, command in sorted(commands().items()):
            if args.programs and name not in args.programs:
                continue
            print(line(name, command, start, args.runs), flush=True)


def make(cores: int) -> None:
    """Run the workflow in this folder and keep what is temporary; UserError where it fails."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", ".", "--configfile", "bench.yaml", "--cores", str(cores)]
    tables = [f"results/tables/{study}/points.csv" for study in STUDIES]
    done = subprocess.run([*command, "--notemp", "--", *tables], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"the workflow failed: {done.stderr[-300:]}")


def commands() -> dict[str, list[str]]:
    """Return the words of one job of each program, from what Snakemake keeps of each output."""
    found = {}
    for file in Path(".snakemake/metadata").rglob("*"):
        if file.is_file():
            said = json.loads(file.read_text())
            words = shlex.split(str(said.get("shellcmd") or "").split(" > logs/")[0])
            if len(words) > 1 and words[1].endswith(".py"):
                found[said["rule"]] = words[1:]
    return found


def line(name: str, words: Sequence[str], start: Spent, runs: int) -> str:
    """Return a program's line of the table."""
    code = f"import nnrd.core.program, nnrd.stages.{name}"
    imports = least(["-c", code], runs)
    opened = least(["-c", f"{code}; {opening(words)}"], runs)
    whole = least(words, runs)
    work, warm = worked(words, (*CODEC, *INFERENCE)), worked(words, INFERENCE)
    phases = [start.wall, imports.wall - start.wall, opened.wall - imports.wall, work, warm]
    phases.append(whole.wall - sum(phases))
    beside = whole.wall - work - warm
    shown = [f"{1e3 * s:.0f}" for s in (*phases, whole.wall, beside, whole.cpu)]
    return ROW.format(name, *shown, modules(code))


def opening(words: Sequence[str]) -> str:
    """Return the code that opens the model of a program."""
    named = [words[i + 1] for i, word in enumerate(words) if word in MODELS]
    if not named:
        return "pass"
    return f"from nnrd.runtime import sessions; sessions.session({named[0]!r})"


def worked(words: Sequence[str], steps: Sequence[str]) -> float:
    """Return the seconds in these steps by the stopwatches of a job."""
    if "--times" not in words:
        return 0.0
    rows = read_record(words[words.index("--times") + 1])["rows"]
    return sum(row.get(step, 0.0) for row in rows for step in steps)


def modules(code: str) -> str:
    """Return how many modules the code imports."""
    words = [sys.executable, "-c", f"{code}; import sys; print(len(sys.modules))"]
    return subprocess.run(words, env=environment(), capture_output=True, text=True).stdout.strip()


def least(words: Sequence[str], runs: int) -> Spent:
    """Return the least wall and CPU time of an interpreter with these words."""
    found = list(spent(words, runs))
    return Spent(min(s.wall for s in found), min(s.cpu for s in found))


def spent(words: Sequence[str], runs: int) -> Iterator[Spent]:
    """Yield the time of each run; UserError where one fails."""
    for _ in range(runs):
        before, begun = _children(), time.perf_counter()
        command = [sys.executable, *words]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        wall, cpu = time.perf_counter() - begun, _children() - before
        if done.returncode:
            raise UserError(f"{words[0]}: {done.stderr[-300:]}")
        yield Spent(wall, cpu)


def environment() -> dict[str, str]:
    """Return what a job of the workflow has: one thread, this checkout's library, compiled once."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def add_arguments(result: argparse.ArgumentParser) -> None:
    """Add the options."""
    result.add_argument("programs", nargs="*", help="only these (default: all of both studies)")
    result.add_argument("--runs", type=int, default=5, help="of each beginning (default: 5)")
    result.add_argument("--cores", type=int, default=os.cpu_count(), help="of the workflow")


if __name__ == "__main__":
    program.run(sys.modules[__name__])
