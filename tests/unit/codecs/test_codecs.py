"""Codecs: any dict of arrays round-trips; what cannot is refused by name; plug-ins are found."""

import sys
import textwrap
import tracemalloc

import hypothesis.extra.numpy as npst
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnrd import BitstreamError, UserError, codecs, nnc
from nnrd.codecs import container as bitstream

OPERATING_POINTS = [  # codec, parameters, largest error as a share of the largest value
    ("raw", {}, 0),
    ("float16", {}, 2**-11),
    ("bfloat16", {}, 2**-8),
    ("int8", {}, 0.5 / 127 + 1e-6),
    ("int8", {"per_channel": True}, 0.5 / 127 + 1e-6),
    ("intn", {"bits": 2}, 0.5 + 1e-6),
    ("intn", {"bits": 5, "per_channel": True}, 0.5 / 15 + 1e-6),
    ("intn", {"bits": 16}, 0.5 / 32767 + 1e-6),
    ("zstd", {"qp": -38}, 2e-3),
    ("zstd", {"qp": -38, "level": 1}, 2e-3),
    ("bzip2", {"qp": -38}, 2e-3),
    ("huffman", {"qp": -38}, 2e-3),
    ("nnc", {"qp": -38}, 4e-3),
    ("nnc", {"qp": -38, "use_dq": False}, 2e-3),
    ("nnc", {"qp": -20, "opt_qp": True, "row_skipping": True}, 0.2),
]
IDS = [f"{name} {parameters}" for name, parameters, _ in OPERATING_POINTS]


def zoo():
    r = np.random.default_rng(0)
    uniform = r.uniform(-1, 1, size=(6, 4, 3, 3))
    uniform.flat[0] = 1
    tensors = {
        "conv_Gate.weight": uniform.astype(np.float32),
        "n" * 300: uniform[0].astype(np.float16),
        "bf16 ключ\n": uniform[1].astype(ml_dtypes.bfloat16),
        "": uniform[2],
        "_H": np.array(-0.75, np.float32),
        "0-d float64": np.array(1.0),
        "transposed": uniform[3].astype(np.float32).T,
        "strided": uniform[..., 1].astype(np.float32)[::2],
        "big-endian": uniform[4].astype(">f4"),
        "int64": np.array([2**62, -(2**62)]),
        "small int64": np.arange(-5, 5).reshape(2, 5),
        "0-d int64": np.array(7),
        "uint8": np.array([[0, 255]], np.uint8),
        "uint64": np.array([2**64 - 1], np.uint64),
        "bool": np.array([True, False, True]),
        "0-d bool": np.array(True),
        "empty": np.zeros((2, 0, 3), np.float32),
        "empty int": np.zeros(0, np.int32),
        "complex": np.array([1 + 2j], np.complex64),
        "zeros": np.zeros((3, 3), np.float32),
        "float8": np.array([1, -2, 448], ml_dtypes.float8_e4m3fn),
    }
    return tensors | {"largest float16": np.full((4, 4), 65504, np.float16)}


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize(("name", "parameters", "share"), OPERATING_POINTS, ids=IDS)
def test_anything_comes_back(name, parameters, share, names):
    tensors = zoo()
    codec = codecs.make(name, **parameters)
    decoded = codec.decode(
        codec.encode(tensors, names=names), names=None if names else list(tensors)
    )
    assert list(decoded) == list(tensors)
    for key, tensor in tensors.items():
        found = decoded[key]
        assert (found.dtype, found.shape) == (tensor.dtype.newbyteorder("="), tensor.shape), key
        if tensor.dtype.kind in "iubc" or name == "raw" or not tensor.size:
            np.testing.assert_array_equal(found, tensor)
            continue
        largest = float(np.abs(tensor.astype(np.float64)).max())
        ulp = float(ml_dtypes.finfo(tensor.dtype).eps) * largest / 2
        step = 4e-3 if largest <= 1 else 0  # of a fixed step size, not of the largest value
        error = np.abs(found.astype(np.float64) - tensor.astype(np.float64)).max()
        assert error <= share * max(largest, step) + ulp + 1e-7, key


array_strategy = st.sampled_from(
    ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u2", "u8", "?", "c8"]
).flatmap(
    lambda dtype: npst.arrays(
        dtype,
        npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements={"allow_nan": True, "allow_infinity": True} if dtype[0] in "fc" else None,
    )
)


@pytest.mark.parametrize("name", ["raw", "int8", "zstd", "nnc"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tensors=st.dictionaries(st.text(max_size=8), array_strategy, max_size=4))
def test_any_dict_comes_back_or_is_refused_by_name(name, tensors):
    codec = codecs.make(name, **({} if name == "raw" else {"nonfinite": "exact"}))
    try:
        blob = codec.encode(tensors)
    except UserError as error:  # values that no step size of a stream reaches
        assert "too large" in str(error)
        return
    decoded = codec.decode(blob)
    assert list(decoded) == list(tensors)
    for key, tensor in tensors.items():
        assert (decoded[key].dtype, decoded[key].shape) == (tensor.dtype, tensor.shape)
        if tensor.dtype.kind in "iubc" or name == "raw":
            np.testing.assert_array_equal(decoded[key], tensor)
        else:  # float64 beyond float32 is kept exactly, as Inf is
            with np.errstate(over="ignore"):
                special = ~np.isfinite(tensor.astype(np.float32))
            np.testing.assert_array_equal(decoded[key][special], tensor[special])
            assert np.isfinite(decoded[key][~special]).all()


LOSSY = [row[:2] for row in OPERATING_POINTS if row[0] != "raw"]


@pytest.mark.parametrize(("name", "parameters"), LOSSY, ids=IDS[1:])
def test_what_is_not_finite_is_refused_or_kept(name, parameters):
    values = np.array([[1, np.nan, -np.inf], [np.nan, 0.5, -1]], np.float32)
    values.view(np.uint32)[0, 1] = 0x7FC12345  # the payload of a NaN is kept, too
    tensors = {"fine": np.ones(3, np.float32), "map": values}
    with pytest.raises(UserError, match="tensor map: 2 NaN and 1 Inf of 6 values"):
        codecs.make(name, **parameters).encode(tensors)
    codec = codecs.make(name, nonfinite="exact", **parameters)
    decoded = codec.decode(codec.encode(tensors))["map"]
    special = ~np.isfinite(values)
    np.testing.assert_array_equal(decoded[special].view(np.uint32), values[special].view(np.uint32))
    np.testing.assert_allclose(decoded[~special], values[~special], atol=0.51)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ([1], "tensors: list is not a dict"),
        ({1: np.ones(1)}, "tensor 1: a name must be a string"),
        ({"a": 1.5}, "tensor a: float is not a NumPy array"),
        ({"a": np.array(["x"])}, "tensor a: dtype <U1 cannot be coded"),
        ({"a": np.array([None])}, "tensor a: dtype object cannot be coded"),
        ({"a": np.full(2, 1e5, np.float32)}, "tensor a: 2 values are beyond float16"),
    ],
)
def test_what_no_codec_takes(tensors, message):
    with pytest.raises(UserError, match=message):
        codecs.make("float16").encode(tensors)


WRONG_PARAMETERS = [
    ("nnc", {"qp": 3.5}, "codec nnc: qp: 3.5 is not an integer"),
    ("nnc", {"qp": 3.0}, "codec nnc: qp: 3.0 is not an integer"),
    ("nnc", {"qp": True}, "codec nnc: qp: True is not an integer"),
    ("nnc", {"qp": "-38"}, "codec nnc: qp: '-38' is not an integer"),
    ("nnc", {"qp": 5000}, "codec nnc: qp: 5000 is above 4095"),
    (
        "nnc",
        {"qp": -129},
        "codec nnc: qp: -129 is outside -128…127, the range at qp_density 2",
    ),
    (
        "nnc",
        {"qp": -125, "codebook_mode": 1},
        "codec nnc: qp: -125 is outside -124…127, the range at qp_density 2, with a codebook",
    ),
    ("nnc", {"nonweight_qp": -128, "codebook_mode": 2}, "codec nnc: nonweight_qp: -128 is outside"),
    ("zstd", {"qp_per_tensor": {"a": 64}, "qp_density": 1}, "codec zstd: qp_per_tensor.a: 64 is"),
    ("nnc", {"qp_density": 8}, "codec nnc: qp_density: 8 is above 7"),
    ("nnc", {"use_dq": 1}, "codec nnc: use_dq: 1 is not a boolean"),
    ("nnc", {"codebook_mode": 3}, "codec nnc: codebook_mode: 3 is none of 0, 1, 2"),
    ("nnc", {"lambda_scale": -1}, "codec nnc: lambda_scale: -1 is below 0"),
    ("nnc", {"quality": 3}, "codec nnc: unknown key 'quality'; known: qp, "),
    ("raw", {"qp": 1}, "codec raw: unknown key 'qp'; known: "),
    ("intn", {}, "codec intn: 'bits' is missing"),
    ("intn", {"bits": 17}, "codec intn: bits: 17 is above 16"),
    ("int8", {"axis": 1}, "codec int8: axis: is of no use without per_channel"),
    ("int8", {"per_channel": True, "axis": -1}, "codec int8: axis: -1 is below 0"),
    ("int8", {"nonfinite": "keep"}, "codec int8: nonfinite: 'keep' is none of refuse, exact"),
    ("ncc", {}, "unknown codec 'ncc'; did you mean nnc"),
    ("JPEG", {}, "unknown codec 'JPEG'; known: bfloat16, bzip2"),
]


@pytest.mark.parametrize(("name", "parameters", "message"), WRONG_PARAMETERS)
def test_a_mistake_in_the_parameters_is_one_line(name, parameters, message):
    for refuse in (codecs.check, lambda name, parameters: codecs.make(name, **parameters)):
        with pytest.raises(UserError) as caught:
            refuse(name, parameters)
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", codecs.available())
def test_each_parameter_is_described(name):
    schema = codecs.parameter_schema(name)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert all(property["description"] for property in schema["properties"].values())
    assert codecs.REGISTRY.get(name).schema() == schema


def test_qp_range_is_what_a_stream_holds():
    tensors = {"a": np.array([[1e-3, 0.5], [3, -2]], np.float32)}
    for qp in (-128, 127):
        decoded = nnc.decode(nnc.encode(tensors, qp=qp))["a"]
        np.testing.assert_allclose(decoded, 0 if qp > 0 else tensors["a"], atol=1e-8)


def test_parameters_are_those_given():
    codec = codecs.make("nnc", qp=-20)
    assert (codec.name, codec.parameters) == ("nnc", {"qp": -20})
    assert bitstream.read(codec.encode({})).parameters == {"qp": -20}


def test_workers_do_not_change_the_bitstream():
    r = np.random.default_rng(0)
    tensors = {f"{i}": r.normal(size=(200, 300)).astype(np.float32) for i in range(3)}
    codec = codecs.make("nnc", qp=-20)
    blob = codec.encode(tensors)
    assert codec.encode(tensors, workers=2) == blob
    for key, tensor in codec.decode(blob, workers=2).items():
        np.testing.assert_array_equal(tensor, codec.decode(blob)[key])


def test_qp_per_tensor_goes_by_the_tensors_names():
    tensors = {"x_G": np.full((2, 2), 0.3, np.float32), "y": np.full((2, 2), 0.3, np.float32)}
    for name in ("nnc", "zstd"):
        codec = codecs.make(name, qp=-60, qp_per_tensor={"x_G": 0})
        decoded = codec.decode(codec.encode(tensors))
        assert abs(decoded["x_G"] - 0.3).max() > 0.1 > 0.001 > abs(decoded["y"] - 0.3).max()


def test_the_same_integers_as_nnc_without_dq():
    tensors = {"w": np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32)}
    expected = nnc.decode(nnc.encode(tensors, qp=-20, use_dq=False))["w"]
    for name in ("zstd", "bzip2", "huffman"):
        codec = codecs.make(name, qp=-20)
        np.testing.assert_array_equal(codec.decode(codec.encode(tensors))["w"], expected)


@pytest.mark.parametrize("opt_qp", [False, True])
def test_the_same_integers_as_nnc_where_integer_tensors_are_among_them(opt_qp):
    """With opt_qp the share and deviation of an integer tensor change the qp of the others."""
    r = np.random.default_rng(0)
    tensors = {
        "w": r.normal(size=(40, 30)).astype(np.float32),
        "classes": r.integers(0, 900, size=(50, 20)),
        "v": r.normal(size=(3, 30)).astype(np.float32),
        "flags": r.normal(size=(9, 9)) > 0,
        "count": np.array(3),
    }
    given = {"qp": -20, "opt_qp": opt_qp}
    expected = codecs.make("nnc", use_dq=False, **given).encode(tensors)
    expected = codecs.make("nnc").decode(expected)
    for name in ("zstd", "bzip2", "huffman"):
        codec = codecs.make(name, **given)
        found = codec.decode(codec.encode(tensors))
        for key in tensors:
            np.testing.assert_array_equal(found[key], expected[key], err_msg=f"{name} {key}")


@pytest.mark.parametrize("name", codecs.available())
@pytest.mark.parametrize("shape", [(4,), (2, 2), ()])
def test_a_bool_that_is_neither_0_nor_1_is_refused(name, shape):
    codec = codecs.make(name, **({"bits": 8} if name == "intn" else {}))
    values = np.full(shape, 7, np.uint8).view(np.bool_)
    wrong = f"tensor mask: {values.size} of its bool values are bytes other than 0 and 1"
    with pytest.raises(UserError, match=wrong):
        codec.encode({"w": np.ones((2, 2), np.float32), "mask": values})


def test_entropy_is_the_bound_of_memoryless_coders():
    r = np.random.default_rng(0)
    tensors = {"w": r.normal(size=(300, 400)).astype(np.float32) / 4}
    bound = codecs.make("entropy", qp=-12)
    levels = nnc.quantise(tensors, nnc.Options(qp=-12))["w"][0]
    counts = np.unique(levels, return_counts=True)[1]
    share = counts / levels.size
    bits = -levels.size * (share * np.log2(share)).sum()
    assert bound.bits(tensors) == pytest.approx(bits)
    size = len(bound.encode(tensors))
    assert bits / 8 <= size <= bits / 8 + 64
    assert size < len(codecs.make("huffman", qp=-12).encode(tensors)) < 1.1 * size
    with pytest.raises(UserError, match="cannot be decoded"):
        bound.decode(bound.encode(tensors))


@pytest.mark.parametrize("name", codecs.available())
def test_a_codec_says_whether_it_can_be_decoded(name):
    codec = codecs.make(name, **({"bits": 8} if name == "intn" else {}))
    blob = codec.encode({"w": np.ones((2, 3), np.float32)})
    if codec.decodable:
        assert codec.decode(blob)["w"].shape == (2, 3)
    else:
        with pytest.raises(UserError, match="cannot be decoded"):
            codec.decode(blob)
    assert type(codec).decodable is (name != "entropy")
    assert type(codec).lossless is (name == "raw")


def test_per_channel_follows_each_channel():
    tensors = {"w": np.array([[1, 0.5, -1], [0.001, 0.0005, -0.001]], np.float32)}
    whole, each = (codecs.make("int8", per_channel=flag) for flag in (False, True))
    assert abs(whole.decode(whole.encode(tensors))["w"][1]).max() == 0
    np.testing.assert_allclose(each.decode(each.encode(tensors))["w"], tensors["w"], rtol=0.01)


def scaled_along(shape, axis):
    """Return values of another size in each channel: one scale cannot do for two of them."""
    values = np.random.default_rng(0).uniform(0.5, 1, size=shape)
    sizes = 10.0 ** -np.arange(shape[axis])
    return (values * np.expand_dims(sizes, [i for i in range(len(shape)) if i != axis])).astype(
        "f4"
    )


@pytest.mark.parametrize(
    ("shape", "given", "axis"),
    [
        ((1, 6, 5, 4), {}, 1),  # features
        ((1, 6, 5), {}, 1),
        ((6, 4, 3, 3), {}, 0),  # weights
        ((6, 4), {}, 0),
        ((1, 1, 5, 4), {}, 1),
        ((6, 4, 3), {"axis": 0}, 0),
        ((1, 4, 6), {"axis": 2}, 2),
        ((1, 4, 6), {"axis": None}, 1),
    ],
)
@pytest.mark.parametrize(("name", "bits"), [("int8", {}), ("intn", {"bits": 7})])
def test_per_channel_goes_by_the_channels(name, bits, shape, given, axis):
    codec = codecs.make(name, per_channel=True, **bits, **given)
    tensors = {"w": scaled_along(shape, axis)}
    blob = codec.encode(tensors)
    # A bitstream says by which dimension: whoever has the name of the codec alone can decode it.
    decoded = codecs.make(name, **bitstream.read(blob).parameters).decode(blob)["w"]
    np.testing.assert_allclose(decoded, tensors["w"], rtol=0.02)


@pytest.mark.parametrize(("shape", "axis"), [((5,), 0), ((1, 5), 0), ((2, 3), 2), ((), 0)])
def test_per_channel_without_such_a_dimension_has_one_scale(shape, axis):
    tensors = {"w": np.random.default_rng(0).uniform(0.5, 1, size=shape).astype(np.float32)}
    each, whole = codecs.make("int8", per_channel=True, axis=axis), codecs.make("int8")
    for one, other in zip(
        *(c.decode(c.encode(tensors)).values() for c in (each, whole)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_per_channel_of_older_bitstreams_is_dimension_0():
    values = np.array([[[1, -2], [0.5, 4]]], np.float32)
    payload = (
        np.float32(4 / 127).tobytes() + (np.rint(values / (4 / 127)) + 127).astype("u1").tobytes()
    )
    entry = bitstream.Entry(values.dtype, values.shape, bitstream.CODED_FLOAT)
    old = bitstream.Container("int8", {"per_channel": True}, [entry], payload, ["w"])
    decoded = codecs.make("int8").decode(bitstream.write(old))["w"]
    np.testing.assert_allclose(decoded, values, atol=0.5 * 4 / 127)


@pytest.mark.parametrize("axis", ["1", -1, 1.5, [1]])
def test_an_axis_that_no_encoder_writes_is_refused(axis):
    entry = bitstream.Entry(np.dtype("f4"), (2, 2), bitstream.CODED_FLOAT)
    parameters = {"per_channel": True, "axis": axis}
    hostile = bitstream.Container("int8", parameters, [entry], bytes(12), ["w"])
    with pytest.raises(BitstreamError, match="is not defined"):
        codecs.make("int8").decode(bitstream.write(hostile))


@pytest.mark.parametrize("bits", [2, 3, 7, 8, 9, 16])
def test_intn_takes_the_bits_that_it_says(bits):
    values = np.random.default_rng(0).normal(size=200_003).astype(np.float32)
    codec = codecs.make("intn", bits=bits)
    blob = codec.encode({"w": values}, names=False)
    assert abs(len(blob) - values.size * bits / 8) < 64
    error = codec.decode(blob, names=["w"])["w"] - values
    limit = 2 ** (bits - 1) - 1
    assert abs(error).max() <= abs(values).max() / limit * 0.5 + 1e-6


def test_names_that_do_not_travel():
    tensors = {"a": np.ones(2, np.float32), "b": np.zeros(1, np.float32)}
    codec = codecs.make("raw")
    blob = codec.encode(tensors, names=False)
    assert len(blob) < len(codec.encode(tensors))
    with pytest.raises(UserError, match="names did not travel"):
        codec.decode(blob)
    for names in (["a"], ["a", "a"], ["a", "b", "c"]):
        with pytest.raises(BitstreamError, match=r"2 tensors, . names were given"):
            codec.decode(blob, names=names)
    with pytest.raises(BitstreamError, match="other names than expected"):
        codec.decode(codec.encode(tensors), names=["b", "a"])


def test_another_codecs_bitstream_is_refused():
    blob = codecs.make("raw").encode({"a": np.ones(2, np.float32)})
    with pytest.raises(BitstreamError, match="codec nnc: the bitstream is of 'raw'"):
        codecs.make("nnc").decode(blob)


@pytest.mark.parametrize("name", ["zstd", "bzip2", "huffman", "nnc"])
def test_a_bomb_takes_no_more_memory_than_its_tensors(name):
    """A payload of 16 MB of zeros under a header that announces 4 kB."""
    codec = codecs.make(name, qp=-20)
    big = bitstream.read(codec.encode({"a": np.zeros((2048, 2048), np.float32)}))
    entry = bitstream.Entry(np.dtype(np.float32), (32, 32), bitstream.CODED_FLOAT)
    blob = bitstream.write(bitstream.Container(name, {"qp": -20}, [entry], big.payload, ["a"]))
    tracemalloc.start()
    with pytest.raises(BitstreamError):
        codec.decode(blob)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install a distribution with a codec, as pip would leave it."""
    (tmp_path / "sparse_codec.py").write_text(
        textwrap.dedent('''
            import numpy as np

            from nnrd import codecs


            class Sparse(codecs.Codec):
                """Keeps the values above a threshold as float16, and a bit for each place."""

                properties = {
                    "threshold": {"type": "number", "minimum": 0, "description": "least |value|"}
                }
                required = ("threshold",)

                def compress(self, tensors, names, workers):
                    values = np.concatenate([tensor.ravel() for tensor in tensors])
                    kept = abs(values) >= self.parameters["threshold"]
                    return np.packbits(kept).tobytes() + values[kept].astype("<f2").tobytes()

                def expand(self, payload, entries, parameters, workers):
                    count = sum(entry.size for entry in entries)
                    places = np.frombuffer(payload[: (count + 7) // 8], np.uint8)
                    values = np.zeros(count, np.float32)
                    kept = np.unpackbits(places, count=count).astype(bool)
                    values[kept] = np.frombuffer(payload[len(places) :], "<f2")
                    return codecs.cut(values, entries)
        ''')
    )
    info = tmp_path / "sparse_codec-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sparse-codec\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[nnrd.codecs]\nsparse = sparse_codec:Sparse\nbroken = sparse_codec:Missing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "sparse"
    sys.modules.pop("sparse_codec", None)


def test_a_third_party_adds_a_codec(plugin):
    assert plugin in codecs.available()
    assert codecs.REGISTRY.target(plugin) == "sparse_codec:Sparse"
    assert set(codecs.parameter_schema(plugin)["properties"]) == {"threshold", "nonfinite"}
    codec = codecs.make(plugin, threshold=0.5)
    tensors = {"a": np.array([[0.25, 1], [-0.75, 0]]), "n": np.arange(3)}
    decoded = codec.decode(codec.encode(tensors))
    np.testing.assert_array_equal(decoded["a"], [[0, 1], [-0.75, 0]])
    np.testing.assert_array_equal(decoded["n"], [0, 1, 2])
    with pytest.raises(UserError, match="codec sparse: threshold: -1 is below 0"):
        codecs.make(plugin, threshold=-1)
    with pytest.raises(
        UserError, match="codec broken: its entry point sparse_codec:Missing does not load"
    ):
        codecs.make("broken")


def test_a_plugin_that_fails_on_damage_is_a_bitstream_error(plugin):
    codec = codecs.make(plugin, threshold=0)
    good = bitstream.read(codec.encode({"a": np.ones(20)}))
    good.payload = bytes(good.payload)[:-1]
    with pytest.raises(BitstreamError, match="codec sparse: "):
        codec.decode(bitstream.write(good))
