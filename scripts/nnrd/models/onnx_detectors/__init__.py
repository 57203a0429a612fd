"""Detectors that are ONNX files which decode their boxes themselves; a row says the rest."""

from nnrd.models.family import Family
from nnrd.models.onnx_detectors.options import OPTIONS

PIPELINE = "nnrd.models.onnx_detectors.pipeline:OnnxDetectorPipeline"
FAMILY = Family(pipeline=PIPELINE, options=OPTIONS)
