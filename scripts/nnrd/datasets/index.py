"""A dataset's index: its items, each looked at once, with their ground truth and checksums."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from nnrd.core.errors import UserError
from nnrd.core.files import checksum, read_names, read_record
from nnrd.datasets.bad import Bad

Row = TypeVar("Row")
Made = TypeVar("Made")
Looked = tuple[str, Path, dict[str, Any]]  # an item's name, its file, its facts
NAMED = 5  # of items that are left out, in a line
HINT = "--skip-bad, or bad_items: skip in the dataset's row,"


@dataclass(frozen=True)
class Draw:
    """Which items of a dataset are taken: ``count`` of them, drawn by ``seed``; None: all.

    ``names``: of these only, by an item's name or that of its file; ``listed`` is the list of them.
    ``without``: names of items of which none is taken.
    ``bad``: what is done with items that cannot be used.
    """

    count: int | None = None
    seed: int = 0
    names: frozenset[str] | None = None
    listed: Path | None = None
    without: frozenset[str] = frozenset()
    bad: Bad = field(default_factory=partial(Bad, hint=HINT))

    @classmethod
    def of(cls, listed: Path) -> Draw:
        """Return the draw of the items that a text file names, a line each.

        Raises UserError where it is no such file.
        """
        return cls(names=frozenset(read_names(listed)), listed=listed)

    def __call__(
        self,
        rows: Iterable[Row],
        name: Callable[[Row], str],
        group: Callable[[Row], Hashable] = lambda row: None,
    ) -> list[Row]:
        """Return the drawn rows in their order; all where there are no more.

        Raises UserError for a name in the list that no item has. A format that looks at each of its
        items calls `looked_at` instead.

        ``name``: the item's name; ``group``: its speaker or class. Items are ordered by the
        SHA-256 of seed and name and taken in rounds, in each round one of every group. So the
        draw is spread over the groups, is the same on every machine, and one of more items holds
        all of one of fewer.
        """
        return self._drawn(self._chosen(list(rows), name), name, group)

    def looked_at(
        self,
        rows: Iterable[Row],
        name: Callable[[Row], str],
        look: Callable[[Row], Made],
        group: Callable[[Row], Hashable] = lambda row: None,
    ) -> list[Made]:
        """Return what ``look`` makes of the drawn rows, in their order; see `__call__`.

        Its UserError says that an item cannot be used. Where such are skipped all rows are looked
        at and the draw is of what is good, else only what is drawn is looked at.
        """
        chosen = self._chosen(list(rows), name)
        seen = chosen if self.bad.skip else self._drawn(chosen, name, group)
        good: list[tuple[Row, Made]] = []
        for row in seen:
            try:
                good.append((row, look(row)))
            except UserError as error:
                self.bad.meets(name(row), error)
        drawn = self._drawn(good, lambda pair: name(pair[0]), lambda pair: group(pair[0]))
        return [made for _, made in drawn]

    def _drawn(
        self, found: list[Row], name: Callable[[Row], str], group: Callable[[Row], Hashable]
    ) -> list[Row]:
        if self.count is None:
            return found
        order = sorted(range(len(found)), key=lambda i: self._lot(name(found[i])))
        taken: Counter[Hashable] = Counter()
        rounds = []
        for place, i in enumerate(order):
            of = group(found[i])
            rounds.append((taken[of], place, i))
            taken[of] += 1
        return [found[i] for i in sorted(i for *_, i in sorted(rounds)[: self.count])]

    def _chosen(self, rows: list[Row], name: Callable[[Row], str]) -> list[Row]:
        named = self._named(rows, name)
        return [row for row in named if name(row) not in self.without]

    def _named(self, rows: list[Row], name: Callable[[Row], str]) -> list[Row]:
        if self.names is None:
            return rows
        known = set(map(name, rows))
        lines = {line if line in known else Path(line).stem: line for line in self.names}
        chosen = [row for row in rows if name(row) in lines]
        strange = self.names - {lines[name(row)] for row in chosen}
        if strange:
            more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
            raise UserError(f"{self.listed}: no item is called {min(strange)!r:.80}{more}")
        return chosen

    def _lot(self, name: str) -> bytes:
        return hashlib.sha256(f"{self.seed}/{name}".encode()).digest()


EVERYTHING = Draw()


@dataclass(frozen=True)
class Item:
    """One image, recording or frame: its name, its file, and what is known of it.

    ``checksum`` is the file's SHA-256; ``facts`` are JSON: the ground truth in the form that the
    dataset's task scores, and what the format found, such as a width in pixels. Items that are
    alike, such as recordings of one speaker, have one ``group``: intervals draw whole groups.
    """

    name: str
    path: str
    checksum: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Index:
    """The items of a dataset, and the names of its categories by id, where it has any.

    ``skipped``: why items were left out that cannot be used, by their names. ``counts``: what
    else there was of which a reader should know, such as boxes outside the frame.
    """

    items: list[Item]
    categories: dict[int, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return the index as `read` takes it."""
        names = {str(key): name for key, name in self.categories.items()}
        found = {"items": [asdict(item) for item in self.items], "categories": names}
        return found | {"skipped": self.skipped, "counts": self.counts}

    def left_out(self) -> str | None:
        """Return in a line what was left out or is odd; None where that is nothing."""
        said = [f"{number} {what}" for what, number in self.counts.items()]
        if self.skipped:
            names = ", ".join(list(self.skipped)[:NAMED])
            more = f" and {len(self.skipped) - NAMED} more" if len(self.skipped) > NAMED else ""
            said.insert(0, f"{len(self.skipped)} items cannot be used: {names}{more}")
        return "; ".join(said) or None

    def shard(self, name: str) -> list[Item]:
        """Return the items of a shard: ``0-of-2`` is every second one, from the first."""
        number, count = map(int, name.split("-of-"))
        return self.items[number::count]


def read(path: str | Path) -> Index:
    """Return an index; UserError where the file is missing or was altered."""
    record = read_record(path)
    categories = {int(key): name for key, name in record["categories"].items()}
    items = [Item(**row) for row in record["items"]]
    return Index(items, categories, record["skipped"], record["counts"])


def left_out(paths: Iterable[str | Path]) -> Iterator[str]:
    """Yield what was left out of datasets, a line an index; of what cannot be read there is none.

    What is damaged is for `nnrd check` to say, and not for the end of a run that needed none of it.
    """
    for path in paths:
        with suppress(UserError, KeyError):
            said = read(path).left_out()
            if said:
                yield f"{path}: {said}"


def items_of(rows: Iterable[Looked], source: object) -> list[Item]:
    """Return items of (name, file, facts), each with its checksum.

    ``source`` is what messages call the list. Raises UserError: no items, two of one name.
    """
    items: dict[str, Item] = {}
    for name, path, facts in rows:
        if name in items:
            raise UserError(f"{source}: two items are called {name}")
        items[name] = Item(name, str(path), checksum(path), facts)
    if not items:
        raise UserError(f"{source}: the dataset has no items")
    return list(items.values())
