"""Which category id a label stands for: by a file of one's own, a ground truth, or COCO's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnrd.core import sheets
from nnrd.core.errors import UserError
from nnrd.core.naming import nearest
from nnrd.datasets.coco_names import NAMES


@dataclass(frozen=True)
class Labels:
    """Labels and category ids, in both directions.

    ``given``: what a file of labels says, which comes first; ``categories``: the names of a
    ground truth's categories. COCO's names stand for COCO's ids where these do not say otherwise.
    """

    given: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[int, str] = field(default_factory=dict)

    @property
    def names(self) -> dict[int, str]:
        """The name of each known category id."""
        mine: dict[int, str] = {}
        for label, number in self.given.items():
            mine.setdefault(number, label)  # of several labels of a category, the first
        return NAMES | mine | dict(self.categories)

    def name(self, number: int) -> str:
        """Return what a category is called; its id where it has no name."""
        return self.names.get(number, str(number))

    def id(self, label: str) -> int:
        """Return the category id of a label, which may be a number; UserError for an unknown one.

        A number that the file of labels has is a label of that file, such as one of ImageNet's.
        """
        if label in self.given:
            return self.given[label]
        by_name = {name: number for number, name in self.names.items()}
        if label in by_name:
            return by_name[label]
        if label.isascii() and label.isdigit():
            return int(label)
        near = ", ".join(nearest(label, list(by_name)))
        hint = f"; nearest: {near}" if near else ""
        raise UserError(f"label {label!r:.60} is not known{hint}; --labels FILE says what it is")


def read(path: str | Path | None, categories: Mapping[int, str] | None = None) -> Labels:
    """Return the labels of a tab-separated file with the columns ``label`` and ``id``.

    ``path`` None: none but those of ``categories`` and COCO's. Raises UserError, naming file and
    line, for another form and for a label that is given twice.
    """
    given: dict[str, int] = {}
    for number, row in sheets.numbered_rows(path, "labels") if path else ():
        if row["label"] in given:
            raise UserError(f"{path}:{number}: label {row['label']!r} is given twice")
        given[row["label"]] = row["id"]
    return Labels(given, categories or {})
