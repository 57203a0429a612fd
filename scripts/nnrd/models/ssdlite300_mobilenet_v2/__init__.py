"""SSDLite300 with a MobileNetV2 backbone, as TensorFlow.js publishes it."""

from nnrd.models.family import Family
from nnrd.models.inputs import Inputs

FAMILY = Family(
    network="nnrd.models.ssdlite300_mobilenet_v2.network:SsdLite300Network",
    pipeline="nnrd.models.ssdlite300_mobilenet_v2.pipeline:SsdLite300Pipeline",
    inputs=Inputs(batched=True),
)
