"""Models, one folder a family: how it is built, its weights, and what stands around its graph.

A family is found by the column ``family`` of the sheet of models; other packages publish theirs,
a `Family`, under ``nnrd.models``.
"""

from nnrd.core.registry import Registry
from nnrd.models.family import Family
from nnrd.models.row import ModelRow

__all__ = ["REGISTRY", "Family", "ModelRow"]
REGISTRY: Registry[Family] = Registry(
    "nnrd.models",
    "family of models",
    {
        name: f"nnrd.models.{name}:FAMILY"
        for name in (
            *("onnx_file", "ssdlite300_mobilenet_v2", "ssd300_resnet50", "torchvision_detectors"),
            *("torchvision_classifiers", "resnet56_cifar100", "torchaudio_recognisers", "whisper"),
            *("onnx_detectors", "yolo", "caffenet", "nerf", "nanodet", "deepspeech", "espnet"),
        )
    },
    of="nnrd.models.family:Family",
)
