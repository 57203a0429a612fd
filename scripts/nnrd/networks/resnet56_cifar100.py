"""ResNet-56 with bottlenecks for the 100 classes of CIFAR-100 (32×32 pixels)."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from torch import nn
from torchvision.models.resnet import Bottleneck

from nnrd import classifiers, networks

# He et al., "Deep residual learning", 4.2, in the form with bottlenecks: 1 + 3·(6·3) + 1 layers.
BLOCKS, WIDTHS, CLASSES = 6, (16, 32, 64), 100
# Mean and deviation of the training photos' channels, in 0..1.
MEAN, DEVIATION = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


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

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Return the classes' scores, (N, 100), of photos (N, 3, 32, 32)."""
        x = torch.relu(self.bn1(self.conv1(photos)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean(dim=(2, 3)))


def _stage(given: int, width: int, stride: int) -> nn.Sequential:
    wide = width * Bottleneck.expansion
    shortcut = nn.Sequential(
        nn.Conv2d(given, wide, 1, stride=stride, bias=False), nn.BatchNorm2d(wide)
    )
    rest = [Bottleneck(wide, width) for _ in range(BLOCKS - 1)]
    return nn.Sequential(Bottleneck(given, width, stride, shortcut), *rest)


def build(assets: Path | None = None) -> nn.Module:
    """Return the network; ``assets`` has a checkpoint, a state dict in one file."""
    model = ResNet56().eval()
    if assets is not None:
        networks.fill(model, networks.read_checkpoint(assets), assets)
    return model


def predict(
    model: nn.Module, items: Iterable[Mapping], assets: Path | None = None
) -> Iterator[tuple[dict, float]]:
    """Yield each photo's classes; the photo is normalised and not resized."""
    return classifiers.predict(model, items, _preprocess)


def _preprocess(photo: torch.Tensor) -> torch.Tensor:
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return (photo / 255 - mean) / deviation
