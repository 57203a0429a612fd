"""The graphs of models, where this machine has them, so that a split is checked before any work."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import read_record
from nnrd.core.naming import rank_named
from nnrd.models.row import ModelRow
from nnrd.study import paths
from nnrd.study.places import Places
from nnrd.study.points import Split
from nnrd.study.sheets import Sheets

LOCAL = "file:"  # begins the source of an asset that is a file of this machine


@dataclass(frozen=True)
class Graph:
    """A model's nodes by rank, the rank that makes each tensor, and the file that says so."""

    nodes: list[str]
    makers: dict[str, int]
    file: str

    def cut(self, split: Split) -> int:
        """Return the rank before which a split cuts; UserError where there is no such split."""
        asked = split.rank if split.rank is not None else str(split.name)
        first = asked if isinstance(asked, int) else rank_named(asked, self.nodes, self.makers)
        first += split.where == "after"
        if 1 <= first < len(self.nodes):
            return first
        said = f"rank {asked}" if isinstance(asked, int) else f"{split.where} {asked!r}"
        raise UserError(f"{said} is out of range 1..{len(self.nodes) - 1} of {self.file}")


class Graphs:
    """The graphs of the sheet's models: of an ONNX file, or of one that was exported."""

    def __init__(self, sheets: Sheets, places: Places) -> None:
        self.sheets, self.places = sheets, places
        self.of = cache(self._of)

    def _of(self, model: str) -> Graph | None:
        """Return a model's graph; None where this machine has not got it yet.

        Raises UserError for a file that is no ONNX model.
        """
        row, facts = self.sheets.models[model], paths.fill(paths.FACTS, model=model)
        known, own = self.places.root / facts, self._own_file(row)
        if known.is_file() and not (own and _is_newer(own, known)):
            found = _of_facts(known, self.sheets.family(model).graph_row(row))
            if found:
                return Graph(**found, file=facts)
        if own is None:
            return None
        from nnrd.models.facts import graph_of  # takes a moment

        return Graph(**graph_of(own), file=str(own))

    def _own_file(self, row: ModelRow) -> Path | None:
        """Return the ONNX file of a model that is one, where it is on this machine."""
        if self.sheets.family(row.model).network or row.asset is None or row.file is None:
            return None
        fetched = self.places.root / paths.fill(paths.ASSET, asset=row.asset) / row.file
        sources = [a["source"] for a in self.sheets.assets[row.asset] if a["file"] == row.file]
        local = [self.places.root / s.removeprefix(LOCAL) for s in sources if s.startswith(LOCAL)]
        return next((file for file in [*local, fetched] if file.is_file()), None)


def _is_newer(one: Path, other: Path) -> bool:
    return one.stat().st_mtime_ns > other.stat().st_mtime_ns


def _of_facts(file: Path, row: ModelRow) -> dict[str, Any] | None:
    """Return what facts say of the graph, unless they are of another row, or were altered."""
    try:
        found = read_record(file)
    except UserError:
        return None  # the job that reads them says so
    return found.get("graph") if found.get("row") == row.columns else None
