"""Files that are complete or absent, and that say when they were damaged.

What one job writes and another reads is JSON with a checksum of its own, or a file whose checksum
stands in such a JSON. Who reads it compares; so a flipped bit never becomes a number.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.scratch import PARTIAL, beside, scratch

CHECKSUM = "checksum"
MEND = "`nnrd check --repair` makes it again"


@contextmanager
def complete_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    So a file under its final name is always complete, also after SIGKILL, a full disk or a power
    cut. What a killed process left of the same file is removed first.
    """
    path = Path(path)
    with beside(path) as folder:
        temporary = folder / path.name
        temporary.touch()
        yield temporary
        on_disk(temporary)
        temporary.replace(path)


@contextmanager
def complete_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``path``; rename it if the block succeeds."""
    path = Path(path)
    with beside(path) as folder:
        temporary = folder / path.name
        temporary.mkdir()
        yield temporary
        on_disk(temporary)
        if path.exists():
            path.rename(folder / f"{path.name}.old")  # at once, and removed with `folder`
        temporary.rename(path)


@contextmanager
def complete_files(folder: str | Path) -> Iterator[Path]:
    """Yield an empty temporary folder; its files move into ``folder`` if the block succeeds.

    So files that belong together appear together, beside what else is there; a folder that is
    made for them goes again where the block fails.
    """
    folder = Path(folder)
    is_new = not folder.exists()
    try:
        with scratch(folder, f".files{PARTIAL}") as temporary:
            yield temporary
            on_disk(temporary)
            for file in sorted(temporary.iterdir()):
                file.replace(folder / file.name)
    except BaseException:
        if is_new:
            with suppress(OSError):  # not empty: somebody else wrote into it
                folder.rmdir()
        raise


def on_disk(path: Path) -> None:
    """Wait until a file, or each in a folder, is on the disk.

    A power cut may keep a new name and lose the content that it was given to. Raises OSError where
    a disk says only now that it is full, or broken.
    """
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file() and not file.is_symlink():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def checksum(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; UserError where there is no such file."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None


def verify(path: str | Path, expected: str) -> None:
    """Raise UserError where a file is missing, or has another SHA-256 than when it was made."""
    try:
        found = checksum(path)
    except UserError as error:
        raise UserError(f"{error}; {MEND}") from None
    _compare(path, found, expected)


def read_verified(path: str | Path, expected: str) -> bytes:
    """Return a file's bytes; UserError where they are not those that were written."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {MEND}") from None
    _compare(path, hashlib.sha256(data).hexdigest(), expected)
    return data


def _compare(path: str | Path, found: str, expected: str) -> None:
    if found != expected:
        raise UserError(f"{path}: damaged: its SHA-256 is not {expected[:12]}…; {MEND}")


def write_record(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with a checksum of its content, a line a row; NaN is written as null."""
    try:
        text = _record(content)
    except ValueError:  # most have no NaN, and looking for one takes as long as writing
        text = _record(without_nan(dict(content)))
    with complete_file(path) as temporary:
        temporary.write_text(text)


def _record(content: Mapping[str, Any]) -> str:
    """Return the text of a record; ValueError where a number is not finite.

    Rows have no line breaks inside: with these Python writes JSON by itself, not in C.
    """
    whole = {CHECKSUM: _digest(content), **content}
    parts = (f"{json.dumps(key)}: {_value(value)}" for key, value in whole.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _value(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, indent=1, allow_nan=False)
    return "[\n" + ",\n".join(json.dumps(row, allow_nan=False) for row in value) + "\n]"


def read_record(path: str | Path) -> dict[str, Any]:
    """Return what `write_record` wrote; UserError where it is missing or was altered since."""
    try:
        content = read_json(path)
    except UserError as error:
        raise UserError(f"{error}; {MEND}") from None
    expected = content.pop(CHECKSUM, None) if isinstance(content, dict) else None
    if expected is None or _digest(content) != expected:
        raise UserError(f"{path}: damaged: its checksum is not that of its content; {MEND}")
    return content


def read_json(path: str | Path, parse: Callable[[str], Any] = json.loads) -> Any:
    """Return the value of any JSON file; UserError where it is missing or is not JSON.

    ``parse`` may refuse more, such as `written.json_once` of what a person may have written.
    """
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({str(error).splitlines()[0]})") from None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder, not a file") from None


def read_names(path: str | Path) -> list[str]:
    """Return the names in a text file, a line each; empty lines and ``#`` comments do not count.

    Raises UserError where it is missing, is no text, has none, or has one twice.
    """
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text file of names") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        raise UserError(f"{path}: has no names")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{path}: {twice[0]!r:.80} is given twice")
    return names


def without_nan(value: Any) -> Any:
    """Return a value with every NaN replaced by None, which JSON can write."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
