"""The packages whose versions can change a result."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

# By the name that is imported: what it may be called where it is installed. Others, such as those
# that draw plots, change no number.
RESULT_PACKAGES: dict[str, tuple[str, ...]] = {
    "PIL": ("pillow",),
    "cv2": ("opencv-python", "opencv-python-headless"),
    "faster_coco_eval": ("faster-coco-eval",),
    "jiwer": ("jiwer",),
    "ml_dtypes": ("ml-dtypes",),
    "nncodec": ("nncodec",),
    "numpy": ("numpy",),
    "onnx": ("onnx",),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime"),
    "pycocotools": ("pycocotools",),
    "safetensors": ("safetensors",),
    "scipy": ("scipy",),
    "soundfile": ("soundfile",),
    "tokenizers": ("tokenizers",),
    "torch": ("torch",),
    "torchaudio": ("torchaudio",),
    "torchvision": ("torchvision",),
    "transformers": ("transformers",),
    "zstandard": ("zstandard",),
}


@cache
def installed(name: str) -> str | None:
    """Return ``DISTRIBUTION==VERSION`` of an import name of the table; None where it is missing."""
    for distribution in RESULT_PACKAGES[name]:
        try:
            return f"{distribution}=={version(distribution)}"
        except PackageNotFoundError:
            continue
    return None
