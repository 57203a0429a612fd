"""One study of splits by the workflow, and by scripts that work as those of TR 26.847 did.

The scripts start a process for each (split, codec), which runs part I again on each image, codes
what crosses by ``nncodec.nnc.compress`` with its defaults and a qp, decodes it and runs part II:
one image after another, one process after another. The workflow runs part I once a split. Both
begin with the split model and the indexed images, and end with the TR's mAP of each point, which
must be equal to the last digit. Everything is run once, in this order, on the same machine. The
codings are the TR's: raw, float16, and NNC at each qp. The workflow does more than that: anchor,
items sent as files, COCO's AP, intervals, agreement. The images are the 50 of COCO that
``NNRD_DATA`` has, else the demonstration's. An untrained detector finds nothing that people drew:
its ground truth is what the whole model finds, so that equal mAP says something.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import yaml

from benches.timing import timed
from nnrd.core import program
from nnrd.core.errors import UserError
from nnrd.core.files import read_record
from nnrd.datasets import index
from nnrd.metrics.detection import tr26847_map
from nnrd.models import REGISTRY, ModelRow
from nnrd.models.pipeline import Pipeline
from nnrd.report import benchmarks
from nnrd.runtime import sessions
from nnrd.stages.summarise_benchmarks import rest
from nnrd.study import paths
from nnrd.study.points import Split
from nnrd.tasks.detection import SURE, tr26847_image

ROOT = Path(__file__).resolve().parents[1]
STUDY, IMAGES = "bench", "images"
RANDOM = "random"  # in a model's column of weights
PLAIN = ("raw", "float16")  # codecs without a qp
Coding = str | int  # one of these, or a qp
Result = dict[str, Any]
Row = dict[str, Any]  # of a dataset
Spent = tuple[float, float]  # seconds of wall time, and of CPU with the processes started


def main(args: argparse.Namespace) -> None:
    """Run both and print the table, the ratio and the share of the time that is used."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        drawn = args.items and args.items < dataset()["items"]
        data = f"{IMAGES}-{args.items}" if drawn else IMAGES
        prepare(args, data)
        codings = [(split, coding) for split in args.splits for coding in (*PLAIN, *args.qps)]
        theirs, found = timed(
            lambda: [in_a_process(args.model, split, data, coding) for split, coding in codings]
        )
        table = Path(paths.table_of(STUDY, "points"))
        ours, _ = timed(lambda: snakemake(args.cores, str(table)))
        print_points(codings, found, pandas.read_csv(table))
        inside = sum(point["seconds"] for point in found)
        print(f"scripts: {inside:.1f} s in their images, {theirs[0] - inside:.1f} s beside")
        print_times(theirs, ours, args.cores)


def prepare(args: argparse.Namespace, data: str) -> None:
    """Index the images and split the model, by a configuration that is left in this folder."""
    row = dataset()
    configure(args, row)
    index_file = paths.fill(paths.INDEX, data=data)
    plans = [paths.fill(paths.PLAN, model=args.model, split=Split(k).id) for k in args.splits]
    snakemake(args.cores, index_file, *plans)
    if model_row(args.model).weights == RANDOM:
        Path("truth.json").write_text(json.dumps(found_by(args.model, Path(index_file), row)))
        configure(args, row | {"annotations": "truth.json"})
        snakemake(args.cores, index_file)


def configure(args: argparse.Namespace, row: Row) -> None:
    """Write the study on a dataset of this row as the workflow's configuration."""
    study: dict[str, Any] = {
        **{"kind": "features", "model": args.model, "dataset": IMAGES, "splits": args.splits},
        "codecs": [*PLAIN, {"nnc": {"qp": args.qps}}],
    }
    if args.items:
        study["items"] = args.items
    config = {"run": [STUDY], "datasets": {IMAGES: row}, "studies": {STUDY: study}}
    Path("bench.yaml").write_text(yaml.safe_dump(config))


def dataset() -> Row:
    """Return the row of the dataset."""
    given = os.environ.get("NNRD_DATA")
    where = {"asset": "demo_images"}
    annotations = ROOT / "config/ground_truth/demo_images.json"
    if given:
        where = {"folder": f"{given}/coco_val50/images"}
        annotations = Path(given) / "coco_val50/instances_val50.json"
    count = len(json.loads(annotations.read_text())["images"])
    row = {"task": "detection", "format": "coco", "annotations": str(annotations)}
    return row | where | {"items": count}


def found_by(model: str, index_file: Path, row: Row) -> dict[str, Any]:
    """Return COCO's ground truth with what the whole model finds in place of what people drew."""
    images = index.read(index_file)
    run = sessions.Run(sessions.session(paths.fill(paths.MODEL, model=model)))
    annotations = [
        {"image_id": item.facts["image_id"]} | found
        for item, (prediction, _) in zip(
            images.items, pipeline_of(model).predict(run, images.items), strict=True
        )
        for found in prediction["detections"]
        if found["score"] > SURE
    ]
    return json.loads(Path(row["annotations"]).read_text()) | {"annotations": annotations}


def model_row(model: str) -> ModelRow:
    """Return the row of a model that was converted."""
    return ModelRow(**read_record(Path(paths.fill(paths.FACTS, model=model)))["row"])


def pipeline_of(model: str) -> Pipeline:
    """Return what stands around the graph of a model that was converted."""
    row = model_row(model)
    return REGISTRY.get(row.family).load_pipeline(row)


def snakemake(cores: int, *targets: str) -> None:
    """Run the workflow in this folder up to some files; UserError where it fails."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", ".", "--configfile", "bench.yaml", "--cores", str(cores)]
    done = subprocess.run([*command, "--", *targets], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"the workflow failed: {done.stderr[-300:]}")


def in_a_process(model: str, split: int, data: str, coding: Coding) -> Result:
    """Return what `print_one_by_one` prints, run in a fresh process."""
    given = f"{model!r}, {split}, {data!r}, {coding!r}"
    code = f"import bench_study; bench_study.print_one_by_one({given})"
    here = os.environ | {"PYTHONPATH": f"{ROOT}/scripts", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=here, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"split {split}, {_name(coding)}: {done.stderr[-300:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"split {split}, {_name(coding)}: {result['seconds']:.1f} s in its images", flush=True)
    return result


def print_one_by_one(model: str, split: int, data: str, coding: Coding) -> None:
    """Print a point as JSON: mean average precision of the TR, bytes sent, seconds."""
    images = index.read(Path(paths.fill(paths.INDEX, data=data)))
    begun = time.perf_counter()
    found, sizes = one_by_one(model, split, images, coding)
    seconds = time.perf_counter() - begun
    items = {item.name: item for item in images.items}
    scored = [tr26847_image(items, row, images.categories) for row in found]
    result = {"tr26847_map": 100 * tr26847_map(scored, SURE)[0]}
    print(json.dumps(result | {"bytes": sum(sizes), "seconds": seconds}))


def one_by_one(
    model: str, split: int, images: index.Index, coding: Coding
) -> tuple[list[Result], list[int]]:
    """Return each image's detections and bytes: part I, NNCodec, part II, image after image."""
    place = {"model": model, "split": Split(split).id}
    parts = [sessions.session(paths.fill(part, **place)) for part in (paths.PART1, paths.PART2)]
    crossing = read_record(Path(paths.fill(paths.PLAN, **place)))["crossing"]
    pipeline = pipeline_of(model)
    found, sizes = [], []
    for item in images.items:
        feeds = pipeline.preprocess(pipeline.load(item), item)
        tensors = parts[0].run(crossing, feeds)
        arrived, size = sent(tensors, coding)
        outputs = sessions.run(parts[1], dict(zip(crossing, arrived, strict=True)))
        found.append({"item": item.name} | pipeline.postprocess(outputs, item))
        sizes.append(size)
    return found, sizes


def sent(tensors: Sequence[np.ndarray], coding: Coding) -> tuple[list[np.ndarray], int]:
    """Return tensors as they arrive, by NNCodec as it is, and the bytes of what was sent."""
    if coding in PLAIN:
        kinds = {np.dtype(np.float32): np.float16} if coding == "float16" else {}
        coded = [tensor.astype(kinds.get(tensor.dtype, tensor.dtype)) for tensor in tensors]
        back = [c.astype(t.dtype) for c, t in zip(coded, tensors, strict=True)]
        return back, sum(tensor.nbytes for tensor in coded)
    from nncodec import nnc

    named = {f"t{i}": tensor for i, tensor in enumerate(tensors)}
    stream = nnc.compress(named, bitstream_path=None, return_bitstream=True, qp=coding)
    arrived = nnc.decompress(bytearray(stream))
    return [arrived[name] for name in named], len(stream)


def print_points(
    codings: Sequence[tuple[int, Coding]], found: Sequence[Result], table: pandas.DataFrame
) -> None:
    """Print each point by both ways; UserError where the mAP of two differs."""
    print(f"{'split':>5} {'codec':>8} {'mAP, %':>9} {'scripts, bytes':>15} {'workflow, bytes':>16}")
    for (split, coding), theirs in zip(codings, found, strict=True):
        plain = coding in PLAIN
        parameters = "{}" if plain else json.dumps({"qp": coding}, separators=(",", ":"))
        rows = table[(table.split == split) & (table.parameters == parameters)]
        ours = rows[rows.codec == (coding if plain else "nnc")].iloc[0]
        score, size = ours.tr26847_map, int(ours.rec_size)
        print(f"{split:>5} {_name(coding):>8} {score:>9.6g} {theirs['bytes']:>15,} {size:>16,}")
        if f"{score:.6g}" != f"{theirs['tr26847_map']:.6g}":  # as many digits as the table has
            raise UserError(f"the scripts' mAP is {theirs['tr26847_map']}")


def print_times(theirs: Spent, ours: Spent, cores: int) -> None:
    """Print the ratios, and what share of the cores' time the steps of the workflow took.

    Where others use the machine, CPU time tells more: the scripts' on one core against an equal
    share of the workflow's on each.
    """
    run = benchmarks.summarise(Path("benchmarks"), Path("results"))
    share = (run.codec + run.inference) / (cores * run.span)
    ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
    print(
        f"scripts {theirs[0]:.1f} s, workflow {ours[0]:.1f} s on {cores} cores: {ratios[0]:.2f} ×"
    )
    both = f"CPU: scripts {theirs[1]:.1f} s, workflow {ours[1]:.1f} s"
    print(f"{both}, on {cores} cores {cores * ratios[1]:.2f} ×")
    print(f"codec and inference by the stopwatches: {share:.0%} of {cores} × {run.span:.0f} s")
    print(f"  {run.codec:.1f} s in codecs, {run.inference:.1f} s in inference;")
    print(f"  {rest(run.rest(cores))}")
    ideal = (run.codec + run.inference) / cores
    print(f"if the cores did nothing else: {ideal:.1f} s, {theirs[0] / ideal:.2f} ×")


def _name(coding: Coding) -> str:
    return str(coding) if coding in PLAIN else f"nnc {coding}"


def add_arguments(result: argparse.ArgumentParser) -> None:
    """Add the options."""
    model = "a detector of config/models.tsv (default: %(default)s)"
    result.add_argument("--model", default="ssdlite300_mobilenet_v2", help=model)
    result.add_argument("--splits", type=int, nargs="+", default=[10, 73], metavar="RANK")
    qps = [-38, -26, -18, -14, -10, -6, -4, 0]  # the TR's
    result.add_argument("--qps", type=int, nargs="+", default=qps, metavar="QP")
    result.add_argument("--items", type=int, help="images, drawn by a seed (default: all)")
    result.add_argument("--cores", type=int, default=os.cpu_count(), help="of the workflow")


if __name__ == "__main__":
    program.run(sys.modules[__name__])
