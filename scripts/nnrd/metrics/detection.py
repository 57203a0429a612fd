"""How good detections are: COCO's average precision, agreement, and TR 26.847's own mAP.

All scores are fractions of 1. ``nan`` means that there was nothing to score.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnrd.core.errors import UserError

COCO_METRICS = (
    *("AP", "AP50", "AP75", "APs", "APm", "APl"),
    *("AR1", "AR10", "AR100", "ARs", "ARm", "ARl"),
)
IOU_THRESHOLDS = tuple((50 + 5 * step) / 100 for step in range(10))
THINNEST_SIDE = 1e-6  # a thinner box is lost in rounding, and then does not overlap itself


def tr26847_map(
    images: Iterable[Mapping], score_threshold: float = 0.5
) -> tuple[float, dict[str, float]]:
    """Score detections with the mean average precision of 3GPP TR 26.847.

    It is not COCO's: each image is scored by itself, the ten IoU thresholds 0.50 to 0.95 are the
    ten points of one precision-recall curve, one prediction may find several boxes, and boxes of
    a class that is absent from the image's ground truth cost nothing.

    Args:
        images: one mapping an image, with ``ground_truth`` rows ``[label, x1, y1, x2, y2]`` and
            ``predictions`` rows ``[label, x1, y1, x2, y2, score]``, all boxes in one unit.
        score_threshold: predictions count where their score is greater than this.

    Returns:
        The mean over classes, and for each class the mean over the images that hold it, in the
        order in which the classes appear. Without any ground truth the mean is nan.

    """
    per_class: dict[str, list[float]] = defaultdict(list)
    for image in images:
        for label, score in tr26847_aps(image, score_threshold).items():
            per_class[label].append(score)
    means = {label: float(np.mean(values)) for label, values in per_class.items()}
    return (float(np.mean(list(means.values()))) if means else math.nan), means


def tr26847_aps(image: Mapping, score_threshold: float = 0.5) -> dict[str, float]:
    """Return the AP of each class that an image holds; the arguments are those of `tr26847_map`."""
    kept = [row for row in image["predictions"] if row[5] > score_threshold]
    kept.sort(key=lambda row: -row[5])
    scores = {}
    for label in dict.fromkeys(row[0] for row in image["ground_truth"]):
        truth = [row[1:5] for row in image["ground_truth"] if row[0] == label]
        found = [row[1:5] for row in kept if row[0] == label]
        scores[label] = _tr26847_ap(box_iou(found, truth))
    return scores


def mean_of_classes(scores: Sequence[Mapping[str, float]], weights: np.ndarray) -> np.ndarray:
    """Return the TR's mean of each draw of images, float64 (draws,); nan where none has an object.

    ``scores``: of each image what `tr26847_aps` returns; ``weights``: how often each image is in
    each draw, (draws, images). A class counts in the draws that hold it.
    """
    labels = sorted({label for found in scores for label in found})
    table = np.array([[found.get(label, np.nan) for label in labels] for found in scores])
    held = weights @ ~np.isnan(table).reshape(len(scores), -1)
    sums = weights @ np.nan_to_num(table).reshape(len(scores), -1)
    means = np.divide(sums, held, out=np.zeros_like(sums), where=held > 0)
    classes = (held > 0).sum(axis=1)
    empty = np.full(len(weights), np.nan)
    return np.divide(means.sum(axis=1), classes, out=empty, where=classes > 0)


def box_iou(first: Sequence, second: Sequence) -> np.ndarray:
    """Return the intersection over union of each pair of boxes, float64 of shape (n, m).

    Boxes are rows ``x1, y1, x2, y2``; a box without area has an IoU of 0 with every other.
    """
    a = np.asarray(first, np.float64).reshape(-1, 1, 4)
    b = np.asarray(second, np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = sides.clip(min=0).prod(axis=-1)
    total = _area(a) + _area(b) - shared
    return np.divide(shared, total, out=np.zeros_like(shared), where=total > 0)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2:] - boxes[..., :2]).clip(min=0).prod(axis=-1)


def _tr26847_ap(iou: np.ndarray) -> float:
    """AP of one class in one image; ``iou`` is (predictions by score, ground truth)."""
    predictions, truths = iou.shape
    if predictions == 0:
        return 0.0  # no threshold adds a point: the curve is (0, 0), (1, 0)
    hits = [_true_positives(iou >= threshold) for threshold in IOU_THRESHOLDS]
    recall = np.array([0.0, *(hit / truths for hit in hits), 1.0])
    precision = np.array([0.0, *(hit / predictions for hit in hits), 0.0])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    # Recall falls as the threshold rises, so most steps are negative: that is the TR's sum.
    return float(np.sum(np.diff(recall) * precision[1:]))


def _true_positives(overlaps: np.ndarray) -> int:
    """Count predictions (rows) that are the first to overlap at least one box (column)."""
    first = overlaps.argmax(axis=0)[overlaps.any(axis=0)]
    return len(set(first.tolist()))


def coco_ap(ground_truth: Mapping, predictions: Sequence[Mapping]) -> dict[str, float]:
    """Score detections with the twelve numbers of COCO.

    Args:
        ground_truth: a COCO dataset (``images``, ``annotations``, ``categories``).
        predictions: COCO results: ``image_id``, ``category_id``, ``bbox`` [x, y, width, height]
            in pixels, ``score``. The 100 of highest score an image and category are used.

    Returns:
        ``AP`` (IoU 0.50 to 0.95), ``AP50``, ``AP75``, ``APs``, ``APm``, ``APl`` (small, medium
        and large boxes), ``AR1``, ``AR10``, ``AR100`` (recall with so many detections an image),
        ``ARs``, ``ARm``, ``ARl``: fractions, nan where pycocotools says -1 (no such box).

    Raises:
        UserError: a prediction is for an image that is not in the ground truth.

    """
    evaluator = _evaluate(ground_truth, predictions)
    evaluator.summarize()
    values = (math.nan if value < 0 else float(value) for value in evaluator.stats)
    return dict(zip(COCO_METRICS, values, strict=True))


def agreement(
    anchor_predictions: Sequence[Mapping],
    predictions: Sequence[Mapping],
    score_threshold: float = 0.5,
) -> float:
    """Return how far detections agree with the anchor's: COCO's AP, the anchor being the truth.

    Ground truth is what the anchor detects with ``score >= score_threshold``. The threshold
    does not touch ``predictions``, which all compete by score, as COCO's AP has it: a codec that
    only moves a score from 0.51 to 0.49 keeps its box. The anchor against itself gives exactly
    1.0, since its weaker detections rank behind all that are right. Categories that the anchor
    never detects cost nothing; boxes without width or height (under 1e-6) are left out.

    Args:
        anchor_predictions: COCO results (see ``coco_ap``) of the whole, uncompressed model.
        predictions: COCO results for the same images.
        score_threshold: the least score of an anchor's detection that counts as truth.

    Returns:
        A fraction; nan where the anchor detects nothing.

    """
    truth, predictions, most = compared(anchor_predictions, predictions, score_threshold)
    if not truth:
        return math.nan
    image_ids = {row["image_id"] for rows in (truth, predictions) for row in rows}
    dataset = {
        "images": [{"id": image_id} for image_id in sorted(image_ids)],
        "categories": [{"id": n} for n in sorted({row["category_id"] for row in truth})],
        "annotations": truth,
    }
    evaluator = _evaluate(dataset, predictions, max_detections=most)
    precision = evaluator.eval["precision"][..., 0, -1]
    # COCO divides by TP + FP + 2.2e-16: without rounding one perfect box scores 1 - 2.2e-16.
    return round(float(precision[precision > -1].mean()), 12)


def compared(
    anchor_predictions: Sequence[Mapping],
    predictions: Sequence[Mapping],
    score_threshold: float = 0.5,
) -> tuple[list[Mapping], list[Mapping], int]:
    """Return what `agreement` compares: truth, detections, how many of an image and class count."""
    truth = [row for row in _solid(anchor_predictions) if row["score"] >= score_threshold]
    counts = Counter((row["image_id"], row["category_id"]) for row in truth)
    return truth, _solid(predictions), max([100, *counts.values()])


class Damage(NamedTuple):
    """Detections held against the anchor's: right, invented and lost ones."""

    right: int
    invented: int
    lost: int

    @property
    def precision(self) -> float:
        """Share of the detections that the anchor has too; nan where there are none."""
        return _share(self.right, self.right + self.invented)

    @property
    def recall(self) -> float:
        """Share of the anchor's detections that are there; nan where it has none."""
        return _share(self.right, self.right + self.lost)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; nan where neither side detects anything."""
        return _share(2 * self.right, 2 * self.right + self.invented + self.lost)

    def __add__(self, other: object) -> "Damage":
        """Return the counts of two images together."""
        if not isinstance(other, Damage):
            return NotImplemented
        return Damage(*(a + b for a, b in zip(tuple(self), tuple(other), strict=True)))


def damage(
    anchor: Sequence[Mapping],
    found: Sequence[Mapping],
    score_threshold: float = 0.5,
    iou_threshold: float = 0.5,
) -> Damage:
    """Count what a point's detections of one image have in common with the anchor's.

    Of both sides those count whose score is at least ``score_threshold``, which are what a user
    is shown. Class by class, ours are taken by falling score; each takes the anchor's box that it
    overlaps most and that is still free, if their IoU is at least ``iou_threshold`` (the matching
    of PASCAL VOC, Everingham et al. 2010, section 4.2). Invented objects, lost ones and scores
    that fall below the threshold all count, whatever their rank.

    Args:
        anchor: the whole model's detections, rows with ``category_id``, ``bbox``, ``score``.
        found: the point's, likewise.
        score_threshold: the least score of a detection that counts, of either side.
        iou_threshold: the least overlap of two boxes of one object.

    """
    theirs, ours = (
        sorted((row for row in rows if row["score"] >= score_threshold), key=_by_score)
        for rows in (anchor, found)
    )
    right = 0
    for category in {row["category_id"] for row in ours}:
        boxes = [_corners(row["bbox"]) for row in ours if row["category_id"] == category]
        truth = [_corners(row["bbox"]) for row in theirs if row["category_id"] == category]
        right += _matches(box_iou(boxes, truth), iou_threshold)
    return Damage(right, len(ours) - right, len(theirs) - right)


def is_perfect(
    objects: Sequence[Mapping],
    found: Sequence[Mapping],
    score_threshold: float = 0.5,
    iou_threshold: float = 0.5,
) -> bool:
    """Return whether an image's detections are its objects: precision and recall are 1.

    ``objects`` are the ground truth, rows with ``category_id``, ``bbox``, ``iscrowd``; the other
    arguments and the matching are those of `damage`. Crowd regions are no objects, and what is
    found in them is wrong; where there is no object there is nothing to be perfect in. The rule
    by which TR 26.847, clause 5.3.9, chose its images.
    """
    truth = [{**row, "score": math.inf} for row in objects if not row["iscrowd"]]
    counts = damage(truth, found, score_threshold, iou_threshold)
    return counts.right > 0 and counts.invented == counts.lost == 0


def _matches(overlaps: np.ndarray, threshold: float) -> int:
    """Match rows, in their order, with the free column that each overlaps most; count them."""
    free = overlaps.copy()
    count = 0
    for row in free if free.size else ():
        best = int(row.argmax())
        if row[best] >= threshold:
            free[:, best] = -1
            count += 1
    return count


def _by_score(row: Mapping) -> float:
    return -row["score"]


def _corners(bbox: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, width, height = bbox
    return x, y, x + width, y + height


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _solid(rows: Sequence[Mapping]) -> list[Mapping]:
    return [row for row in rows if min(row["bbox"][2:]) > THINNEST_SIDE]


def _evaluate(ground_truth: Mapping, predictions: Sequence[Mapping], max_detections: int = 100):
    """Run COCO's evaluation on boxes; return the evaluator, its arguments left as they were."""
    from faster_coco_eval import COCO, COCOeval_faster

    known = {image["id"] for image in ground_truth["images"]}
    for row in predictions:
        if row["image_id"] not in known:
            raise UserError(f"prediction for image {row['image_id']}: not in the ground truth")
    truth = COCO({**ground_truth, "annotations": _annotations(ground_truth["annotations"])})
    found = truth.loadRes([dict(row) for row in predictions])
    evaluator = COCOeval_faster(truth, found, iouType="bbox", print_function=_say_nothing)
    evaluator.params.maxDets = [1, 10, max_detections]
    evaluator.evaluate()
    evaluator.accumulate()
    return evaluator


def _say_nothing(*_: object) -> None:
    pass


def _annotations(rows: Iterable[Mapping]) -> list[dict]:
    """Copy annotations with what COCO needs; an id of 0 would mean "not matched" there."""
    return [
        {"iscrowd": 0, "area": row["bbox"][2] * row["bbox"][3], **row, "id": number}
        for number, row in enumerate(rows, start=1)
    ]
