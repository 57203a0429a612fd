"""RetinaNet v2 (ResNet-50 FPN), TR 26.847's second detection model (Table 5.3.4-1)."""

from functools import partial

from torch import nn
from torchvision.models.detection import (
    RetinaNet_ResNet50_FPN_V2_Weights,
    retinanet_resnet50_fpn_v2,
)

from nnrd.architectures.base import Architecture, fetch

# Untrained scores lie within ±1.5 of the bias; detection keeps those above log(0.05/0.95), so
# with this bias a few thousand of the anchors pass, as in a trained network, instead of none.
UNTRAINED_BIAS = -4.0


def build(classes: int = 91, min_size: int = 800, max_size: int = 1333) -> nn.Module:
    """Return RetinaNet v2: a list of float32 (3, H, W) images in [0, 1] to boxes, scores, labels.

    Images are resized so that the short side is ``min_size`` pixels, or the long side
    ``max_size`` where that is less.
    """
    network = retinanet_resnet50_fpn_v2(
        weights=None,
        weights_backbone=None,
        num_classes=classes,
        min_size=min_size,
        max_size=max_size,
    )
    nn.init.constant_(network.head.classification_head.cls_logits.bias, UNTRAINED_BIAS)
    return network


# Opset 11 gives 2,247 nodes, the TR's 2,249 less two of its pre-processing; later opsets differ.
RETINANET = Architecture(
    build=build,
    example=((3, 428, 640),),
    outputs=("boxes", "scores", "labels"),
    opset=11,
    dynamic={"input": {1: "height", 2: "width"}},
    wrap=lambda inputs: ([inputs[0]],),
    weights=partial(fetch, RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1.url),
    source="Li et al., Benchmarking Detection Transfer Learning (2021); torchvision",
)
ARCHITECTURES = {"retinanet_resnet50_fpn_v2": RETINANET}
