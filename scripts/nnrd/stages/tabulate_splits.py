"""Tabulate branches and bytes at every split of an ONNX model."""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from nnrd.core import lineage
from nnrd.core.files import complete_file
from nnrd.core.options import named_rate, named_shape
from nnrd.split import files
from nnrd.split.graph import Graph
from nnrd.split.sizes import part_bytes, row_at, table
from nnrd.stages import arguments, steps

Feeds = Mapping[str, np.ndarray]
STATIC = "static sizes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_model(parser)
    images = "measure on these: images, .npy, or .npz with an array an input"
    parser.add_argument("--input", type=Path, nargs="+", default=[], help=images)
    rates = "add latencies at these rates in bit/s, such as 1gbps=1000000000"
    parser.add_argument("--rates", nargs="+", default=[], metavar="NAME=BIT/S", help=rates)
    parser.add_argument("--csv", type=Path, help="the table to write; without it, it is printed")
    arguments.add_sums(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model, and the random inputs on which it may be measured."""
    parser.add_argument("model", type=Path, help="an ONNX file")
    parser.add_argument("--facts", type=Path, help="what is known of the model, as JSON")
    shape = "measure on a random input of this shape; with several inputs, a shape each"
    parser.add_argument(
        "--shape", nargs="+", action="append", default=[], metavar="NAME=1,3,…", help=shape
    )
    parser.add_argument("--threads", type=int, default=1)


def main(args: argparse.Namespace) -> None:
    """Tabulate the static sizes, or those measured on each input; write or print."""
    rates = dict(map(named_rate, args.rates))
    model = graph(args)
    if not args.input and not args.shape:
        found = labelled(table(model, rates=rates, first=0), STATIC)
    else:
        from nnrd.split import feeding

        given = ((path.name, feeding.read(model.model, path)) for path in args.input)
        found = measured(args, model, [*given, *random(args, model)], rates)
    if args.csv is None:
        print(found.drop(columns="names").to_string(index=False))
    else:
        write(found, args)


def graph(args: argparse.Namespace) -> Graph:
    """Return the model's graph; UserError where it is not the file that the facts are of."""
    return Graph(files.load(lineage.checked(args.model, args.facts)))


def random(args: argparse.Namespace, model: Graph) -> Iterator[tuple[str, Feeds]]:
    """Yield the random inputs that were asked for, each with its name."""
    from nnrd.split import feeding

    for shapes in args.shape:
        yield "random input", feeding.random(model.model, dict(map(named_shape, shapes)))


def measured(
    args: argparse.Namespace,
    model: Graph,
    given: Iterable[tuple[str, Feeds]],
    rates: Mapping[str, float] | None = None,
    cuts: Mapping[str, list[str]] | None = None,
) -> pd.DataFrame:
    """Return the tables of a model on each of some inputs, one below the other.

    ``cuts``: tensors by a name; a row of each is put below the ranks, with the sizes of its parts.
    """
    from nnrd.split.measuring import Meter

    meter = Meter(model, args.threads, args.model.parent)
    parts = {cut: part_bytes(model, tensors) for cut, tensors in (cuts or {}).items()}
    found = []
    for name, feeds in given:
        label = f"{name} ({', '.join('×'.join(map(str, a.shape)) for a in feeds.values())})"
        sizes = meter(feeds)
        rows = [
            row_at(model, tensors, cut, sizes).assign(**parts[cut])
            for cut, tensors in (cuts or {}).items()
        ]
        ranks = table(model, sizes, rates, first=0)
        found.append(labelled(pd.concat([ranks, *rows], ignore_index=True), label))
    return pd.concat(found, ignore_index=True)


def labelled(found: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return a table with the input's name in front."""
    found.insert(0, "input", label)
    return found


def write(found: pd.DataFrame, args: argparse.Namespace) -> None:
    """Write a table as CSV."""
    with complete_file(args.csv) as temporary:
        found.to_csv(temporary, index=False)
    if args.sums:
        lineage.write_beside(args.csv, steps.given(args))
