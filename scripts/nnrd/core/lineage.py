"""What a file was made from, and what was made beside it: sums by which a change is noticed.

A record (`nnrd.core.files`) may hold ``inputs``, the SHA-256 of each file that its step read, and
``files``, that of each file that the step made. What cannot hold them itself, a table or a folder
that was fetched, has such a record beside it: ``NAME.sums.json``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import MEND, checksum, read_record, verify, write_record

INPUTS, FILES = "inputs", "files"
SUFFIX = ".sums.json"
Record = Mapping[str, Any]


def beside(path: str | Path) -> Path:
    """Return the record of the sums of a table or a folder."""
    path = Path(path)
    return path.with_name(f"{path.name}{SUFFIX}")


def sums(files: Iterable[str | Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their paths, as they are given."""
    return {str(file): checksum(file) for file in files}


def of(files: Iterable[Path], inputs: Iterable[str | Path]) -> dict[str, dict[str, str]]:
    """Return what a record says of the files beside it and of what the step read."""
    return {FILES: {file.name: checksum(file) for file in files}, INPUTS: sums(inputs)}


def below(folder: str | Path) -> dict[str, str]:
    """Return the SHA-256 of all files below a folder, but hidden ones, by their paths in it."""
    return {name: checksum(Path(folder, name)) for name in names_below(folder)}


def names_below(folder: str | Path) -> list[str]:
    """Return the paths of all files below a folder, in it and sorted.

    Hidden files of the folder itself are left out: Snakemake's mark of the time is one.
    """
    found = (path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not path.parts[0].startswith("."))


def write_beside(path: str | Path, inputs: Iterable[str | Path] = ()) -> None:
    """Write the record of a table, or of all files below a folder, and of what it was made from."""
    path = Path(path)
    found = of([] if path.is_dir() else [path], inputs)
    write_record(beside(path), found | ({FILES: below(path)} if path.is_dir() else {}))


def verify_beside(path: str | Path) -> None:
    """Raise UserError where a table or a folder is not as it was made, a file more or less too.

    Without a record nothing is known of it: it is a user's own.
    """
    path, record = Path(path), beside(path)
    if not record.exists():
        return
    expected = read_record(record)[FILES]
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        verify_names(path, expected)
    for name, digest in expected.items():
        verify(folder / name, digest)


def verify_names(folder: str | Path, expected: Iterable[str]) -> None:
    """Raise UserError where there are other files below a folder than there should be."""
    found, wanted = set(names_below(folder)), set(expected)
    for names, what in ((wanted - found, "missing"), (found - wanted, "does not belong here")):
        if names:
            first, more = min(names), f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise UserError(f"{Path(folder, first)}: {what}{more}; {MEND}")


def verify_made(file: Path, record: Path) -> None:
    """Raise UserError where a file, or its ``.data``, is not the one that a record is of."""
    known = read_record(record).get(FILES, {})
    if file.name not in known:
        raise UserError(f"{record}: says nothing of {file.name}; {MEND}")
    for name in (file.name, f"{file.name}.data"):
        if name in known:
            verify(file.with_name(name), known[name])


def checked(file: Path, record: Path | None) -> Path:
    """Return a file; UserError where it is not the one that its record is of.

    ``record`` None: a user's own file, of which nothing is known.
    """
    if record is not None:
        verify_made(file, record)
    return file


def verify_origin(
    records: Mapping[Path, Record], seen: Mapping[str, str], used: Iterable[Path] = ()
) -> None:
    """Raise UserError where a record was made from another file than the one that is there now.

    ``seen``: the sums of the files that a step reads, by path; ``used``: those from which one of
    the records must have been made.
    """
    known = {name for record in records.values() for name in record.get(INPUTS, {})}
    for file in used:
        if str(file) not in known:
            raise UserError(f"{file}: what is beside it was made from another; {MEND}")
    for path, record in records.items():
        for name, digest in record.get(INPUTS, {}).items():
            if seen.get(name, digest) != digest:
                raise UserError(f"{path}: was made from another {name} than is there; {MEND}")
