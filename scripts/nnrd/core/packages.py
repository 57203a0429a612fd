"""The packages that results and parts of nnrd depend on."""

from collections.abc import Iterator
from contextlib import contextmanager

from nnrd.core.errors import UserError

# By the names that are imported. Others, such as those that draw plots, change no number.
RESULT_PACKAGES = frozenset(
    {
        *("numpy", "scipy", "ml_dtypes", "safetensors", "nncodec", "zstandard"),
        *("onnx", "onnxruntime", "torch", "torchaudio", "torchvision"),
        *("transformers", "tokenizers", "cv2", "PIL", "soundfile"),
        *("faster_coco_eval", "pycocotools", "jiwer"),
    }
)
# What an installed nnrd may lack: the extra that brings each, as `pip install 'nnrd[EXTRA]'`.
EXTRAS = {
    "nncodec": "nnc",
    **dict.fromkeys(("faster_coco_eval", "jiwer"), "score"),
    **dict.fromkeys(("matplotlib", "seaborn"), "plots"),
    **dict.fromkeys(("onnxruntime", "cv2", "soundfile", "tokenizers"), "onnx"),
    **dict.fromkeys(("torch", "torchvision", "torchaudio", "transformers", "onnxscript"), "models"),
    "snakemake": "workflow",
}


@contextmanager
def needed(what: str = "") -> Iterator[None]:
    """Turn a missing package of an extra into UserError; ``what`` needs it, a name for people."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        reason = f"package {package} is missing: pip install 'nnrd[{EXTRAS[package]}]'"
        raise UserError(f"{what}: {reason}" if what else reason) from None
