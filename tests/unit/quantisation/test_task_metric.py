"""A task's metric as quantisation takes it: over all, and an item's."""

import pytest

from nnrd.core.errors import UserError
from nnrd.datasets.index import Index, Item
from nnrd.quantisation.task_metric import TaskMetric

WORDS = {"a": "one two three four", "b": "one two"}
SPEECH = Index([Item(name, "", "", {"text": text}) for name, text in WORDS.items()])
IMAGES = Index([Item(name, "", "", {"label": 3}) for name in "abcd"])


def test_word_errors_are_of_the_corpus_and_of_an_item():
    metric = TaskMetric("asr", SPEECH)
    assert not metric.higher_is_better and metric.avg_value != metric.avg_value
    metric.update({"item": "a", "text": "one two three four"}, None)
    assert metric.value == [0]
    metric.update({"item": "b", "text": "one"}, None)
    assert metric.value == [50]
    assert metric.avg_value == pytest.approx(100 / 6)
    assert metric.get_attributes() == {"WER": {"direction": "higher-worse", "type": "WER"}}
    assert metric.scores()["words"] == 6
    metric.reset()
    assert metric.avg_value != metric.avg_value


def test_what_compares_with_the_float_model_is_given_its_predictions():
    right = [{"item": name, "classes": [3, 1, 2, 4, 5]} for name in "abcd"]
    wrong = [{"item": name, "classes": [7, 1, 2, 4, 5]} for name in "abcd"]
    for name, anchor, expected in (
        ("top1", right, 25),
        ("agreement", right, 25),
        ("agreement", wrong, 75),
        ("agreement", (), 100),
    ):
        metric = TaskMetric("classification", IMAGES, name, anchor)
        for prediction in (*wrong[:3], right[3]):
            metric.update(prediction, None)
        assert metric.avg_value == expected


def test_a_metric_that_the_task_has_not():
    with pytest.raises(UserError, match="unknown metric 'F1'"):
        TaskMetric("asr", SPEECH, "F1")
