"""Things found by name: nnrd's own, and those that other packages publish as entry points."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """The objects of one kind, such as codecs, by name; each is imported when it is asked for.

    ``group`` is the entry-point group in which other packages publish theirs, ``word`` what one
    is called in a message, ``own`` nnrd's: name to ``module:attribute``.
    """

    def __init__(self, group: str, word: str, own: Mapping[str, str]) -> None:
        self.group, self.word = group, word
        self._own = {name: EntryPoint(name, target, group) for name, target in own.items()}

    def names(self) -> list[str]:
        """Return all names, sorted; nnrd's come before a plug-in's of the same name."""
        return sorted({*self._own, *(entry.name for entry in entry_points(group=self.group))})

    def target(self, name: str) -> str:
        """Return where an object is, ``module:attribute``; UserError for an unknown name."""
        return self._entry(name).value

    def get(self, name: str) -> T:
        """Return an object; UserError: an unknown name, a package or plug-in that is missing."""
        entry = self._entry(name)
        try:
            return cast(T, entry.load())
        except (ImportError, AttributeError) as error:
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            if name in self._own and (missing is None or missing.startswith("nnrd")):
                raise
            if name in self._own:
                how = "an extra of nnrd brings it, nnrd[workflow] brings all"
                raise UserError(f"{self.word} {name}: no package {missing}; {how}") from error
            raise UserError(
                f"{self.word} {name}: its entry point {entry.value} does not load: {error}"
            ) from error

    def _entry(self, name: str) -> EntryPoint:
        if name in self._own:
            return self._own[name]
        for entry in entry_points(group=self.group):
            if entry.name == name:
                return entry
        raise UserError(unknown(self.word, name, self.names()))
