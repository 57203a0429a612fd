"""The packages that an installed nnrd may lack, and what brings them."""

from collections.abc import Iterator
from contextlib import contextmanager

from nnrd.core.errors import UserError

# By the name that is imported: the extra that brings it, as `pip install 'nnrd[EXTRA]'`.
EXTRAS = {
    "nncodec": "nnc",
    **dict.fromkeys(("faster_coco_eval", "jiwer"), "score"),
    **dict.fromkeys(("matplotlib", "seaborn"), "plots"),
    **dict.fromkeys(("onnxruntime", "cv2", "PIL", "soundfile", "tokenizers"), "run"),
    **dict.fromkeys(("torch", "torchvision", "torchaudio", "transformers", "onnxscript"), "models"),
    **dict.fromkeys(("nncf", "openvino"), "int8"),
    **dict.fromkeys(("zeus", "pynvml", "httpx"), "energy"),  # zeus asks for the others
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
