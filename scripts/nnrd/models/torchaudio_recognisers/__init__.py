"""Speech recognisers of torchaudio's pipelines: wav2vec 2.0 and HuBERT."""

from nnrd.models.family import Family

FAMILY = Family(
    network="nnrd.models.torchaudio_recognisers.network:RecogniserNetwork",
    pipeline="nnrd.models.torchaudio_recognisers.pipeline:RecogniserPipeline",
)
