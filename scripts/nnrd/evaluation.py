"""What the programs share that evaluate a network: their options, and what they write."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

from nnrd import program, weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is evaluated, on what, and where the results go."""
    parser.add_argument("--network", required=True, help="module of nnrd.networks")
    parser.add_argument("--assets", type=Path, help="folder of its files, such as a vocabulary")
    parser.add_argument("--mixed", action="store_true", help="mixed precision (torch's autocast)")
    program.add_inference_arguments(parser)


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
    precision = "mixed" if args.mixed else "float32"
    program.write_predictions(args, found, weights.device().type, more, precision=precision)


def _told(results: Iterable[tuple[dict, dict]]) -> Iterator[tuple[dict, dict]]:
    for count, pair in enumerate(results, 1):
        yield pair
        if count % 20 == 0:
            print(f"{count} items", flush=True)
