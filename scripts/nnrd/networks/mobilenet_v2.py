"""MobileNetV2 (torchvision, BSD-3-Clause) for the 1,000 classes of ImageNet."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

from nnrd import classifiers, networks


def build(assets: Path | None = None) -> torch.nn.Module:
    """Return the network; ``assets`` has torchvision's checkpoint ``IMAGENET1K_V1``."""
    model = mobilenet_v2().eval()
    if assets is not None:
        networks.fill(model, networks.read_checkpoint(assets), assets)
    return model


def predict(
    model: torch.nn.Module, items: Iterable[Mapping], assets: Path | None = None
) -> Iterator[tuple[dict, float]]:
    """Yield each photo's classes; resized and cropped as the weights' own recipe has it."""
    return classifiers.predict(model, items, MobileNet_V2_Weights.IMAGENET1K_V1.transforms())
