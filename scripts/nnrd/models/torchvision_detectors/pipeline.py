"""What stands around torchvision's detectors, which resize, decode and suppress by themselves."""

from typing import Any

import numpy as np

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models.pipeline import Arrays, Pipeline, output


class DetectorPipeline(Pipeline):
    """RGB in [0, 1] to boxes with COCO's 91 category ids."""

    task = "detection"

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (height, width, 3)."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``input``: float32 (3, height, width), RGB in [0, 1]."""
        scaled = loaded.astype(np.float32) / np.float32(255)
        return {"input": np.ascontiguousarray(scaled.transpose(2, 0, 1))}

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``detections`` from boxes (N, 4) as x1, y1, x2, y2, scores and labels (N,).

        Boxes and scores that are not finite, as damaged tensors make them, are left out. Raises
        UserError for other shapes.
        """
        boxes = output(outputs, "boxes", None, 4)
        scores, labels = (output(outputs, name, len(boxes)) for name in ("scores", "labels"))
        finite = np.isfinite(boxes).all(axis=1) & np.isfinite(scores)
        rows = zip(boxes[finite], scores[finite], labels[finite], strict=True)
        return {
            "detections": [
                {
                    "category_id": int(label),
                    "bbox": [float(v) for v in (*box[:2], *(box[2:] - box[:2]))],
                    "score": float(score),
                }
                for box, score, label in rows
            ]
        }
