"""Temporary folders that are removed, by the next who makes one, when their process was killed.

Who works in a folder holds a lock on a file in it, which the kernel frees with the process; so
who cleans up sees the processes of other users, containers and machines too, and never takes a
folder from one that lives.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

LOCK = ".lock"
FILES = "files"
PARTIAL = ".partial-"  # in the names of folders that what is written is written in


@contextmanager
def scratch(parent: Path, prefix: str = "", what: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder below ``parent``, in one whose name begins with ``prefix``.

    It is removed in the end, and before, what killed processes left under the same prefix. Where
    the file system cannot lock, nothing that others left is removed. ``what`` is named by errors
    of files in the folder, whose own names tell a person nothing; by default ``parent``.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_left(parent, prefix)
    try:
        folder, lock = _locked_folder(parent, prefix)
    except OSError as error:  # a full disk, or no right to write
        error.filename = str(what or parent)
        raise
    try:
        (folder / FILES).mkdir()
        yield folder / FILES
    except OSError as error:
        if error.filename is None or str(folder) in str(error.filename):
            error.filename = str(what or parent)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Give errors of the block that name no file, such as a full disk's, this name."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _locked_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """Return a new folder and the descriptor that holds its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        try:
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            continue  # another took it for left behind before it was locked, and removed it
        except OSError:
            folder.rmdir()
            raise
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            return folder, lock  # no locks here: nobody will remove it
        if _is_there(folder, lock):
            return folder, lock
        os.close(lock)


def beside(path: Path) -> AbstractContextManager[Path]:
    """Return a `scratch` folder beside a file or folder that is to be written; it is hidden."""
    return scratch(path.parent, f".{path.name}{PARTIAL}", path)


def remove_left_below(folder: Path) -> list[Path]:
    """Remove what killed processes left half-written anywhere below a folder; return it."""
    return [path for path in sorted(folder.rglob(f".*{PARTIAL}*")) if _remove(path)]


def _remove_left(parent: Path, prefix: str) -> None:
    for path in [path for path in parent.iterdir() if path.name.startswith(prefix)]:
        _remove(path)


def _remove(folder: Path) -> bool:
    """Remove a folder whose process is gone; return whether it was."""
    lock = _open(folder)
    if lock is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        left = _is_there(folder, lock)
        if left:
            shutil.rmtree(folder, ignore_errors=True)
        return left
    except OSError:
        return False  # its process lives, or there are no locks here
    finally:
        os.close(lock)


def _open(folder: Path) -> int | None:
    """Return a descriptor of the folder's lock file, made if need be; None if it is not ours."""
    try:
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # gone by now, or another user's
        return None


def _is_there(folder: Path, lock: int) -> bool:
    try:
        return os.path.samestat((folder / LOCK).stat(), os.fstat(lock))
    except OSError:
        return False
