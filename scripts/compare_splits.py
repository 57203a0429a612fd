"""Set TR 26.847's published tables of splits beside ours, as tables and plots."""

import argparse
from pathlib import Path

import pandas as pd

from nnrd.core import program
from nnrd.core.errors import UserError
from nnrd.report import split_comparison as comparison
from nnrd.report import split_plots as plots


def main(arguments: argparse.Namespace) -> None:
    """Compare and write."""
    compared = COMPARISONS[arguments.comparison](arguments)
    for path in arguments.table:
        text = WRITERS[path.suffix](compared)
        with program.complete_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def ranks(arguments: argparse.Namespace) -> pd.DataFrame:
    """Compare the rows of one model."""
    (path,) = arguments.splits
    table = comparison.ranks(_read(arguments.reference), _read(path))
    for plot in arguments.plot:
        plots.compared(table, plot, f"{path.stem}: TR 26.847's splits and ours")
    return table


def splitability(arguments: argparse.Namespace) -> pd.DataFrame:
    """Compare the largest numbers of branches of several models, named by their files."""
    tables = {path.stem: _read(path) for path in arguments.splits}
    table = comparison.splitability(_read(arguments.reference), tables)
    for plot in arguments.plot:
        plots.splitability(table, plot, "TR 26.847's splitability table and ours")
    return table


def inputs(arguments: argparse.Namespace) -> pd.DataFrame:
    """Compare images of several sizes at some ranks (TR 26.847, Figures 5.3.9.6.2-2 and -3)."""
    table = pd.concat(map(_read, arguments.splits), ignore_index=True)
    found = comparison.inputs(table, arguments.ranks)
    if len(arguments.plot) % 2:
        raise UserError("--plot takes pairs here: one for lines, one for bars")
    for pair in zip(arguments.plot[::2], arguments.plot[1::2], strict=True):
        plots.images(found, list(pair), "Intermediate data of images of several sizes")
    return found


COMPARISONS = {"ranks": ranks, "splitability": splitability, "inputs": inputs}


WRITERS = {
    ".csv": lambda table: table.to_csv(index=False),
    ".md": comparison.markdown,
    ".html": comparison.page,
}


def _read(path: Path | None) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not a table: {error}") from error


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comparison", choices=COMPARISONS)
    splits = "tables that tabulate_splits.py wrote; for splitability, named as the models"
    parser.add_argument("--splits", type=Path, nargs="+", required=True, help=splits)
    parser.add_argument("--reference", type=Path, help="the TR's table, as CSV")
    parser.add_argument("--ranks", type=int, nargs="+", help="for inputs: the splits to show")
    parser.add_argument("--table", type=Path, nargs="+", required=True, help=".csv, .md, .html")
    plot = ".svg, .pdf, .png to write; for inputs in pairs, lines and bars"
    parser.add_argument("--plot", type=Path, nargs="+", default=[], help=plot)
    return parser


if __name__ == "__main__":
    program.run(main, parser())
