"""Bitstreams on disk: bundles of tensors into files, and back, timed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnrd.codecs.base import Codec
from nnrd.core import bundles
from nnrd.core.errors import BitstreamError, UserError
from nnrd.core.files import checksum, read_verified
from nnrd.runtime.stopwatch import Stopwatch

SUFFIX = ".bin"


def encode(
    codec: Codec, tensors: Path, sums: Mapping[str, str], bitstreams: Path, workers: int = 1
) -> Iterator[dict[str, Any]]:
    """Encode the bundles of the folder ``tensors`` into files of the folder ``bitstreams``.

    ``sums``: the bundles' checksums by item. Names of tensors do not travel: both ends know the
    model and the split. Yields a row an item: ``item``, ``anc_size`` (bytes of the tensors'
    values), ``rec_size`` (bytes of the file, its header included), ``enc_time`` (seconds, wall),
    ``checksum``. Raises UserError, naming the item, for what the codec refuses.
    """
    for item, expected in sums.items():
        loaded = bundles.read(tensors / f"{item}{bundles.SUFFIX}", expected)
        file, watch = bitstreams / f"{item}{SUFFIX}", Stopwatch()
        try:
            with watch("enc_time"):
                blob = codec.encode(loaded, names=False, workers=workers)
        except UserError as error:
            raise UserError(f"{item}: {error}") from None
        file.write_bytes(blob)
        sizes = {"anc_size": bundles.size(loaded), "rec_size": file.stat().st_size}
        yield {"item": item} | sizes | watch.seconds | {"checksum": checksum(file)}


def decode(
    codec: Codec,
    bitstreams: Path,
    item: str,
    expected: str,
    names: Sequence[str],
    workers: int = 1,
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return an item's tensors, and ``dec_time`` (seconds, wall).

    ``expected`` is the file's checksum, ``names`` those of the tensors. Raises UserError, naming
    the file, where it was altered, and BitstreamError where it is no bitstream of this codec.
    """
    file, watch = bitstreams / f"{item}{SUFFIX}", Stopwatch()
    blob = read_verified(file, expected)
    try:
        with watch("dec_time"):
            tensors = codec.decode(blob, names=names, workers=workers)
    except BitstreamError as error:
        raise BitstreamError(f"{file}: {error}") from None
    return tensors, watch.seconds
