"""Things found by name: nnrd's own, and those that other packages publish as entry points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from nnrd.core import plug_ins
from nnrd.core.errors import UserError
from nnrd.core.schema import unknown

if TYPE_CHECKING:  # its import takes as long as that of a codec
    from importlib.metadata import EntryPoint

T = TypeVar("T")


def named(target: str) -> Any:
    """Return what ``module:attribute`` names; its module is imported."""
    module, _, attribute = target.partition(":")
    return attrgetter(attribute)(importlib.import_module(module))


class Registry(Generic[T]):
    """The objects of one kind, such as codecs, by name; each is imported when it is asked for.

    ``group`` is the entry-point group in which other packages publish theirs, ``word`` what one
    is called in a message, ``own`` nnrd's: name to ``module:attribute``. ``of`` names the class of
    which they are subclasses or objects, as ``module:class``; so a job that finds one by name does
    not depend on all that the class can do.
    """

    def __init__(self, group: str, word: str, own: Mapping[str, str], of: str) -> None:
        self.group, self.word, self.of = group, word, of
        self._own = dict(own)

    def names(self) -> list[str]:
        """Return all names, sorted; nnrd's come before a plug-in's of the same name."""
        return sorted({*self._own, *(entry.name for entry in _published(self.group))})

    def target(self, name: str) -> str:
        """Return where an object is, ``module:attribute``; UserError for an unknown name."""
        return self._own[name] if name in self._own else self._entry(name).value

    def get(self, name: str) -> T:
        """Return an object; UserError: an unknown name, a missing package, a plug-in as in `load`.

        A plug-in that is something else than the group takes is refused, too.
        """
        return self._own_object(name) if name in self._own else self._plug_in(self._entry(name))

    def _own_object(self, name: str) -> Any:
        try:
            return named(self._own[name])
        except ImportError as error:
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if missing is None or missing.startswith("nnrd"):
                raise
            how = "an extra of nnrd brings it, nnrd[workflow] brings all"
            raise UserError(f"{self.word} {name}: no package {missing}; {how}") from error

    def _plug_in(self, entry: EntryPoint) -> Any:
        found = plug_ins.load(entry, f"{self.word} {entry.name}")
        base = named(self.of)
        if not (issubclass(found, base) if isinstance(found, type) else isinstance(found, base)):
            reason = f"its entry point {entry.value} is no {self.of.replace(':', '.')}"
            raise UserError(f"{self.word} {entry.name}: {reason}")
        return found

    def _entry(self, name: str) -> EntryPoint:
        for entry in _published(self.group):
            if entry.name == name:
                return entry
        raise UserError(unknown(self.word, name, self.names()))


def _published(group: str) -> tuple[EntryPoint, ...]:
    return _found(group, tuple(map(str, sys.path)))


@cache
def _found(group: str, places: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, looked for once in the same places.

    A look reads the folders of all packages, and each job of a plan asks several times.
    """
    from importlib.metadata import entry_points

    del places
    return tuple(entry_points(group=group))
