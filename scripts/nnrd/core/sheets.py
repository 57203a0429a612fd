"""Sheets: tab-separated tables whose rows fit a JSON schema."""

import json
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import complete_file
from nnrd.core.schema import first_mistake, unknown

# An installed nnrd has the schemas within; a checkout has them where Snakemake's users look.
INSTALLED = Path(__file__).resolve().parents[1] / "schemas"
CHECKOUT = Path(__file__).resolve().parents[3] / "workflow" / "schemas"


def schema(name: str) -> dict[str, Any]:
    """Return the JSON schema ``NAME.schema.json``: "config", or a sheet's."""
    folder = INSTALLED if INSTALLED.is_dir() else CHECKOUT
    return json.loads((folder / f"{name}.schema.json").read_text(encoding="utf-8"))


def read(path: str | Path, name: str) -> list[dict]:
    """Return the rows of a sheet; see `numbered_rows`."""
    return [row for _, row in numbered_rows(path, name)]


def numbered_rows(path: str | Path, name: str) -> Iterator[tuple[int, dict]]:
    """Yield line number and row; empty cells are left out, integer columns are ints.

    ``name`` is the schema's. Lines that begin with ``#`` are comments. Raises UserError, naming
    file, line and column, for a missing file, an unknown or missing column or one that is given
    twice, a value that does not fit.
    """
    path, rules = Path(path), schema(name)
    lines = _cells(path)
    header = next((cells for _, cells in lines), None)
    if header is None:
        raise UserError(f"{path}: the sheet is empty")
    _check_header(path, header, rules)
    for number, row in lines:
        yield number, _row(f"{path}:{number}", header, row, rules)


def _check_header(path: Path, header: list[str], rules: dict) -> None:
    for column in header:
        if column not in rules["properties"]:
            raise UserError(f"{path}: {unknown('column', column, rules['properties'])}")
        if header.count(column) > 1:
            raise UserError(f"{path}: column {column!r} is given twice")
    for column in rules["required"]:
        if column not in header:
            raise UserError(f"{path}: column {column!r} is missing")


def append(path: str | Path, name: str, rows: Sequence[dict]) -> None:
    """Add rows to the end of a sheet, which is made if need be: all of them or none.

    What stands in it stays as it is. Raises UserError where it is no sheet of this schema, lacks a
    column that a row has, or a value cannot be written into it.
    """
    path = Path(path)
    text = _text(path) if path.exists() else ""
    header = next((cells for _, cells in _cells(path)), None) if text else None
    if header is None:
        header = list(schema(name)["properties"])
        text += "\t".join(header) + "\n"
    for column in dict.fromkeys(column for row in rows for column in row):
        if column not in header:
            raise UserError(f"{path}: column {column!r} is missing")
    lines = ["\t".join(_cell(path, c, row.get(c, "")) for c in header) + "\n" for row in rows]
    with complete_file(path.resolve()) as temporary:
        text += "" if text.endswith("\n") else "\n"
        temporary.write_text(text + "".join(lines), encoding="utf-8")


def _cell(path: Path, column: str, value: str | int) -> str:
    text = str(value)
    odd = any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)
    if odd or text != text.strip() or text.startswith("#"):
        raise UserError(f"{path}: {column}: {text!a} cannot stand in a sheet")
    return text


def checked(row: dict, name: str, where: str) -> dict:
    """Return a row if it fits the schema of the sheet ``name``; else UserError with ``where``."""
    return _fitting(row, schema(name), where)


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the numbers of the lines that count, and the cells of each."""
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip() and not line.startswith("#"):
            if any(unicodedata.category(letter) == "Cc" for letter in line.replace("\t", "")):
                raise UserError(f"{path}:{number}: has a control character")
            yield number, line.split("\t")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such sheet") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, not a sheet") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a table of tab-separated text") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _row(where: str, header: list[str], cells: list[str], rules: dict) -> dict:
    if len(cells) > len(header):
        raise UserError(f"{where}: more cells than columns")
    row = {
        column: _value(cell.strip(), rules["properties"][column])
        for column, cell in zip(header, cells, strict=False)
        if cell.strip()
    }
    return _fitting(row, rules, where)


def _fitting(row: dict, rules: dict, where: str) -> dict:
    mistake = first_mistake(rules, row)
    if mistake:
        raise UserError(f"{where}: {': '.join(part for part in mistake if part)}")
    return row


def _value(cell: str, rule: dict) -> int | str:
    if rule.get("type") == "integer":
        try:
            return int(cell)
        except ValueError:  # no number, or one of thousands of digits
            return cell  # the schema says what is wrong with it
    return cell
