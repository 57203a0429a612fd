"""SSD300 with a ResNet-50 backbone, TR 26.847's first detection model."""

from nnrd.models.family import Family

FAMILY = Family(
    network="nnrd.models.ssd300_resnet50.network:Ssd300Network",
    pipeline="nnrd.models.ssd300_resnet50.pipeline:Ssd300Pipeline",
)
