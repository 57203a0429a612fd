"""The peak memory of encoding, each case in a fresh process."""

import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np

from benches.tensors import EMBEDDING, gaussian, whisper_tiny
from benches.timing import ROW
from nnrd import nnc

PEAKS = [  # what is encoded, its values, options
    *(("whole", 37_760_640, {"qp": qp}) for qp in (0, -38, -75)),
    ("whole", 37_760_640, {"qp": 0, "use_dq": False}),
    *(("one", math.prod(EMBEDDING), {"qp": qp}) for qp in (0, -38, -128)),
    ("one", math.prod(EMBEDDING), {"qp": -128, "use_dq": False}),
    ("one", math.prod(EMBEDDING), {"qp": 0, "codebook_mode": 2}),
]


def rows() -> list[str]:
    """Return the rows of peak memory in MB, tensors included, beside what it may be."""
    found = []
    for what, values, options in PEAKS:
        limit = 2.3 * values * 4 / 1e6 + 64
        # Codebooks: NNCodec tries an entry after the other as zero, in minutes.
        both = what == "whole" and options["qp"] == 0
        theirs = _peak("theirs", options) if both else math.nan
        ours = _peak(what, options)
        shown = f"Whisper-tiny size, {what}, {options}: peak memory, NNCodec | nnrd, MB"
        row = (f"{theirs:.0f}", f"{ours:.0f}", f"{theirs / ours:.2f}", "", f"B ≤ {limit:.0f}")
        found.append(ROW.format(shown, *row))
        print(found[-1], flush=True)
    return found


def _peak(what: str, options: dict) -> float:
    """Measure in a fresh process."""
    code = f"from benches import peaks; peaks.print_peak({what!r}, {options!r})"
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return float(subprocess.check_output([sys.executable, "-c", code], env=here).split()[-1])


def print_peak(what: str, options: dict, rows: int = EMBEDDING[0]) -> None:
    """Print the growth of resident memory from before the tensors to its peak, in MB.

    ``what``: ``one`` tensor of rows × 384 values, or the ``whole`` model, by nnrd or by ``theirs``.
    """
    encode = nnc.encode
    if what == "theirs":
        from nncodec.nnc import compress

        encode = partial(compress, bitstream_path=None, return_bitstream=True)
    encode({"warm": np.eye(2, dtype=np.float32)}, **options)
    before = _status("VmRSS")
    tensors = {"one": gaussian((rows, EMBEDDING[1]))} if what == "one" else whisper_tiny()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    encode(tensors, **options)
    print((_status("VmHWM") - before) / 1e6)


def _status(key: str) -> int:
    """Return a line of this process's memory status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))
