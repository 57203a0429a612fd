"""Turn a model's graphs into what a codec of whole models makes of them, such as INT8."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nnrd.core.files import checksum, complete_folder
from nnrd.core.lineage import checked
from nnrd.datasets import index
from nnrd.quantisation import codecs, sizes
from nnrd.quantisation.task_metric import TaskMetric
from nnrd.runtime.stopwatch import Stopwatch
from nnrd.stages import arguments, model_runs, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    arguments.add_model(parser)
    words = "the model's ONNX files, in the order of its family's graphs"
    parser.add_argument("--graphs", type=Path, nargs="+", required=True, help=words)
    parser.add_argument("--facts", type=Path, nargs="+", help="what is known of each, as JSON")
    parser.add_argument("--calibration", type=Path, help="index of the items to look at")
    arguments.add_codec(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of files to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file to write")
    arguments.add_timing(parser)


def main(args: argparse.Namespace) -> None:
    """Write the files, and their sizes."""
    arguments.verify_assets(args)
    codec = codecs.make(args.codec, args.parameters)
    pairs = zip(args.graphs, args.facts or [None] * len(args.graphs), strict=True)
    files = [checked(graph, facts) for graph, facts in pairs]
    graphs = dict(zip(arguments.family(args).graphs, files, strict=True))
    found = index.read(args.calibration) if args.calibration else index.Index([])
    pipeline = arguments.graph_pipeline(args)
    engine, metric = model_runs.PipelineEngine(pipeline), TaskMetric(pipeline.task, found)
    watch = Stopwatch()
    with complete_folder(args.out) as folder:
        with watch("enc_time"):
            said = codec.encode(graphs, engine, model_runs.Items(found.items), metric, folder)
        made = sorted(folder.iterdir())
        after = _packed(made) if codec.quantises else {}
        rows: list[dict[str, Any]] = [
            {"item": f.name, "rec_size": f.stat().st_size, "checksum": checksum(f)} for f in made
        ]
    rows[0] |= watch.seconds  # of all of them
    beside = {**after, **said}
    of = {"codec": args.codec, "parameters": args.parameters} | beside
    steps.write_times(args, args.times, rows, of)
    size = sum(row["rec_size"] for row in rows)
    steps.say(f"{args.model.model}: {size} bytes; {beside}")


def _packed(made: Iterable[Path]) -> dict[str, int]:
    """Return the bytes of the files after general and after NNC's entropy coding."""
    found = sizes.sizes(file for file in made if file.suffix in codecs.SUFFIXES.values())
    return {name: found[name] for name in ("zstd_size", "nnc_size")}
