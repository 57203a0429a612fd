"""YOLO v2 and Tiny YOLO v2."""

import torch
from torch import nn

from nnrd.models.export import Export

POOL = "pool"
# Output channels and kernel sizes of Darknet-19 before and after its pass-through layer.
EARLY = [(32, 3), POOL, (64, 3), POOL, (128, 3), (64, 1), (128, 3), POOL, (256, 3), (128, 1)]
EARLY += [(256, 3), POOL, (512, 3), (256, 1), (512, 3), (256, 1), (512, 3)]
LATE = [POOL, (1024, 3), (512, 1), (1024, 3), (512, 1), (1024, 3), (1024, 3), (1024, 3)]


def convolution(inner: int, outer: int, kernel: int) -> nn.Sequential:
    """Return convolution, batch normalisation and leaky ReLU; the size is kept."""
    return nn.Sequential(
        nn.Conv2d(inner, outer, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outer),
        nn.LeakyReLU(0.1),
    )


def stack(inner: int, rows: list) -> nn.Sequential:
    """Return the layers that ``rows`` list: (channels, kernel) or POOL."""
    layers: list[nn.Module] = []
    for row in rows:
        if row == POOL:
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers.append(convolution(inner, *row))
            inner = row[0]
    return nn.Sequential(*layers)


class YoloV2(nn.Module):
    """YOLO v2: float32 (N, 3, 416, 416) to (N, boxes · (5 + classes), 13, 13)."""

    def __init__(self, classes: int = 80, boxes: int = 5):
        super().__init__()
        self.early = stack(3, EARLY)
        self.late = stack(512, LATE)
        self.passed = convolution(512, 64, 1)
        self.head = convolution(1024 + 4 * 64, 1024, 3)
        self.out = nn.Conv2d(1024, boxes * (5 + classes), 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the raw detections of images."""
        fine = self.early(images)
        coarse = self.late(fine)
        return self.out(self.head(torch.cat([reorganise(self.passed(fine)), coarse], 1)))


def reorganise(features: torch.Tensor) -> torch.Tensor:
    """Move 2 × 2 neighbours to channels: (N, C, 2H, 2W) to (N, 4C, H, W)."""
    count, channels, height, width = features.shape
    blocks = features.reshape(count, channels, height // 2, 2, width // 2, 2)
    moved = blocks.permute(0, 3, 5, 1, 2, 4)
    return moved.reshape(count, 4 * channels, height // 2, width // 2)


class _SamePool(torch.autograd.Function):
    """ONNX's MaxPool with uneven padding as one node; PyTorch pads in eight more."""

    @staticmethod
    def forward(ctx, features: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(features, (0, 1, 0, 1), value=-torch.inf)
        return nn.functional.max_pool2d(padded, 2, 1)

    @staticmethod
    def symbolic(graph, features):
        pads = [0, 0, 1, 1]
        value = graph.op("MaxPool", features, kernel_shape_i=[2, 2], strides_i=[1, 1], pads_i=pads)
        value.setType(features.type())
        return value


class SamePool(nn.Module):
    """Maximum of 2 × 2 neighbours at every place; the size is kept, as Darknet keeps it."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the maxima, of the same shape."""
        return _SamePool.apply(features)


def tiny(classes: int = 20, boxes: int = 5) -> nn.Module:
    """Return Tiny YOLO v2: float32 (N, 3, 416, 416) to (N, boxes · (5 + classes), 13, 13)."""
    rows = [row for width in (16, 32, 64, 128, 256) for row in ((width, 3), POOL)]
    return nn.Sequential(
        stack(3, [*rows, (512, 3)]),
        SamePool(),
        stack(512, [(1024, 3), (1024, 3)]),
        nn.Conv2d(1024, boxes * (5 + classes), 1),
    )


YOLO2 = Export(
    example=((1, 3, 416, 416),),
    source="Redmon and Farhadi, YOLO9000 (2016), yolov2.cfg",
)
TINY_YOLO2 = Export(
    example=((1, 3, 416, 416),),
    source="Redmon and Farhadi, YOLO9000 (2016), yolov2-tiny-voc.cfg",
)
