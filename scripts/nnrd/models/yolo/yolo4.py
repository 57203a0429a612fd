"""YOLO v4."""

import torch
from torch import nn

from nnrd.models.export import Export

# Blocks of each stage of CSPDarknet-53.
BLOCKS = (1, 2, 8, 8, 4)


def convolution(
    inner: int, outer: int, kernel: int, stride: int = 1, activation: type[nn.Module] = nn.LeakyReLU
) -> nn.Sequential:
    """Return convolution, batch normalisation and activation, padded to keep the size."""
    function = nn.LeakyReLU(0.1) if activation is nn.LeakyReLU else activation()
    convolve = nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolve, nn.BatchNorm2d(outer), function)


def mish(inner: int, outer: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return the backbone's convolution, which ends in Mish."""
    return convolution(inner, outer, kernel, stride, nn.Mish)


class Residual(nn.Module):
    """Two convolutions added to their input."""

    def __init__(self, width: int, middle: int):
        super().__init__()
        self.body = nn.Sequential(mish(width, middle, 1), mish(middle, width, 3))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        return features + self.body(features)


class Stage(nn.Module):
    """A cross-stage partial stage: half the size; part of the channels skip the blocks."""

    def __init__(self, inner: int, outer: int, blocks: int):
        super().__init__()
        width = outer if blocks == 1 else outer // 2
        self.down = mish(inner, outer, 3, 2)
        self.skip = mish(outer, width, 1)
        self.split = mish(outer, width, 1)
        self.blocks = nn.Sequential(*(Residual(width, outer // 2) for _ in range(blocks)))
        self.after = mish(width, width, 1)
        self.join = mish(2 * width, outer, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of half the height and width."""
        features = self.down(features)
        skipped = self.skip(features)
        deep = self.after(self.blocks(self.split(features)))
        return self.join(torch.cat([deep, skipped], 1))


def alternate(inner: int, width: int, count: int) -> nn.Sequential:
    """Return ``count`` convolutions, 1 × 1 to ``width`` and 3 × 3 to twice that in turn."""
    layers = []
    for index in range(count):
        outer = 2 * width if index % 2 else width
        layers.append(convolution(inner, outer, 3 if index % 2 else 1))
        inner = outer
    return nn.Sequential(*layers)


class Pyramid(nn.Module):
    """Spatial pyramid pooling between convolutions, (N, 1024, H, W) to (N, 512, H, W)."""

    def __init__(self):
        super().__init__()
        self.before = alternate(1024, 512, 3)
        self.pools = nn.ModuleList(nn.MaxPool2d(k, 1, k // 2) for k in (13, 9, 5))
        self.after = alternate(2048, 512, 3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features of the same height and width."""
        features = self.before(features)
        return self.after(torch.cat([*(pool(features) for pool in self.pools), features], 1))


class Up(nn.Module):
    """Joins a coarse feature map, enlarged, to a finer one."""

    def __init__(self, coarse: int, fine: int):
        super().__init__()
        self.narrow = convolution(coarse, coarse // 2, 1)
        self.side = convolution(fine, coarse // 2, 1)
        self.join = alternate(coarse, coarse // 2, 5)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        """Return features of the finer map's size."""
        large = nn.functional.interpolate(self.narrow(coarse), scale_factor=2.0, mode="nearest")
        return self.join(torch.cat([self.side(fine), large], 1))


class Down(nn.Module):
    """Joins a fine feature map, halved, to a coarser one."""

    def __init__(self, fine: int):
        super().__init__()
        self.halve = convolution(fine, 2 * fine, 3, 2)
        self.join = alternate(4 * fine, 2 * fine, 5)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Return features of the coarser map's size."""
        return self.join(torch.cat([self.halve(fine), coarse], 1))


class YoloV4(nn.Module):
    """YOLO v4 without the decoding of boxes: float32 (N, 3, 416, 416) to three raw maps.

    They are (N, 3 · (5 + classes), S, S) for S of 52, 26 and 13.
    """

    def __init__(self, classes: int = 80):
        super().__init__()
        self.stem = mish(3, 32, 3)
        rows = enumerate(BLOCKS)
        self.stages = nn.ModuleList(Stage(32 << i, 64 << i, blocks) for i, blocks in rows)
        self.pyramid = Pyramid()
        self.up = nn.ModuleList([Up(512, 512), Up(256, 256)])
        self.down = nn.ModuleList([Down(128), Down(256)])
        self.heads = nn.ModuleList(head(width, 3 * (5 + classes)) for width in (128, 256, 512))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the raw detections of images, the finest first."""
        features = [self.stem(images)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        coarse = self.pyramid(features[5])
        middle = self.up[0](coarse, features[4])
        fine = self.up[1](middle, features[3])
        first = self.heads[0](fine)
        middle = self.down[0](fine, middle)
        second = self.heads[1](middle)
        return first, second, self.heads[2](self.down[1](middle, coarse))


def head(width: int, channels: int) -> nn.Sequential:
    """Return the two convolutions that make detections of a feature map."""
    return nn.Sequential(convolution(width, 2 * width, 3), nn.Conv2d(2 * width, channels, 1))


YOLO4 = Export(
    example=((1, 3, 416, 416),),
    outputs=("fine", "middle", "coarse"),
    source="Bochkovskiy et al., YOLOv4 (2020), yolov4.cfg",
)
