"""Fields of the container's bytes: numbers, text and deflated sections, written and read."""

import zlib

import numpy as np

from nnrd.core.errors import BitstreamError, UserError


def varint(value: int) -> bytes:
    """Return a non-negative integer as unsigned LEB128."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class Reader:
    """Takes fields off the front of bytes; past their end it raises BitstreamError."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self.data) - self.position

    def take(self, count: int) -> memoryview:
        """Return the next ``count`` bytes."""
        if count > self.left:
            raise BitstreamError(f"bitstream: ends {count - self.left} bytes early")
        self.position += count
        return self.data[self.position - count : self.position]

    def rest(self) -> memoryview:
        """Return all that is left."""
        return self.take(self.left)

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def varint(self) -> int:
        """Return the next varint, of 64 bits at most."""
        value = 0
        for shift in range(0, 64, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise BitstreamError("bitstream: a number has more than 64 bits")


def codec_id(value: str) -> bytes:
    """Return a codec's id: its length in a byte, then UTF-8; UserError beyond 255 bytes."""
    data = value.encode()
    if len(data) > 255:
        raise UserError(f"codec {value[:20]}…: an id has at most 255 bytes")
    return bytes([len(data)]) + data


def utf8(data: memoryview, errors: str = "strict") -> str:
    """Return text of UTF-8; BitstreamError where it is none."""
    try:
        return bytes(data).decode("utf-8", errors)
    except UnicodeDecodeError:
        raise BitstreamError("bitstream: a name is not UTF-8") from None


def deflate(data: bytes, dictionary: bytes = b"") -> bytes:
    """Return data deflated without a header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=dictionary)
    return packer.compress(data) + packer.flush()


def inflate(data: memoryview, limit: int, dictionary: bytes = b"") -> bytes:
    """Inflate all of ``data`` to at most ``limit`` bytes; else BitstreamError."""
    unpacker = zlib.decompressobj(-15, zdict=dictionary)
    try:
        out = unpacker.decompress(data, limit + 1)
    except zlib.error:
        raise BitstreamError("bitstream: a deflated section is damaged") from None
    if len(out) > limit or not unpacker.eof or unpacker.unused_data:
        raise BitstreamError("bitstream: a deflated section has the wrong length")
    return out


def little(array: np.ndarray) -> np.ndarray:
    """Return an array little-endian and C-contiguous."""
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
