"""The image classifiers of TR 26.847's splitability table that torchvision has."""

from functools import partial

from torch import nn
from torchvision import models

from nnrd.architectures.base import Architecture, fetch


def _build(name: str) -> nn.Module:
    # init_weights: its default warns and is ten times slower.
    extra = {"init_weights": False} if name == "inception_v3" else {}
    return models.get_model(name, weights=None, **extra)


def _published(name: str) -> Architecture:
    weights = models.get_model_weights(name).DEFAULT
    return Architecture(
        build=partial(_build, name),
        example=((1, 3, 299, 299) if name == "inception_v3" else (1, 3, 224, 224),),
        weights=partial(fetch, weights.url),
        source=f"torchvision.models.{name}",
    )


# Our name (after the TR's) to torchvision's.
NAMES = {
    "mobilenet-v3": "mobilenet_v3_large",
    "resnet152": "resnet152",
    "resnet18": "resnet18",
    "resnext50": "resnext50_32x4d",
    "squeezenet": "squeezenet1_0",
    "efficientnet": "efficientnet_b0",
    "inception": "inception_v3",
    "vgg16": "vgg16",
}
ARCHITECTURES = {ours: _published(theirs) for ours, theirs in NAMES.items()}
