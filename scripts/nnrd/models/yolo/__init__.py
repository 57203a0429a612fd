"""YOLO v2, Tiny YOLO v2 and YOLO v4."""

from nnrd.models.family import Family

FAMILY = Family(network="nnrd.models.yolo.network:YoloNetwork")
