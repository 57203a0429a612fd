"""Reading images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnrd.core.errors import UserError
from nnrd.core.files import read_verified
from nnrd.datasets import coded_video, raw_video
from nnrd.datasets.index import Item

if TYPE_CHECKING:  # a pipeline behind a split reads no image
    from PIL import Image


def read_item(item: Item) -> np.ndarray:
    """Return an item's image, see `read_rgb`; UserError where its file was altered.

    Of a video an item is one frame, and its checksum that of the frame.
    """
    if raw_video.holds(item):
        return raw_video.read_item(item)
    if coded_video.holds(item):
        return coded_video.read_item(item)
    return _decode(read_verified(item.path, item.checksum), item.path)


def read_rgb(path: str | Path) -> np.ndarray:
    """Return an image as uint8 RGB (height, width, 3).

    Palettes and CMYK become RGB, grey is repeated, alpha is dropped. 16 bits a sample are scaled
    to 8. Orientation tags are ignored, as COCO's annotations do. Raises UserError where the file
    is missing, is not an image, is cut short, or holds samples of no known range (32 bits,
    floats), or is a drawing (EPS), which Pillow has another program run. Of an animation or of
    several pages it is the first image.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such image")
    return _decode(Path(path).read_bytes(), path)


def _decode(data: bytes, path: str | Path) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    try:
        if data.startswith(raw_video.MAGIC):
            return raw_video.decode_file(data)
        with Image.open(io.BytesIO(data)) as image:
            if image.format == "EPS":
                raise UserError(f"{path}: a drawing (EPS), not an image; save it as PNG")
            if image.mode.startswith(("I", "F")):
                return _scaled(image, path)
            return np.asarray(image.convert("RGB"))
    except UserError:
        raise
    except Exception as error:  # Pillow's readers raise many kinds for a damaged file
        told = "" if isinstance(error, UnidentifiedImageError) else str(error)
        reason = f" ({' '.join(told.split())})" if told else ""
        raise UserError(f"{path}: not an image that can be read{reason}") from None


def _scaled(image: Image.Image, path: str | Path) -> np.ndarray:
    """Return an image of more than 8 bits a sample, scaled; Pillow's own conversion clips it."""
    # Pillow reads a 16-bit PGM into 32 bits, on the full range of 16.
    if not image.mode.startswith("I;16") and (image.mode, image.format) != ("I", "PPM"):
        kind = "floats" if image.mode == "F" else "32-bit samples"
        raise UserError(f"{path}: an image of {kind}, whose range is not known; save it in 8 bits")
    # The rounding of the PNG specification, "Sample depth rescaling".
    grey = ((np.asarray(image, np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
