"""Make the rows of the sheet for files that are there: with their sums and sizes."""

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from nnrd.assets import archives, rows, sources
from nnrd.assets.cache import Cache, copy_hashed
from nnrd.assets.rows import AssetFile
from nnrd.core import sheets
from nnrd.core.errors import UserError

GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Wanted:
    """What is to be described, and as what.

    Attributes:
        source: as in the sheet; besides, a folder of this machine (``file:``), or a path or a
            member with ``*``, ``?`` and ``[…]``, means all its files.
        asset: the asset's name; empty: made of the source's.
        file: the file's name in the asset; empty: that of the source.
        license: its licence.

    """

    source: str
    asset: str = ""
    file: str = ""
    license: str = "unknown"


def describe(wanted: Wanted, cache: Cache, base: Path) -> list[AssetFile]:
    """Fetch a source and return its rows, ready for the sheet; packages stay in the cache.

    ``base`` is the checkout, which paths of files below it are relative to.

    Raises UserError: a source that cannot be had, has no such files, or whose files cannot stand
    in the sheet.
    """
    first = AssetFile(wanted.asset, wanted.file, wanted.source, license=wanted.license)
    if first.scheme not in rows.SCHEMES:
        raise UserError(f"{wanted.source}: write one of {', '.join(rows.SCHEMES)} before a colon")
    rows.check_package(first.package)
    found = _local(first, base) if first.scheme == "file" else _remote(first, cache)
    if first.file and len(found) > 1:
        raise UserError(f"{wanted.source}: has {len(found)} files; --file names a single one")
    return [_checked(row) for row in found]


def _checked(row: AssetFile) -> AssetFile:
    files = set[tuple[str, str]]()
    sheets.checked(cells(row), "assets", row.source)
    rows.check(row, row.source, files)
    return row


def cells(row: AssetFile) -> dict[str, str | int]:
    """Return a row as it stands in the sheet."""
    return {column: getattr(row, column) for column in rows.COLUMNS}


def _local(row: AssetFile, base: Path) -> list[AssetFile]:
    if row.member and (base / row.package.removeprefix("file:")).is_file():
        with tempfile.TemporaryDirectory() as work:
            return _of_package(row, sources.Places(Path(work), Path(work), base))
    path = row.source.removeprefix("file:")
    top, files = _files(base / path, path)
    if not files:
        raise UserError(f"{row.source}: there is no such file, or no file in it")
    asset = row.asset or _name(top.name if top.is_dir() else top.stem)
    return [_of_file(replace(row, asset=asset), file, top, base) for file in files]


def _files(path: Path, said: str) -> tuple[Path, list[Path]]:
    """Return the folder that names are relative to, and files; of a single file, that itself."""
    if path.is_file():
        return path, [path]
    if path.is_dir():
        return path, sorted(_visible(path.rglob("*"), path))
    parts = path.parts
    fixed = next((n for n, part in enumerate(parts) if GLOB.search(part)), len(parts))
    top = Path(*parts[:fixed])
    if fixed == len(parts) or not top.is_dir():
        return top, []
    return top, sorted(_visible(top.glob(str(Path(*parts[fixed:]))), top))


def _visible(files: Iterable[Path], top: Path) -> list[Path]:
    """Return the plain files, without what is hidden or in a hidden folder."""
    named = [(file, file.relative_to(top).parts) for file in files if file.is_file()]
    return [file for file, parts in named if not any(part.startswith(".") for part in parts)]


def _of_file(row: AssetFile, file: Path, top: Path, base: Path) -> AssetFile:
    sha256, size = copy_hashed(file)
    name = row.file or (file.name if file == top else file.relative_to(top).as_posix())
    above = next((top for top in (base, base.absolute()) if file.is_relative_to(top)), None)
    path = file.relative_to(above) if above else file
    if "#" in str(path):
        raise UserError(f"file:{path}: a path with # cannot stand in the sheet; rename it")
    return replace(row, file=name, source=f"file:{path}", sha256=sha256, bytes=size)


def _remote(row: AssetFile, cache: Cache) -> list[AssetFile]:
    with cache.lock(row.package), cache.workspace() as work:
        places = sources.Places(work, cache.parts, work)
        return _of_package(row, places, cache)


def _of_package(
    row: AssetFile, places: sources.Places, cache: Cache | None = None
) -> list[AssetFile]:
    """Return the rows of what a package has; with a cache, put that into it."""
    package = sources.package([row], places)
    try:
        wanted = _members(row, package)
        files = sources.members(package, wanted, places.work)
        sums = {file: copy_hashed(file) for file in files}
        if cache:
            for file, (sha256, _) in sums.items():
                cache.put(file, sha256)
    finally:
        sources.release(package, places)
    return [
        replace(row, sha256=sums[file][0], bytes=sums[file][1])
        for row, file in zip(wanted, files, strict=True)
    ]


def _members(row: AssetFile, package: Path) -> list[AssetFile]:
    """Return a row for each member of a package that a source names."""
    row = replace(row, asset=row.asset or _name(_title(row)))
    if not row.member and row.scheme in rows.PACKAGES:
        shown = ", ".join(archives.member_names(package)[:5])
        raise UserError(f"{row.source}: needs a #member, such as {shown}, or #FOLDER/")
    if not GLOB.search(row.member):
        last = PurePosixPath(row.member or _path(row)).name
        return [replace(row, file=row.file or last + "/" * row.member.endswith("/"))]
    parts = PurePosixPath(row.member).parts
    top = PurePosixPath(*parts[: next(n for n, part in enumerate(parts) if GLOB.search(part))])
    names = [PurePosixPath(name) for name in archives.member_names(package)]
    found = [n for n in names if len(n.parts) == len(parts) and n.match(row.member)]
    if not found:
        raise UserError(f"{row.source}: has no such member")
    return [_of_member(row, name, name.relative_to(top)) for name in found]


def _of_member(row: AssetFile, member: PurePosixPath, file: PurePosixPath) -> AssetFile:
    return replace(row, file=row.file or str(file), source=f"{row.package}#{member}")


def _title(row: AssetFile) -> str:
    """Return what a package is called, without its version or suffix."""
    if row.scheme in rows.PACKAGES:
        return re.split(r"(?<=.)[=@]", row.package.partition(":")[2])[0]
    return PurePosixPath(_path(row)).stem


def _path(row: AssetFile) -> str:
    if row.scheme == "file":
        return row.package.removeprefix("file:")
    return unquote(urlsplit(row.package).path).strip("/") or "file"


def _name(title: str) -> str:
    """Return a name that an asset can have."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", title).strip("_-")[:64] or "asset"


def add_to(sheet: Path, found: Sequence[AssetFile]) -> None:
    """Add rows to a sheet, which is made if need be.

    Raises UserError where a file is in it already, or it is no sheet of assets.
    """
    files = {(row.asset, row.file) for row in rows.read_sheet(sheet)} if sheet.exists() else set()
    for row in found:
        rows.check(row, str(sheet), files)
    sheets.append(sheet, "assets", [cells(row) for row in found])
