"""Shards of bundles through a codec: files in, files out."""

import ml_dtypes
import numpy as np
import pytest

from nnrd import BitstreamError, UserError, codecs
from nnrd.codecs import files as coding
from nnrd.core import bundles
from nnrd.core.files import checksum

TENSORS = {
    "z": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "a": np.array(3, dtype=np.int64),
    "m": np.zeros((0, 4), dtype=np.float16),
    "b": np.array([1.5, -2], dtype=ml_dtypes.bfloat16),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def sums(folder):
    return {
        name: bundles.write(folder / f"in/{name}.safetensors", TENSORS) for name in ("one", "two")
    }


def test_shard_is_encoded_and_decoded(folder, sums):
    codec = codecs.make("raw")
    rows = list(coding.encode(codec, folder / "in", sums, folder / "out"))
    assert [row["item"] for row in rows] == ["one", "two"]
    for row in rows:
        file = folder / f"out/{row['item']}.bin"
        assert row["anc_size"] == 24 + 8 + 0 + 4
        assert row["rec_size"] == file.stat().st_size
        assert row["checksum"] == checksum(file)
        assert row["enc_time"] > 0
        given = (row["item"], row["checksum"], list(TENSORS))
        tensors, seconds = coding.decode(codec, folder / "out", *given)
        assert list(tensors) == list(TENSORS)
        for name, expected in TENSORS.items():
            assert tensors[name].dtype == expected.dtype
            assert tensors[name].shape == expected.shape
            np.testing.assert_array_equal(tensors[name], expected)
        assert list(seconds) == ["dec_time"] and seconds["dec_time"] > 0


def test_what_cannot_be_coded_names_the_item(folder, sums):
    bad = {"x": np.array([np.nan], dtype=np.float32)}
    sums["bad"] = bundles.write(folder / "in/bad.safetensors", bad)
    with pytest.raises(UserError, match="bad: tensor x: 1 NaN"):
        list(coding.encode(codecs.make("nnc", qp=-20), folder / "in", sums, folder / "out"))


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:9] + b"?" + b[10:], None])
def test_broken_bitstream_names_the_file(folder, sums, damage):
    """An altered file is refused by its checksum, and one with that checksum by the decoder."""
    codec, file = codecs.make("raw"), folder / "out/one.bin"
    row = next(iter(coding.encode(codec, folder / "in", sums, folder / "out")))
    given = (codec, folder / "out", "one")
    whole = file.read_bytes()
    file.unlink()
    if damage is None:
        with pytest.raises(UserError, match=r"one\.bin: no such file"):
            coding.decode(*given, row["checksum"], list(TENSORS))
        return
    file.write_bytes(damage(whole))
    with pytest.raises(UserError, match=r"one\.bin: damaged"):
        coding.decode(*given, row["checksum"], list(TENSORS))
    with pytest.raises(BitstreamError, match=r"one\.bin: bitstream"):
        coding.decode(*given, checksum(file), list(TENSORS))


def test_other_names_than_those_that_were_sent(folder, sums):
    codec = codecs.make("raw")
    row = next(iter(coding.encode(codec, folder / "in", sums, folder / "out")))
    with pytest.raises(UserError, match=r"4 tensors|names|4 .*3"):
        coding.decode(codec, folder / "out", "one", row["checksum"], ["a", "b", "c"])
