"""The image classifiers of TR 26.847's splitability table that torchvision has."""

from functools import partial

from torch import nn
from torchvision import models

from nnrd.architectures.base import Architecture, fetch


def _build(name: str) -> nn.Module:
    # googlenet and inception_v3 warn about their slow initialisation unless told; the
    # auxiliary classifiers exist only in training.
    extra = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    return models.get_model(name, weights=None, **extra)


def _published(name: str) -> Architecture:
    weights = models.get_model_weights(name).DEFAULT
    return Architecture(
        build=partial(_build, name),
        example=((1, 3, 224, 224),),
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
    "inception": "googlenet",
    "vgg16": "vgg16",
}
CLASSIFIERS = {ours: _published(theirs) for ours, theirs in NAMES.items()}
