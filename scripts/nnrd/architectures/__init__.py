"""Network architectures that nnrd builds and exports to ONNX, one module a family."""

from nnrd.architectures.base import Architecture, export, fetch, randomize
from nnrd.architectures.caffenet import CAFFENET
from nnrd.architectures.nerf import NERF
from nnrd.architectures.retinanet import RETINANET
from nnrd.architectures.ssd300 import SSD300
from nnrd.architectures.torchvision_classifiers import CLASSIFIERS
from nnrd.architectures.yolo2 import TINY_YOLO2, YOLO2
from nnrd.architectures.yolo4 import YOLO4
from nnrd.errors import UserError

__all__ = ["ARCHITECTURES", "Architecture", "export", "fetch", "get", "randomize"]

ARCHITECTURES: dict[str, Architecture] = {
    "ssd300_resnet50": SSD300,
    "retinanet_resnet50_fpn_v2": RETINANET,
    "yolo-v2": YOLO2,
    "yolo-v4": YOLO4,
    "tiny-yolo-v2": TINY_YOLO2,
    "caffenet": CAFFENET,
    "nerf": NERF,
    **CLASSIFIERS,
}


def get(name: str) -> Architecture:
    """Return the architecture of that name; raise UserError, with the names, if unknown."""
    if name not in ARCHITECTURES:
        raise UserError(f"no architecture is called {name!r}; known: {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]
