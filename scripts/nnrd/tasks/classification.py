"""Classification of images: how often the right class is the first, or among five; in percent."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets.index import Index
from nnrd.metrics.bootstrap import Statistic, ratio
from nnrd.tasks import Metric, Prediction, Row, Task
from nnrd.tasks.intervals import intervals

METRICS = ("top1", "top5", "agreement")


class Classification(Task):
    """A prediction has ``classes``, the five likeliest numbers, likeliest first.

    An item's facts have its ``label``, a class number from 0.
    """

    metrics = (
        Metric("top1", "right class first", "%", higher_is_better=True, interval=True),
        Metric("agreement", "agreement with the anchor", "%", True, True, to_anchor=True),
    )
    others = (Metric("top5", "right class among five", "%", True, interval=True),)

    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Return ``top1``, ``top5`` and ``agreement`` (the first class is the anchor's), in %.

        Beside them are their intervals, and a row an image.
        """
        labels = {item.name: item.facts.get("label") for item in index.items}
        held = {prediction["item"]: prediction for prediction in anchor}
        firsts = {item: prediction["classes"][0] for item, prediction in held.items()}
        rows, paired = (
            [_row(labels, firsts, prediction) for prediction in side]
            for side in (predictions, [held[found["item"]] for found in predictions])
        )
        metrics = {name: sum(row[name] for row in rows) / len(rows) for name in METRICS}
        ours = {name: _statistic(rows, name) for name in METRICS}
        theirs = {name: _statistic(paired, name) for name in ("top1", "top5")}
        return metrics | intervals(index, predictions, ours, theirs), rows


def _statistic(rows: Sequence[Row], name: str) -> Statistic:
    return ratio([row[name] / 100 for row in rows], [1] * len(rows))


def _row(
    labels: Mapping[str, int | None], firsts: Mapping[str, int], prediction: Prediction
) -> Row:
    item, classes = prediction["item"], prediction["classes"]
    label = labels.get(item)
    if label is None:
        raise UserError(f"{item}: has no label")
    return {
        "item": item,
        "top1": 100.0 * (classes[0] == label),
        "top5": 100.0 * (label in classes[:5]),
        "agreement": 100.0 * (classes[0] == firsts[item]),
        "classes": " ".join(map(str, classes)),
    }
