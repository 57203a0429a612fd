"""Sheets: tab-separated tables whose rows fit a JSON schema."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.schema import first_mistake, unknown

# An installed nnrd has the schemas within; a checkout has them where Snakemake's users look.
INSTALLED = Path(__file__).resolve().parents[1] / "schemas"
CHECKOUT = Path(__file__).resolve().parents[3] / "workflow" / "schemas"


def schema(name: str) -> dict[str, Any]:
    """Return the JSON schema ``NAME.schema.json``: "config", or a sheet's."""
    folder = INSTALLED if INSTALLED.is_dir() else CHECKOUT
    return json.loads((folder / f"{name}.schema.json").read_text())


def read(path: str | Path, name: str) -> list[dict]:
    """Return the rows of a sheet; see `numbered_rows`."""
    return [row for _, row in numbered_rows(path, name)]


def numbered_rows(path: str | Path, name: str) -> Iterator[tuple[int, dict]]:
    """Yield line number and row; empty cells are left out, integer columns are ints.

    ``name`` is the schema's. Lines that begin with ``#`` are comments. Raises UserError, naming
    file, line and column, for a missing file, an unknown or missing column, a value that does
    not fit.
    """
    path, rules = Path(path), schema(name)
    numbers, cells = _cells(path)
    header = next(cells, None)
    if header is None:
        raise UserError(f"{path}: the sheet is empty")
    for column in header:
        if column not in rules["properties"]:
            raise UserError(f"{path}: {unknown('column', column, rules['properties'])}")
    for column in rules["required"]:
        if column not in header:
            raise UserError(f"{path}: column {column!r} is missing")
    for number, row in zip(numbers[1:], cells, strict=True):
        yield number, _row(f"{path}:{number}", header, row, rules)


def by_name(path: str | Path, name: str, column: str) -> dict[str, dict]:
    """Return the rows of a sheet by the value of ``column``, which must differ in each."""
    rows: dict[str, dict] = {}
    for row in read(path, name):
        if row[column] in rows:
            raise UserError(f"{path}: {column} {row[column]!r} is given twice")
        rows[row[column]] = row
    return rows


def _cells(path: Path) -> tuple[list[int], Iterator[list[str]]]:
    """Return the numbers of the lines that count, and the cells of each."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such sheet") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a table of tab-separated text") from None
    numbers = [i for i, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    return numbers, csv.reader(
        (lines[i - 1] for i in numbers), delimiter="\t", quoting=csv.QUOTE_NONE
    )


def _row(where: str, header: list[str], cells: list[str], rules: dict) -> dict:
    if len(cells) > len(header):
        raise UserError(f"{where}: more cells than columns")
    row = {
        column: _value(cell.strip(), rules["properties"][column])
        for column, cell in zip(header, cells, strict=False)
        if cell.strip()
    }
    mistake = first_mistake(rules, row)
    if mistake:
        raise UserError(f"{where}: {': '.join(part for part in mistake if part)}")
    return row


def _value(cell: str, rule: dict) -> int | str:
    if rule.get("type") == "integer":
        try:
            return int(cell)
        except ValueError:
            return cell  # the schema says what is wrong with it
    return cell
