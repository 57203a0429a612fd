"""What stands around classifiers of images, as torchvision's recipes have it."""

from typing import Any

import numpy as np
from PIL import Image

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models import made
from nnrd.models.pipeline import Arrays, Pipeline

TOP_K = 5  # classes of a prediction
# Mean and standard deviation of ImageNet's channels, in 0..1.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalised(image: np.ndarray, mean: tuple, deviation: tuple) -> np.ndarray:
    """Return uint8 (height, width, 3) as float32 (1, 3, height, width), normalised by channel."""
    scaled = image.astype(np.float32) / np.float32(255)
    scaled = (scaled - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def top_classes(scores: np.ndarray) -> list[int]:
    """Return the numbers of the five likeliest classes, likeliest first.

    NaN, which badly damaged weights can give, is the least likely.
    """
    ranked = np.where(np.isnan(scores), -np.inf, scores)
    return np.argsort(-ranked, kind="stable")[:TOP_K].tolist()


def _resized(image: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    """Return uint8 (height, width, 3) in another size, (width, height), antialiased.

    As torchvision does it on tensors: in floating point, rounded once. Pillow rounds images of
    8 bits after each of its two passes, and differs from that by 1 here and there.
    """
    method = Image.Resampling[interpolation.upper()]
    channels = (Image.fromarray(image[..., i].astype(np.float32), "F") for i in range(3))
    resized = np.stack([np.asarray(c.resize(size, method)) for c in channels], axis=-1)
    return np.rint(resized).clip(0, 255).astype(np.uint8)


class ClassifierPipeline(Pipeline):
    """Resize the short side, crop the middle, normalise; ImageNet's 1,000 classes.

    The row's ``options``: ``resize`` (pixels, 256), ``crop`` (pixels, 224) and ``interpolation``
    (``bilinear`` or ``bicubic``), where a model's recipe has others.
    """

    task = "classification"

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (height, width, 3)."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``input``: float32 (1, 3, crop, crop)."""
        options = {"resize": 256, "crop": 224, "interpolation": "bilinear", **self.row.options}
        height, width = loaded.shape[:2]
        short, crop = options["resize"], options["crop"]
        # torchvision's rounding: the long side is cut off, not rounded.
        size = [int(short * side / min(height, width)) for side in (width, height)]
        resized = _resized(loaded, (size[0], size[1]), options["interpolation"])
        left, top = (round((side - crop) / 2) for side in size)
        cropped = resized[top : top + crop, left : left + crop]
        return {"input": normalised(cropped, MEAN, DEVIATION)}

    def made(self, size: int | None, seed: int) -> np.ndarray:
        """Return a photo of noise."""
        return made.photo(seed)

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``classes`` from ``output``, the scores (1, 1000)."""
        return {"classes": top_classes(outputs["output"][0])}
