"""Sheets: tab-separated tables whose rows fit a JSON schema."""

import csv
import json
from pathlib import Path

from nnrd.errors import UserError
from nnrd.schema import first_mistake, unknown


def read(path: str | Path, schema: str | Path) -> list[dict]:
    """Return the rows of a sheet; empty cells are left out, integer columns are ints.

    Lines that begin with ``#`` are comments. Raises UserError, naming file, line and column,
    for a missing file, an unknown column or a value that does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such sheet")
    rules = json.loads(Path(schema).read_text())
    lines = path.read_text().splitlines()
    numbers = [i for i, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    table = csv.reader((lines[i - 1] for i in numbers), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(table, None)
    if header is None:
        raise UserError(f"{path}: the sheet is empty")
    for column in header:
        if column not in rules["properties"]:
            raise UserError(f"{path}: {unknown('column', column, rules['properties'])}")
    return [
        _row(path, n, header, cells, rules) for n, cells in zip(numbers[1:], table, strict=True)
    ]


def by_name(path: str | Path, schema: str | Path, column: str) -> dict[str, dict]:
    """Return the rows of a sheet by the value of ``column``, which must differ in each."""
    rows: dict[str, dict] = {}
    for row in read(path, schema):
        if row[column] in rows:
            raise UserError(f"{path}: {column} {row[column]!r} stands there twice")
        rows[row[column]] = row
    return rows


def _row(path: Path, number: int, header: list[str], cells: list[str], rules: dict) -> dict:
    if len(cells) > len(header):
        raise UserError(f"{path}:{number}: {len(cells)} cells, but {len(header)} columns")
    row = {
        column: _value(cell.strip(), rules["properties"][column])
        for column, cell in zip(header, cells, strict=False)
        if cell.strip()
    }
    mistake = first_mistake(rules, row)
    if mistake:
        raise UserError(f"{path}:{number}: {': '.join(part for part in mistake if part)}")
    return row


def _value(cell: str, rule: dict) -> int | str:
    if rule.get("type") == "integer":
        try:
            return int(cell)
        except ValueError:
            return cell  # the schema says what is wrong with it
    return cell
