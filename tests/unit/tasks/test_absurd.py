"""Every metric is fed something absurd, and has to move, or to stay, as a person would say."""

import math

import pytest

from nnrd.datasets.index import Index, Item
from nnrd.tasks import REGISTRY

COUNT = 12


def boxes(number, score=0.9, side=20.0):
    at = [10.0 + 3 * number, 15.0]
    return [{"category_id": number % 3 + 1, "bbox": [*at, side, side], "score": score}]


def images(objects=1):
    found = []
    for number in range(COUNT):
        rows = [{**row, "area": 400.0, "iscrowd": 0} for row in boxes(number)[:objects]]
        facts = {"image_id": number, "width": 200, "height": 200, "objects": rows}
        found.append(Item(f"i{number:02}", "", "", facts))
    return Index(found, {1: "cat", 2: "dog", 3: "cup"})


def detected(change=lambda number: boxes(number)):
    return [{"item": f"i{number:02}", "detections": change(number)} for number in range(COUNT)]


def invented(number):
    """Fifty boxes that are not there, surer than the one that is."""
    more = [{"category_id": 1, "bbox": [4.0 * k, 150.0, 3.0, 3.0]} for k in range(50)]
    return boxes(number) + [{**row, "score": 0.99} for row in more]


def one_moved(number):
    return boxes(number) if number else [{**boxes(0)[0], "bbox": [150.0, 150.0, 20.0, 20.0]}]


DETECTIONS = {
    # what is fed: metrics that fall below so many percent
    "fifty invented boxes": (invented, {"F1": 10, "precision": 5, "AP": 80}),
    "halved scores": (lambda n: boxes(n, 0.45), {"F1": 1, "recall": 1, "tr26847_map": 1}),
    "boxes half as wide": (lambda n: boxes(n, side=10.0), {"AP": 1, "agreement": 1, "F1": 1}),
    "nothing at all": (lambda n: [], {"AP": 1, "AP50": 1, "agreement": 1, "recall": 1}),
    "one box of twelve moved": (one_moved, {"AP": 99, "AP50": 99, "agreement": 99, "F1": 95}),
    "another class": (
        lambda n: [{**boxes(n)[0], "category_id": 7}],
        {"AP": 1, "F1": 1, "agreement": 1, "tr26847_map": 1},
    ),
}


@pytest.mark.parametrize("name", DETECTIONS)
def test_detections(name):
    change, limits = DETECTIONS[name]
    task = REGISTRY.get("detection")()
    anchor = detected()
    before, _ = task.score(images(), anchor, anchor)
    after, _ = task.score(images(), anchor, detected(change))
    for metric, limit in limits.items():
        assert before[metric] == pytest.approx(100), metric
        assert not after[metric] > limit, metric
        assert after[f"{metric}_low"] <= after[metric] <= after[f"{metric}_high"], metric


def test_scores_that_are_all_halved_move_no_rank():
    """AP and agreement go by rank alone: that is why F1 stands beside them."""
    after, _ = REGISTRY.get("detection")().score(
        images(), detected(), detected(lambda n: boxes(n, 0.45))
    )
    assert after["AP"] == after["agreement"] == pytest.approx(100) and after["F1"] == 0


@pytest.mark.parametrize("count", [1, COUNT])
def test_equal_predictions_have_the_exact_bound(count):
    whole, found = images(), detected()[:count]
    index = Index(whole.items[:count], whole.categories)
    metrics, _ = REGISTRY.get("detection")().score(index, found, found)
    bound = 100 * (1 - 0.025 ** (1 / count))
    for name in ("AP", "AP50", "tr26847_map", "agreement", "F1", "precision", "recall"):
        low, high = metrics[f"{name}_low"], metrics[f"{name}_high"]
        assert (low, high) == pytest.approx((100 - bound, 100)), name
    for name in ("AP", "AP50", "tr26847_map"):
        ends = [metrics[f"{name}_difference_{end}"] for end in ("low", "high")]
        assert ends == pytest.approx([-bound, bound]), name


def test_without_ground_truth_what_needs_it_is_nan():
    metrics, _ = REGISTRY.get("detection")().score(images(objects=0), detected(), detected())
    for name in ("AP", "AP50", "tr26847_map"):
        ends = ("", "_low", "_high", "_difference_low", "_difference_high")
        assert all(math.isnan(metrics[name + end]) for end in ends), name
    assert metrics["F1"] == metrics["agreement"] == 100


def classified(classes):
    return [{"item": f"c{number}", "classes": row} for number, row in enumerate(classes)]


RIGHT = [[k, k + 1, k + 2, k + 3, k + 4] for k in range(10)]
CLASSES = {
    "right": (RIGHT, (100, 100, 100)),
    "the second is right": ([row[1:2] + row[:1] + row[2:] for row in RIGHT], (0, 100, 0)),
    "one class for all": ([[0, 1, 2, 3, 4]] * 10, (10, 50, 10)),
    "none": ([[90, 91, 92, 93, 94]] * 10, (0, 0, 0)),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name):
    classes, expected = CLASSES[name]
    index = Index([Item(f"c{k}", "", "", {"label": k}) for k in range(10)])
    metrics, _ = REGISTRY.get("classification")().score(
        index, classified(RIGHT), classified(classes)
    )
    for metric, value in zip(("top1", "top5", "agreement"), expected, strict=True):
        assert metrics[metric] == pytest.approx(value)
        assert metrics[f"{metric}_low"] <= value <= metrics[f"{metric}_high"]
        assert metrics[f"{metric}_high"] > metrics[f"{metric}_low"]
    moved = metrics["top1_difference_high"] < 0
    assert moved == (expected[0] < 100)
    assert "agreement_difference_low" not in metrics


TEXTS = {f"s{k}": ("press one please", "good bye", "seven of nine")[k % 3] for k in range(9)}
HEARD = {
    "all": (dict, 0, 0),
    "nothing": (lambda texts: dict.fromkeys(texts, ""), 100, 100),
    "much that nobody said": (
        lambda texts: {name: text + " again" * 20 for name, text in texts.items()},
        750,
        800,
    ),
    "one letter wrong": (lambda texts: texts | {"s0": "press one pleas"}, 4, 1),
}


@pytest.mark.parametrize("name", HEARD)
def test_transcripts(name):
    change, words, characters = HEARD[name]
    index = Index([Item(key, "", "", {"text": text}) for key, text in TEXTS.items()])
    anchor, ours = (
        [{"item": key, "text": text} for key, text in side.items()]
        for side in (TEXTS, change(TEXTS))
    )
    metrics, _ = REGISTRY.get("asr")().score(index, anchor, ours)
    for metric, value in (("WER", words), ("CER", characters)):
        assert int(metrics[metric] + 0.5) >= value
        assert metrics[f"{metric}_low"] <= metrics[metric] <= metrics[f"{metric}_high"]
        assert metrics[f"{metric}_difference_low"] <= metrics[metric]


def test_speakers_are_drawn_whole():
    """Of LibriSpeech, items of one speaker have one group."""
    found = []
    for speakers in (9, 3):
        items = [
            Item(key, "", "", {"text": text, "group": k % speakers})
            for k, (key, text) in enumerate(TEXTS.items())
        ]
        texts = [
            {"item": key, "text": "x" if k % 3 else text}
            for k, (key, text) in enumerate(TEXTS.items())
        ]
        metrics, _ = REGISTRY.get("asr")().score(Index(items), texts, texts)
        found.append(metrics["WER_high"] - metrics["WER_low"])
    assert found[1] > found[0]
