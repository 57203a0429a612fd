"""Plug-ins: code of other packages, which may fail in any way; what fails says whose it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from traceback import extract_tb, walk_tb
from typing import TYPE_CHECKING, Any

from nnrd.core.errors import UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_loaded: dict[str, str] = {}  # what this process has of them: top-level module → what it is called


def load(entry: EntryPoint, name: str) -> Any:
    """Return what the entry point of a plug-in names; ``name``: what it is called in messages.

    What it prints while it is imported goes to standard error: standard output may be a table or
    a graph. Raises UserError where it cannot be imported, whatever it raises, or ends the program.
    """
    try:
        with redirect_stdout(sys.stderr):
            found = entry.load()
    except (Exception, SystemExit) as error:
        reason = f"its entry point {entry.value} does not load: {words(error)}"
        raise UserError(f"{name}: {reason}") from error
    made = f" {entry.dist.name} {entry.dist.version}" if entry.dist else ""
    _loaded[entry.module.partition(".")[0]] = f"{name} (plug-in{made}, {entry.value})"
    return found


def words(error: BaseException) -> str:
    """Return what an error says, in a line, with its kind where it has no words of nnrd's."""
    said = " ".join(str(error).split())
    if isinstance(error, ImportError | UserError) and said:
        return said
    if isinstance(error, SystemExit):
        return f"it ends the program (exit code {error.code})"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def blamed(error: BaseException) -> str | None:
    """Return the line for an error that comes out of a plug-in, or may do so; None for others.

    It may where the process has one loaded and something in it has another type than it should.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    tops = [str(frame.f_globals.get("__name__")).partition(".")[0] for frame in frames]
    inner = [number for number, top in enumerate(tops) if top in _loaded]
    if inner:
        place = extract_tb(error.__traceback__)[inner[-1]]
        where = f"line {place.lineno} of {place.filename}"
        return f"{_loaded[tops[inner[-1]]]}: {words(error)}, at {where}"
    if not _loaded or not isinstance(error, Exception):
        return None
    return f"{words(error)}; what {', '.join(_loaded.values())} gave may be the cause"


@contextmanager
def told() -> Iterator[None]:
    """Make what a plug-in raises in the block, or its end of the program, a UserError."""
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        said = blamed(error)
        if said is None:
            raise
        raise UserError(said) from error
