"""Published tables of splits, and of what models cost, as CSV: read and checked, cell by cell."""

import csv
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown

LATENCY = "latency_ms_"
PROFILE_NUMBERS = ("parameters", "latency_s", "watts", "joules", "wer")
ANCHOR = 0  # the rank of a row in which nothing is split: the model's inputs are sent
Row = dict[str, Any]


def read_ranks(path: str | Path, rates: Collection[str]) -> list[Row]:
    """Return the rows of one model's splits.

    Columns: ``node``, the rank in the publication (0: nothing is split), ``node_name``,
    ``size_mbytes`` (10⁶ bytes), ``branches``, and ``latency_ms_NAME`` for some of ``rates``.
    Empty cells of numbers are None. Raises UserError, naming file, line and column.
    """
    rows = _read(path, ("node", "node_name", "size_mbytes", "branches"))
    columns = [column for column in rows[0] if column.startswith(LATENCY)]
    for column in columns:
        if column.removeprefix(LATENCY) not in rates:
            reason = unknown("rate", column.removeprefix(LATENCY), rates)
            raise UserError(f"{path}: column {column!r}: {reason}")
    for line, row in enumerate(rows, 2):
        where = f"{path}:{line}"
        row["node"] = _number(where, "node", row["node"], whole=True)
        row["branches"] = _number(where, "branches", row["branches"], whole=True)
        for column in ("size_mbytes", *columns):
            row[column] = _number(where, column, row[column])
        if row["node"] is None or row["size_mbytes"] is None:
            raise UserError(f"{where}: node and size_mbytes have to be given")
    return rows


def read_branches(path: str | Path, models: Collection[str]) -> list[Row]:
    """Return the rows of a table of models.

    Columns: ``model``, the publication's name; ``ours``, one of ``models``; ``max_branches``.
    Other columns are passed on as text. Raises UserError, naming file, line and column.
    """
    rows = _read(path, ("model", "ours", "max_branches"))
    for line, row in enumerate(rows, 2):
        if row["ours"] not in models:
            raise UserError(f"{path}:{line}: ours: {unknown('model', row['ours'], models)}")
        row["max_branches"] = _number(f"{path}:{line}", "max_branches", row["max_branches"], True)
        if row["max_branches"] is None:
            raise UserError(f"{path}:{line}: max_branches has to be given")
    return rows


def read_profiles(path: str | Path, models: Collection[str]) -> list[Row]:
    """Return the rows of a table of what models cost.

    Columns: ``model``, one of ``models``, empty where the publication does not say which;
    ``part``, empty of the whole; ``options``, such as ``ctc_weight=0.3``, empty where a number does
    not depend on them; and `PROFILE_NUMBERS`. Empty cells of numbers are None. Other columns are
    passed on as text. Raises UserError, naming file, line and column.
    """
    rows = _read(path, ("model", "part", "options", *PROFILE_NUMBERS))
    for line, row in enumerate(rows, 2):
        where = f"{path}:{line}"
        if row["model"] and row["model"] not in models:
            raise UserError(f"{where}: model: {unknown('model', row['model'], models)}")
        for column in PROFILE_NUMBERS:
            row[column] = _number(where, column, row[column], whole=column == "parameters")
    return rows


def _read(path: str | Path, columns: Collection[str]) -> list[Row]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows: list[Row] = list(reader)
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    except (ValueError, OSError, csv.Error) as error:
        raise UserError(f"{path}: not a table: {str(error).splitlines()[0]}") from None
    if not rows:
        raise UserError(f"{path}: the table is empty")
    header = list(reader.fieldnames or [])
    for column in (*columns, *header):
        if header.count(column) != 1:
            raise UserError(f"{path}: column {column!r} is missing or given twice")
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise UserError(f"{path}:{line}: other than {len(header)} cells")
    return rows


def _number(where: str, column: str, cell: str, whole: bool = False) -> float | None:
    if not cell:
        return None
    try:
        value = int(cell) if whole else float(cell)
    except ValueError:
        value = -1
    if not math.isfinite(value) or value < 0:
        word = "whole number" if whole else "number"
        raise UserError(f"{where}: {column}: {cell!r} is no {word} from 0")
    return value
