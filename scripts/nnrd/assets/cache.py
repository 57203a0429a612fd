"""A folder outside the checkouts that holds files by their sha256."""

import errno
import fcntl
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from nnrd.core.errors import UserError
from nnrd.core.files import read_record, write_record
from nnrd.core.scratch import named, scratch

CHUNK = 1 << 20
DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
WAITS = 14 * 86_400.0  # seconds that an unfinished download waits for who goes on with it


def default_folder() -> Path:
    """Return the folder that NNRD_CACHE names, else ``~/.cache/nnrd``."""
    return Path(os.environ.get("NNRD_CACHE") or Path.home() / ".cache/nnrd").expanduser()


def key(name: str) -> str:
    """Return what a source or a package is called in the cache's folders."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


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
        self.folder = Path(folder).absolute()  # clients run elsewhere
        self.parts, self.locks = self.folder / "parts", self.folder / "locks"

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
        return self.folder / "seen" / key(source)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock of this name; others wait. The end of the process frees it.

        Raises:
            UserError: the cache cannot be written to, or is on a file system that cannot lock.

        """
        with self._writing():
            self.locks.mkdir(parents=True, exist_ok=True)
            handle = (self.locks / key(name)).open("w")
        with handle:
            try:
                _wait_for(handle, name)
            except OSError as error:
                raise UserError(
                    f"{self.locks}: {error.strerror}; set NNRD_CACHE to a folder that can be locked"
                ) from error
            yield

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Yield an empty folder on the cache's disk; it, and what others left, goes.

        Left is what killed processes had there, and a download that nobody has gone on with for
        `WAITS` and nobody goes on with now.
        """
        self._remove_left_parts()
        with scratch(self.folder / "work", what=self.folder) as folder:
            yield folder

    def _remove_left_parts(self) -> None:
        for name in {path.stem for path in self.parts.glob("*.*")}:
            if not self._is_left(name):
                continue
            # Who goes on with it holds the lock of its name, and this process does not wait.
            with suppress(OSError), (self.locks / name).open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_left(name):
                    for file in self.parts.glob(f"{name}.*"):
                        file.unlink(missing_ok=True)

    def _is_left(self, name: str) -> bool:
        """Return whether all files of an unfinished download are older than it may wait."""
        times = [_written(file) for file in self.parts.glob(f"{name}.*")]
        return bool(times) and time.time() - max(times) > WAITS

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


def _written(file: Path) -> float:
    """Return when a file was last written to; now, where it has just gone or is not to be seen."""
    try:
        return file.stat().st_mtime
    except OSError:
        return time.time()


def _wait_for(handle: TextIO, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: waiting for another process that fetches it", file=sys.stderr)
        fcntl.flock(handle, fcntl.LOCK_EX)
