"""A model that a codec takes as a whole, through the stages: quantised, run, and held apart."""

import pytest

from nnrd import UserError
from nnrd.datasets.index import Index, Item
from nnrd.quantisation.task_metric import TaskMetric
from nnrd.stages import infer_quantised, model_runs
from nnrd.tasks import Metric

ITEMS = [Item(name, f"{name}.png", f"sum of {name}", {"label": 1}) for name in "abcd"]


def index_of(*items):
    return Index([*items])


@pytest.mark.parametrize(
    ("looked_at", "said"),
    [
        ([ITEMS[1]], "item b is scored, and the model was calibrated by it"),
        ([Item("x", "x.png", "sum of b")], "calibrated by it, there called x"),
    ],
)
def test_items_that_a_model_was_calibrated_by_are_not_scored(tmp_path, looked_at, said):
    """By their content: another dataset may have the same file under another name."""
    scored = index_of(*ITEMS[:3])
    with pytest.raises(UserError, match=said) as caught:
        infer_quantised.refuse_overlap(scored, index_of(*looked_at), tmp_path / "index.json")
    assert "\n" not in str(caught.value)
    infer_quantised.refuse_overlap(scored, index_of(ITEMS[3]), tmp_path / "index.json")


def test_a_tasks_metric_moves_with_the_predictions():
    metric = TaskMetric("classification", index_of(*ITEMS))
    for item, classes in zip(ITEMS, ([1, 2], [2, 1], [1, 3], [1, 4]), strict=True):
        metric.update({"item": item.name, "classes": [*classes, 5, 6, 7]}, item)
    assert metric.name == "top1" and metric.higher_is_better
    assert metric.avg_value == 75 and metric.value == [100]
    metric.reset()
    metric.update({"item": "a", "classes": [9, 2, 3, 4, 5]}, ITEMS[0])
    assert metric.avg_value == 0
    assert isinstance(metric.task.metric, Metric)


def test_the_loader_and_the_engine_hand_items_to_the_pipeline():
    class Pipeline:
        def predict_one(self, run, item):
            return {"found": run({"x": item.name}), "with": list(self.graphs)}

    loader = model_runs.Items(ITEMS)
    assert len(loader) == 4 and loader[2] == (ITEMS[2], ITEMS[2])
    engine = model_runs.PipelineEngine(Pipeline())
    graphs = {"encoder": lambda feeds: feeds["x"] * 2, "decoder": None}
    found = engine.predict(graphs, ITEMS[1])
    assert found == {"item": "b", "found": "bb", "with": ["encoder", "decoder"]}
