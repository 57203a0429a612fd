"""CaffeNet, the BVLC reference model."""

from nnrd.models.family import Family

FAMILY = Family(network="nnrd.models.caffenet.network:CaffeNetwork")
