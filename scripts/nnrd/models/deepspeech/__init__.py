"""A network in the shape of Mozilla's DeepSpeech 0.8.2, which carries state between packages."""

from nnrd.models.deepspeech.options import OPTIONS
from nnrd.models.family import Family
from nnrd.models.inputs import FRAMES, Inputs

FAMILY = Family(
    network="nnrd.models.deepspeech.network:DeepSpeechNetwork",
    pipeline="nnrd.models.deepspeech.pipeline:DeepSpeechPipeline",
    stateful=True,
    options=OPTIONS,
    inputs=Inputs(FRAMES),
)
