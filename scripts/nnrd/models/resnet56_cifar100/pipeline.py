"""What stands around ResNet-56: the image is normalised and not resized."""

from typing import Any

import numpy as np

from nnrd.datasets import images
from nnrd.datasets.index import Item
from nnrd.models.pipeline import Arrays, Pipeline
from nnrd.models.torchvision_classifiers.pipeline import normalised, top_classes

# Mean and standard deviation of the training images' channels, in 0..1.
MEAN, DEVIATION = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


class ResNet56Pipeline(Pipeline):
    """An image of 32×32 pixels to the 100 classes of CIFAR-100."""

    task = "classification"

    def load(self, item: Item) -> np.ndarray:
        """Return the image, uint8 (32, 32, 3)."""
        return images.read_item(item)

    def preprocess(self, loaded: np.ndarray, item: Item) -> Arrays:
        """Return ``input``: float32 (1, 3, 32, 32)."""
        return {"input": normalised(loaded, MEAN, DEVIATION)}

    def postprocess(self, outputs: Arrays, item: Item) -> dict[str, Any]:
        """Return ``classes`` from ``output``, the scores (1, 100)."""
        return {"classes": top_classes(outputs["output"][0])}
