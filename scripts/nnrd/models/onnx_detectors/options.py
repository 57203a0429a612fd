"""What a row says of a detector's input and outputs, in its column ``options``."""

from typing import Any

from nnrd.core.schema import with_defaults
from nnrd.models.family import BEHIND


def _word(*allowed: str) -> dict[str, Any]:
    return {"enum": list(allowed), "default": allowed[0]}


def _name(default: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "default": default}


COLOURS = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
# The input: its name, and how an image becomes it.
INPUT: dict[str, Any] = {
    "input": _name("image"),
    "size": {
        **{"type": "array", "minItems": 2, "maxItems": 2},
        "items": {"type": "integer", "minimum": 1, "maximum": 8192},
    },
    "resize": _word("stretch", "letterbox"),
    "layout": _word("nchw", "nhwc", "chw", "hwc"),
    "colours": _word("rgb", "bgr"),
    "dtype": _word("float32", "uint8"),
    "divide": {"type": "number", "minimum": 1e-9, "default": 255},
    "mean": COLOURS | {"default": [0, 0, 0]},
    "deviation": COLOURS | {"default": [1, 1, 1]},
}
# The outputs: what a box is, and which detections count.
OUTPUT: dict[str, Any] = {
    "form": _word("xyxy", "yxyx", "xywh", "cxcywh"),
    "unit": _word("pixels", "share"),
    "categories": {
        **{"type": ["string", "array"], "pattern": "^(ids|coco80)$", "default": "ids"},
        **{"items": {"type": "integer"}, "minItems": 1},
    },
    "threshold": {"type": "number", "minimum": 0, "default": 0.01},
    "overlap": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
}
THREE_OUTPUTS = {name: _name(name) for name in ("boxes", "scores", "labels")}
MASKS: dict[str, Any] = {"masks": {"type": "string", "minLength": 1}}  # beside these
# Instead of them: one with a row or a column a candidate, its box and what is behind it.
ONE_OUTPUT: dict[str, Any] = {
    "output": {"type": "string", "minLength": 1},
    "values": _word("scores", "objectness_scores", "score_label"),
    "candidates": {"enum": ["first", "last"]},
}
# What such graphs are like where the row does not say it, by ``values``: YOLOv8's and YOLOv5's
# exports, with the overlap of their own evaluations, and graphs that end in the suppression.
USUAL: dict[str, dict[str, Any]] = {
    "scores": {"candidates": "last", "form": "cxcywh", "overlap": 0.7},
    "objectness_scores": {"candidates": "first", "form": "cxcywh", "overlap": 0.6},
    "score_label": {"candidates": "first"},
}
BEHIND_GRAPH = THREE_OUTPUTS | MASKS | ONE_OUTPUT | OUTPUT
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": INPUT | {name: rule | {BEHIND: True} for name, rule in BEHIND_GRAPH.items()},
    "dependentRequired": {"values": ["output"], "candidates": ["output"]},
    "dependentSchemas": {
        "output": {"properties": {key: {"not": {}} for key in [*THREE_OUTPUTS, *MASKS]}}
    },
}


def filled(options: dict[str, Any]) -> dict[str, Any]:
    """Return a row's options, which fit `OPTIONS`, with what is usual where they say nothing."""
    usual = USUAL[options.get("values", "scores")] if "output" in options else {}
    return with_defaults(OPTIONS, usual | options)
