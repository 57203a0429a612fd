"""Whisper tiny.en (OpenAI, MIT): English speech recognition."""

from nnrd.models.family import Family
from nnrd.models.inputs import Inputs

FAMILY = Family(
    network="nnrd.models.whisper.network:WhisperNetwork",
    pipeline="nnrd.models.whisper.pipeline:WhisperPipeline",
    needs_network=True,
    graphs=("encoder", "decoder"),
    inputs=Inputs(batched=True, seconds=30.0),
)
