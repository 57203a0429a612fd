"""Classification is scored by the right class, and by agreement with the anchor."""

import pytest

from nnrd import UserError
from nnrd.datasets.index import Index, Item
from nnrd.tasks import REGISTRY


def index(labels):
    return Index([Item(name, "", "", {"label": label}) for name, label in labels.items()])


def test_classification_score():
    classification = REGISTRY.get("classification")()
    anchor = [{"item": "a", "classes": [1, 0]}, {"item": "b", "classes": [0, 2]}]
    ours = [{"item": "a", "classes": [3, 1]}, {"item": "b", "classes": [0, 9]}]
    metrics, rows = classification.score(index({"a": 1, "b": 2}), anchor, ours)
    expected = {"top1": 0, "top5": 50, "agreement": 50}
    assert {name: metrics[name] for name in expected} == expected
    assert [row["top5"] for row in rows] == [100, 0]
    assert (classification.metric.name, classification.metric.higher_is_better) == ("top1", True)
    with pytest.raises(UserError, match="b: has no label"):
        classification.score(index({"a": 1}), anchor, ours)
