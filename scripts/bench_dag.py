"""What Snakemake takes to plan a large study: seconds, memory, and how much of it is nnrd's.

The study has as many points as are asked for, of several models, splits and operating points;
none of them is made. ``--batch 2/10`` plans that part of it, as ``snakemake --batch
tabulate_points=2/10`` would. The time of a plan is that of ``snakemake --dry-run``; whose it is,
is profiled in a second plan, which takes about twice as long.
"""

import argparse
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from nnrd.core import program
from nnrd.core.errors import UserError
from nnrd.study import config, inputs

ROOT = Path(__file__).resolve().parents[1]
FILE = "bench.yaml"
SPLITS = 10
QPS = list(range(-50, 0))
MODEL = {
    "task": "detection",
    "family": "torchvision_detectors",
    "variant": "retinanet_resnet50_fpn_v2",
    "weights": "random",
    "options": {"num_classes": 5, "min_size": 160},
}
DATASET = {"task": "detection", "format": "coco", "folder": ".", "annotations": "truth.json"}


class Plan(NamedTuple):
    """What a plan took: jobs in it, seconds, seconds of CPU time, and the peak memory in MB."""

    jobs: int
    seconds: float
    cpu_seconds: float
    megabytes: float


def main(args: argparse.Namespace) -> None:
    """Print a line a size of study."""
    print(f"{'points':>8} {'jobs':>8} {'seconds':>8} {'CPU-s':>8} {'MB':>6} {'of it nnrd':>11}")
    for points in args.points:
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), points, args.models, args.shards)
            batch = ["--batch", f"tabulate_points={args.batch}"] if args.batch else []
            if batch:
                touch_records(Path(folder), args.batch)
            found = plan(Path(folder), *batch)
            share = share_of_nnrd(Path(folder), *batch)
        times = f"{found.seconds:>8.1f} {found.cpu_seconds:>8.1f}"
        print(f"{points:>8} {found.jobs:>8} {times} {found.megabytes:>6.0f} {share:>11.0%}")


def prepare(folder: Path, points: int, models: int = 10, shards: int = 1) -> None:
    """Write the configuration of so many points into a folder, and what it names."""
    (folder / FILE).write_text(yaml.safe_dump(configuration(points, models, shards)))
    (folder / DATASET["annotations"]).write_text("{}")


def touch_records(folder: Path, batch: str) -> None:
    """Make empty records of all points that come before a batch, ``I/N``, of each study."""
    place, count = map(int, batch.split("/"))
    given = yaml.safe_load((folder / FILE).read_text())
    for study in config.load(given, FILE, folder, ROOT).studies.values():
        records = sorted(inputs.records(study))
        each, longer = divmod(len(records), count)  # as Snakemake parts them
        for record in records[: (place - 1) * each + min(place - 1, longer)]:
            (folder / record).parent.mkdir(parents=True, exist_ok=True)
            (folder / record).touch()


def configuration(points: int, models: int, shards: int) -> dict[str, Any]:
    """Return a study a model, which share the points; each dataset has an item a shard."""
    each, left = divmod(points, models * SPLITS)
    if left or each < 1:
        raise UserError(f"{points} points do not make {models} models of {SPLITS} splits")
    qps = QPS[: min(each, len(QPS))]
    scales, left = divmod(each, len(qps))
    if left:
        raise UserError(f"{each} operating points are no multiple of {len(QPS)}")
    codec = {"qp": qps, "lambda_scale": [i / 10 for i in range(scales)]}
    names = [f"model_{i}" for i in range(models)]
    study = {"kind": "features", "dataset": "images", "shard_size": 1, "codecs": [{"nnc": codec}]}
    study["splits"] = [10 * (i + 1) for i in range(SPLITS)]
    return {
        "run": names,
        "models": dict.fromkeys(names, MODEL),
        "datasets": {"images": DATASET | {"items": shards}},
        "studies": {name: study | {"model": name} for name in names},
    }


def plan(folder: Path, *options: str) -> Plan:
    """Return what it takes to plan the study of a folder; UserError where it fails."""
    begun = time.perf_counter()
    said, usage = _run(folder, ["-m", "snakemake"], options)
    seconds = time.perf_counter() - begun
    counted = [line.split() for line in said.splitlines() if line.startswith("total ")]
    jobs = int(counted[-1][1]) if counted else 0
    return Plan(jobs, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3)


def share_of_nnrd(folder: Path, *options: str) -> float:
    """Return the share of nnrd's functions, with all that they call, in the time of a plan."""
    _run(folder, ["-m", "cProfile", "-o", "profile", "-m", "snakemake"], options)
    stats = pstats.Stats(str(folder / "profile"))
    ours = 0.0
    for function, (*_, callers) in stats.stats.items():  # type: ignore[attr-defined]
        if _is_ours(function[0]):
            ours += sum(times[3] for caller, times in callers.items() if not _is_ours(caller[0]))
    return ours / stats.total_tt  # type: ignore[attr-defined]


def _is_ours(file: str) -> bool:
    return file.startswith((f"{ROOT}/scripts", f"{ROOT}/workflow"))


def _run(
    folder: Path, how: list[str], options: Sequence[str]
) -> tuple[str, resource.struct_rusage]:
    """Return what Snakemake says of a dry run, and what that took."""
    command = [sys.executable, *how, "--snakefile", f"{ROOT}/Snakefile", "--directory", "."]
    command += ["--configfile", FILE, "--cores", "1", "--dry-run", "--quiet", "rules", *options]
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)  # of this one, and not of all before it
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if process.returncode:
        raise UserError(f"the plan failed: {text[-500:]}")
    return text, usage


def add_arguments(result: argparse.ArgumentParser) -> None:
    """Add the options."""
    result.add_argument("--points", type=int, nargs="+", default=[1000, 10_000])
    result.add_argument("--models", type=int, default=10, help="each is a study")
    result.add_argument("--shards", type=int, default=1, help="of each point's images")
    result.add_argument("--batch", metavar="I/N", help="plan a part only")


if __name__ == "__main__":
    program.run(sys.modules[__name__])
