"""Raw video as the common test conditions have it: 4:2:0 with 8 bits a sample, size in the name.

``BasketballPass_416x240_50.yuv``: width, height, and, where it is given, frames a second. A frame
is the plane of luma and the two of chroma, one after the other (I420). Colours are those of
ITU-R BT.601 with limited range, which FFmpeg takes too where a video does not say.
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import MEND
from nnrd.datasets.index import Item
from nnrd.datasets.suffixes import RAW_VIDEO

NAME = re.compile(r"_(?P<width>\d{1,5})x(?P<height>\d{1,5})(?:_(?P<fps>\d{1,3})(?!\d))?")
MAGIC = b"YUV4MPEG2 "  # of a frame as a file of its own, Y4M, which says its size


class Shape(NamedTuple):
    """Width and height in pixels, and frames a second; 0: not known."""

    width: int
    height: int
    fps: float = 0.0

    @property
    def bytes(self) -> int:
        """The bytes of a frame."""
        return self.width * self.height * 3 // 2


def shape(path: Path) -> Shape:
    """Return what a sequence's name says: ``…_WxH_fps…``; UserError where it says no size."""
    match = NAME.search(path.name)
    found = Shape(*(int(match[key] or 0) for key in ("width", "height", "fps"))) if match else None
    if found is None or 0 in found[:2]:
        raise UserError(f"{path}: its name says no size, as NAME_416x240_50 does")
    if found.width % 2 or found.height % 2:
        raise UserError(f"{path}: 4:2:0 needs an even width and height")
    return found


def count(path: Path) -> int:
    """Return the number of whole frames; UserError where the file is missing or has none."""
    if not path.is_file():
        raise UserError(f"{path}: no such raw video")
    return path.stat().st_size // shape(path).bytes


def rest(path: Path) -> int:
    """Return how many bytes follow the last whole frame: more than 0 in a file cut short."""
    return path.stat().st_size % shape(path).bytes


def frame_bytes(path: Path, number: int) -> bytes:
    """Return the bytes of frame ``number``, from 0; UserError where the video ends before it."""
    size = shape(path).bytes
    try:
        with path.open("rb") as file:
            file.seek(number * size)
            data = file.read(size)
    except FileNotFoundError:
        raise UserError(f"{path}: no such raw video") from None
    if len(data) < size:
        raise UserError(f"{path}: cut short: it has no whole frame {number}")
    return data


def holds(item: Item) -> bool:
    """Say whether an item is a frame of a raw video; ``frame`` in its facts is which, from 0."""
    return item.path.endswith(RAW_VIDEO) and "frame" in item.facts


def verified(item: Item) -> bytes:
    """Return the bytes of an item's frame; UserError where they have another SHA-256."""
    number = item.facts["frame"]
    data = frame_bytes(Path(item.path), number)
    if hashlib.sha256(data).hexdigest() != item.checksum:
        raise UserError(f"{item.path}: damaged: frame {number} has another SHA-256; {MEND}")
    return data


def read_item(item: Item) -> np.ndarray:
    """Return an item's frame as uint8 RGB (height, width, 3); UserError as in `verified`."""
    return decode(verified(item), *shape(Path(item.path))[:2])


def decode(data: bytes, width: int, height: int) -> np.ndarray:
    """Return a frame as uint8 RGB (height, width, 3)."""
    planes = np.frombuffer(data, np.uint8).reshape(height * 3 // 2, width)
    return cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420)


def as_file(item: Item) -> bytes:
    """Return an item's frame as a file that says its size: Y4M with one frame."""
    found, data = shape(Path(item.path)), verified(item)
    rate = f"{found.fps:.0f}:1" if found.fps else "0:0"
    return f"YUV4MPEG2 W{found.width} H{found.height} F{rate} C420\nFRAME\n".encode() + data


def decode_file(data: bytes) -> np.ndarray:
    """Return the image in `as_file`'s bytes; ValueError where they are something else."""
    head, _, frame = data.partition(b"\nFRAME\n")
    match = re.fullmatch(rb"YUV4MPEG2 W(\d{1,5}) H(\d{1,5}) F\d+:\d+ C420", head)
    if match is None:
        raise ValueError("Y4M of another form than one frame of 4:2:0")
    return decode(frame, int(match[1]), int(match[2]))
