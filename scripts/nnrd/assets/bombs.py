"""What an archive may unpack to: a small file may ask for any time, memory and disk."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, BinaryIO, cast

from nnrd.core.errors import UserError

MOST_TIMES = 100  # its own size; of text it is 3 to 30 times
MOST_AT_LEAST = 1 << 30  # bytes that any archive may unpack to
MOST_MEMBERS = 500_000
LONGEST_HEADER = 1 << 20  # bytes of what tar tells of a member, which is read into memory
HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
# Those that `zipfile` unpacks step by step, not all at once.
METHODS = {zipfile.ZIP_STORED: "none", zipfile.ZIP_DEFLATED: "deflate"}


def most(archive: Path) -> int:
    """Return how many bytes an archive may unpack to."""
    return max(MOST_AT_LEAST, MOST_TIMES * archive.stat().st_size)


def refuse_many(members: int) -> None:
    """Raise UserError for more members than memory should be taken for."""
    if members > MOST_MEMBERS:
        raise UserError(f"refused: has more than {MOST_MEMBERS} members")


def check_zip(entries: Iterable[zipfile.ZipInfo], archive: Path) -> None:
    """Raise UserError where these members of a zip are too much, or are unpacked all at once."""
    size = 0
    for entry in entries:
        if entry.compress_type not in METHODS:
            raise UserError(f"{entry.filename!r} is neither stored nor deflated; zip it so")
        size += entry.file_size
    if size > most(archive):
        raise UserError(f"refused: unpacks to more than {most(archive)} bytes")


def unpacked(opened: BinaryIO) -> IO[bytes]:
    """Return the stream of a tar in an opened file, which may be compressed by gzip, bz2 or xz."""
    start = opened.read(8)
    opened.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(opened))
    if start.startswith(b"BZh"):
        return bz2.open(opened)
    if start.startswith((b"\xfd7zXZ", b"]\0\0")):
        return lzma.open(opened)
    return opened


class Bounded(io.RawIOBase):
    """A stream of which so many bytes may be read; more is a UserError.

    What gzip and bz2 say of broken data is a `tarfile.ReadError`, not an error of the disk.
    """

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.stream, self.most, self.count = stream, most, 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        try:
            data = self.stream.read(size)
        except OSError as error:
            if error.errno is None:
                raise tarfile.ReadError(str(error)) from None
            raise
        self.count += len(data)
        if self.count > self.most:
            raise UserError(f"refused: unpacks to more than {self.most} bytes")
        return data


class Entry(tarfile.TarInfo):
    """A member of a tar whose header takes no memory by what it claims."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "Entry":
        """Read a header; UserError for a sparse member and for a header that is long."""
        found = super().frombuf(buf, encoding, errors)
        if found.type == tarfile.GNUTYPE_SPARSE:
            raise UserError(f"refused: {found.name!r} is sparse")
        if found.type in HEADERS and found.size > LONGEST_HEADER:
            raise UserError(f"refused: a header of {found.size} bytes")
        return found
