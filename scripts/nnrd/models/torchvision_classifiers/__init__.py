"""Classifiers of torchvision, by the name that torchvision gives them."""

from nnrd.models.family import Family

FAMILY = Family(
    network="nnrd.models.torchvision_classifiers.network:ClassifierNetwork",
    pipeline="nnrd.models.torchvision_classifiers.pipeline:ClassifierPipeline",
)
