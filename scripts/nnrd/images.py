"""Reading photos."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from nnrd.errors import UserError


def read_rgb(path: str | Path) -> np.ndarray:
    """Return a photo as uint8 RGB (height, width, 3).

    Orientation tags are ignored, as COCO's annotations do. Raises UserError where the file is
    missing, is not an image, or is cut short.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such photo") from None
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        reason = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
        raise UserError(f"{path}: not an image that can be read{reason}") from None
