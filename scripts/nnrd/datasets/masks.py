"""Masks of objects as COCO's run-length encoding, which its results carry.

``{"size": [height, width], "counts": text}``: the lengths of runs, of zeros first, down the columns
from the left, as differences to the last but one from the fourth on, six bits a character (COCO's
maskApi.c, rleToString). Read without its code, which trusts what it is given.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nnrd.core.errors import UserError

Segmentation = dict[str, Any]
LARGEST = 1 << 28  # pixels of a mask
BITS, SIGN, MORE, FIRST = 5, 0x10, 0x20, 48  # of a character


def encode(mask: np.ndarray) -> Segmentation:
    """Return a mask, bool (height, width), as COCO has it."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate([[0], ends]))
    rest = mask.size - int(runs.sum())
    lengths = [*runs.tolist(), *([rest] if rest else [])] if mask.size else []
    steps = (run - (lengths[i - 2] if i > 2 else 0) for i, run in enumerate(lengths))
    counts = "".join(map(_characters, steps))
    return {"size": [int(side) for side in mask.shape], "counts": counts}


def _characters(value: int) -> str:
    found, more = "", True
    while more:
        part, value = value & (SIGN * 2 - 1), value >> BITS
        more = value != (-1 if part & SIGN else 0)
        found += chr((part | MORE * more) + FIRST)
    return found


def decode(segmentation: Mapping[str, Any]) -> np.ndarray:
    """Return a mask, bool (height, width); UserError for what is none."""
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list) or not _is_size(size) or not isinstance(counts, str):
        raise UserError("segmentation: is not COCO's: a size [height, width] and counts as text")
    height, width = size
    lengths = list(_lengths(counts, height * width))
    if sum(lengths) != height * width:
        raise UserError(f"segmentation: its runs are not the pixels of {width}x{height}")
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape((height, width), order="F")


def _is_size(size: list[Any]) -> bool:
    whole = len(size) == 2 and all(type(side) is int and side > 0 for side in size)
    return whole and size[0] * size[1] <= LARGEST


def _lengths(counts: str, most: int) -> Iterator[int]:
    """Yield the lengths of the runs; UserError for a character or a length that cannot be."""
    before: list[int] = []
    value = shift = 0
    for character in counts:
        part = ord(character) - FIRST
        if not 0 <= part < 2 * MORE or shift > most.bit_length() + 2 * BITS:
            raise UserError(f"segmentation: counts: {character!r} is not COCO's")
        value |= (part & (MORE - 1)) << shift
        shift += BITS
        if part & MORE:
            continue
        value -= (1 << shift) if part & SIGN else 0
        value += before[-2] if len(before) > 2 else 0
        if not 0 <= value <= most:
            raise UserError(f"segmentation: a run of {value} pixels, of {most}")
        before.append(value)
        yield value
        value = shift = 0
