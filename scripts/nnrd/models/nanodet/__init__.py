"""NanoDet-g, a detector whose heads take three maps of a pyramid: the case of many tensors."""

from nnrd.models.family import Family

FAMILY = Family(
    network="nnrd.models.nanodet.network:NanoDetNetwork",
    pipeline="nnrd.models.nanodet.pipeline:NanoDetPipeline",
)
