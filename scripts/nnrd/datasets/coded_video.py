"""Videos that OpenCV decodes, frame by frame, and their frames as items of a dataset."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import MEND
from nnrd.datasets.index import Item
from nnrd.datasets.suffixes import CODED_VIDEO


@contextmanager
def opened(path: Path) -> Iterator[cv2.VideoCapture]:
    """Open a video for a block; UserError where OpenCV cannot."""
    if not path.is_file():
        raise UserError(f"{path}: no such video")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise UserError(f"{path}: not a video that OpenCV can read")
        yield capture
    finally:
        capture.release()


def frames(path: Path) -> Iterator[np.ndarray]:
    """Yield the frames as uint8 RGB (height, width, 3), to the first that cannot be read."""
    with opened(path) as capture:
        while (read := capture.read())[0]:
            yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)


def holds(item: Item) -> bool:
    """Say whether an item is a frame of such a video; ``frame`` in its facts is which, from 0."""
    return "frame" in item.facts and Path(item.path).suffix.lower() in CODED_VIDEO


def checksum(pixels: np.ndarray) -> str:
    """Return the SHA-256 of a frame as it was decoded: the file's says nothing of one frame."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def read_item(item: Item) -> np.ndarray:
    """Return an item's frame as uint8 RGB; UserError where it is not the one that was indexed.

    So is a frame that another version of the decoder gives, and one that was sought and not found.
    """
    number = item.facts["frame"]
    with opened(Path(item.path)) as capture:
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        found, pixels = capture.read()
    if not found:
        raise UserError(f"{item.path}: cut short: frame {number} cannot be read")
    pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    if checksum(pixels) != item.checksum:
        raise UserError(f"{item.path}: damaged: frame {number} has another SHA-256; {MEND}")
    return pixels
