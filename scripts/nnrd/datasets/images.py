"""Reading images."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from nnrd.core.errors import UserError
from nnrd.core.files import read_verified
from nnrd.datasets.index import Item


def read_item(item: Item) -> np.ndarray:
    """Return an item's image, see `read_rgb`; UserError where its file was altered."""
    return _decode(read_verified(item.path, item.checksum), item.path)


def read_rgb(path: str | Path) -> np.ndarray:
    """Return an image as uint8 RGB (height, width, 3).

    Orientation tags are ignored, as COCO's annotations do. Raises UserError where the file is
    missing, is not an image, or is cut short.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such image")
    return _decode(Path(path).read_bytes(), path)


def _decode(data: bytes, path: str | Path) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow's readers raise many kinds for a damaged file
        told = "" if isinstance(error, UnidentifiedImageError) else str(error)
        reason = f" ({' '.join(told.split())})" if told else ""
        raise UserError(f"{path}: not an image that can be read{reason}") from None
