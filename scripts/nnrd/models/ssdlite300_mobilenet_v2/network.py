"""SSDLite300 with a MobileNetV2 backbone, trained on COCO (91 ids).

The network is ``ssdlite_mobilenet_v2_coco`` of the TensorFlow Object Detection API (Sandler et
al., "MobileNetV2", CVPR 2018, section 6.2); the weights are those of TensorFlow.js's coco-ssd.
The published file has batch normalisation folded into most convolutions; what is left is folded
here, so that the module is convolutions, ReLU6 and sums only.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from nnrd.models import tfjs
from nnrd.models.export import Export
from nnrd.models.network import Network

LABELS = 91
# Channels of the six feature maps, and priors at each of their cells.
MAPS = ((576, 3), (1280, 6), (512, 6), (256, 6), (256, 6), (128, 6))
# Expansion, channels, repeats, stride of the inverted residuals (MobileNetV2, table 2).
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# In, bottleneck and out channels of the extra layers.
EXTRAS = ((1280, 256, 512), (512, 128, 256), (256, 128, 256), (256, 64, 128))
FIRST_MAP_BLOCK = 13  # its expanded tensor is the first feature map
BATCH_NORM_EPSILON = 1e-3  # of the box predictors, as trained


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding, which is uneven where the stride is 2."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pad ``x`` (N, C, H, W) so that the output is ceil(size / stride), and convolve."""
        padding: list[int] = []
        for axis in (1, 0):
            # Plain ints: a traced size would end up as arithmetic nodes in the ONNX graph.
            size, stride = int(x.shape[2 + axis]), self.stride[axis]
            outputs = (size + stride - 1) // stride
            total = max((outputs - 1) * stride + self.kernel_size[axis] - size, 0)
            padding += [total // 2, total - total // 2]
        return super().forward(functional.pad(x, padding) if any(padding) else x)


def pointwise(channels_in: int, channels_out: int) -> SameConv2d:
    """Return a 1x1 convolution."""
    return SameConv2d(channels_in, channels_out, 1)


def depthwise(channels: int, stride: int = 1) -> SameConv2d:
    """Return a 3x3 depthwise convolution."""
    return SameConv2d(channels, channels, 3, stride, groups=channels)


class InvertedResidual(nn.Module):
    """MobileNetV2's block; ``expand_only`` and ``finish`` give access to its expanded tensor."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int):
        super().__init__()
        hidden = channels_in * expansion
        self.expand = pointwise(channels_in, hidden) if expansion != 1 else None
        self.depthwise = depthwise(hidden, stride)
        self.project = pointwise(hidden, channels_out)
        self.residual = stride == 1 and channels_in == channels_out

    def expand_only(self, x: torch.Tensor) -> torch.Tensor:
        """Return the expanded tensor."""
        return x if self.expand is None else functional.relu6(self.expand(x))

    def finish(self, x: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Return the block's output from its input and its expanded tensor."""
        y = self.project(functional.relu6(self.depthwise(hidden)))
        return x + y if self.residual else y

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        return self.finish(x, self.expand_only(x))


class Extra(nn.Module):
    """One of the layers behind the backbone that make the smaller feature maps."""

    def __init__(self, channels_in: int, bottleneck: int, channels_out: int):
        super().__init__()
        self.reduce = pointwise(channels_in, bottleneck)
        self.depthwise = depthwise(bottleneck, 2)
        self.out = pointwise(bottleneck, channels_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Halve the map."""
        for layer in (self.reduce, self.depthwise, self.out):
            x = functional.relu6(layer(x))
        return x


class Predictor(nn.Module):
    """Depthwise separable box and class predictors of one feature map."""

    def __init__(self, channels: int, priors: int):
        super().__init__()
        self.box_depthwise = depthwise(channels)
        self.box = pointwise(channels, priors * 4)
        self.class_depthwise = depthwise(channels)
        self.classes = pointwise(channels, priors * LABELS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return box codes (N, cells * priors, 4) and logits (N, cells * priors, 91)."""
        boxes = self.box(functional.relu6(self.box_depthwise(x)))
        logits = self.classes(functional.relu6(self.class_depthwise(x)))
        batch = x.shape[0]
        return (
            boxes.permute(0, 2, 3, 1).reshape(batch, -1, 4),
            logits.permute(0, 2, 3, 1).reshape(batch, -1, LABELS),
        )


class SSDLite300(nn.Module):
    """The detector: image (N, 3, 300, 300), RGB in [-1, 1] → box codes and class logits."""

    def __init__(self):
        super().__init__()
        self.stem = SameConv2d(3, 32, 3, 2)
        blocks, channels = [], 32
        for expansion, out, repeats, stride in STAGES:
            for i in range(repeats):
                blocks.append(InvertedResidual(channels, out, stride if i == 0 else 1, expansion))
                channels = out
        self.blocks = nn.ModuleList(blocks)
        self.last = pointwise(channels, 1280)
        self.extras = nn.ModuleList(Extra(*sizes) for sizes in EXTRAS)
        self.predictors = nn.ModuleList(Predictor(*sizes) for sizes in MAPS)

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the six feature maps, 19x19x576 down to 1x1x128."""
        x = functional.relu6(self.stem(x))
        for block in self.blocks[:FIRST_MAP_BLOCK]:
            x = block(x)
        first = self.blocks[FIRST_MAP_BLOCK]
        maps = [first.expand_only(x)]
        x = first.finish(x, maps[0])
        for block in self.blocks[FIRST_MAP_BLOCK + 1 :]:
            x = block(x)
        maps.append(functional.relu6(self.last(x)))
        for extra in self.extras:
            maps.append(extra(maps[-1]))
        return maps

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return box codes (N, 1917, 4) as ty, tx, th, tw and logits (N, 1917, 91)."""
        predictions = [
            predict(x) for predict, x in zip(self.predictors, self.features(x), strict=True)
        ]
        boxes, logits = zip(*predictions, strict=True)
        return torch.cat(boxes, 1), torch.cat(logits, 1)


class Weights:
    """The published weights, by TensorFlow's names, put into torch's layouts."""

    def __init__(self, tensors: dict):
        self.tensors = tensors

    def __getitem__(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self.tensors[name].copy())

    def fill(self, conv: nn.Conv2d, weight: torch.Tensor, bias: torch.Tensor) -> None:
        """Set a convolution's parameters from a kernel in torch's order (O, I, H, W)."""
        conv.weight.data = weight.contiguous()
        conv.bias.data = bias.clone()

    def backbone(self, conv: nn.Conv2d, name: str) -> None:
        """Fill a full convolution of the backbone."""
        name = f"FeatureExtractor/MobilenetV2/{name}"
        weight = self[f"{name}/Conv2D/merged_input"].permute(3, 2, 0, 1)
        self.fill(conv, weight, self[f"{name}/BatchNorm/batchnorm/sub"])

    def backbone_depthwise(self, conv: nn.Conv2d, name: str) -> None:
        """Fill a depthwise convolution of the backbone; its scale is stored beside it."""
        name = f"FeatureExtractor/MobilenetV2/{name}"
        scale = self[f"{name}/BatchNorm/batchnorm/mul"].reshape(1, 1, -1, 1)
        weight = (self[f"{name}/depthwise_weights"] * scale).permute(2, 3, 0, 1)
        self.fill(conv, weight, self[f"{name}/BatchNorm/batchnorm/sub"])

    def head(self, depthwise_conv: nn.Conv2d, conv: nn.Conv2d, name: str) -> None:
        """Fill a predictor, whose batch normalisation is not folded yet."""
        norm = f"{name}_depthwise/BatchNorm/"
        variance = self[norm + "moving_variance"] + BATCH_NORM_EPSILON
        scale = self[norm + "gamma"] / torch.sqrt(variance)
        weight = self[f"{name}_depthwise/depthwise_weights"] * scale.reshape(1, 1, -1, 1)
        bias = self[norm + "beta"] - self[norm + "moving_mean"] * scale
        self.fill(depthwise_conv, weight.permute(2, 3, 0, 1), bias)
        self.fill(conv, self[f"{name}/weights"].permute(3, 2, 0, 1), self[f"{name}/biases"])


def load(model: SSDLite300, weights: Weights) -> None:
    """Put the published weights into ``model``."""
    weights.backbone(model.stem, "Conv")
    weights.backbone(model.last, "Conv_1")
    for i, block in enumerate(model.blocks):
        name = f"expanded_conv_{i}" if i else "expanded_conv"
        if block.expand is not None:
            weights.backbone(block.expand, f"{name}/expand")
        weights.backbone_depthwise(block.depthwise, f"{name}/depthwise")
        weights.backbone(block.project, f"{name}/project")
    for i, (extra, (_, bottleneck, out)) in enumerate(zip(model.extras, EXTRAS, strict=True), 2):
        wide = f"layer_19_2_Conv2d_{i}_3x3_s2_{out}"
        weights.backbone(extra.reduce, f"layer_19_1_Conv2d_{i}_1x1_{bottleneck}")
        weights.backbone_depthwise(extra.depthwise, f"{wide}_depthwise")
        weights.backbone(extra.out, wide)
    for i, predictor in enumerate(model.predictors):
        name = f"BoxPredictor_{i}"
        weights.head(predictor.box_depthwise, predictor.box, f"{name}/BoxEncodingPredictor")
        weights.head(predictor.class_depthwise, predictor.classes, f"{name}/ClassPredictor")


class SsdLite300Network(Network):
    """The detector and how it is exported."""

    export = Export(
        example=((1, 3, 300, 300),),
        source="Sandler et al., MobileNetV2, CVPR 2018, section 6.2",
        inputs=("image",),
        outputs=("boxes", "logits"),
        opset=18,
        dynamo=True,
        tolerance=1e-4,
    )

    def build(self) -> nn.Module:
        """Return an `SSDLite300`."""
        return SSDLite300()

    def read(self, assets: Path) -> dict[str, torch.Tensor]:
        """Return the trained detector's state from ``model.json`` and its shards.

        Raises UserError where a file is missing, cut short, or is not this network.
        """
        model = SSDLite300()
        load(model, Weights(tfjs.read(assets / "model.json")))
        return model.state_dict()
