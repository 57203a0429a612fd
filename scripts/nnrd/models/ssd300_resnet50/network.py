"""SSD300 with a ResNet-50 backbone, TR 26.847's first detection model (Table 5.3.4-1)."""

from typing import Any

import torch
from torch import nn
from torchvision.models.resnet import Bottleneck, resnet50

from nnrd.models.export import Export
from nnrd.models.network import RANDOM, Network

# An untrained network made to detect: with these, some hundred priors of five labels pass, with
# scores from 0.4 to 0.6, of features that neither vanish nor grow with the depth.
UNTRAINED_LABELS, UNTRAINED_BIAS, UNTRAINED_GAIN = 5, 4.0, 10.0


class Backbone(nn.Module):
    """ResNet-50 to its fourth stage, which keeps the resolution of the third.

    Images float32 (N, 3, 300, 300) become features (N, 1024, 38, 38).
    """

    def __init__(self):
        super().__init__()
        stages = list(resnet50(weights=None).children())[:7]
        block = stages[-1][0]
        block.conv1.stride = block.conv2.stride = block.downsample[0].stride = (1, 1)
        self.feature_extractor = nn.Sequential(*stages)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features of images."""
        return self.feature_extractor(images)


class Ssd300(nn.Module):
    """SSD300 as NVIDIA's DeepLearningExamples have it; its module names are the TR's.

    float32 (N, 3, 300, 300) to box offsets (N, 4, 8732) and class scores (N, labels, 8732).
    """

    def __init__(self, labels: int = 81):
        super().__init__()
        self.labels = labels
        self.feature_extractor = Backbone()
        channels = [1024, 512, 512, 256, 256, 256]
        middle = [256, 256, 128, 128, 128]
        rows = zip(channels[:-1], middle, channels[1:], strict=True)
        self.additional_blocks = nn.ModuleList(
            additional_block(*row, shrink=i < 3) for i, row in enumerate(rows)
        )
        boxes = list(zip(channels, [4, 6, 6, 6, 4, 4], strict=True))
        self.loc = nn.ModuleList(nn.Conv2d(c, 4 * n, 3, padding=1) for c, n in boxes)
        self.conf = nn.ModuleList(nn.Conv2d(c, labels * n, 3, padding=1) for c, n in boxes)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return box offsets and class scores."""
        features = [self.feature_extractor(images)]
        for block in self.additional_blocks:
            features.append(block(features[-1]))
        loc, conf = [], []
        for feature, box, score in zip(features, self.loc, self.conf, strict=True):
            loc.append(box(feature).reshape(feature.size(0), 4, -1))
            conf.append(score(feature).reshape(feature.size(0), self.labels, -1))
        return torch.cat(loc, 2).contiguous(), torch.cat(conf, 2).contiguous()


def additional_block(inner: int, middle: int, outer: int, shrink: bool) -> nn.Sequential:
    """Return a block that makes the next, smaller feature map."""
    size: dict[str, Any] = {"padding": 1, "stride": 2} if shrink else {}
    return nn.Sequential(
        nn.Conv2d(inner, middle, 1, bias=False),
        nn.BatchNorm2d(middle),
        nn.ReLU(inplace=True),
        nn.Conv2d(middle, outer, 3, bias=False, **size),
        nn.BatchNorm2d(outer),
        nn.ReLU(inplace=True),
    )


class Ssd300Network(Network):
    """Exported it has 155 nodes, so ranks 0 to 154: the TR's 154 is the rank of the last node."""

    export = Export(
        example=((1, 3, 300, 300),),
        outputs=("output1", "output2"),
        source="Liu et al., SSD: Single Shot MultiBox Detector (2016); NVIDIA DeepLearningExamples",
    )

    def build(self) -> nn.Module:
        """Return an `Ssd300`; an untrained one is made to detect."""
        model = Ssd300()
        if self.row.weights == RANDOM:
            _make_detect(model)
        return model


def _make_detect(model: Ssd300) -> None:
    """Keep the features small, widen what the heads make of them, and favour some labels."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, Bottleneck):
                module.bn3.weight.zero_()
        for head in (*model.loc, *model.conf):
            head.weight *= UNTRAINED_GAIN
        for conf in model.conf:
            favoured = slice(1, 1 + UNTRAINED_LABELS)  # 0 is the background
            conf.bias.view(model.labels, -1)[favoured] += UNTRAINED_BIAS
