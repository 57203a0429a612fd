"""Recognisers of ESPnet (Apache-2.0), with an attention decoder and CTC: as a YAML says."""

from nnrd.models.espnet.options import OPTIONS
from nnrd.models.family import Family
from nnrd.models.inputs import FRAMES, Inputs

FAMILY = Family(
    network="nnrd.models.espnet.network:EspnetNetwork",
    pipeline="nnrd.models.espnet.pipeline:EspnetPipeline",
    needs_network=True,
    options=OPTIONS,
    packages="espnet",
    inputs=Inputs(FRAMES, batched=True),
)
