"""Take single files out of archives that may be hostile or broken."""

import difflib
import lzma
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from nnrd.assets import bombs
from nnrd.core.errors import UserError
from nnrd.core.scratch import named

BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # an encrypted zip
    UnicodeError,
    ValueError,
)
CHUNK = 1 << 20


def extract(archive: str | Path, wanted: Mapping[str, Path], max_bytes: int) -> None:
    """Write members of a zip (whl), tar (also gz, bz2, xz) or deb to the given paths.

    Only what is wanted is written. One absolute path, ``..`` or device anywhere refuses the
    whole archive, and so does a link; but Debian's packages, where links are usual, may hold
    links that nobody wants. Of several members of a name the last counts, as it does for tar and
    unzip.

    Args:
        archive: the file; what it is, is read from its content.
        wanted: member name → path to write.
        max_bytes: the most bytes a member may have.

    Raises:
        UserError: an unsafe, broken or unknown archive, one that unpacks to more than an honest
            one does, a missing member (with the nearest names) or one that is too large. What was
            written by then is removed.

    """
    archive = Path(archive)
    wanted = {_plain(name): path for name, path in wanted.items()}
    try:
        with _reading(archive):
            seen = _extractor(archive)(archive, wanted, max_bytes)
        _refuse_missing(archive, wanted, seen)
    except BaseException:
        for path in wanted.values():
            path.unlink(missing_ok=True)
        raise


def member_names(archive: str | Path) -> list[str]:
    """Return the names of the files in an archive, sorted.

    Raises:
        UserError: an unsafe, broken or unknown archive.

    """
    archive = Path(archive)
    with _reading(archive):
        return sorted(_extractor(archive)(archive, {}, 0))


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{archive.name}: broken or truncated archive ({reason})") from error
    except UserError as error:
        raise UserError(f"{archive.name}: {error}") from error


def _extractor(archive: Path):
    with archive.open("rb") as opened:
        start = opened.read(8)
    if start == b"!<arch>\n":
        return _from_deb
    return _from_zip if start[:2] == b"PK" else _from_tar


def _from_zip(archive: Path, wanted: Mapping[str, Path], max_bytes: int) -> set[str]:
    seen = set()
    with zipfile.ZipFile(archive) as opened:
        entries = [(_checked_zip(entry), entry) for entry in opened.infolist()]
        bombs.refuse_many(len(entries))
        bombs.check_zip((entry for name, entry in entries if name in wanted), archive)
        for name, entry in entries:
            if entry.is_dir():
                continue
            seen.add(name)
            if name in wanted:
                with opened.open(entry) as member:
                    _write(name, member, wanted[name], max_bytes)
    return seen


def _checked_zip(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise UserError(f"refused: {entry.filename!r} is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UserError(f"refused: {entry.filename!r} is a device")
    return _safe(entry.filename)


def _from_tar(archive: Path, wanted: Mapping[str, Path], max_bytes: int) -> set[str]:
    with archive.open("rb") as opened:
        stream = bombs.Bounded(bombs.unpacked(opened), bombs.most(archive))
        return _from_tar_stream(stream, wanted, max_bytes)


def _from_deb(archive: Path, wanted: Mapping[str, Path], max_bytes: int) -> set[str]:
    if not shutil.which("dpkg-deb"):
        raise UserError("dpkg-deb is not on this machine; it takes Debian packages apart")
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages)
        with process:
            assert process.stdout is not None  # a pipe, as asked for above
            stream = bombs.Bounded(process.stdout, bombs.most(archive))
            seen = _from_tar_stream(stream, wanted, max_bytes, links=True)
            shutil.copyfileobj(stream, _Nowhere())
        if process.returncode:
            messages.seek(0)
            lines = messages.read().decode(errors="replace").strip().splitlines()
            raise tarfile.ReadError(lines[-1] if lines else "dpkg-deb failed")
    return seen


class _Nowhere:
    """A file that forgets; what follows a tar's end is read so that the writer can finish."""

    def write(self, data: bytes) -> int:
        return len(data)


def _from_tar_stream(
    stream: bombs.Bounded,
    wanted: Mapping[str, Path],
    max_bytes: int,
    links: bool = False,
) -> set[str]:
    seen = set()
    # A stream is read once from start to end, which a compressed archive wants anyway.
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=bombs.Entry) as opened:
        for number, entry in enumerate(opened):
            bombs.refuse_many(number)
            name = _checked_tar(entry, links)
            if entry.isfile():
                seen.add(name)
            if name in wanted:
                if not entry.isfile():
                    raise UserError(f"refused: {entry.name!r} is not a plain file")
                member = opened.extractfile(entry)
                assert member is not None  # a plain file, as seen above
                _write(name, member, wanted[name], max_bytes)
    return seen


def _checked_tar(entry: tarfile.TarInfo, links: bool) -> str:
    if entry.issym() or entry.islnk():
        if not links:
            raise UserError(f"refused: {entry.name!r} is a link")
    elif not (entry.isfile() or entry.isdir()):
        raise UserError(f"refused: {entry.name!r} is a device")
    return _safe(entry.name)


def _safe(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or name[1:2] == ":":
        raise UserError(f"refused: {name!r} is an absolute path")
    if ".." in path.parts:
        raise UserError(f"refused: {name!r} leads out of the archive")
    return _plain(name)


def _plain(name: str) -> str:
    return str(PurePosixPath(name))  # "./usr/share/x" → "usr/share/x"


def _write(name: str, member: IO[bytes], path: Path, max_bytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with named(path), path.open("wb") as written:
        while chunk := member.read(CHUNK):
            size += len(chunk)
            if size > max_bytes:
                raise UserError(f"refused: {name!r} has more than {max_bytes} bytes")
            written.write(chunk)


def _refuse_missing(archive: Path, wanted: Mapping[str, Path], seen: set[str]) -> None:
    for name in wanted:
        if name not in seen:
            near = difflib.get_close_matches(name, seen, n=3, cutoff=0.5)
            near = near or [other for other in sorted(seen) if Path(other).name == Path(name).name]
            hint = f"; nearest: {', '.join(near[:3])}" if near else ""
            raise UserError(f"{archive.name}: has no member {name!r}{hint}")
