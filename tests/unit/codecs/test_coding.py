"""Shards of bundles through a codec: files in, files out."""

import time

import ml_dtypes
import numpy as np
import pytest

from nnrd import BitstreamError, UserError, codecs
from nnrd.codecs import files as coding
from nnrd.codecs.base import Codec
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


def shard(folder, sums, of=None):
    return coding.Shard(of, folder / "in", sums)


def decoded(codec, file, expected, names=tuple(TENSORS), of=None):
    sent = coding.Shard(of, file.parent, {file.stem: expected})
    return coding.decode(codec, sent, file.stem, names)


def test_shard_is_encoded_and_decoded(folder, sums):
    codec = codecs.make("raw")
    rows = list(coding.encode(codec, shard(folder, sums), folder / "out"))
    assert [row["item"] for row in rows] == ["one", "two"]
    for row in rows:
        file = folder / f"out/{row['item']}.bin"
        assert row["anc_size"] == 24 + 8 + 0 + 4
        assert row["rec_size"] == file.stat().st_size
        assert row["checksum"] == checksum(file)
        assert row["enc_time"] > 0
        tensors, seconds = decoded(codec, file, row["checksum"])
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
        list(coding.encode(codecs.make("nnc", qp=-20), shard(folder, sums), folder / "out"))


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:9] + b"?" + b[10:], None])
def test_broken_bitstream_names_the_file(folder, sums, damage):
    """An altered file is refused by its checksum, and one with that checksum by the decoder."""
    codec, file = codecs.make("raw"), folder / "out/one.bin"
    row = next(iter(coding.encode(codec, shard(folder, sums), folder / "out")))
    whole = file.read_bytes()
    file.unlink()
    if damage is None:
        with pytest.raises(UserError, match=r"one\.bin: no such file"):
            decoded(codec, file, row["checksum"])
        return
    file.write_bytes(damage(whole))
    with pytest.raises(UserError, match=r"one\.bin: damaged"):
        decoded(codec, file, row["checksum"])
    with pytest.raises(BitstreamError, match=r"one\.bin: bitstream"):
        decoded(codec, file, checksum(file))


def test_other_names_than_those_that_were_sent(folder, sums):
    codec = codecs.make("raw")
    row = next(iter(coding.encode(codec, shard(folder, sums), folder / "out")))
    with pytest.raises(UserError, match=r"4 tensors|names|4 .*3"):
        decoded(codec, folder / "out/one.bin", row["checksum"], names=["a", "b", "c"])


def test_a_bitstream_of_another_item_or_source_is_refused(folder, sums):
    """Two files swapped together with their checksums; a file in the folder of another split."""
    codec = codecs.make("raw")
    of = "features/m/d/rank5"
    rows = list(coding.encode(codec, shard(folder, sums, of), folder / "out"))
    one, two = (folder / f"out/{row['item']}.bin" for row in rows)
    assert decoded(codec, one, rows[0]["checksum"], of=of)[0].keys() == TENSORS.keys()
    with pytest.raises(BitstreamError, match=r"one\.bin: bitstream: is of another item, split"):
        decoded(codec, one, rows[0]["checksum"], of="features/m/d/rank6")
    one.write_bytes(two.read_bytes())
    with pytest.raises(BitstreamError, match=r"one\.bin: bitstream: is of another item, split"):
        decoded(codec, one, rows[1]["checksum"], of=of)


SLOW = 0.3  # seconds


class Slow(Codec):
    """A codec that imports its coder at the first call, which takes long."""

    ready = False

    def load(self):
        if not self.ready:
            time.sleep(SLOW)
            self.ready = True

    def compress(self, tensors, names, workers):
        self.load()
        return b"".join(tensor.tobytes() for tensor in tensors)

    def expand(self, payload, entries, parameters, workers):
        self.load()
        flat = np.frombuffer(payload, np.float32)
        return [
            part.reshape(entry.shape)
            for part, entry in zip(codecs.cut(flat, entries), entries, strict=True)
        ]


def test_what_a_codec_imports_is_not_its_time(folder, sums):
    codec = Slow("slow")
    for row in coding.encode(codec, shard(folder, sums), folder / "out"):
        assert row["enc_time"] < SLOW / 2
        codec = Slow("slow")  # a decoder in a process of its own
        coding.warm_up(codec)
        _, seconds = decoded(codec, folder / f"out/{row['item']}.bin", row["checksum"])
        assert seconds["dec_time"] < SLOW / 2
