"""Detectors of torchvision, by the name that torchvision gives them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torchvision.models import detection

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.models.export import Export
from nnrd.models.network import RANDOM, Network

# Untrained logits lie within ±1.5 of the bias, most of them within ±0.4. Made to spread eight times
# as far, below 0, one in 25 passes the threshold, log(0.05/0.95), and one in 200 is a score above
# 0.5, as in a trained network most are neither.
UNTRAINED_BIAS, UNTRAINED_GAIN = -8.0, 8.0

# Opset 11 gives 2,247 nodes, the TR's 2,249 less two of its pre-processing; later opsets differ.
VARIANTS = {
    "retinanet_resnet50_fpn_v2": Export(
        example=((3, 428, 640),),
        outputs=("boxes", "scores", "labels"),
        opset=11,
        dynamic={"input": {1: "height", 2: "width"}},
        wrap=lambda inputs: ([inputs[0]],),
        source="Li et al., Benchmarking Detection Transfer Learning (2021); torchvision",
    ),
}


class DetectorNetwork(Network):
    """A list of float32 (3, H, W) images in [0, 1] to boxes, scores, labels.

    The row's ``options`` go to torchvision: ``num_classes``, ``min_size`` and ``max_size``, the
    pixels that images are resized to on their short side, or the long one where that is less.
    """

    @property
    def export(self) -> Export:
        """How the variant is written as ONNX."""
        if self.row.variant not in VARIANTS:
            raise UserError(unknown("variant of torchvision_detectors", self.row.variant, VARIANTS))
        return VARIANTS[self.row.variant]

    def build(self) -> nn.Module:
        """Return torchvision's network; an untrained one is made to detect."""
        build = getattr(detection, str(self.row.variant))
        model = build(weights=None, weights_backbone=None, **self.row.options)
        if self.row.weights == RANDOM:
            logits = model.head.classification_head.cls_logits
            nn.init.constant_(logits.bias, UNTRAINED_BIAS)
            with torch.no_grad():
                logits.weight *= UNTRAINED_GAIN
        return model

    def outputs(self, found: Any) -> Sequence[torch.Tensor]:
        """Return the one image's tensors, in the order of the ONNX file's outputs."""
        return [found[0][name] for name in self.export.outputs]
