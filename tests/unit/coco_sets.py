"""Invented sets of boxes with detections of them, and what pycocotools says of these."""

import contextlib
import copy
import io

import numpy as np

from nnrd.metrics.detection import COCO_METRICS


def pycocotools_numbers(ground_truth, predictions):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = copy.deepcopy(ground_truth)
        truth.createIndex()
        found = truth.loadRes(copy.deepcopy(predictions))
        evaluator = COCOeval(truth, found, "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return dict(zip(COCO_METRICS, evaluator.stats.tolist(), strict=True))


def noisy_detections(ground_truth, seed, false_ones=3):
    """Most of the boxes, moved and with scores, and some that are wrong; scores are tied."""
    rng = np.random.default_rng(seed)
    categories = [category["id"] for category in ground_truth["categories"]]
    rows = []
    for box in ground_truth["annotations"]:
        if rng.random() < 0.85:
            moved = np.array(box["bbox"]) + rng.normal(0, 0.06, 4) * np.tile(box["bbox"][2:], 2)
            rows.append([box["image_id"], box["category_id"], moved, rng.beta(4, 2)])
    for image in ground_truth["images"]:
        for _ in range(false_ones):
            wrong = rng.uniform(5, 200, 4)
            rows.append([image["id"], rng.choice(categories), wrong, rng.beta(2, 4)])
    return [
        {
            "image_id": image,
            "category_id": int(category),
            "bbox": [*bbox[:2].tolist(), *np.maximum(bbox[2:], 1).tolist()],
            "score": round(float(score), 2),
        }
        for image, category, bbox, score in rows
    ]


def synthetic_set(images=12, seed=0, largest=200):
    rng = np.random.default_rng(seed)
    annotations = []
    for number in range(1, images * 5 + 1):
        x, y, width, height = rng.uniform(4, largest, 4).round(1).tolist()
        annotations.append(
            {
                "id": number,
                "image_id": int(rng.integers(images)),
                "category_id": int(rng.integers(1, 4)),
                "bbox": [x, y, width, height],
                "area": width * height,
                "iscrowd": int(rng.random() < 0.05),
            }
        )
    return {
        "images": [{"id": n, "width": 400, "height": 400} for n in range(images)],
        "annotations": annotations,
        "categories": [{"id": n, "name": str(n)} for n in range(1, 5)],
    }
