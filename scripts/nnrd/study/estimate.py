"""What a run will cost before it is made: jobs, hours of cores and of the GPU, bytes on disk."""

import csv
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nnrd.study.config import Settings, Study

# Seconds a value on one core of 2.5 GHz or so, where no job of the kind has been measured:
# NNCodec with dependent quantisation, its decoder, and a network's run on one item (Whisper tiny
# on a prompt of 3.5 s took 0.83 s for 37.8 million values).
ENCODE, DECODE, EVALUATE = 1.1e-6, 0.16e-6, 22e-9
SHARE = 0.12  # of float32 that a bitstream takes, where none is there to look at
FLOAT = 4  # bytes


class Job(NamedTuple):
    """A job to come: its benchmark files' folder, its output, and what it costs if unmeasured."""

    rule: str
    like: str  # folder below benchmarks/ of the jobs that cost the same
    output: str  # folder or file below results/
    gpu: bool
    seconds: float | None
    size: float | None  # bytes


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


def estimate(settings: Settings, folder: Path) -> list[Cost]:
    """Return the cost of all jobs of a run that have no result yet.

    ``folder`` holds ``results/`` and ``benchmarks/``. A job costs what the mean of its like cost;
    where there is none, the per-value figures of this module times the model's values, which the
    sheet of models gives; else it is counted as unknown.
    """
    costs, seen = [], set()
    for study in settings.studies.values():
        groups: dict[str, list[Job]] = {}
        for job in jobs(settings, study):
            if job.output not in seen and not (folder / "results" / job.output).exists():
                groups.setdefault(job.rule, []).append(job)
            seen.add(job.output)
        costs += [_cost(study.name, rule, group, folder) for rule, group in groups.items()]
    return costs


def jobs(settings: Settings, study: Study) -> Iterator[Job]:
    """Yield the jobs of a study that take long: source, encoding, inference, the anchor."""
    values = settings.models[study.model].get("values")
    items = study.items / len(study.shards)
    run = values and EVALUATE * values * items
    at = f"{study.model}/{study.dataset}"
    sources: dict[str, list[str]] = {}
    for point in study.points:
        sources[point.source] = point.source_shards(study.shards)
    kind = study.kind
    for source, shards in sources.items():
        for shard in shards:
            like = f"extract_{kind}/{source.removeprefix(f'{kind}/')}"
            output = f"{source}/tensors/{shard}"
            size = values and FLOAT * values
            yield Job(f"extract_{kind}", like, output, kind == "features", values and 10, size)
    anchor = "infer_anchor" if study.splits else "infer_weights_anchor"
    for shard in study.shards:
        output = f"{study.anchor.folder}/predictions/{shard}.json"
        yield Job(anchor, f"{anchor}/{at}", output, True, run, 0)
    for point in study.points:
        for shard in sources[point.source]:
            output = f"{point.encoded}/bitstreams/{shard}"
            cost, size = (values and ENCODE * values), (values and SHARE * FLOAT * values)
            yield Job("encode_tensors", f"encode_tensors/{point.source}", output, False, cost, size)
        for shard in study.shards:
            like = f"infer_{kind}/{point.source.removeprefix(f'{kind}/')}"
            output = f"{point.folder}/predictions/{shard}.json"
            cost = values and run + DECODE * values
            yield Job(f"infer_{kind}", like, output, True, cost, 0)


def _cost(study: str, rule: str, group: list[Job], folder: Path) -> Cost:
    measured = unknown = 0
    seconds = on_gpu = size = 0.0
    for job in group:
        mean = _mean_seconds(folder / "benchmarks" / job.like)
        cost = job.seconds if mean is None else mean
        measured += mean is not None
        unknown += cost is None
        seconds += cost or 0
        on_gpu += (cost or 0) * job.gpu
        size += job.size or 0
    return Cost(study, rule, len(group), measured, unknown, seconds, on_gpu, size)


def _mean_seconds(folder: Path) -> float | None:
    walls = list(_walls(folder.rglob("*.tsv")))
    return statistics.fmean(walls) if walls else None


def _walls(files: Iterable[Path]) -> Iterator[float]:
    for file in files:
        with file.open() as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                yield float(row["s"])
