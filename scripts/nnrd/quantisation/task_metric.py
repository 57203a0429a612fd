"""A task's metric as quantisation takes it."""

from collections.abc import Sequence
from typing import Any

from nnrd.datasets.index import Index
from nnrd.quantisation.interface import Metric
from nnrd.tasks import REGISTRY, Prediction


class TaskMetric(Metric):
    """A number that a task reckons, over the items that were predicted.

    ``index`` has the ground truth; ``name`` is the metric's, by default the one that models are
    compared by. ``anchor`` are the float model's predictions, for what compares with them;
    without, predictions are their own anchor. Raises UserError for a metric that the task has not.
    """

    def __init__(
        self,
        task: str,
        index: Index,
        name: str | None = None,
        anchor: Sequence[Prediction] = (),
    ) -> None:
        self.task, self.index = REGISTRY.get(task)(), index
        metric = self.task.named(name) if name else self.task.metric
        self.name, self.higher_is_better, self.unit = (
            metric.name,
            metric.higher_is_better,
            metric.unit,
        )
        self.held = {prediction["item"]: prediction for prediction in anchor}
        self.reset()

    def reset(self) -> None:
        """Forget what was predicted."""
        self.predictions: list[Prediction] = []

    def update(self, prediction: Prediction, annotation: Any) -> None:
        """Take the prediction of an item, whose name is in ``item``; the index has its truth."""
        del annotation
        self.predictions.append(prediction)

    @property
    def value(self) -> list[float]:
        """The last item's: of its row, where the task's rows have it, else over it alone."""
        metrics, rows = self._score(self.predictions[-1:])
        return [float(rows[0].get(self.name, metrics[self.name]))]

    @property
    def avg_value(self) -> float:
        """The metric over all items since `reset`; nan before the first."""
        return float(self.scores()[self.name]) if self.predictions else float("nan")

    def scores(self) -> dict[str, Any]:
        """Return all that the task says of the items since `reset`, with intervals."""
        return self._score(self.predictions)[0]

    def _score(self, predictions: Sequence[Prediction]) -> tuple[dict[str, Any], list[dict]]:
        anchor = [self.held.get(found["item"], found) for found in predictions]
        return self.task.score(self.index, anchor, predictions)
