"""Recognition is scored over the corpus, against the references and against the anchor."""

import pytest

from nnrd import UserError
from nnrd.datasets.index import Index, Item
from nnrd.metrics import normaliser
from nnrd.tasks import REGISTRY


def index(texts):
    return Index([Item(name, "", "", {"text": text}) for name, text in texts.items()])


def prediction(item, text):
    return {"item": item, "text": text}


def test_asr_score():
    asr = REGISTRY.get("asr")()
    truth = index({"a": "Press 1, please.", "b": "Good bye"})
    anchor = [prediction("a", "press one please"), prediction("b", "good bye")]
    ours = [prediction("a", "Press won"), prediction("b", "good bye bye")]
    metrics, rows = asr.score(truth, anchor, ours)
    assert (asr.metric.name, asr.metric.higher_is_better) == ("WER", False)
    assert metrics["WER"] == pytest.approx(100 * 3 / 5)
    counted = {key: metrics[key] for key in ("substitutions", "deletions", "insertions", "words")}
    assert counted == {"substitutions": 1, "deletions": 1, "insertions": 1, "words": 5}
    assert metrics["WER_low"] <= metrics["WER"] <= metrics["WER_high"]
    assert metrics["WER_difference_low"] >= 0
    assert metrics["normaliser"] == normaliser.NAME
    assert [row["item"] for row in rows] == ["a", "b"]
    assert asr.score(truth, anchor, anchor)[0]["WER"] == 0


@pytest.mark.parametrize(
    ("truth", "message"), [({}, "a: has no transcript"), ({"a": "…"}, "has no words")]
)
def test_asr_without_truth(truth, message):
    with pytest.raises(UserError, match=message):
        REGISTRY.get("asr")().score(index(truth), [prediction("a", "x")], [prediction("a", "x")])
