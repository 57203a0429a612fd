"""Network architectures that nnrd builds and exports to ONNX, one module a family.

A module has ``ARCHITECTURES``, its `base.Architecture` objects by name. It is imported when one
of them is asked for, so an edit of a network touches the jobs of that network only.
"""

import importlib
from typing import TYPE_CHECKING

from nnrd.errors import UserError
from nnrd.schema import unknown

if TYPE_CHECKING:  # base imports torch, which takes seconds
    from nnrd.architectures.base import Architecture

MODULES = {
    "ssdlite300_mobilenet_v2": "ssdlite300_mobilenet_v2",
    "ssd300_resnet50": "ssd300",
    "retinanet_resnet50_fpn_v2": "retinanet",
    "yolo-v2": "yolo2",
    "tiny-yolo-v2": "yolo2",
    "yolo-v4": "yolo4",
    "caffenet": "caffenet",
    "nerf": "nerf",
    "mobilenet-v3": "torchvision_classifiers",
    "resnet152": "torchvision_classifiers",
    "resnet18": "torchvision_classifiers",
    "resnext50": "torchvision_classifiers",
    "squeezenet": "torchvision_classifiers",
    "efficientnet": "torchvision_classifiers",
    "inception": "torchvision_classifiers",
    "vgg16": "torchvision_classifiers",
}


def module(name: str) -> str:
    """Return the dotted module of an architecture; UserError, with the known names, if none."""
    if name not in MODULES:
        raise UserError(unknown("architecture", name, MODULES))
    return f"{__name__}.{MODULES[name]}"


def get(name: str) -> "Architecture":
    """Return the architecture of that name; UserError, with the known names, if none."""
    return importlib.import_module(module(name)).ARCHITECTURES[name]
