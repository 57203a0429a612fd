"""Where the time of a run went, from the benchmark files that Snakemake wrote."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from nnrd.core.errors import UserError

# The jobs that a study is about; all others are what the workflow costs on top.
USEFUL = (
    *("encode_tensors", "decode_weights", "extract_features"),
    *("infer_anchor", "infer_features", "infer_weights"),
)
PREPARATION = ("fetch_asset",)
PAUSE = 20  # seconds


class Rule(NamedTuple):
    """All jobs of a rule: their number, wall and processor time in seconds, largest memory."""

    name: str
    jobs: int
    wall: float
    processor: float
    memory_mb: float


class Summary(NamedTuple):
    """A run: its rules, its span in seconds, and the share of the cores' time that was useful."""

    rules: list[Rule]
    span: float
    share: float


def summarise(folder: Path, cores: int) -> Summary:
    """Return where the time went of the jobs that have a benchmark file below ``folder``.

    The share is the wall time of the jobs that encode, decode and infer, each on one core,
    divided by ``cores`` times the span from the first job's start to the last one's end.
    Fetching assets is left out of both: the network's speed is not the workflow's. Only the last
    run counts: jobs before a pause of PAUSE seconds are of earlier ones. Raises UserError where
    there are no files.
    """
    jobs = [job for job in map(_job, folder.rglob("*.tsv")) if job is not None]
    jobs = _last_run([job for job in jobs if job["rule"] not in PREPARATION])
    if not jobs:
        raise UserError(f"{folder}: no benchmark files; run the workflow first")
    span = max(job["end"] for job in jobs) - min(job["start"] for job in jobs)
    useful = sum(job["wall"] for job in jobs if job["rule"] in USEFUL)
    return Summary(_rules(jobs), span, useful / (cores * span))


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
