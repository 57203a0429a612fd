"""ResNet-56 for the 100 classes of CIFAR-100."""

from nnrd.models.family import Family

FAMILY = Family(
    network="nnrd.models.resnet56_cifar100.network:ResNet56Network",
    pipeline="nnrd.models.resnet56_cifar100.pipeline:ResNet56Pipeline",
)
