"""Speech recognisers of torchaudio's pipelines: wav2vec 2.0 and HuBERT."""

from nnrd.models.family import Family
from nnrd.models.inputs import FRAMES, Inputs

FAMILY = Family(
    network="nnrd.models.torchaudio_recognisers.network:RecogniserNetwork",
    pipeline="nnrd.models.torchaudio_recognisers.pipeline:RecogniserPipeline",
    inputs=Inputs(FRAMES, batched=True),
)
