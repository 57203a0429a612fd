"""The container: every field, what it refuses, and that a file of version 1 stays readable."""

import zlib
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from nnrd import BitstreamError, codecs
from nnrd.codecs import container as bitstream
from nnrd.codecs import fields, identity
from nnrd.codecs.container import (
    CODED_FLOAT,
    CODED_INT,
    STORED,
    Container,
    Entry,
    read,
    write,
)

GOLDEN = Path(__file__).parents[2] / "data"


def golden_tensors():
    """Return tensors that use each field of the format; never change them."""
    ramp = (np.arange(60, dtype=np.float32).reshape(3, 4, 5) - 30) / 16
    return {
        "ramp": ramp,
        "conv_Gate.weight": ramp[0, 0].astype(np.float16),
        "bf16": np.array([1, -2, 3.5], ml_dtypes.bfloat16),
        "float64": np.array([[1e-3], [2.0]]),
        "counts": np.array([-(2**62), 5]),
        "steps": np.array(1234, np.int64),
        "bytes": np.array([0, 255, 7], np.uint8),
        "mask": np.array([[True, False]]),
        "empty": np.zeros((0, 3), np.float32),
        "ä" * 300: np.array(2.5, np.float32),
        "missing": np.array([1, np.nan, -np.inf, 0.5], np.float32),
    }


GOLDEN_CODECS = [("raw", {}), ("nnc", {"qp": -38, "nonfinite": "exact"})]


@pytest.mark.parametrize(("name", "parameters"), GOLDEN_CODECS)
def test_version_1_stays_what_it_is(name, parameters):
    golden = (GOLDEN / f"{name}_v1.nnrd").read_bytes()
    codec = codecs.make(name, **parameters)
    assert codec.encode(golden_tensors()) == golden
    for key, tensor in codec.decode(golden).items():
        expected = golden_tensors()[key]
        assert (tensor.dtype, tensor.shape) == (expected.dtype, expected.shape)
        if name == "raw" or tensor.dtype.kind in "iub":
            np.testing.assert_array_equal(tensor, expected)
        else:
            np.testing.assert_allclose(
                tensor.astype(np.float64), expected.astype(np.float64), rtol=0.02, atol=0.01
            )


IDENTITY = b"12345678"


def identified(plain: bytes) -> bytes:
    """Return a file of version 1 as version 2 has it: another head, and the identity behind it."""
    return signed(plain[:4] + bytes([2, plain[5] | 2]) + plain[6:10] + IDENTITY + plain[10:])


@pytest.mark.parametrize(("name", "parameters"), GOLDEN_CODECS)
def test_version_2_is_version_1_with_an_identity(name, parameters):
    golden = identified((GOLDEN / f"{name}_v1.nnrd").read_bytes())
    codec = codecs.make(name, **parameters)
    assert codec.encode(golden_tensors(), identity=IDENTITY) == golden
    assert read(golden).identity == IDENTITY
    assert list(codec.decode(golden, identity=IDENTITY)) == list(golden_tensors())
    assert list(codec.decode(golden)) == list(golden_tensors())  # by hand nobody asks


def test_a_bitstream_of_something_else_is_refused():
    """Another item, another operating point, and one that does not say what it is of."""
    tensors = {"w": np.linspace(0, 1, 50, dtype=np.float32)}
    sent, other = (codecs.make("nnc", qp=qp) for qp in (-30, -20))
    mine, theirs = (identity.identity("weights/m", name, sent) for name in ("a", "b"))
    assert identity.identity("weights/m", "a", other) not in (mine, theirs)
    assert len({mine, theirs, identity.identity("weights/n", "a", sent)}) == 3
    blob = sent.encode(tensors, identity=mine)
    assert list(sent.decode(blob, identity=mine)) == ["w"]
    with pytest.raises(BitstreamError, match="of another item, split or model"):
        sent.decode(blob, identity=theirs)
    expected = identity.identity("weights/m", "a", other)
    with pytest.raises(BitstreamError, match=r'nnc at {"qp": -30}, not at'):
        other.decode(blob, identity=expected)
    with pytest.raises(BitstreamError, match="does not say what it is of"):
        sent.decode(sent.encode(tensors), identity=mine)
    with pytest.raises(ValueError, match="8 bytes"):
        sent.encode(tensors, identity=b"short")


def container(**changes):
    fields = {
        "codec": "some",
        "parameters": {"qp": -38, "deep": {"ä": [1, None]}},
        "entries": [Entry(np.dtype(np.float32), (2, 3), CODED_FLOAT)],
        "payload": b"payload",
        "names": ["w"],
    }
    return Container(**fields | changes)


@pytest.mark.parametrize("names", [["w"], None, [""], ["\ud800\0\n" * 100]])
def test_a_container_comes_back(names):
    written = container(names=names)
    found = read(write(written))
    assert (found.codec, found.parameters) == (written.codec, written.parameters)
    assert (found.entries, found.names) == (written.entries, names)
    assert bytes(found.payload) == b"payload"


@pytest.mark.parametrize("dtype", bitstream.DTYPES, ids=str)
def test_every_dtype_is_stored_exactly(dtype):
    array = np.array([[0, 1, 1], [1, 0, 1]]).astype(dtype)
    entry = Entry(dtype, array.shape, STORED)
    found = read(write(container(entries=[entry], stored={0: array})))
    assert found.stored[0].dtype == dtype
    np.testing.assert_array_equal(found.stored[0], array)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**64 - 1])
def test_varint(value):
    assert fields.Reader(memoryview(fields.varint(value))).varint() == value


def signed(head_and_body: bytes) -> bytes:
    """Return a blob with the checksum that its other bytes deserve."""
    head, body = head_and_body[:6], head_and_body[10:]
    return head + zlib.crc32(body, zlib.crc32(head)).to_bytes(4, "little") + body


GOOD = write(container())


def with_byte(position, value):
    return GOOD[:position] + bytes([value]) + GOOD[position + 1 :]


WRONG = [
    (b"", "0 bytes are no nnrd bitstream"),
    (GOOD[:9], "9 bytes are no nnrd bitstream"),
    (with_byte(0, 0), "not an nnrd bitstream"),
    (with_byte(4, 3), "format version 3, this nnrd reads 1 and 2"),
    (with_byte(4, 0), "format version 0, this nnrd reads 1 and 2"),
    (GOOD[:-1], "checksum"),
    (GOOD + b"\0", "checksum"),
    (with_byte(5, 0), "checksum"),
    (with_byte(len(GOOD) - 1, 0), "checksum"),
    (signed(with_byte(5, 3)), "unknown flags 0x03"),
    (signed(GOOD[:4] + b"\2\4" + GOOD[6:]), "unknown flags 0x04"),
    (signed(GOOD[:4] + b"\2\2" + GOOD[6:15]), "ends 3 bytes early"),
    (signed(GOOD[:10] + b"\xff"), "ends 255 bytes early"),
    (signed(GOOD[:10] + b"\1\xff"), "not UTF-8"),
    (signed(GOOD[:15] + b"\2ab"), "deflated section"),
]


@pytest.mark.parametrize(("blob", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_is_wrong_is_said(blob, message):
    with pytest.raises(BitstreamError, match=message):
        read(blob)


F32 = np.dtype(np.float32)
HOSTILE = [
    (container(entries=[Entry(F32, (2**40,), CODED_FLOAT)]), "the limit is"),
    (container(entries=[Entry(F32, (2**40, 0, 2**40), STORED)]), "is impossible"),
    (container(entries=[Entry(F32, (0, 3), CODED_FLOAT)]), "of 0 values in mode 0"),
    (container(entries=[Entry(F32, (3,), CODED_INT)]), "float32 of 3 values in mode 1"),
    (container(entries=[Entry(np.dtype(bool), (3,), CODED_FLOAT)]), "bool of 3 values in mode 0"),
    (container(entries=[Entry(F32, (2**63, 2**63), CODED_FLOAT)]), "is impossible"),
    (container(entries=[Entry(F32, (9,), STORED)]), "ends 29 bytes early"),
    (container(entries=[Entry(F32, (1,) * 33, CODED_FLOAT)]), "rank 33"),
    (container(entries=[Entry(F32, (1,), 3)]), "mode 3"),
    (container(entries=[Entry(F32, (1,), CODED_FLOAT)] * 2, names=["a", "a"]), "one a tensor"),
    (container(entries=[Entry(F32, (1,), CODED_FLOAT)] * 2, names=["a"]), "ends 1 bytes early"),
    (container(names=["a", "b"]), "one a tensor"),
    (
        container(
            entries=[Entry(F32, (4,), CODED_FLOAT, 2)],
            exceptions={0: (np.array([1, 0, 0, 0], bool), np.ones(2, np.float32))},
        ),
        "exceptions do not match",
    ),
    (
        container(
            entries=[Entry(F32, (4,), CODED_FLOAT, 5)],
            exceptions={0: (np.ones(4, bool), np.ones(5, np.float32))},
        ),
        "5 exceptions in a tensor of 4",
    ),
    (
        container(
            entries=[Entry(np.dtype(bool), (2,), STORED)], stored={0: np.array([2, 1], np.uint8)}
        ),
        "neither 0 nor 1",
    ),
]


@pytest.mark.parametrize(("hostile", "message"), HOSTILE, ids=[message for _, message in HOSTILE])
def test_a_hostile_writer_gets_no_memory(hostile, message):
    with pytest.raises(BitstreamError, match=message):
        read(write(hostile))


def test_parameters_that_inflate_beyond_the_limit_are_refused():
    huge = {"x": "a" * (bitstream.MAX_NAMES + 1)}
    with pytest.raises(BitstreamError, match="wrong length"):
        read(write(container(parameters=huge)))


def test_max_bytes_counts_all_tensors():
    entries = [Entry(F32, (10,), CODED_FLOAT)] * 3
    blob = write(container(entries=entries, names=None))
    assert len(read(blob, max_bytes=120).entries) == 3
    with pytest.raises(BitstreamError, match="120 bytes of tensors, the limit is 119"):
        read(blob, max_bytes=119)


@pytest.mark.parametrize("parameters", [{"qp": -38}, {"qp": -38, "use_dq": False, "opt_qp": True}])
@pytest.mark.parametrize("shapes", [[(1, 512, 38, 38)], [(1, 64, 75, 75), (1, 256)], [(3,)] * 40])
def test_overhead_is_small_where_names_need_not_travel(shapes, parameters):
    entries = [Entry(F32, shape, CODED_FLOAT) for shape in shapes]
    written = Container("nnc", parameters, entries, b"", None)
    assert len(write(written)) <= 32 + 16 * len(shapes)
