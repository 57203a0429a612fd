"""What the programs share that evaluate a network: their options, and what they write."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

from nnrd import program, weights
from nnrd.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is evaluated, on what, and where the results go."""
    parser.add_argument("--network", required=True, help="module of nnrd.networks")
    parser.add_argument("--assets", type=Path, help="folder of its files, such as a vocabulary")
    parser.add_argument("--items", type=Path, required=True, help="the dataset's index")
    parser.add_argument("--shard", required=True, help="which part of it, e.g. 0-of-2")
    parser.add_argument("--mixed", action="store_true", help="mixed precision (torch's autocast)")
    parser.add_argument("--predictions", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--times", type=Path, required=True, help="JSON file of times to write")
    program.add_timing_arguments(parser)


def start(args: argparse.Namespace) -> None:
    """Give torch its threads."""
    torch.set_num_threads(args.threads)


def write(
    args: argparse.Namespace,
    results: Iterator[tuple[dict, dict]],
    more: Sequence[dict] = (),
) -> None:
    """Write predictions, and times with the rows ``more``; by name, so that batches don't show."""
    found = sorted(_told(results), key=lambda pair: pair[0]["item"])
    if not found:
        raise UserError(f"{args.items}: shard {args.shard} has no items")
    predictions, rows = zip(*found, strict=True)
    program.write_json(args.predictions, predictions)
    ran = program.timed(args, [*more, *rows], weights.device().type)
    program.write_json(args.times, ran | {"precision": "mixed" if args.mixed else "float32"})


def _told(results: Iterable[tuple[dict, dict]]) -> Iterator[tuple[dict, dict]]:
    for count, pair in enumerate(results, 1):
        yield pair
        if count % 20 == 0:
            print(f"{count} items", flush=True)
