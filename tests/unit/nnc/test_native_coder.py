"""nnrd's own coder against NNCodec's C++ calls: every qp, extreme values, both kinds of kernel."""

import importlib.util

import numpy as np
import pytest

from nnrd import BitstreamError, UserError, nnc

if importlib.util.find_spec("nnrd.nnc._native") is None:
    pytest.skip("no native coder here", allow_module_level=True)

from nnrd.nnc import _native

F = np.float32


@pytest.fixture(params=["portable", "x86-64-v3"])
def kernels(request):
    if not _native.select(request.param):
        pytest.skip(f"this processor is not {request.param}")
    yield request.param
    _native.select("the best")


def assert_equal(tensors, **options):
    stream = nnc.encode(tensors, coder="native", **options)
    assert stream == nnc.encode(tensors, coder="nncodec", **options)
    ours, theirs = (nnc.decode(stream, coder=coder) for coder in ("native", "nncodec"))
    for name in tensors:
        np.testing.assert_array_equal(ours[name], theirs[name])


def weights():
    r = np.random.default_rng(5)
    return {
        "wide": (r.laplace(size=(3, 700)) * 0.05).astype(F),
        "tall": (r.normal(size=(400, 1, 2)) * (np.arange(400) % 5 > 0)[:, None, None]).astype(F),
        "bias": r.normal(size=33).astype(F),
    }


@pytest.mark.parametrize("qp", range(-75, 21))
def test_every_qp(kernels, qp):
    for dq in (True, False):
        assert_equal(weights(), qp=qp, nonweight_qp=qp or -1, use_dq=dq)


def extreme():
    r, tiny = np.random.default_rng(6), np.finfo(F).smallest_subnormal
    step = F(2**-9)
    return {
        "denormals": np.array([[tiny, -tiny, 0.0, -0.0], [1e-40, -1e-40, 1e-38, 0.5]], F),
        "ties": (np.arange(-40, 40, dtype=F) * step / 2).reshape(8, 10),
        "near ties": np.nextafter((np.arange(1, 61, dtype=F) + F(0.5)) * step, F(0)).reshape(6, 10),
        "zeros": np.zeros((700, 9), F),
        "one huge": np.where(np.arange(900) == 450, F(1e6), 1e-3 * r.normal(size=900)).astype(F)[
            None
        ],
        "row": r.normal(size=(1, 500)).astype(F),
        "column": r.normal(size=(500, 1)).astype(F),
        "long runs": np.repeat(r.normal(size=12), 800).astype(F).reshape(96, 100),
        "levels up to 31 bits": (r.laplace(size=(9, 9)) * 2e5).astype(F),
    }


@pytest.mark.parametrize("qp", [-75, -40, -38, -36, -20, 4, 20])
@pytest.mark.parametrize(
    "options", [{}, {"use_dq": False}, {"lambda_scale": 1.5}, {"qp_density": 4}]
)
def test_extreme_values(kernels, qp, options):
    assert_equal(extreme(), qp=qp, row_skipping=True, **options)


@pytest.mark.parametrize("largest", [1.0, 511.9, 512.1, 9e8, 2.1e9, 4.3e9, 3e18])
@pytest.mark.parametrize("dq", [True, False])
@pytest.mark.parametrize("lambda_scale", [0, 1.5])
def test_levels_at_the_edge_of_32_bits(kernels, largest, dq, lambda_scale):
    # With a step of 2^-22 the first values just fit; the others raise the qp.
    values = np.array([[largest, -largest, largest / 3], [1e-7, 0.5, -largest * 0.999]], F)
    tensors = {"a": values, "b": values[:, :1].copy(), "c": -values}
    outcomes = []
    for coder in ("native", "nncodec"):
        try:
            outcomes.append(
                nnc.encode(tensors, qp=-88, use_dq=dq, lambda_scale=lambda_scale, coder=coder)
            )
        except UserError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 8191, 8192, 8193, 20_000])
def test_sizes_around_a_block(kernels, count):
    values = np.random.default_rng(count).laplace(size=count).astype(F)
    for dq in (True, False):
        assert_equal({"a": values, "b": values[:, None]}, use_dq=dq, nonweight_qp=-30)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 40])
def test_data_of_any_size_are_refused(kernels, size):
    levels = np.zeros(1000, np.int32)
    with pytest.raises(_native.Damaged):
        _native.decode(np.full(size, 0x5A, np.uint8), levels, True, 11, 8, (0, 0))


def encoded(levels, flags=11, book=(0, 0), initial=()):
    return _native.encode(
        *(levels, False, flags, 8, 0, False, book, False, np.array(initial, np.uint8))
    )


@pytest.mark.parametrize("shares", [2, 3, 4, 40])
@pytest.mark.parametrize("dq", [True, False])
@pytest.mark.parametrize("rows", [True, False])
def test_shares_of_the_trial_make_the_whole(kernels, shares, dq, rows):
    levels = (np.random.default_rng(8).laplace(size=(300, 70)) * 9).astype(np.int32)
    levels[::7] = 0
    layer = (levels, dq, 11, rows, (0, 0))
    parts = [_native.choose(*layer, i, shares) for i in range(shares)]
    whole = _native.choose(*layer)
    assert whole.any()
    assert sum((part != 0).astype(int) for part in parts).max() == 1  # none is chosen twice
    np.testing.assert_array_equal(np.bitwise_or.reduce(parts), whole)


def test_a_large_tensor_is_shared_and_its_bytes_are_the_same(monkeypatch):
    asked = []
    choose = _native.choose
    monkeypatch.setattr(_native, "choose", lambda *a: asked.append(a[-2:]) or choose(*a))
    r = np.random.default_rng(9)
    tensors = {"large": r.laplace(size=(600, 400)), "small": r.laplace(size=(40, 50))}
    tensors = {name: values.astype(F) for name, values in tensors.items()}
    alone = nnc.encode(tensors, coder="native")
    assert set(asked) == {(0, 1)}
    assert nnc.encode(tensors, coder="native", workers=2) == alone
    assert sorted(asked[2:]) == [(0, 1), (0, 2), (1, 2)]


def test_arguments_that_do_not_fit_together_are_refused():
    levels = np.zeros((2, 3), np.int32)
    with pytest.raises(ValueError, match="out of the codebook"):
        encoded(levels, book=(3, 3))
    with pytest.raises(ValueError, match="out of range"):
        encoded(levels, flags=257)
    for initial in ([0] * 5, [9] * len(_native.choose(levels, False, 11, False, (0, 0)))):
        with pytest.raises(ValueError, match="initial states of other contexts"):
            encoded(levels, initial=initial)
    for share, shares in ((2, 2), (0, 0)):
        with pytest.raises(ValueError, match="no such share"):
            _native.choose(levels, False, 11, False, (0, 0), share, shares)
    with pytest.raises(ValueError, match="sizes differ"):
        _native.quantise(np.zeros(5, F), levels, True, 2, 0, 0.0, 10)
    with pytest.raises(ValueError, match="sizes differ"):
        _native.dequantise(levels, np.zeros(5, F), 2, 0)


def test_values_outside_a_codebook_are_refused():
    tensors = {"a": np.random.default_rng(0).normal(size=(20, 20)).astype(F)}
    stream = bytearray(nnc.encode(tensors, qp=-8, nonweight_qp=-8, codebook_mode=1))
    chance = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(stream)
        damaged[int(chance.integers(40, len(stream)))] ^= 1 << int(chance.integers(8))
        try:
            nnc.decode(bytes(damaged), coder="native", max_bytes=1 << 16)
        except BitstreamError:
            continue
