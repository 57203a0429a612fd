"""The scores of detections under their short name; see `nnrd.metrics.detection`."""

from nnrd.metrics.detection import agreement, box_iou, coco_ap, tr26847_map

__all__ = ["agreement", "box_iou", "coco_ap", "tr26847_map"]
