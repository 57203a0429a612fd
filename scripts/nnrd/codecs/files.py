"""Bitstreams on disk: bundles of tensors into files, and back, timed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnrd.codecs.base import Codec
from nnrd.codecs.identity import identity
from nnrd.core import bundles
from nnrd.core.errors import BitstreamError, UserError
from nnrd.core.files import MEND, checksum, read_verified
from nnrd.runtime.stopwatch import Stopwatch

SUFFIX = ".bin"
SMALL = {"warm": np.arange(16, dtype=np.float32).reshape(4, 4) / 16}


def warm_up(codec: Codec) -> None:
    """Encode and decode a few values, so that what a codec imports is in no time.

    What a codec refuses to do with them, it says when it is asked for the real ones.
    """
    with suppress(UserError):
        codec.decode(codec.encode(SMALL))


class Shard(NamedTuple):
    """The files of a shard, bundles or bitstreams: what they are of, where, and their checksums.

    ``of``: what both ends call the source of the tensors, which is in each bitstream's identity;
    None: they have none, and it is not asked for. ``sums``: the checksums by item.
    """

    of: str | None
    folder: Path
    sums: Mapping[str, str]


def encode(
    codec: Codec, bundled: Shard, bitstreams: Path, workers: int = 1
) -> Iterator[dict[str, Any]]:
    """Encode the bundles of a shard into files of the folder ``bitstreams``.

    Names of tensors do not travel: both ends know the model and the split. Yields a row an item:
    ``item``, ``anc_size`` (bytes of the tensors' values), ``rec_size`` (bytes of the file, its
    header included), ``enc_time`` (seconds, wall), ``checksum``. Raises UserError, naming the
    item, for what the codec refuses.
    """
    warm_up(codec)
    for item, expected in bundled.sums.items():
        loaded = bundles.read(bundled.folder / f"{item}{bundles.SUFFIX}", expected)
        file, watch = bitstreams / f"{item}{SUFFIX}", Stopwatch()
        said = _identity(bundled, item, codec)
        try:
            with watch("enc_time"):
                blob = codec.encode(loaded, names=False, workers=workers, identity=said)
        except UserError as error:
            raise UserError(f"{item}: {error}") from None
        file.write_bytes(blob)
        sizes = {"anc_size": bundles.size(loaded), "rec_size": file.stat().st_size}
        yield {"item": item} | sizes | watch.seconds | {"checksum": checksum(file)}


def decode(
    codec: Codec, sent: Shard, item: str, names: Sequence[str], workers: int = 1
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return an item's tensors, and ``dec_time`` (seconds, wall).

    ``names`` are those of the tensors. Raises UserError, naming the file, where it is missing or
    was altered, and BitstreamError where it is no bitstream of this codec, or of something else.
    """
    file, watch = sent.folder / f"{item}{SUFFIX}", Stopwatch()
    if item not in sent.sums:
        raise UserError(f"{sent.folder}: has no bitstream of {item}")
    blob, expected = read_verified(file, sent.sums[item]), _identity(sent, item, codec)
    try:
        with watch("dec_time"):
            tensors = codec.decode(blob, names=names, workers=workers, identity=expected)
    except BitstreamError as error:
        raise BitstreamError(f"{file}: {error}; {MEND}") from None
    return tensors, watch.seconds


def _identity(shard: Shard, item: str, codec: Codec) -> bytes:
    return identity(shard.of, item, codec) if shard.of else b""
