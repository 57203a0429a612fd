"""The rows of the sheet of assets: what they say, and what they cannot say."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from nnrd.assets import network
from nnrd.core import sheets
from nnrd.core.errors import UserError
from nnrd.core.files import read_names
from nnrd.core.schema import unknown

COLUMNS = ("asset", "file", "source", "sha256", "bytes", "license")
EMPTY = hashlib.sha256().hexdigest()
# Registries: what a package has to look like, which also keeps its name from being read as an
# option of the client; and that in words.
PACKAGES = {
    "pypi": (
        re.compile(r"[A-Za-z0-9][\w.-]*==[A-Za-z0-9][\w.!+-]*", re.ASCII),
        "pypi:NAME==VERSION",
    ),
    "npm": (
        re.compile(r"(@[a-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*@[0-9][\w.+-]*", re.ASCII),
        "npm:NAME@VERSION",
    ),
    "deb": (
        re.compile(r"[a-z0-9][a-z0-9+.-]*=[0-9][\w.+:~-]*", re.ASCII),
        "deb:PACKAGE=VERSION",
    ),
}
# PyTorch's own files carry the first digits of their sum: NAME-5905b1c5.pth.
NAMED_SUM = re.compile(r"https://download\.pytorch\.org/.*-([0-9a-f]{8,64})\.pth", re.ASCII)
SCHEMES = (*PACKAGES, "https", "http", "file")


@dataclass(frozen=True)
class AssetFile:
    """One row of the sheet: a file of an asset, or a tree of files.

    A tree is all files below a folder of a package: ``file`` and the member end with ``/`` (the
    member ``/`` is the whole package), and ``sha256`` and ``bytes`` are the package's. Where no
    sum is published ``sha256`` is empty; then the first file seen is recorded in the cache, and
    ``recorded`` says that a sum is such a one. A file of this machine needs none. ``only`` says
    which files of a tree are unpacked, and ``names`` are these, once `chosen` has read them.
    """

    asset: str
    file: str
    source: str
    sha256: str = ""
    bytes: int = 0
    license: str = ""
    only: str = ""
    names: Sequence[str] = ()
    recorded: bool = False

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
    def first_digits(self) -> str:
        """What the sum begins with, as far as the source's name says it; else nothing."""
        named = NAMED_SUM.fullmatch(self.source)
        return named[1] if named else ""

    @property
    def is_tree(self) -> bool:
        """Whether the row is a folder of files."""
        return self.file.endswith("/")


def read_sheet(path: str | Path) -> list[AssetFile]:
    """Read the sheet of assets, a row a file; its columns are the fields of ``AssetFile``.

    Raises UserError, naming sheet, line and column: a missing or unknown column, a row that
    does not fit the schema or cannot be right, a file that is given twice.
    """
    found, files = [], set[tuple[str, str]]()
    for number, cells in sheets.numbered_rows(path, "assets"):
        row = AssetFile(**cells)
        check(row, f"{path}:{number}", files)
        found.append(row)
    return found


def check(row: AssetFile, where: str, files: set[tuple[str, str]]) -> None:
    """Raise UserError, beginning with ``where``, for a row that cannot be right.

    ``files`` are the assets and names of the rows before, among which this one's is put.
    """
    for column, value in (("asset", row.asset), ("file", row.file)):
        parts = PurePosixPath(value)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            raise UserError(f"{where}: {column}: {value!r} is outside the folder")
    if (row.asset, row.file) in files:
        raise UserError(f"{where}: {row.asset}/{row.file} is given twice")
    files.add((row.asset, row.file))
    _check_source(row, where)
    if row.sha256 and not row.bytes and row.sha256 != EMPTY:
        raise UserError(f"{where}: bytes: missing; a checksum has the size in bytes beside it")


def _check_source(row: AssetFile, where: str) -> None:
    if row.scheme not in SCHEMES:
        raise UserError(f"{where}: source: {unknown('scheme', row.scheme, SCHEMES)}")
    try:
        check_package(row.package)
    except UserError as error:
        raise UserError(f"{where}: source: {error}") from None
    if row.scheme in PACKAGES and not row.member:
        raise UserError(f"{where}: source: {row.source!r} needs a #member")
    if row.only and not row.is_tree:
        raise UserError(f"{where}: only: is of a tree; {row.file!r} is a file")
    if row.is_tree != row.member.endswith("/"):
        raise UserError(f"{where}: of a tree, both the file and the #member end with '/'")


def check_package(package: str) -> None:
    """Raise UserError for an address or a package that no client could be asked for."""
    scheme, _, rest = package.partition(":")
    if scheme in ("https", "http"):
        network.check_address(package)
    if scheme in PACKAGES:
        pattern, form = PACKAGES[scheme]
        if not pattern.fullmatch(rest):
            raise UserError(f"{package}: must have the form {form}")


def chosen(row: AssetFile, checkout: str | Path = ".") -> AssetFile:
    """Return a row with the names of the files of its tree that are unpacked, if not all are.

    They are parted by spaces, or stand in a text file, ``@FILE``, which is relative to
    ``checkout``. Raises UserError for a file that is none, and for a name that leads elsewhere.
    """
    if not row.only:
        return row
    listed = row.only.startswith("@")
    names = read_names(Path(checkout, row.only[1:])) if listed else row.only.split()
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{row.asset}: only: {name!r:.80} is outside the folder")
    return replace(row, only="", names=names)


def by_package(rows: Iterable[AssetFile]) -> dict[str, list[AssetFile]]:
    """Return the rows of each package, in the sheet's order."""
    found: dict[str, list[AssetFile]] = {}
    for row in rows:
        found.setdefault(row.package, []).append(row)
    return found


def checkout_of(sheet: str | Path) -> Path:
    """Return what ``file:`` sources are relative to: the folder above ``config/``, or the sheet's.

    The sheet of a checkout is ``config/assets.tsv``; of any other, its own folder counts.
    """
    folder = Path(sheet).resolve().parent
    return folder.parent if folder.name == "config" else folder
