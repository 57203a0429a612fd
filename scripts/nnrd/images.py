"""Reading photos."""

from pathlib import Path

import cv2
import numpy as np

from nnrd.errors import UserError


def read_rgb(path: str | Path) -> np.ndarray:
    """Return a photo as uint8 RGB (height, width, 3).

    Orientation tags are ignored, as COCO's annotations do. Raises UserError where the file is
    missing or is not an image.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such photo")
    data = np.frombuffer(path.read_bytes(), np.uint8)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(data, flags) if data.size else None
    if image is None:
        raise UserError(f"{path}: not an image that can be read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
