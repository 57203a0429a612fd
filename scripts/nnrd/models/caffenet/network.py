"""CaffeNet: AlexNet with pooling before normalisation (BVLC reference model)."""

import torch
from torch import nn

from nnrd.models.export import Export
from nnrd.models.network import Network


def build(classes: int = 1000) -> nn.Module:
    """Return CaffeNet: float32 (N, 3, 227, 227) to class probabilities (N, classes)."""
    return nn.Sequential(
        *(nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(Normalization(), nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU()),
        *(nn.MaxPool2d(3, 2), Normalization()),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, classes), nn.Softmax(dim=1)),
    )


class _Lrn(torch.autograd.Function):
    """ONNX's LRN as one node; PyTorch's own local_response_norm exports as eleven."""

    @staticmethod
    def forward(ctx, features: torch.Tensor) -> torch.Tensor:
        return nn.functional.local_response_norm(features, 5, alpha=1e-4, beta=0.75, k=1.0)

    @staticmethod
    def symbolic(graph, features):
        value = graph.op("LRN", features, alpha_f=1e-4, beta_f=0.75, bias_f=1.0, size_i=5)
        value.setType(features.type())
        return value


class Normalization(nn.Module):
    """Local response normalisation over 5 channels, as Caffe's layer."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the normalised features, of the same shape."""
        return _Lrn.apply(features)


class CaffeNetwork(Network):
    """The network of the ILSVRC 2012 model."""

    export = Export(
        example=((1, 3, 227, 227),),
        source="Jia et al., Caffe (2014), bvlc_reference_caffenet; Krizhevsky et al. (2012)",
    )

    def build(self) -> nn.Module:
        """Return `build`'s."""
        return build()
