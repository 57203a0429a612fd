"""ResNet-56 with bottlenecks for the 100 classes of CIFAR-100 (32×32 pixels)."""

import torch
from torch import nn
from torchvision.models.resnet import Bottleneck

from nnrd.models.export import Export
from nnrd.models.network import Network

# He et al., "Deep residual learning", 4.2, in the form with bottlenecks: 1 + 3·(6·3) + 1 layers.
BLOCKS, WIDTHS, CLASSES = 6, (16, 32, 64), 100


class ResNet56(nn.Module):
    """Three stages of six bottlenecks; the second and third halve the size."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.layer1 = _stage(WIDTHS[0], WIDTHS[0], stride=1)
        self.layer2 = _stage(WIDTHS[0] * Bottleneck.expansion, WIDTHS[1], stride=2)
        self.layer3 = _stage(WIDTHS[1] * Bottleneck.expansion, WIDTHS[2], stride=2)
        self.fc = nn.Linear(WIDTHS[2] * Bottleneck.expansion, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the classes' scores, (N, 100), of images (N, 3, 32, 32)."""
        x = torch.relu(self.bn1(self.conv1(images)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean(dim=(2, 3)))


def _stage(given: int, width: int, stride: int) -> nn.Sequential:
    wide = width * Bottleneck.expansion
    shortcut = nn.Sequential(
        nn.Conv2d(given, wide, 1, stride=stride, bias=False), nn.BatchNorm2d(wide)
    )
    rest = [Bottleneck(wide, width) for _ in range(BLOCKS - 1)]
    return nn.Sequential(Bottleneck(given, width, stride, shortcut), *rest)


class ResNet56Network(Network):
    """Its checkpoint is a state dict in one file."""

    export = Export(
        example=((1, 3, 32, 32),),
        source="He et al., Deep residual learning (2016), section 4.2, with bottlenecks",
        tolerance=1e-4,
    )

    def build(self) -> nn.Module:
        """Return a `ResNet56`."""
        return ResNet56()
