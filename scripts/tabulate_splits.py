"""Tabulate branches and bytes at every split of an ONNX model, as CSV and as plots."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import onnx
import pandas as pd

from nnrd import split
from nnrd.core import program


def main(arguments: argparse.Namespace) -> None:
    """Tabulate the static sizes, or those measured on each input; write."""
    model = split.load(arguments.model)
    table = pd.concat(tables(model, arguments), ignore_index=True)
    with program.complete_file(arguments.csv) as path:
        table.to_csv(path, index=False)
    if arguments.plot:
        from nnrd.report import split_plots as plots

        first = table[table.input == table.input[0]]
        for path in arguments.plot:
            plots.splits(first, path, title=f"{arguments.model.stem}, {table.input[0]}")


def tables(model: onnx.ModelProto, arguments: argparse.Namespace) -> Iterator[pd.DataFrame]:
    """Yield one table per input, its name in the first column."""
    graph = split.Graph(model)
    if not arguments.input and not arguments.shape:
        yield split.table(graph).assign(input="static sizes").pipe(_input_first)
        return
    from nnrd.split import feeding
    from nnrd.split.measuring import Meter

    meter = Meter(graph, arguments.threads, arguments.model.parent)
    feeds = {Path(p).name: feeding.read(model, p) for p in arguments.input}
    if arguments.shape:
        feeds["random input"] = feeding.random(model, dict(map(feeding.shape, arguments.shape)))
    for name, feed in feeds.items():
        label = f"{name} ({', '.join('×'.join(map(str, a.shape)) for a in feed.values())})"
        yield split.table(graph, meter(feed)).assign(input=label).pipe(_input_first)


def _input_first(table: pd.DataFrame) -> pd.DataFrame:
    return table[["input", *table.columns[:-1]]]


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--csv", type=Path, required=True, help="the table to write")
    parser.add_argument(
        "--plot",
        type=Path,
        nargs="+",
        default=[],
        help="the plots to write (.svg, .pdf, .png, or .html to look around in)",
    )
    parser.add_argument(
        "--input",
        nargs="+",
        default=[],
        help="measure on these: images, .npy, or .npz with an array an input",
    )
    parser.add_argument(
        "--shape",
        nargs="+",
        default=[],
        metavar="NAME=1,3,…",
        help="measure on a random input of this shape",
    )
    parser.add_argument("--threads", type=int, default=1)
    return parser


if __name__ == "__main__":
    program.run(main, parser())
