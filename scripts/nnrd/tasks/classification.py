"""Classification of photos: how often the right class is the first, or among five; in percent."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnrd.errors import UserError
from nnrd.program import read_json

METRIC = "top1"
HIGHER_IS_BETTER = True


def truth(index: Path, annotations: Path) -> dict[str, int]:
    """Return the class of each item, from the dataset's index."""
    return {row["name"]: row["label"] for row in read_json(index)}


def score(
    truth: Mapping[str, int], anchor: Sequence[dict], predictions: Sequence[dict]
) -> tuple[dict, list[dict]]:
    """Score class numbers against ``truth``, the right ones by item, and the anchor's.

    ``anchor`` and ``predictions``: one mapping a photo with ``item`` and ``classes``, the five
    likeliest class numbers, likeliest first. Returns ``top1``, ``top5`` and ``agreement`` (photos
    whose first class is the anchor's) in percent, and a row a photo. Raises UserError for a
    photo without a label.
    """
    firsts = {prediction["item"]: prediction["classes"][0] for prediction in anchor}
    rows = [_row(truth, firsts, prediction) for prediction in predictions]
    metrics = {
        key: sum(row[key] for row in rows) / len(rows) for key in ("top1", "top5", "agreement")
    }
    return metrics, rows


def _row(truth: Mapping[str, int], firsts: Mapping[str, int], prediction: dict) -> dict:
    item, classes = prediction["item"], prediction["classes"]
    if item not in truth:
        raise UserError(f"{item}: has no label")
    return {
        "item": item,
        "top1": 100.0 * (classes[0] == truth[item]),
        "top5": 100.0 * (truth[item] in classes[:5]),
        "agreement": 100.0 * (classes[0] == firsts[item]),
        "classes": " ".join(map(str, classes)),
    }
