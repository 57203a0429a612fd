"""Bundles of tensors into bitstreams and back, timed. Which study they are of is not known here."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnrd import bundles
from nnrd.codecs import Codec
from nnrd.errors import BitstreamError, UserError

SUFFIX = ".bin"


def encode(codec: Codec, tensors: Path, bitstreams: Path, workers: int = 1) -> list[dict]:
    """Encode each bundle in the folder ``tensors`` into a file in the folder ``bitstreams``.

    Names of tensors do not travel: both ends know the model and the split. Returns a row an
    item: ``item``, ``anc_size`` (bytes of the tensors' values), ``rec_size`` (bytes of the
    file, its header included), ``enc_time`` (seconds, wall). Raises UserError, naming the item,
    for what the codec refuses.
    """
    rows = []
    for item in bundles.names(tensors):
        loaded = bundles.read(tensors / f"{item}{bundles.SUFFIX}")
        file = bitstreams / f"{item}{SUFFIX}"
        start = time.perf_counter()
        try:
            blob = codec.encode(loaded, names=False, workers=workers)
        except UserError as error:
            raise UserError(f"{item}: {error}") from None
        elapsed = time.perf_counter() - start
        file.write_bytes(blob)
        rows.append(
            {
                "item": item,
                "anc_size": bundles.size(loaded),
                "rec_size": file.stat().st_size,
                "enc_time": elapsed,
            }
        )
    if not rows:
        raise UserError(f"{tensors}: no bundles of tensors to encode")
    return rows


def decode(
    codec: Codec, bitstreams: Path, item: str, names: Sequence[str], workers: int = 1
) -> tuple[dict[str, np.ndarray], float]:
    """Return an item's tensors and the seconds (wall) that decoding took.

    Raises BitstreamError, naming the file, where it is no bitstream of this codec.
    """
    file = bitstreams / f"{item}{SUFFIX}"
    if not file.is_file():
        raise UserError(f"{file}: no such bitstream")
    blob = file.read_bytes()
    start = time.perf_counter()
    try:
        tensors = codec.decode(blob, names=names, workers=workers)
    except BitstreamError as error:
        raise BitstreamError(f"{file}: {error}") from None
    return tensors, time.perf_counter() - start
