"""What a row says of a detector's input and outputs, in its column ``options``."""

from typing import Any

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
# The outputs: their names, what is in them, and which detections count.
OUTPUT: dict[str, Any] = {
    "boxes": _name("boxes"),
    "scores": _name("scores"),
    "labels": _name("labels"),
    "form": _word("xyxy", "yxyx", "xywh", "cxcywh"),
    "unit": _word("pixels", "share"),
    "categories": {
        **{"type": ["string", "array"], "pattern": "^(ids|coco80)$", "default": "ids"},
        **{"items": {"type": "integer"}, "minItems": 1},
    },
    "threshold": {"type": "number", "minimum": 0, "default": 0.01},
    "overlap": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
}
OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": INPUT | {name: rule | {BEHIND: True} for name, rule in OUTPUT.items()},
}
