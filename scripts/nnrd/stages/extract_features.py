"""Run part I of a split model on a shard of a dataset and keep the tensors that cross."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

from nnrd.core import bundles, lineage
from nnrd.core.errors import UserError
from nnrd.core.files import complete_folder, read_record
from nnrd.core.progress import Count
from nnrd.datasets import index
from nnrd.datasets.index import Item
from nnrd.models.pipeline import Pipeline
from nnrd.runtime import sessions
from nnrd.runtime.stopwatch import Stopwatch
from nnrd.stages import arguments, steps


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--part1", type=Path, required=True, help="ONNX file of part I")
    parser.add_argument("--split", type=Path, required=True, help="the split's JSON file")
    arguments.add_extraction(parser)


def main(args: argparse.Namespace) -> None:
    """Write the bundles and the times of part I."""
    plan = read_record(args.split)
    lineage.verify_made(args.part1, args.split)
    arguments.verify_assets(args)
    part1 = sessions.session(args.part1, args.threads, tf32=args.tf32, device=args.provider)
    keep(args, part1, plan["crossing"])


def keep(args: argparse.Namespace, graph: InferenceSession, names: Sequence[str]) -> None:
    """Run a graph on the shard and write its tensors of some names, and the record of times."""
    pipeline = arguments.family(args).load_pipeline(args.model)
    pipeline.open(args.assets)
    items = index.read(args.index).shard(args.shard)
    with complete_folder(args.out) as folder:
        rows = list(extract(graph, names, pipeline, items, folder))
    steps.write_times(args, args.times, rows, **sessions.how(graph, args.tf32, args.provider))


def extract(
    part1: InferenceSession,
    crossing: Sequence[str],
    pipeline: Pipeline,
    items: Iterable[Item],
    folder: Path,
) -> Iterator[dict]:
    """Run part I on each item and write what crosses, one bundle an item, into ``folder``.

    ``crossing``: the names of the tensors that are sent, in order. Yields a row an item:
    ``item``, ``pre_time``, ``run_time`` (seconds, wall), and ``checksum``, its bundle's.
    """
    warm, count = False, Count("items")
    for item in items:
        loaded = pipeline.load(item)
        if not warm:
            _run(part1, crossing, pipeline.preprocess(loaded, item))
            warm = True
        watch = Stopwatch()
        with watch("pre_time"):
            feeds = pipeline.preprocess(loaded, item)
        with watch("run_time"):
            tensors = _run(part1, crossing, feeds)
        checksum = bundles.write(folder / f"{item.name}{bundles.SUFFIX}", tensors)
        yield {"item": item.name} | watch.seconds | {"checksum": checksum}
        count.more()


def _run(
    part1: InferenceSession, crossing: Sequence[str], feeds: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    known = {value.name for value in part1.get_inputs()}
    if set(feeds) != known:
        raise UserError(f"the model's inputs are {sorted(known)}, not {sorted(feeds)}")
    return dict(zip(crossing, part1.run(list(crossing), feeds), strict=True))
