"""An ONNX file of which only the splits and the weights are looked at."""

from nnrd.models.family import Family

FAMILY = Family()
