"""COCO's average precision of many draws of the same images, without matching boxes again.

Detections are matched with objects image by image, once; what a draw changes is how often each
image counts. For the draw that holds each image once the numbers are pycocotools'.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

THRESHOLDS = np.linspace(0.5, 0.95, 10)  # of the IoU
RECALLS = np.linspace(0.0, 1.0, 101)
CLOSEST = 1 - 1e-10  # pycocotools' largest threshold
Group = dict[tuple[int, int], list[Mapping]]


class Matched(NamedTuple):
    """One category's detections on all images, by falling score.

    ``image``: the place of each one's image, int (n,); ``right`` and ``ignored``: bool
    (thresholds, n); ``objects``: how many there are on each image, crowds not counted.
    """

    image: np.ndarray
    right: np.ndarray
    ignored: np.ndarray
    objects: np.ndarray


def matched(
    images: Sequence[int],
    annotations: Iterable[Mapping],
    predictions: Iterable[Mapping],
    max_detections: int = 100,
) -> list[Matched]:
    """Match detections with objects as COCO does; one `Matched` a category that has objects.

    ``images``: ids, each once; the places of `Matched` are theirs here. ``annotations``
    and ``predictions``: COCO's rows. Of each image and category the ``max_detections`` of highest
    score are used.
    """
    truth, found = _grouped(annotations), _grouped(predictions)
    # Of tied scores COCO takes those of the lower image id first.
    places = np.argsort(images, kind="stable")
    ordered = [images[place] for place in places]
    return [
        _category(
            [truth.get((category, image), []) for image in ordered],
            [found.get((category, image), []) for image in ordered],
            places,
            max_detections,
        )
        for category in sorted({category for category, _ in truth})
    ]


def _grouped(rows: Iterable[Mapping]) -> Group:
    groups: Group = {}
    for row in rows:
        groups.setdefault((row["category_id"], row["image_id"]), []).append(row)
    return groups


def _category(
    truth: list[list[Mapping]], found: list[list[Mapping]], places: np.ndarray, limit: int
) -> Matched:
    kept = [sorted(rows, key=lambda row: -row["score"])[:limit] for rows in found]
    nothing = np.zeros((len(THRESHOLDS), 0), dtype=bool)
    pairs = [_match(*pair) for pair in zip(truth, kept, strict=True) if pair[1]]
    scores = np.array([row["score"] for rows in kept for row in rows], dtype=float)
    order = np.argsort(-scores, kind="stable")
    image = np.repeat(places, [len(rows) for rows in kept])
    parts = zip((nothing, nothing), *pairs, strict=True)
    right, ignored = (np.concatenate(part, axis=1) for part in parts)
    objects = np.zeros(len(places))
    objects[places] = [sum(not row.get("iscrowd", 0) for row in rows) for rows in truth]
    return Matched(image[order], right[:, order], ignored[:, order], objects)


def _match(truth: list[Mapping], found: list[Mapping]) -> tuple[np.ndarray, np.ndarray]:
    """Return which detections of one image are right, and which lie in a crowd and do not count."""
    right = np.zeros((len(THRESHOLDS), len(found)), dtype=bool)
    ignored = np.zeros_like(right)
    if not truth or not found:
        return right, ignored
    crowd = np.array([bool(row.get("iscrowd", 0)) for row in truth])
    overlaps = _overlaps(found, truth, crowd)
    least = np.minimum(THRESHOLDS, CLOSEST)[:, None]
    free = np.ones((len(THRESHOLDS), int((~crowd).sum())), dtype=bool)
    for number, row in enumerate(overlaps):
        hit, place = _best(np.where(free & (row[~crowd] >= least), row[~crowd], -1.0))
        free[hit, place[hit]] = False
        right[:, number] = hit
        ignored[:, number] = ~hit & (row[crowd] >= least).any(axis=1)
    return right, ignored


def _best(candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each row has a candidate, and the last of its best: COCO's own order."""
    if not candidates.shape[1]:
        return np.zeros(len(candidates), dtype=bool), np.zeros(len(candidates), dtype=int)
    place = candidates.shape[1] - 1 - candidates[:, ::-1].argmax(axis=1)
    return candidates.max(axis=1) >= 0, place


def _overlaps(found: list[Mapping], truth: list[Mapping], crowd: np.ndarray) -> np.ndarray:
    """Return COCO's IoU, (detections, objects); with a crowd, the share of the detection in it."""
    ours = np.array([row["bbox"] for row in found], dtype=float)[:, None]
    theirs = np.array([row["bbox"] for row in truth], dtype=float)[None]
    ends = np.minimum(ours[..., :2] + ours[..., 2:], theirs[..., :2] + theirs[..., 2:])
    sides = (ends - np.maximum(ours[..., :2], theirs[..., :2])).clip(min=0)
    shared, area = sides.prod(axis=-1), ours[..., 2:].prod(axis=-1)
    whole = np.where(crowd, area, area + theirs[..., 2:].prod(axis=-1) - shared)
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)


def drawn(
    categories: Sequence[Matched], weights: np.ndarray, thresholds: int = len(THRESHOLDS)
) -> np.ndarray:
    """Return the average precision of each draw over the first thresholds, (draws,), a fraction.

    ``weights``: how often each image is in each draw, (draws, images). The mean is over the
    categories that have an object in the draw; nan where none has.
    """
    total, count = np.zeros(len(weights)), np.zeros(len(weights))
    for category in categories:
        first, of = _distinct(weights[:, _images(category)])
        objects = weights[first] @ category.objects
        held = objects > 0
        there = held[of]
        place = (held.cumsum() - 1)[of[there]]
        for t in range(thresholds):
            if t == 0 or not _is_as_before(category, t):
                found = _at(category, t, weights[first[held]], objects[held])
            total[there] += found[place] / thresholds
        count[there] += 1
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _images(found: Matched) -> np.ndarray:
    """Return the images that a category's precision depends on: places, each once."""
    ends = np.flatnonzero(found.right.any(axis=0))
    with_found = found.image[: ends[-1] + 1] if len(ends) else found.image[:0]
    return np.union1d(np.flatnonzero(found.objects), with_found)


def _distinct(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows that differ, by their places, and of each row the place among those.

    A category is on few images, so most draws are alike to it. Where many images matter, all rows
    are said to differ.
    """
    base = weights.max(initial=0) + 1
    if base ** weights.shape[1] >= 2**53:
        return np.arange(len(weights)), np.arange(len(weights))
    keys = weights @ base ** np.arange(weights.shape[1])
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    return first, of


def _is_as_before(found: Matched, t: int) -> bool:
    """Say whether a threshold lets the same detections pass as the one before."""
    return all(np.array_equal(part[t], part[t - 1]) for part in (found.right, found.ignored))


def _at(found: Matched, t: int, weights: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return a category's average precision of each draw at a threshold, (draws,)."""
    counted = ~found.ignored[t]
    image, is_right = found.image[counted], found.right[t][counted]
    ends = np.flatnonzero(is_right)  # recall rises at the right ones; there precision matters
    if not len(ends):
        return np.zeros(len(weights))
    right = weights[:, image[ends]].cumsum(axis=1)
    # All of lower score than one right detection and not of the next, image by image.
    between = np.zeros((weights.shape[1], len(ends)))
    np.add.at(between, (image[: ends[-1] + 1], np.searchsorted(ends, np.arange(ends[-1] + 1))), 1)
    precision = right / ((weights @ between).cumsum(axis=1) + np.spacing(1))
    highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = np.searchsorted(RECALLS, right / objects[:, None], side="right")
    return (highest * np.diff(reached, axis=1, prepend=0)).sum(axis=1) / len(RECALLS)
