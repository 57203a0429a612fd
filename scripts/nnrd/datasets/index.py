"""A dataset's index: its items, each looked at once, with their ground truth and checksums."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import checksum, read_record


@dataclass(frozen=True)
class Item:
    """One image, recording or frame: its name, its file, and what is known of it.

    ``checksum`` is the file's SHA-256; ``facts`` are JSON: the ground truth in the form that the
    dataset's task scores, and what the format found, such as a width in pixels.
    """

    name: str
    path: str
    checksum: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Index:
    """The items of a dataset, and the names of its categories by id, where it has any."""

    items: list[Item]
    categories: dict[int, str] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return the index as `read` takes it."""
        names = {str(key): name for key, name in self.categories.items()}
        return {"items": [asdict(item) for item in self.items], "categories": names}

    def shard(self, name: str) -> list[Item]:
        """Return the items of a shard: ``0-of-2`` is every second one, from the first."""
        number, count = map(int, name.split("-of-"))
        return self.items[number::count]


def read(path: str | Path) -> Index:
    """Return an index; UserError where the file is missing or was altered."""
    record = read_record(path)
    categories = {int(key): name for key, name in record["categories"].items()}
    return Index([Item(**row) for row in record["items"]], categories)


def items_of(rows: Iterable[tuple[str, Path, dict[str, Any]]], source: object) -> list[Item]:
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
