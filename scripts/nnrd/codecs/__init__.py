"""Codecs by name: ``make("nnc", qp=-38).encode(tensors)``.

Each module of this package whose name has no leading underscore is a codec and defines a class
``Codec``. Others are found by the entry-point group ``nnrd.codecs`` (``name = module:Class``).
A codec's module is imported when the codec is asked for and not before, so an edit of one codec
touches the jobs of that codec only; and no codec imports its coder before the first encode.
"""

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from nnrd.bitstream import CODED_FLOAT, CODED_INT, Entry
from nnrd.codecs._base import Codec, cut
from nnrd.errors import UserError
from nnrd.schema import first_mistake, unknown

__all__ = [
    "CODED_FLOAT",
    "CODED_INT",
    "Codec",
    "Entry",
    "available",
    "check",
    "cut",
    "make",
    "module",
    "parameter_schema",
]
GROUP = "nnrd.codecs"


def available() -> list[str]:
    """Return the names of all codecs, sorted."""
    return sorted({*_built_in(), *(entry.name for entry in entry_points(group=GROUP))})


def make(name: str, **parameters: Any) -> Codec:
    """Return a codec at an operating point; UserError as in `check`."""
    check(name, parameters)
    return _class(name)(name, **parameters)


def check(name: str, parameters: dict[str, Any]) -> None:
    """Raise UserError, one line, for an unknown codec or parameters that it does not take."""
    codec = _class(name)
    mistake = first_mistake(codec.schema(), parameters) or codec.validate(parameters)
    if isinstance(mistake, tuple):
        mistake = ": ".join(part for part in mistake if part)
    if mistake:
        raise UserError(f"codec {name}: {mistake}")


def parameter_schema(name: str) -> dict:
    """Return the JSON schema of a codec's parameters; UserError for an unknown codec."""
    return _class(name).schema()


def module(name: str) -> str:
    """Return the dotted module of a codec (``nnrd.codecs.nnc``); UserError if there is none."""
    if name in _built_in():
        return f"{__name__}.{name}"
    return _entry_point(name).module


def _built_in() -> list[str]:
    return [found.name for found in pkgutil.iter_modules(__path__) if found.name[0] != "_"]


def _entry_point(name: str) -> EntryPoint:
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            return entry
    raise UserError(unknown("codec", name, available()))


def _class(name: str) -> type[Codec]:
    if name in _built_in():
        return importlib.import_module(f"{__name__}.{name}").Codec
    try:
        return _entry_point(name).load()
    except (ImportError, AttributeError) as error:
        raise UserError(f"codec {name}: its entry point does not load: {error}") from error
