"""Tensors come back from disk as they were, through codecs too."""

import ml_dtypes
import numpy as np
import pytest

from nnrd import BitstreamError, UserError, codecs
from nnrd.codecs import files as coding
from nnrd.core import bundles

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
    bundles.write(tmp_path / "x.safetensors", TENSORS)
    same(bundles.read(tmp_path / "x.safetensors"), TENSORS)


@pytest.mark.parametrize("content", [b"", b"not a bundle", None])
def test_broken_bundle_is_a_user_error(tmp_path, content):
    if content is not None:
        (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.safetensors"):
        bundles.read(tmp_path / "x.safetensors")


@pytest.fixture
def folder(tmp_path):
    for name in ("two", "one"):
        bundles.write(tmp_path / f"in/{name}.safetensors", TENSORS)
    (tmp_path / "out").mkdir()
    return tmp_path


def test_shard_is_encoded_and_decoded(folder):
    codec = codecs.make("raw")
    rows = coding.encode(codec, folder / "in", folder / "out")
    assert [row["item"] for row in rows] == ["one", "two"]
    for row in rows:
        assert row["anc_size"] == 24 + 8 + 0 + 4
        assert row["rec_size"] == (folder / f"out/{row['item']}.bin").stat().st_size
        tensors, seconds = coding.decode(codec, folder / "out", row["item"], list(TENSORS))
        same(tensors, TENSORS)
        assert seconds > 0


def test_what_cannot_be_coded_names_the_item(folder):
    bundles.write(folder / "in/bad.safetensors", {"x": np.array([np.nan], dtype=np.float32)})
    with pytest.raises(UserError, match="bad: tensor x: 1 NaN"):
        coding.encode(codecs.make("nnc", qp=-20), folder / "in", folder / "out")


def test_broken_bitstream_names_the_file(folder):
    codec = codecs.make("raw")
    coding.encode(codec, folder / "in", folder / "out")
    (folder / "out/one.bin").write_bytes((folder / "out/one.bin").read_bytes()[:-1])
    with pytest.raises(BitstreamError, match=r"one\.bin"):
        coding.decode(codec, folder / "out", "one", list(TENSORS))


def test_nothing_to_encode_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match="no bundles"):
        coding.encode(codecs.make("raw"), tmp_path, tmp_path)
