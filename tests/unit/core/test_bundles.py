"""Tensors come back from disk as they were."""

import ml_dtypes
import numpy as np
import pytest

from nnrd import UserError
from nnrd.core import bundles, files

TENSORS = {
    "z": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "a": np.array(3, dtype=np.int64),
    "m": np.zeros((0, 4), dtype=np.float16),
    "b": np.array([1.5, -2], dtype=ml_dtypes.bfloat16),
}


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name in ours:
        assert ours[name].dtype == theirs[name].dtype and ours[name].shape == theirs[name].shape
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_bundle_round_trip_keeps_order_shapes_and_dtypes(tmp_path):
    checksum = bundles.write(tmp_path / "x.safetensors", TENSORS)
    assert checksum == files.checksum(tmp_path / "x.safetensors")
    same(bundles.read(tmp_path / "x.safetensors", checksum), TENSORS)


def test_size_is_that_of_the_values():
    assert bundles.size(TENSORS) == 24 + 8 + 0 + 4


@pytest.mark.parametrize("content", [b"", b"not a bundle", b"\xff" * 40, None])
def test_broken_bundle_is_a_user_error(tmp_path, content):
    """Both where the file is not what was written, and where it never was a bundle."""
    path = tmp_path / "x.safetensors"
    checksum = "0" * 64
    if content is not None:
        path.write_bytes(content)
        checksum = files.checksum(path)
    for expected in ("0" * 64, checksum):
        with pytest.raises(UserError, match=r"x\.safetensors") as caught:
            bundles.read(path, expected)
        assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    def full(*_, **__):
        raise bundles.SafetensorError("No space left on device")

    monkeypatch.setattr(bundles, "save_file", full)
    with pytest.raises(UserError, match=r"x\.safetensors: cannot be written \(No space"):
        bundles.write(tmp_path / "x.safetensors", TENSORS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", sorted(bundles.DTYPES))
def test_every_dtype_comes_back(tmp_path, dtype):
    tensor = np.array([[1, 0], [1, 1]]).astype(bundles.DTYPES[dtype])
    checksum = bundles.write(tmp_path / "x.safetensors", {"a": tensor})
    same(bundles.read(tmp_path / "x.safetensors", checksum), {"a": tensor})
