"""A folder outside the checkouts that holds files by their sha256."""

import errno
import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from nnrd.core.errors import UserError
from nnrd.core.files import read_record, write_record
from nnrd.core.scratch import named, scratch

CHUNK = 1 << 20
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def default_folder() -> Path:
    """Return the folder that NNRD_CACHE names, else ``~/.cache/nnrd``."""
    return Path(os.environ.get("NNRD_CACHE") or Path.home() / ".cache/nnrd").expanduser()


def copy_hashed(source: Path, target: Path | None = None) -> tuple[str, int]:
    """Copy a file (or, without a target, only read it); return its sha256 and its bytes."""
    digest, size = hashlib.sha256(), 0
    writing = target or Path(os.devnull)
    with named(target or source), source.open("rb") as read, writing.open("wb") as written:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            written.write(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


class Cache:
    """Files by their sha256, checked each time that they are used. Safe for many processes.

    A cache that is read-only, or another user's, serves what it has; what would write into it
    raises UserError.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.parts = self.folder / "parts"

    def entry(self, sha256: str) -> Path:
        """Return where the file of this sum is, or would be."""
        return self.folder / "sha256" / sha256[:2] / sha256

    def take(self, sha256: str, target: Path) -> bool:
        """Copy the file of this sum to ``target``; return False, no file left, if it is not there.

        An entry that does not have its sum is removed, if it can be.
        """
        entry = self.entry(sha256)
        if not entry.is_file():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        if copy_hashed(entry, target)[0] == sha256:
            return True
        target.unlink()
        with suppress(OSError):
            entry.unlink()
        return False

    def put(self, path: Path, sha256: str) -> None:
        """Move a file, which must be in a ``workspace`` and have this sum, into the cache."""
        entry = self.entry(sha256)
        with self._writing():
            entry.parent.mkdir(parents=True, exist_ok=True)
            path.replace(entry)

    def seen(self, source: str) -> tuple[str, int] | None:
        """Return sum and bytes that were recorded of a source, None where it is new.

        Raises UserError where the record was altered.
        """
        note = self.note(source)
        if not note.is_file():
            return None
        try:
            recorded = read_record(note)
        except UserError:
            raise UserError(
                f"{note}: damaged: the sum of {source} as first seen; delete it"
            ) from None
        return recorded["sha256"], recorded["bytes"]

    def record(self, source: str, sha256: str, size: int) -> None:
        """Record sum and bytes of a source for which nobody publishes them."""
        with self._writing():
            write_record(self.note(source), {"source": source, "sha256": sha256, "bytes": size})

    def note(self, source: str) -> Path:
        """Return the file in which sum and bytes of a source are recorded, or would be."""
        return self.folder / "seen" / hashlib.sha256(source.encode()).hexdigest()[:32]

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock of this name; others wait. The end of the process frees it.

        Raises:
            UserError: the cache cannot be written to, or is on a file system that cannot lock.

        """
        folder = self.folder / "locks"
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            handle = (folder / hashlib.sha256(name.encode()).hexdigest()[:32]).open("w")
        with handle:
            try:
                _wait_for(handle, name)
            except OSError as error:
                raise UserError(
                    f"{folder}: {error.strerror}; set NNRD_CACHE to a folder that can be locked"
                ) from error
            yield

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Yield an empty folder on the cache's disk; it, and what killed processes left, goes."""
        with scratch(self.folder / "work", what=self.folder) as folder:
            yield folder

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in DENIED:
                raise
            reason = "cannot be written to, and does not have all that is asked for"
            raise UserError(
                f"{self.folder}: the cache {reason}; set NNRD_CACHE to a folder of your own"
            ) from error


def _wait_for(handle: TextIO, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: waiting for another process that fetches it", file=sys.stderr)
        fcntl.flock(handle, fcntl.LOCK_EX)
