"""Where assets come from: a function a scheme, and what all of them are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnrd.assets import archives, downloads, registries
from nnrd.assets.network import LARGEST
from nnrd.assets.rows import AssetFile
from nnrd.assets.transfer import forget
from nnrd.core.errors import UserError

SLACK = 64 << 20  # bytes that something may be too large and still be read for its sum
LARGEST_MEMBER = 1 << 30  # bytes of a member of which the sheet does not say how many it has


@dataclass(frozen=True)
class Places:
    """Where a source may work: ``work`` goes when it is done, ``parts`` lasts."""

    work: Path
    parts: Path
    checkout: Path


# scheme → function of (what stands between "scheme:" and "#", Places, the most bytes it may have),
# which returns the path of the downloaded file. A further kind of source is a function here, and
# its scheme in `rows`.
SOURCES: dict[str, Callable[[str, Places, int], Path]] = {
    "pypi": lambda package, places, max_bytes: registries.pypi(package, places.work, max_bytes),
    "npm": lambda package, places, max_bytes: registries.npm(package, places.work, max_bytes),
    "deb": lambda package, places, max_bytes: registries.deb(package, places.work, max_bytes),
    "https": lambda rest, places, max_bytes: downloads.https(
        f"https:{rest}", places.parts, max_bytes
    ),
    "http": lambda rest, places, max_bytes: downloads.https(
        f"http:{rest}", places.parts, max_bytes
    ),
    "file": lambda path, places, max_bytes: local(places.checkout / path),
}


def package(rows: Sequence[AssetFile], places: Places) -> Path:
    """Fetch the package of some rows, which may have the bytes that they say; return its path.

    Raises UserError: it cannot be had, or is larger.
    """
    whole = [row for row in rows if row.bytes and (row.is_tree or not row.member)]
    # What was recorded may rightly change; then both sums are said.
    said = [row.bytes + SLACK * row.recorded for row in whole]
    scheme, _, rest = rows[0].package.partition(":")
    return SOURCES[scheme](rest, places, min(said, default=LARGEST))


def members(package: Path, rows: Sequence[AssetFile], work: Path) -> list[Path]:
    """Return the file that each row's checksum is of: a member of the package, or the package."""
    files = {row.member: row for row in rows if row.member and not row.is_tree}
    wanted = {member: work / f"member{n}" for n, member in enumerate(files)}
    if wanted:
        max_bytes = max(row.bytes or LARGEST_MEMBER for row in files.values()) + SLACK
        try:
            archives.extract(package, wanted, max_bytes)
        except UserError as error:
            raise UserError(f"{rows[0].package}: {error}") from error
    return [package if row.is_tree else wanted.get(row.member, package) for row in rows]


def release(package: Path, places: Places) -> None:
    """Remove a package that was downloaded in parts, which would last."""
    if package.parent == places.parts:
        forget(package)


def local(path: Path) -> Path:
    """Return a file of this machine; UserError where it is none."""
    if not path.is_file():
        raise UserError(f"file:{path}: there is no such file")
    return path
