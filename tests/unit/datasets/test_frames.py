"""Images out of a file, a folder or a video, and what is done with those that cannot be read."""

import numpy as np
import pytest
from PIL import Image
from small_detector import folder, picture, video

from nnrd import UserError
from nnrd.datasets import frames
from nnrd.datasets.bad import Bad

BRIGHT = (200, 120, 40)


def levels(source, bad=None, limit=None):
    found = list(frames.source(source).frames(bad or Bad(), limit))
    return [frame.item.name for frame in found], [int(frame.pixels.mean()) for frame in found]


@pytest.mark.parametrize("name", ["clip.avi", "clip.mp4", "clip_128x64_10.yuv"])
def test_a_video(tmp_path, name):
    path = video(tmp_path / name, *BRIGHT)
    names, found = levels(path)
    assert names == [f"{path.stem}_00000{n}" for n in range(3)]
    assert np.allclose(found, BRIGHT, atol=3)
    source = frames.source(path)
    assert (source.kind, source.count, source.fps) == ("video", 3, 10)
    frame = next(iter(source.frames(Bad())))
    assert frame.item.facts == {"image_id": 1, "width": 128, "height": 64}
    assert levels(path, limit=2)[0] == names[:2]


def test_a_folder_and_an_image(tmp_path):
    path = folder(tmp_path / "photos", *BRIGHT)
    (path / "notes.txt").write_text("no image")
    assert levels(path) == (["0", "1", "2"], list(BRIGHT))
    assert levels(path / "1.png") == (["1"], [120])
    kinds = [frames.source(where).kind for where in (path, path / "1.png")]
    assert kinds == ["folder", "image"]


def cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


REFUSED = [
    (lambda at: at / "no.png", "no such image"),
    (lambda at: at / "no", "no such file or folder"),
    (lambda at: at / "no.mp4", "no such video"),
    (lambda at: folder(at / "empty"), "a folder without images"),
    (lambda at: write(at / "a.txt", b"x"), "neither a folder nor an image or a video"),
    (lambda at: write(at / "a.png", b"x" * 99), "not an image that can be read"),
    (lambda at: write(at / "a.avi", b"x" * 99), "not a video that OpenCV can read"),
    (lambda at: write(at / "a.yuv", b"x" * 99), "its name says no size"),
    (lambda at: write(at / "a_7x8_5.yuv", b"x" * 99), "needs an even width and height"),
    (lambda at: write(at / "a_8x8_5.yuv", b"x" * 95), "without a whole frame"),
    (lambda at: video(at / "none.avi"), "video"),
    (lambda at: cut(video(at / "a_128x64_5.yuv", 9, 9), 0.9), "cut short within frame 1"),
    (lambda at: twice(folder(at / "f", 9)), "two images are called 0"),
]


def write(path, data):
    path.write_bytes(data)
    return path


def twice(path):
    Image.fromarray(picture(9)).save(path / "0.bmp")
    return path


@pytest.mark.parametrize(("make", "why"), REFUSED)
def test_what_is_refused(tmp_path, make, why):
    path = make(tmp_path)
    with pytest.raises(UserError, match=why) as caught:
        levels(path)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_video_cut_short(tmp_path, capfd):
    path = cut(video(tmp_path / "clip.avi", *range(10, 210, 10)), 0.6)
    with pytest.raises(UserError, match=r"clip\.avi: cut short: \d+ of 20 frames; --skip-bad"):
        levels(path)
    bad = Bad(skip=True)
    names, _ = levels(path, bad)
    assert 3 < len(names) < 20 and len(bad.skipped) == 1
    assert f"skipped: {path}: cut short: {len(names)} of 20 frames" in capfd.readouterr().err
    assert levels(path, limit=2)[0] == names[:2]  # what is not read is not missed


def test_bad_images_are_skipped_and_counted(tmp_path, capsys):
    path = folder(tmp_path / "photos", *BRIGHT)
    cut(path / "1.png", 0.5)
    with pytest.raises(UserError, match="not an image that can be read"):
        levels(path)
    bad = Bad(skip=True)
    assert levels(path, bad)[0] == ["0", "2"] and len(bad.skipped) == 1
    assert levels(path, bad)[0] == ["0", "2"] and len(bad.skipped) == 1  # the same again
    assert capsys.readouterr().err.count("skipped: ") == 1
    for name in ("0", "2"):
        cut(path / f"{name}.png", 0.5)
    with pytest.raises(UserError, match="nothing in it can be used"):
        levels(path, Bad(skip=True))
