"""nnrd.nnc against NNCodec itself: the same bytes out, the same tensors back."""

import contextlib
import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnrd import BitstreamError, UserError, nnc
from nnrd.nnc import Options, by_nncodec

SCRIPTS = Path(__file__).parents[3] / "scripts"


def built():
    return importlib.util.find_spec("nnrd.nnc._native") is not None


@pytest.fixture(scope="module")
def reference():
    import nncodec.nnc

    return nncodec.nnc


CODERS = [
    "nncodec",
    pytest.param("native", marks=pytest.mark.skipif(not built(), reason="no native coder here")),
]


@pytest.fixture(params=CODERS)
def coder(request):
    return request.param


def compressed(reference, tensors, **options):
    return bytes(reference.compress(tensors, bitstream_path=None, return_bitstream=True, **options))


def assert_same(reference, tensors, coder=None, **options):
    stream = nnc.encode(tensors, coder=coder, **options)
    assert stream == compressed(reference, tensors, **options)
    theirs, ours = reference.decompress(bytearray(stream)), nnc.decode(stream, coder=coder)
    assert list(ours) == list(theirs) == list(tensors)
    for name, tensor in tensors.items():
        assert ours[name].dtype == tensor.dtype
        np.testing.assert_array_equal(ours[name], theirs[name].astype(tensor.dtype))
    return stream


def mixed():
    r = np.random.default_rng(0)
    tensors = {
        "conv": r.normal(size=(8, 4, 3, 3)) * 0.1,
        "bias": r.normal(size=9),
        "five": r.normal(size=(2, 3, 1, 2, 4)),
        "zeros": np.zeros((4, 5)),
        "sparse rows": r.normal(size=(30, 50)) * (np.arange(30) % 3 == 0)[:, None],
        "one": np.ones((1, 1)),
        "column": r.normal(size=(5, 1)),
        "row": r.normal(size=(1, 5)),
        "ключ": r.normal(size=3),
        "name " * 40: r.normal(size=(2, 2)),
    }
    tensors = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    tensors["transposed"] = tensors["sparse rows"].T
    tensors["strided"] = tensors["sparse rows"][::2, 1::3]
    tensors["count"] = np.array([77], np.int32)
    tensors["integers"] = r.integers(-5, 5, size=(3, 4)).astype(np.int32)
    tensors["largest"] = np.array([2**31 - 1, -(2**31), 0], np.int32)
    return tensors


OPTIONS = [
    {},
    *({"qp": qp} for qp in range(-75, 5, 13)),
    *({"qp": qp, "use_dq": False} for qp in (-75, -38, -20, 0, 4)),
    *({"qp": qp, "opt_qp": True} for qp in (-75, -36, -20, 4)),
    {"opt_qp": True, "use_dq": False},
    {"param_opt": False},
    {"param_opt": False, "use_dq": False},
    *(
        {"codebook_mode": mode, "use_dq": dq, "qp": -10, "nonweight_qp": -12}
        for mode in (1, 2)
        for dq in (True, False)
    ),
    {"codebook_mode": 2, "qp": 4, "nonweight_qp": 0, "row_skipping": True},
    *({"cabac_unary_length_minus1": n} for n in (0, 1, 9, 11, 40, 255)),
    *(
        {"cabac_unary_length_minus1": n, "codebook_mode": 2, "qp": 0, "nonweight_qp": 3}
        for n in (0, 1, 50, 118, 255)
    ),
    *({"qp_density": n, "qp": -15, "nonweight_qp": -20} for n in range(8)),
    *({"nonweight_qp": qp} for qp in (None, 0, -20, -75)),
    {"qp_per_tensor": {"conv": -10, "bias": -30, "unknown": 3}},
    {"qp_per_tensor": {"conv": -10}, "opt_qp": True},
    {"row_skipping": True},
    {"row_skipping": True, "use_dq": False, "qp": 0},
    {"lambda_scale": 1.5},
    {"lambda_scale": 0.5, "use_dq": False},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_stream_is_nncodecs(reference, options, coder, capsys):
    tensors = mixed()
    if options.get("codebook_mode"):  # NNCodec tries each entry as the zero: small tensors only
        tensors = {k: tensors[k] for k in ("conv", "bias", "zeros", "integers", "strided", "one")}
    assert_same(reference, tensors, coder, **options)


options_strategy = st.fixed_dictionaries(
    {},
    optional={
        "qp": st.integers(-75, 4),
        "nonweight_qp": st.integers(-75, 4),
        "use_dq": st.booleans(),
        "opt_qp": st.booleans(),
        "param_opt": st.booleans(),
        "row_skipping": st.booleans(),
        "cabac_unary_length_minus1": st.integers(0, 255),
        "lambda_scale": st.sampled_from([0, 0.5, 1.5, 20]),
        "codebook_mode": st.sampled_from([0, 0, 0, 1, 2]),
        "qp_per_tensor": st.dictionaries(st.sampled_from(["t0", "t1"]), st.integers(-75, 4)),
    },
)
tensor_strategy = st.one_of(
    npst.arrays(
        np.float32,
        npst.array_shapes(min_dims=1, max_dims=5, max_side=6),
        elements=st.floats(-1000, 1000, width=32),
    ),
    npst.arrays(np.int32, npst.array_shapes(min_dims=1, max_dims=5, max_side=6)),
)


def assert_any_stream_is_nncodecs(reference, coder, tensors, options):
    named = {f"t{i}": tensor for i, tensor in enumerate(tensors)}
    weights = [tensor for tensor in tensors if tensor.ndim > 1]
    if not weights or max(np.std(tensor) for tensor in weights) == 0:
        options = options | {"opt_qp": False}  # NNCodec divides by zero
    if options.get("codebook_mode"):  # its entries' differences must fit 32 bits in NNCodec
        for key, default in (("qp", -38), ("nonweight_qp", -75)):
            options = options | {key: max(options.get(key, default), -40)}
        per_tensor = options.get("qp_per_tensor", {})
        options = options | {"qp_per_tensor": {k: max(v, -40) for k, v in per_tensor.items()}}
    assert_same(reference, named, coder, **options)


any_stream = given(
    tensors=st.lists(tensor_strategy, min_size=1, max_size=6), options=options_strategy
)
checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
unhurried = {"deadline": None, "suppress_health_check": checks}


@settings(max_examples=150, **unhurried)
@any_stream
def test_any_stream_is_nncodecs(reference, coder, tensors, options):
    assert_any_stream_is_nncodecs(reference, coder, tensors, options)


@pytest.mark.slow
@pytest.mark.skipif(not built(), reason="no native coder here")
@settings(max_examples=2500, **unhurried)
@any_stream
def test_thousands_of_streams_are_nncodecs(reference, tensors, options):
    assert_any_stream_is_nncodecs(reference, "native", tensors, options)


def test_hundreds_of_tensors_and_long_units(reference):
    r = np.random.default_rng(1)
    tensors = {f"layer{i}": r.normal(size=(3, i % 5 + 1)).astype(np.float32) for i in range(300)}
    tensors["above 32 kB"] = r.normal(size=(150, 200)).astype(np.float32)
    stream = assert_same(reference, tensors)
    assert len(stream) > 1 << 15


@pytest.mark.parametrize("workers", [2, 3, 50])
def test_workers_change_nothing(workers, coder):
    r = np.random.default_rng(2)
    tensors = {f"{i}": r.normal(size=(90 * i + 1, 80)).astype(np.float32) for i in range(7)}
    tensors["count"] = np.array([1], np.int32)
    stream = nnc.encode(tensors)
    assert nnc.encode(tensors, workers=workers, coder=coder) == stream
    alone, together = nnc.decode(stream), nnc.decode(stream, workers=workers, coder=coder)
    assert list(alone) == list(together) == list(tensors)
    for name in tensors:
        np.testing.assert_array_equal(alone[name], together[name])
        assert together[name].flags.writeable


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"only a bias": np.ones(3, np.float32)},
        {"all equal": np.ones((2, 2), np.float32)},
        {"equal integers": np.ones((2, 2), np.int32), "bias": np.arange(3, dtype=np.float32)},
        {"too large": np.array([[3e38, -3e38]] * 2, np.float32)},
    ],
    ids=lambda tensors: next(iter(tensors), "nothing"),
)
def test_opt_qp_where_nncodec_crashes_is_refused(reference, tensors):
    with warnings.catch_warnings(), pytest.raises((ValueError, TypeError, RuntimeError)):
        warnings.simplefilter("ignore")
        compressed(reference, tensors, opt_qp=True)
    for refused in (nnc.encode, lambda tensors, **given: nnc.quantise(tensors, Options(**given))):
        with pytest.raises(UserError, match="opt_qp: needs tensors of two dimensions or more"):
            refused(tensors, opt_qp=True)


F = np.float32
REFUSED = [
    ({"a": np.ones(3)}, "tensor a: float64"),
    ({"a": np.ones(3, np.float16)}, "tensor a: float16"),
    ({"a": np.ones(3, np.int64)}, "tensor a: int64"),
    ({"a": np.ones(3, ">f4")}, "tensor a: >f4|tensor a: float32"),
    ({"a": [1.0]}, "tensor a: list"),
    ({"a": np.array(1, F)}, r"tensor a: the shape \(\)"),
    ({"a": np.ones((0, 3), F)}, r"tensor a: the shape \(0, 3\)"),
    ({"b": np.ones(1, F), "a": np.array([1, np.nan, np.nan], F)}, "tensor a: 2 NaN and 0 Inf of 3"),
    ({"a": np.array([[np.inf, -np.inf]], F)}, "tensor a: 0 NaN and 2 Inf of 2"),
    ({"conv_Gate": np.ones(3, F)}, "conv_Gate"),
    ({"a\0b": np.ones(3, F)}, "cannot code a name"),
    ({"\ud800": np.ones(3, F)}, "cannot code a name"),
    ({"n" * 70000: np.ones(3, F)}, "70000 bytes"),
    (
        {"a": np.array([1e30], F)},
        r"tensor a: its values \(up to 1e\+30\) are too large for a qp up to 127",
    ),
]


@pytest.mark.parametrize(("tensors", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_nncodec_loses_is_refused(tensors, message):
    with pytest.raises(UserError, match=message):
        nnc.encode(tensors)


def test_finite_values_whose_sum_is_infinite_are_not_called_infinite():
    with pytest.raises(UserError, match=r"its values \(up to 3e\+38\) are too large"):
        nnc.encode({"a": np.full(64, 3e38, F)})


@pytest.mark.parametrize("largest", [3, 5121, 7e4, 1e9, 4e18])
@pytest.mark.parametrize("use_dq", [True, False])
def test_qp_rises_until_the_levels_fit_32_bits(reference, largest, use_dq, coder):
    tensors = {"a": np.array([largest, -largest / 3, 0.5], F)}
    options = {"nonweight_qp": -4000, "qp_density": 7, "use_dq": use_dq}
    stream = nnc.encode(tensors, coder=coder, **options)
    with contextlib.suppress(RuntimeError):  # NNCodec itself gives up now and then
        assert stream == compressed(reference, tensors, **options)
    np.testing.assert_allclose(nnc.decode(stream)["a"], tensors["a"], atol=largest * 1e-7)


@pytest.mark.parametrize("qp", [-129, 128])
def test_qp_beyond_its_bits_is_refused(qp):
    with pytest.raises(UserError, match=f"tensor a: qp {qp} is outside -128…127"):
        nnc.encode({"a": np.ones((2, 2), F)}, qp=qp)


def good_stream():
    return nnc.encode(mixed(), qp=-20)


def test_streams_cut_anywhere_are_refused(coder):
    stream = good_stream()
    for length in [*range(0, len(stream) - 1, 7), len(stream) - 1]:
        with contextlib.suppress(BitstreamError):
            assert len(nnc.decode(stream[:length], coder=coder)) < len(
                mixed()
            )  # cut between two units


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"", "units of the types"),
        (b"\0", "ends inside"),
        (bytes(100), "the unit at byte 0 has 0 bytes"),
        (b"NNRD" * 50, "unit at byte 0"),
        (nnc.encode({})[:4], "units of the types"),
        (b"\0\4\2\0" + nnc.encode({})[4:], "general_profile_idc is 0"),  # of NNCodec 0.x
    ],
)
def test_no_stream(stream, message):
    with pytest.raises(BitstreamError, match=message):
        nnc.decode(stream)


def test_an_empty_dict_is_a_stream():
    assert nnc.decode(nnc.encode({})) == {}


def test_two_tensors_of_one_name_are_refused():
    stream = nnc.encode({"a": np.ones(3, F)})
    with pytest.raises(BitstreamError, match="same name"):
        nnc.decode(stream + stream[len(nnc.encode({})) :])


def test_size_is_checked_before_memory_is_taken():
    stream = nnc.encode({"a": np.zeros((1000, 1000), F)})
    with pytest.raises(BitstreamError, match="4000000 bytes of tensors, the limit is 3999999"):
        nnc.decode(stream, max_bytes=3_999_999)


def test_other_profiles_of_nncodec_are_refused_clearly(reference):
    tensors = {"a": np.random.default_rng(0).normal(size=(70, 9)).astype(F)}
    with pytest.raises(BitstreamError, match="scan_order is 1"):
        nnc.decode(compressed(reference, tensors, scan_order=1))


def test_import_brings_neither_torch_nor_nncodec():
    code = (
        "import sys, nnrd.codecs as c, numpy as np\n"
        "from nnrd import nnc\n"
        "heavy = {'torch', 'nncodec', 'sklearn', 'cv2'}\n"
        "def found(): print(sorted(heavy & set(sys.modules)))\n"
        "schemas = [c.parameter_schema(name) for name in c.available()]\n"
        "found()\n"
        "nnc.encode({'a': np.ones((3, 3), 'f4')}, coder='nncodec')\n"
        "del sys.modules['nncodec']\n"
        "found()\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=SCRIPTS, check=True
    )
    assert out.stdout.split("\n")[:2] == ["[]", "[]"], out.stdout


def test_decoder_input_is_followed_by_zeros():
    heads = nnc.read_stream(memoryview(good_stream()))[1]
    padded = by_nncodec.source(memoryview(good_stream()), heads)
    assert len(padded) > len(good_stream()) + 8 * max(head.size for head in heads)
    assert not padded[len(good_stream()) :].any()


# Options, bytes, mean over the weights (two dimensions or more) of each one's squared error.
RESNET56 = [
    ({"qp": -20, "use_dq": False}, 480_207, 8.138e-5),
    ({"qp": -20}, 406_648, 2.430e-4),
    ({"qp": -20, "opt_qp": True}, 376_277, 3.654e-4),
    ({"qp": -36, "opt_qp": True}, 665_543, 1.877e-6),
    ({"qp": -38}, 744_887, 5.571e-7),
]


@pytest.fixture(scope="module")
def resnet56():
    folder = os.environ.get("NNRD_DATA")
    if not folder:
        pytest.skip("NNRD_DATA is unset: no ResNet56 weights")
    from benches import tensors as made

    return made.resnet56()[1]


@pytest.mark.parametrize(("options", "size", "error"), RESNET56, ids=str)
def test_resnet56_has_its_known_size(resnet56, options, size, error):
    stream = nnc.encode(resnet56, **options)
    assert len(stream) == size
    decoded = nnc.decode(stream, workers=2)
    weights = [name for name, tensor in resnet56.items() if tensor.ndim > 1]
    errors = [((decoded[name] - resnet56[name]) ** 2).mean() for name in weights]
    assert np.mean(errors) == pytest.approx(error, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("options", [row[0] for row in RESNET56], ids=str)
def test_resnet56_stream_is_nncodecs(reference, resnet56, options):
    assert_same(reference, resnet56, **options)


@pytest.mark.slow
def test_large_stream_is_nncodecs(reference):
    from benches import tensors as made

    tensors = made.whisper_tiny()
    stream = nnc.encode(tensors, qp=-20, workers=2)
    assert stream == compressed(reference, tensors, qp=-20)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("mobilenet_v2", {"qp": -38}),
        ("mobilenet_v2", {"qp": -20, "use_dq": False, "opt_qp": True}),
        ("whisper_tiny_en", {"qp": -34, "opt_qp": True}),
    ],
)
def test_streams_of_real_weights_are_nncodecs(reference, tmp_path, network, options):
    from nnrd.models import REGISTRY
    from nnrd.models.network import tensors as sent
    from nnrd.study import sheets

    names = {name: [f"config/{name}.tsv"] for name in ("assets", "models", "datasets")}
    given = sheets.Given(names, {}, str, SCRIPTS.parent.joinpath)
    row = sheets.read(given).models[network]
    fetch = [sys.executable, SCRIPTS / "fetch_asset.py", "--asset", network]
    sheet = SCRIPTS.parent / "config/assets.tsv"
    subprocess.run([*fetch, "--sheet", sheet, "--out", tmp_path / network], check=True)
    model = REGISTRY.get(row.family).load_network(row).load(tmp_path / network)
    tensors = {
        # NNCodec takes a name with "_G" or "_H" for one of its own.
        name.replace("_G", "-G").replace("_H", "-H"): values
        for name, values in sent(model).items()
        if values.dtype == F and values.ndim
    }
    assert nnc.encode(tensors, **options) == compressed(reference, tensors, **options)
