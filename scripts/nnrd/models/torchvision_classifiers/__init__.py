"""Classifiers of torchvision, by the name that torchvision gives them."""

from nnrd.models.family import Family
from nnrd.models.inputs import Inputs

FAMILY = Family(
    network="nnrd.models.torchvision_classifiers.network:ClassifierNetwork",
    pipeline="nnrd.models.torchvision_classifiers.pipeline:ClassifierPipeline",
    inputs=Inputs(batched=True),
)
