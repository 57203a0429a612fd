"""Items sent as files: as they are stored, as JPEG, as FLAC."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
from PIL import Image

from nnrd import UserError
from nnrd.core.files import checksum
from nnrd.datasets import audio, file_codecs, images
from nnrd.datasets.index import Item


def photo(folder):
    """A smooth picture with an edge, 60x40."""
    y, x = np.mgrid[:40, :60]
    image = np.stack([3 * x, 5 * y, 255 * (x > 30)], axis=-1).clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(folder / "a.png"), image)
    return Item("a", str(folder / "a.png"), checksum(folder / "a.png"))


def recording(folder, subtype="PCM_16", rate=8000):
    samples = np.sin(np.arange(4000) / 9) * np.hanning(4000) * 0.3
    soundfile.write(folder / "a.wav", samples, rate, subtype=subtype)
    return Item("a", str(folder / "a.wav"), checksum(folder / "a.wav"))


def sent(item, folder, name, **parameters):
    codec = file_codecs.make(name, **parameters)
    (folder / "sent").write_bytes(codec.write(codec.read(item)))
    return Item("a", str(folder / "sent"), checksum(folder / "sent"))


def test_stored_is_the_file(tmp_path):
    item = photo(tmp_path)
    found = sent(item, tmp_path, "stored")
    assert found.checksum == item.checksum


def test_jpeg_loses_with_quality_and_shrinks(tmp_path):
    item = photo(tmp_path)
    true, sizes, losses = images.read_item(item).astype(int), [], []
    for quality in (95, 75, 25, 1):
        found = sent(item, tmp_path, "jpeg", quality=quality)
        with Image.open(found.path) as image:
            assert image.format == "JPEG" and image.size == (60, 40)
        sizes.append((tmp_path / "sent").stat().st_size)
        losses.append(np.abs(images.read_item(found) - true).mean())
    assert sizes == sorted(sizes, reverse=True) and losses == sorted(losses)
    assert 0 < losses[0] < 8 < losses[-1]


def test_a_codec_says_whether_it_loses_nothing():
    found = {name: file_codecs.REGISTRY.get(name).lossless for name in ("stored", "jpeg", "flac")}
    assert found == {"stored": True, "jpeg": False, "flac": True}


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_flac_loses_nothing(tmp_path, subtype):
    item = recording(tmp_path, subtype)
    found = sent(item, tmp_path, "flac")
    np.testing.assert_array_equal(audio.read_item(found), audio.read_item(item))
    info = soundfile.info(found.path)
    assert (info.format, info.subtype, info.samplerate) == ("FLAC", subtype, 8000)
    assert (tmp_path / "sent").stat().st_size < (tmp_path / "a.wav").stat().st_size


def test_what_flac_cannot_hold_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"a\.wav: FLAC holds samples of PCM_S8, .*, not FLOAT"):
        sent(recording(tmp_path, "FLOAT"), tmp_path, "flac")


@pytest.mark.parametrize("name", ["stored", "jpeg", "flac"])
def test_an_altered_file_is_refused(tmp_path, name):
    item = recording(tmp_path) if name == "flac" else photo(tmp_path)
    path = Path(item.path)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match="damaged"):
        file_codecs.make(name, quality=50).read(item)


@pytest.mark.parametrize(
    ("name", "parameters", "media", "said"),
    [
        ("jpeg", {"quality": 50}, "image", None),
        ("stored", {}, "audio", None),
        ("flac", {}, "audio", None),
        ("jpeg", {"quality": 96}, "image", "quality"),
        ("jpeg", {"quality": 50.0}, "image", "quality: 50.0 is not an integer"),
        ("jpeg", {}, "image", "quality"),
        ("stored", {"quality": 50}, "image", "quality"),
        ("jpeg", {"quality": 50}, "audio", "is for image, and the items are audio"),
        ("flac", {}, "image", "is for audio, and the items are image"),
        ("webp", {}, "image", "file codec"),
    ],
)
def test_what_is_refused_before_any_work(name, parameters, media, said):
    if said is None:
        file_codecs.check(name, parameters, media)
        return
    with pytest.raises(UserError, match=said):
        file_codecs.check(name, parameters, media)
