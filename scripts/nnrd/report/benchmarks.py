"""Where the time of a run went: jobs by Snakemake's benchmark files, steps by the stopwatch."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nnrd.core.errors import UserError
from nnrd.core.files import read_record

# The steps that a study is about, as the stopwatch names them; all else is what the workflow
# costs on top: imports, reading and writing files, loading models, warming up.
CODEC = ("enc_time", "dec_time")
INFERENCE = ("pre_time", "run_time", "post_time")
# The rules that have such steps.
TIMED = {
    *("extract_features", "extract_outputs", "encode_tensors", "decode_weights"),
    *("infer_anchor", "infer_files", "infer_features", "infer_weights"),
}
PREPARATION = ("fetch_asset",)
PAUSE = 20  # seconds
SLACK = 2  # seconds by which the clocks of two files may differ


class Rule(NamedTuple):
    """All jobs of a rule: their number, wall and processor time in seconds, largest memory."""

    name: str
    jobs: int
    wall: float
    processor: float
    memory_mb: float


class Summary(NamedTuple):
    """A run: its rules, its span in seconds, and the core-seconds of codec and inference."""

    rules: list[Rule]
    span: float
    codec: float
    inference: float

    def rest(self, cores: int) -> "Rest":
        """Return where the other core-seconds of the span went; a job is taken to have one core."""
        timed = [rule for rule in self.rules if rule.name in TIMED]
        other = [rule for rule in self.rules if rule.name not in TIMED]
        inside, outside = (sum(rule.wall for rule in rules) for rules in (timed, other))
        return Rest(
            sum(rule.jobs for rule in timed),
            inside - self.codec - self.inference,
            sum(rule.jobs for rule in other),
            outside,
            cores * self.span - inside - outside,
        )


class Rest(NamedTuple):
    """What a run's cores did beside codec and inference.

    ``timed``: jobs that have such steps, and the seconds that they spent on the rest: start, files,
    warming up. ``other``: jobs that have none, such as scoring, and their seconds. ``idle``:
    core-seconds without a job, where Snakemake was at work or one job was waited for.
    """

    timed: int
    beside: float
    other: int
    seconds: float
    idle: float


def summarise(folder: Path, results: Path) -> Summary:
    """Return where the time went of the jobs that have a benchmark file below ``folder``.

    The time of codec and inference is that of the steps' stopwatches, from the files of times
    below ``results`` that the run wrote, times the threads that a step had; what a job spends on
    imports and files is not in it. The span goes from the first job's start to the last one's
    end. Fetching assets is left out: the network's speed is not the workflow's. Only the last
    run counts: jobs before a pause of PAUSE seconds are of earlier ones. Raises UserError where
    there are no files.
    """
    jobs = [job for job in map(_job, folder.rglob("*.tsv")) if job is not None]
    jobs = _last_run([job for job in jobs if job["rule"] not in PREPARATION])
    if not jobs:
        raise UserError(f"{folder}: no benchmark files; run the workflow first")
    start, end = min(job["start"] for job in jobs), max(job["end"] for job in jobs)
    written = [
        read_record(file)
        for file in sorted(results.rglob("*.times.json"))
        if start - SLACK <= file.stat().st_mtime <= end + SLACK
    ]
    codec, inference = (_core_seconds(written, steps) for steps in (CODEC, INFERENCE))
    return Summary(_rules(jobs), end - start, codec, inference)


def _core_seconds(written: Iterable[Mapping[str, Any]], steps: Iterable[str]) -> float:
    return sum(
        row.get(step, 0.0) * step_file["threads"]
        for step_file in written
        for row in step_file["rows"]
        for step in steps
    )


def _last_run(jobs: list[dict]) -> list[dict]:
    run: list[dict] = []
    for job in sorted(jobs, key=lambda job: job["start"]):
        if run and job["start"] > max(earlier["end"] for earlier in run) + PAUSE:
            run = []
        run.append(job)
    return run


def _job(file: Path) -> dict | None:
    """Return a job's times; a file is written when its job ends."""
    rows = list(csv.DictReader(file.open(), delimiter="\t"))
    if not rows:
        return None
    wall, end = float(rows[0]["s"]), file.stat().st_mtime
    return {
        "rule": _rule(file),
        "wall": wall,
        "processor": _number(rows[0]["cpu_time"]),
        "memory": _number(rows[0]["max_rss"]),
        "start": end - wall,
        "end": end,
    }


def _rule(file: Path) -> str:
    """Return the rule of a benchmark file: benchmarks/RULE/… or benchmarks/RULE.tsv."""
    parts = file.parts[file.parts.index("benchmarks") + 1 :]
    return parts[0].removesuffix(".tsv")


def _number(text: str) -> float:
    """Return a number; jobs shorter than Snakemake's first look have none."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _rules(jobs: Iterable[dict]) -> list[Rule]:
    grouped: dict[str, list[dict]] = {}
    for job in jobs:
        grouped.setdefault(job["rule"], []).append(job)
    rules = [
        Rule(
            name,
            len(group),
            sum(job["wall"] for job in group),
            sum(job["processor"] for job in group),
            max(job["memory"] for job in group),
        )
        for name, group in grouped.items()
    ]
    return sorted(rules, key=lambda rule: -rule.wall)
