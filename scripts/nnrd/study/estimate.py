"""What a run will cost before it is made: jobs, hours of cores and of the GPU, bytes on disk."""

import csv
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nnrd.nnc import coders
from nnrd.study.config import Settings
from nnrd.study.kinds.base import Job
from nnrd.study.split_costs import SplitCosts

# Seconds a value on one core of 2.5 GHz or so, where no job of the kind has been measured:
# NNCodec with dependent quantisation, its decoder, and a network's run on one item (Whisper tiny
# on a prompt of 3.5 s took 0.83 s for 37.8 million values).
ENCODE, DECODE, EVALUATE = 1.1e-6, 0.16e-6, 22e-9
# The same of nnrd's own coder of NNC, where it was built, and of codecs that only copy values.
NATIVE, COPIED = (0.1e-6, 0.05e-6), (2e-9, 1e-9)
COPYING = {"raw", "float16", "bfloat16", "int8"}
# Seconds a multiply-accumulate: SSD300 took 0.44 s for 20.2 · 10⁹, RetinaNet 5.0 s for 231 · 10⁹;
# in depthwise convolutions, as SSDLite has them, it is twice as much.
MAC = 22e-12
START = 10  # seconds to import PyTorch, build a model and write its tensors down


class Cost(NamedTuple):
    """The jobs to come of one rule for one study; ``measured`` of them go by benchmark files."""

    study: str
    rule: str
    jobs: int
    measured: int
    unknown: int
    seconds: float
    gpu_seconds: float
    size: float
    tables: tuple[str, ...] = ()  # models whose tables of splits were taken


def estimate(settings: Settings, folder: Path) -> list[Cost]:
    """Return the cost of all jobs of a run that have no result yet.

    ``folder`` holds ``results/`` and ``benchmarks/``. A job costs what the mean of its like cost;
    where there is none, the figures of this module times the values that it takes, as its
    study's kind says; else it is counted as unknown. What crosses a split, and what its parts
    compute, is known where there is a table of the model's splits, or of the same network's with
    other weights. Raises UserError for such a table that was altered.
    """
    costs, seen = [], set()
    splits = SplitCosts(settings.sheets, folder)
    for study in settings.studies.values():
        groups: dict[str, list[Job]] = {}
        for job in study.jobs(settings.sheets, splits):
            if job.output not in seen and not (folder / "results" / job.output).exists():
                groups.setdefault(job.rule, []).append(job)
            seen.add(job.output)
        costs += [_cost(study.name, rule, group, folder) for rule, group in groups.items()]
    return costs


def stated_seconds(job: Job) -> float | None:
    """Return what a job costs by the figures a value; None where its values are not known."""
    if not (job.encoded or job.decoded or job.run or job.stored or job.macs):
        return None
    encode, decode = _figures(job.codec)
    coding = encode * job.encoded + decode * job.decoded
    return coding + EVALUATE * job.run + MAC * job.macs or START


def _figures(codec: str | None) -> tuple[float, float]:
    """Return the seconds a value of encoding and of decoding."""
    if codec in COPYING:
        return COPIED
    return NATIVE if codec == "nnc" and coders.in_use() == "native" else (ENCODE, DECODE)


def _cost(study: str, rule: str, group: list[Job], folder: Path) -> Cost:
    measured = unknown = 0
    seconds = on_gpu = size = 0.0
    means = {like: _mean_seconds(folder / "benchmarks" / like) for like in {j.like for j in group}}
    for job in group:
        mean = means[job.like]
        cost = stated_seconds(job) if mean is None else mean
        measured += mean is not None
        unknown += cost is None
        seconds += cost or 0
        on_gpu += (cost or 0) * job.gpu
        size += job.stored
    tables = tuple(sorted({job.table for job in group if job.table and means[job.like] is None}))
    return Cost(study, rule, len(group), measured, unknown, seconds, on_gpu, size, tables)


def _mean_seconds(folder: Path) -> float | None:
    walls = list(_walls(folder.rglob("*.tsv")))
    return statistics.fmean(walls) if walls else None


def _walls(files: Iterable[Path]) -> Iterator[float]:
    for file in files:
        with file.open() as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                yield float(row["s"])
