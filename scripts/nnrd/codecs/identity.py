"""What a bitstream is of, as eight bytes that it carries and its receiver expects.

A receiver that has the right bytes of the wrong image, split or operating point would score them
without noticing: shapes and names are the same. Both ends know what they mean to exchange, so a
short digest of it is enough; it is no signature.
"""

import hashlib
import json

from nnrd.codecs.base import Codec
from nnrd.codecs.container import IDENTITY_BYTES


def identity(source: str, item: str, codec: Codec) -> bytes:
    """Return the first eight bytes of a SHA-256 of what a bitstream is of.

    ``source``: where the tensors come from, as both ends call it, such as
    ``features/MODEL/DATA/SPLIT``; ``item``: which of its bundles; ``codec``: at its operating
    point. Hashed is the compact JSON list of source, item, codec's id and parameters, their keys
    sorted.
    """
    what = [source, item, codec.name, codec.parameters]
    text = json.dumps(what, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:IDENTITY_BYTES]
