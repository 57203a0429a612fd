"""Tasks: what a model's output is worth; others' are found under ``nnrd.tasks``."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from nnrd.core.errors import UserError
from nnrd.core.registry import Registry
from nnrd.core.schema import unknown
from nnrd.datasets.index import Index

Prediction = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Metric:
    """A number that a task computes: its column, what an axis calls it, its unit and direction.

    ``interval``: the columns ``NAME_low`` and ``NAME_high`` hold its 95 % bootstrap interval, and,
    unless it compares with the anchor anyway, ``NAME_difference_low`` and ``_high`` that of the
    paired difference to the anchor's. ``to_anchor``: it compares with the anchor's predictions.
    """

    name: str
    label: str
    unit: str
    higher_is_better: bool
    interval: bool = False
    to_anchor: bool = False

    def columns(self) -> Iterator[tuple[str, bool]]:
        """Yield the columns of the metric, each with whether it compares with the anchor."""
        yield self.name, self.to_anchor
        for end in ("low", "high") if self.interval else ():
            yield f"{self.name}_{end}", self.to_anchor
            if not self.to_anchor:
                yield f"{self.name}_difference_{end}", True

    @property
    def axis(self) -> str:
        """The label of an axis."""
        return f"{self.label} ({self.unit})"


class Task(ABC):
    """How predictions are scored. Subclass it to add a task.

    ``media``: what its items are, ``image`` or ``audio``. ``metrics``: the metric that stands in
    ``anc_perf`` and ``rec_perf``, then those that are worth a panel of a plot beside it, the last
    of which says best what compression did.
    ``others``: those that `score` returns besides. ``count_columns``: further columns of whole
    numbers. ``threshold``: of the scores, where the task has one, which may be set.
    """

    media: ClassVar[str] = "image"
    metrics: ClassVar[tuple[Metric, ...]]
    others: ClassVar[tuple[Metric, ...]] = ()
    count_columns: ClassVar[tuple[str, ...]] = ()
    threshold: float | None = None

    @property
    def metric(self) -> Metric:
        """The metric that models are compared by."""
        return self.metrics[0]

    def named(self, name: str) -> Metric:
        """Return the metric of a name; UserError where the task has no such one."""
        known = {metric.name: metric for metric in (*self.metrics, *self.others)}
        if name not in known:
            raise UserError(unknown("metric", name, known))
        return known[name]

    @abstractmethod
    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Return all metrics by name, and a row an item with its name in ``item``.

        ``index`` has the ground truth; ``anchor`` and ``predictions`` are a mapping an item, with
        its name in ``item`` and what the task's models predict. Raises UserError for an item
        without ground truth.
        """

    def by_class(self, index: Index, predictions: Sequence[Prediction]) -> list[Row]:
        """Return a row a class of the ground truth, its name in ``label``; by default none."""
        del index, predictions
        return []


REGISTRY: Registry[type[Task]] = Registry(
    "nnrd.tasks",
    "task",
    {
        "asr": "nnrd.tasks.asr:Asr",
        "classification": "nnrd.tasks.classification:Classification",
        "detection": "nnrd.tasks.detection:Detection",
    },
    of="nnrd.tasks:Task",
)
