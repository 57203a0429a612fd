"""The packages whose versions can change a result."""

import re
import sys
from functools import cache
from pathlib import Path

# By the name that is imported: what it may be called where it is installed. Others, such as those
# that draw plots, change no number.
RESULT_PACKAGES: dict[str, tuple[str, ...]] = {
    "PIL": ("pillow",),
    "cv2": ("opencv-python", "opencv-python-headless"),
    "faster_coco_eval": ("faster-coco-eval",),
    "jiwer": ("jiwer",),
    "ml_dtypes": ("ml-dtypes",),
    "nncf": ("nncf",),
    "nncodec": ("nncodec",),
    "numpy": ("numpy",),
    "onnx": ("onnx",),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime"),
    "openvino": ("openvino",),
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


def lay_beside(folder: Path) -> None:
    """Let packages be imported that were unpacked, each wheel in a folder of its own.

    They come behind what is installed, so that they replace none of it. ``folder``: the one with
    the folders of the wheels; from now on this process writes no compiled files, which would not
    belong into what was fetched.
    """
    sys.dont_write_bytecode = True
    found = [str(wheel.absolute()) for wheel in sorted(folder.iterdir()) if wheel.is_dir()]
    sys.path.extend(wheel for wheel in found if wheel not in sys.path)
    _folders.cache_clear()
    installed.cache_clear()


@cache
def installed(name: str) -> str | None:
    """Return ``DISTRIBUTION==VERSION`` of an import name of the table; None where it is missing."""
    known = RESULT_PACKAGES[name]
    found = next((d for d in known if _normal(d) in _folders()), None)
    if found:
        return f"{found}=={_folders()[_normal(found)]}"
    return next(filter(None, map(_asked, known)), None)


@cache
def _folders() -> dict[str, str]:
    """Return versions by name, as the folders NAME-VERSION.dist-info are called; the first counts.

    So the packaging standard has it ("Recording installed projects"), and each job writes versions
    down: importing ``importlib.metadata`` for these would take a tenth of its start.
    """
    found: dict[str, str] = {}
    for folder in map(Path, sys.path):
        for info in folder.glob("*-*.dist-info"):
            name, _, version = info.stem.partition("-")
            found.setdefault(_normal(name), version)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _asked(distribution: str) -> str | None:
    """Return the same of a package that is recorded otherwise, such as Debian's."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{distribution}=={version(distribution)}"
    except PackageNotFoundError:
        return None
