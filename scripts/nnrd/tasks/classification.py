"""Classification of images: how often the right class is the first, or among five; in percent."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnrd.core.errors import UserError
from nnrd.datasets.index import Index
from nnrd.tasks import Metric, Prediction, Row, Task


class Classification(Task):
    """A prediction has ``classes``, the five likeliest numbers, likeliest first.

    An item's facts have its ``label``, a class number from 0.
    """

    metrics = (
        Metric("top1", "right class first", "%", higher_is_better=True),
        Metric("agreement", "agreement with the anchor", "%", True, to_anchor=True),
    )
    others = (Metric("top5", "right class among five", "%", higher_is_better=True),)

    def score(
        self, index: Index, anchor: Sequence[Prediction], predictions: Sequence[Prediction]
    ) -> tuple[dict[str, Any], list[Row]]:
        """Return ``top1``, ``top5`` and ``agreement`` (the first class is the anchor's), in %."""
        labels = {item.name: item.facts.get("label") for item in index.items}
        firsts = {prediction["item"]: prediction["classes"][0] for prediction in anchor}
        rows = [_row(labels, firsts, prediction) for prediction in predictions]
        names = ("top1", "top5", "agreement")
        return {name: sum(row[name] for row in rows) / len(rows) for name in names}, rows


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
