"""What crosses a split and what its parts compute, from the tables of splits that are there.

A table says it without a run. Of a model whose own was not made, that of another row of the same
network does: sizes and products do not depend on the weights, so a row with random weights tells of
one whose weights cannot be fetched here.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nnrd.core.lineage import verify_beside
from nnrd.models.row import ModelRow
from nnrd.study import paths
from nnrd.study.points import Split
from nnrd.study.sheets import Sheets

Rows = list[Mapping[str, str]]
NETWORK = ("family", "variant", "options")  # columns of a model that make its graph


class Crossing(NamedTuple):
    """Of a split: bytes that cross for an item, multiply-accumulates, whose table says so."""

    size: int
    part1: int
    whole: int
    table: str


class SplitCosts:
    """The tables of splits below a folder, by model."""

    def __init__(self, sheets: Sheets, folder: Path) -> None:
        self.sheets, self.folder = sheets, folder
        self.rows = cache(self._rows)

    def at(self, model: str, split: Split | None) -> Crossing | None:
        """Return what is known of a split; None without a table, a row, or a size in it.

        Raises UserError for a table that was altered.
        """
        name, rows = self.rows(model)
        row = _row(rows, split) if split else None
        if row is None or not (row["bytes"] and row.get("macs") and rows[-1].get("macs")):
            return None
        size, part1, whole = (int(text) for text in (row["bytes"], row["macs"], rows[-1]["macs"]))
        return Crossing(size, part1, whole, name)

    def _rows(self, model: str) -> tuple[str, Rows]:
        """Return the name of the model whose table is there, and its rows of the first input."""
        row = self.sheets.models[model]
        alike = [name for name, other in self.sheets.models.items() if _is_alike(row, other)]
        for name in [model, *alike]:
            path = self.folder / paths.fill(paths.SPLIT_TABLE, model=name)
            if path.is_file():
                verify_beside(path)
                with path.open(newline="", encoding="utf-8") as file:
                    found = list(csv.DictReader(file))
                return name, [r for r in found if r["input"] == found[0]["input"]]
        return "", []


def _is_alike(one: ModelRow, other: ModelRow) -> bool:
    return all(getattr(one, column) == getattr(other, column) for column in NETWORK)


def _row(rows: Rows, split: Split) -> Mapping[str, str] | None:
    """Return the row before whose rank a split cuts; of a cut at tensors the table says nothing."""
    if split.rank is not None:
        return next((row for row in rows if int(row["rank"]) == split.rank), None)
    places = [place for place, row in enumerate(rows) if row["node_name"] == split.name]
    place = places[0] + (split.where == "after") if len(places) == 1 else len(rows)
    return rows[place] if place < len(rows) else None
