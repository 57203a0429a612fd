"""Detectors of torchvision, by the name that torchvision gives them."""

from nnrd.models.family import Family

FAMILY = Family(
    network="nnrd.models.torchvision_detectors.network:DetectorNetwork",
    pipeline="nnrd.models.torchvision_detectors.pipeline:DetectorPipeline",
)
