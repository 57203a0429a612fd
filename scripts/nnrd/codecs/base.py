"""What every codec shares: the typed container, the dtypes, and what is refused."""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ml_dtypes
import numpy as np

from nnrd.codecs import container as bitstream
from nnrd.codecs import torch_tensors
from nnrd.codecs.container import CODED_FLOAT, CODED_INT, STORED, Container, Entry
from nnrd.core.errors import BitstreamError, UserError

Tensors = dict[str, np.ndarray]
NONFINITE = {
    "enum": ["refuse", "exact"],
    "description": "NaN and Inf: refused with the tensor's name, or kept exactly beside the rest",
}


class Codec(ABC):
    """A way to turn tensors into bytes and back. Subclass it to add one.

    A subclass gives ``properties`` and the methods ``compress`` and ``expand``; names, order,
    shapes, dtypes, checksum, integers and non-finite values are dealt with here. Float tensors
    reach ``compress`` as float32, integer and bool tensors as int32 where ``codes_integers`` is
    true and they fit; all other tensors are stored exactly. ``codes_floats`` false stores floats
    as well. Arrays that reach ``compress`` are C-contiguous, not empty, finite, of one dimension
    at least. ``decodable`` is false where the bitstream has the right length and nothing in it: a
    bound on the rate, whose points have no accuracy. ``lossless`` is true where every tensor comes
    back as it was, so that a point that changed nothing cannot have changed more on other items.
    """

    properties: ClassVar[dict[str, dict[str, Any]]] = {}  # JSON schema of each parameter
    required: ClassVar[tuple[str, ...]] = ()
    codes_floats: ClassVar[bool] = True
    codes_integers: ClassVar[bool] = False
    decodable: ClassVar[bool] = True
    lossless: ClassVar[bool] = False

    def __init__(self, name: str, **parameters: Any) -> None:
        self.name = name
        self.parameters = parameters

    @abstractmethod
    def compress(self, tensors: Sequence[np.ndarray], names: Sequence[str], workers: int) -> bytes:
        """Return the payload of float32 and int32 arrays; ``names`` are for messages."""

    @abstractmethod
    def expand(
        self, payload: memoryview, entries: Sequence[Entry], parameters: Mapping, workers: int
    ) -> list[np.ndarray]:
        """Return the arrays of a payload: float32 (mode CODED_FLOAT) or int32, entry's shape.

        ``parameters`` are the encoder's. Raise BitstreamError where the payload is not a
        payload of these entries.
        """

    @classmethod
    def schema(cls) -> dict:
        """Return the JSON schema of the parameters."""
        properties = dict(cls.properties)
        if cls.codes_floats:
            properties["nonfinite"] = NONFINITE
        return {
            "type": "object",
            "properties": properties,
            "required": list(cls.required),
            "additionalProperties": False,
        }

    @classmethod
    def validate(cls, parameters: Mapping[str, Any]) -> str | None:
        """Say in a few words what is wrong between parameters, which a schema cannot say."""
        return None

    @property
    def coder(self) -> str | None:
        """What computes the payload, where there is a choice that changes no byte but the time."""
        return None

    def carried(self) -> dict[str, Any]:
        """Return the parameters that the bitstream carries, by which it is expanded."""
        return self.parameters

    def encode(
        self,
        tensors: Mapping[str, Any],
        *,
        names: bool = True,
        workers: int = 1,
        identity: bytes = b"",
    ) -> bytes:
        """Return the bitstream of tensors: any dtype of ``bitstream.DTYPES``, shape and name.

        They are NumPy arrays or PyTorch tensors, such as a state dict, wherever those are; what
        is decoded are NumPy arrays, and `nnrd.codecs.to_torch` turns them back.

        With ``names`` false they do not travel, and decode must be given them. ``workers`` is
        the number of threads or processes; it does not change a byte. ``identity``: eight bytes
        that say what the bitstream is of, for `decode` to compare. Raises UserError, naming the
        tensor, for NaN or Inf (unless ``nonfinite="exact"``), for dtypes that have no code and for
        bool arrays whose bytes are not 0 and 1.
        """
        tensors = _arrays(tensors)
        keys = list(tensors)
        sent = keys if names else None
        container = Container(self.name, self.carried(), [], b"", sent, identity)
        coded: dict[str, np.ndarray] = {}
        for index, (name, tensor) in enumerate(tensors.items()):
            mode, values = self._prepare(name, tensor, container, index)
            container.entries.append(
                Entry(tensor.dtype.newbyteorder("="), tensor.shape, mode, _count(container, index))
            )
            if values is None:
                container.stored[index] = tensor
            else:
                coded[name] = values
        if coded:
            container.payload = self._compress(coded, workers)
        return bitstream.write(container)

    def decode(
        self,
        blob: bytes,
        *,
        names: Sequence[str] | None = None,
        workers: int = 1,
        max_bytes: int = bitstream.MAX_BYTES,
        identity: bytes = b"",
    ) -> Tensors:
        """Return the tensors of a bitstream: same names, order, shapes and dtypes.

        ``names`` are needed where they did not travel. Raises BitstreamError for bytes that are
        not a whole, unaltered bitstream of this codec, or that hold more than ``max_bytes``, or,
        where an ``identity`` is given, that have another one or none.
        """
        container = bitstream.read(blob, max_bytes)
        if container.codec != self.name:
            raise BitstreamError(f"codec {self.name}: the bitstream is of {container.codec!r}")
        if identity:
            self._check_identity(container, identity)
        keys = _keys(container, names)
        coded = [entry for entry in container.entries if entry.mode != STORED]
        if not coded and len(container.payload):
            raise BitstreamError(f"codec {self.name}: {len(container.payload)} bytes too many")
        arrays = iter(self._expand(container, coded, workers) if coded else ())
        tensors = {}
        for index, (key, entry) in enumerate(zip(keys, container.entries, strict=True)):
            stored = entry.mode == STORED
            tensors[key] = (
                container.stored[index]
                if stored
                else _restore(next(arrays), entry, container.exceptions.get(index))
            )
        return tensors

    def _check_identity(self, container: Container, expected: bytes) -> None:
        """Refuse a bitstream of something else, saying what else as far as it tells."""
        if container.identity == expected:
            return
        if not container.identity:
            raise BitstreamError("bitstream: does not say what it is of")
        if container.parameters != self.parameters:
            at = f"at {json.dumps(container.parameters)}, not at {json.dumps(self.parameters)}"
            raise BitstreamError(f"bitstream: is of another operating point, {self.name} {at}")
        raise BitstreamError("bitstream: is of another item, split or model")

    def _compress(self, coded: Tensors, workers: int) -> bytes:
        payload = self.compress(list(coded.values()), list(coded), workers)
        if not isinstance(payload, bytes | bytearray | memoryview):
            kind = type(payload).__name__
            raise UserError(f"codec {self.name}: compress gave {kind} instead of bytes")
        return payload

    def _expand(self, container: Container, coded: list[Entry], workers: int) -> list[np.ndarray]:
        try:
            payload = memoryview(container.payload)
            arrays = list(self.expand(payload, coded, container.parameters, workers))
        except (BitstreamError, ValueError, TypeError, LookupError, ArithmeticError) as error:
            # The checksum was right, so a writer made this on purpose, or another version did.
            raise BitstreamError(f"codec {self.name}: {error}") from error
        if other := {type(a).__name__ for a in arrays if not isinstance(a, np.ndarray)}:
            raise UserError(f"codec {self.name}: expand gave {other.pop()} instead of arrays")
        sizes, expected = [array.size for array in arrays], [entry.size for entry in coded]
        if sizes != expected:
            raise BitstreamError(f"codec {self.name}: {sizes} values, {expected} expected")
        return arrays

    def _prepare(
        self, name: str, tensor: np.ndarray, container: Container, index: int
    ) -> tuple[int, np.ndarray | None]:
        """Return how a tensor travels and, where it is coded, the array to code."""
        kind = bitstream.coded_mode(tensor.dtype)
        if tensor.size == 0 or kind == STORED:
            return STORED, None
        if kind == CODED_INT:
            values = _as_int32(tensor) if self.codes_integers else None
            return (STORED, None) if values is None else (CODED_INT, values)
        if not self.codes_floats:
            return STORED, None
        values = np.atleast_1d(np.ascontiguousarray(_as_float32(tensor)))
        mask = ~np.isfinite(values)
        if mask.any():
            if self.parameters.get("nonfinite") != "exact":
                raise UserError(_nonfinite(name, tensor))
            values = np.where(mask, np.float32(0), values)
            mask = mask.ravel()
            container.exceptions[index] = (mask, tensor.reshape(-1)[mask])
        return CODED_FLOAT, values


def expect_floats(entries: Sequence[Entry]) -> None:
    """Raise BitstreamError unless all tensors are coded as float32."""
    if any(entry.mode != CODED_FLOAT for entry in entries):
        raise BitstreamError("a tensor is coded as integers, which this codec does not do")


def fixed_width(payload: memoryview, dtype: Any, count: int) -> np.ndarray:
    """Return a payload of exactly ``count`` values of a dtype; else BitstreamError."""
    expected = count * np.dtype(dtype).itemsize
    if len(payload) != expected:
        raise BitstreamError(f"payload of {len(payload)} bytes, {expected} expected")
    return np.frombuffer(payload, dtype)


def cut(values: np.ndarray, entries: Sequence[Entry]) -> list[np.ndarray]:
    """Cut flat values into one array an entry."""
    ends = np.cumsum([entry.size for entry in entries])[:-1]
    return np.split(values, ends)


def _arrays(tensors: Mapping[str, Any]) -> Tensors:
    """Return tensors as NumPy arrays, having checked names and dtypes."""
    if not isinstance(tensors, Mapping):
        raise UserError(f"tensors: {type(tensors).__name__} is not a dict of NumPy arrays")
    return {name: _array(name, tensor) for name, tensor in tensors.items()}


def _array(name: Any, tensor: Any) -> np.ndarray:
    if not isinstance(name, str):
        raise UserError(f"tensor {name!r}: a name must be a string")
    array = torch_tensors.as_array(name, tensor) if torch_tensors.is_torch(tensor) else tensor
    if not isinstance(array, np.ndarray):
        raise UserError(f"tensor {name}: {type(tensor).__name__} is not a NumPy array")
    try:
        bitstream.dtype_code(array.dtype)
    except ValueError:
        raise UserError(f"tensor {name}: dtype {array.dtype} cannot be coded") from None
    # NumPy lets memory of any content be called bool; what it then compares equal to is chance.
    wrong = int(np.count_nonzero(array.view(np.uint8) > 1)) if array.dtype == np.bool_ else 0
    if wrong:
        raise UserError(f"tensor {name}: {wrong} of its bool values are bytes other than 0 and 1")
    return array


def _as_int32(tensor: np.ndarray) -> np.ndarray | None:
    """Return integers as int32, or None where they do not fit."""
    values = tensor.view(np.uint8) if tensor.dtype == np.bool_ else tensor
    if int(values.min()) < -1 << 31 or int(values.max()) >= 1 << 31:
        return None
    return np.atleast_1d(np.ascontiguousarray(values, dtype=np.int32))


def _as_float32(tensor: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes Inf and is refused by name
        return tensor.astype(np.float32, copy=False)


def _nonfinite(name: str, tensor: np.ndarray) -> str:
    """Say which and how many values are not finite as float32."""
    values = _as_float32(tensor)
    nans, total = int(np.isnan(values).sum()), int((~np.isfinite(values)).sum())
    return (
        f"tensor {name}: {nans} NaN and {total - nans} Inf of {tensor.size} values "
        '(nonfinite="exact" keeps them)'
    )


def _count(container: Container, index: int) -> int:
    return len(container.exceptions[index][1]) if index in container.exceptions else 0


def _keys(container: Container, names: Sequence[str] | None) -> list[str]:
    """Return the tensors' names, from the bitstream or from the caller."""
    if container.names is not None:
        if names is not None and list(names) != container.names:
            raise BitstreamError("bitstream: its tensors have other names than expected")
        return container.names
    if names is None:
        raise UserError("bitstream: its names did not travel: pass names=[…] to decode")
    if len(set(names)) != len(container.entries) or len(names) != len(container.entries):
        raise BitstreamError(
            f"bitstream: {len(container.entries)} tensors, {len(set(names))} names were given"
        )
    return list(names)


def _restore(
    array: np.ndarray, entry: Entry, exceptions: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """Return a decoded array in its tensor's dtype and shape, exceptions put back."""
    if entry.mode == CODED_INT:
        _check_range(array, entry.dtype)
    elif entry.dtype.itemsize < 4:  # what the loss carries beyond the range must not become Inf
        largest = float(ml_dtypes.finfo(entry.dtype).max)
        array = array.clip(-largest, largest)
    tensor = array.astype(entry.dtype, copy=False).reshape(entry.shape)
    if exceptions is None:
        return tensor
    mask, values = exceptions
    flat = tensor.reshape(-1).copy()
    flat[mask] = values
    return flat.reshape(entry.shape)


def _check_range(array: np.ndarray, dtype: np.dtype) -> None:
    low, high = (0, 1) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if array.size and (array.min() < low or array.max() > high):
        raise BitstreamError(f"bitstream: an integer does not fit its dtype {dtype}")


if sys.byteorder != "little":
    raise ImportError("nnrd.codecs needs a little-endian machine, as NNCodec does")
