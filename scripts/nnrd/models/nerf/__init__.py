"""NeRF: a scene as a network."""

from nnrd.models.family import Family

FAMILY = Family(network="nnrd.models.nerf.network:NerfNetwork")
