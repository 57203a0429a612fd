"""Classifiers of torchvision, by the name that torchvision gives them."""

from torch import nn
from torchvision import models

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.models.export import Export
from nnrd.models.network import RANDOM, Network

TOLERANCE = 1e-4


class ClassifierNetwork(Network):
    """The row's ``variant`` is a name in ``torchvision.models``, such as ``resnet18``."""

    @property
    def export(self) -> Export:
        """How the variant is written as ONNX; 299 pixels for Inception, else 224."""
        size = 299 if self.row.variant == "inception_v3" else 224
        return Export(
            example=((1, 3, size, size),),
            source=f"torchvision.models.{self.row.variant}",
            tolerance=None if self.row.weights == RANDOM else TOLERANCE,
        )

    def build(self) -> nn.Module:
        """Return torchvision's network."""
        name = str(self.row.variant)
        if name not in models.list_models(module=models):
            known = models.list_models(module=models)
            raise UserError(unknown("variant of torchvision_classifiers", name, known))
        # init_weights: its default warns and is ten times slower.
        extra = {"init_weights": False} if name == "inception_v3" else {}
        return models.get_model(name, weights=None, **extra)
