"""nnrd draw on an image, a folder and a video: what is drawn, counted, refused."""

import json
from functools import partial

import by_hand_programs
import cv2
import numpy as np
import pytest
from PIL import Image, ImageColor
from small_detector import folder, video

from nnrd.report import drawing

GREYS = (90, 90, 90)
COLOUR = np.array(ImageColor.getrgb(drawing.COLOURS[1]))  # of a person
ROW = "person 0.25 0.25 0.75 0.75"
NAMES = {"image": ["0"], "folder": ["0", "1", "2"], "video": [f"clip_00000{n}" for n in range(3)]}


nnrd = partial(by_hand_programs.nnrd, "draw")
refused = partial(by_hand_programs.refused, "draw")


def source(at, kind):
    if kind == "video":
        return video(at / "clip.avi", *GREYS)
    path = folder(at / "photos", *GREYS[: 1 if kind == "image" else 3])
    return path / "0.png" if kind == "image" else path


def texts(at, names, line):
    at.mkdir()
    for name in names:
        (at / f"{name}.txt").write_text(f"{line}\n" if line else "")
    return at


def results(path, numbers):
    box = {"category_id": 1, "bbox": [32, 16, 64, 32], "score": 0.9}
    path.write_text(json.dumps([{"image_id": number, **box} for number in numbers]))
    return path


def annotations(path, names):
    size = {"width": 128, "height": 64}
    images = [{"id": 50 + n, "file_name": f"{name}.png", **size} for n, name in enumerate(names)]
    boxes = [{"image_id": row["id"], "category_id": 1, "bbox": [32, 16, 64, 32]} for row in images]
    categories = [{"id": 1, "name": "human"}]
    truth = {"images": images, "annotations": boxes, "categories": categories}
    path.write_text(json.dumps(truth))
    return path


def pictures(path):
    if path.suffix != ".avi":
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        return [np.asarray(Image.open(file), int) for file in files]
    capture, found = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        found.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB).astype(int))
    return found


def has_colour(image, colour):
    return np.abs(image[16:49, 32:97] - colour).max(axis=2).min() < 60


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("kind", NAMES)
def test_predictions(tmp_path, capsys, kind, form):
    names, out = NAMES[kind], tmp_path / "out"
    out = out.with_suffix({"image": ".png", "video": ".avi", "folder": ""}[kind])
    given = results(tmp_path / "r.json", range(1, len(names) + 1))
    if form == "text":
        given = texts(tmp_path / "found", names, f"{ROW} 0.9")
    nnrd(source(tmp_path, kind), "--predictions", given, "--out", out)
    found = pictures(out)
    assert len(found) == len(names) and all(has_colour(image, COLOUR) for image in found)
    printed = capsys.readouterr()
    assert printed.out == f"{len(names)} images\n" and "have no" not in printed.err


@pytest.mark.parametrize("form", ["text", "json"])
def test_ground_truth_with_predictions(tmp_path, form):
    names, out = NAMES["folder"], tmp_path / "out"
    truth = annotations(tmp_path / "t.json", names)
    if form == "text":
        truth = texts(tmp_path / "truth", names, ROW)
    photos = source(tmp_path, "folder")
    nnrd(photos, "--annotations", truth, "--out", out)
    assert all(has_colour(image, 255) and not has_colour(image, COLOUR) for image in pictures(out))
    numbers = range(50, 53) if form == "json" else range(1, 4)
    found = results(tmp_path / "r.json", numbers)
    nnrd(photos, "--annotations", truth, "--predictions", found, "--out", out)
    assert all(has_colour(image, COLOUR) for image in pictures(out))


def test_what_is_missing_is_said(tmp_path, capsys):
    texts(tmp_path / "found", ["0", "1"], f"{ROW} 0.4")
    photos = source(tmp_path, "folder")
    nnrd(photos, "--predictions", tmp_path / "found", "--out", tmp_path / "out")
    assert not any(has_colour(image, COLOUR) for image in pictures(tmp_path / "out"))
    assert "1 of 3 images have no predictions" in capsys.readouterr().err
    words = ("--predictions", tmp_path / "found", "--out", tmp_path / "out")
    nnrd(photos, *words, "--threshold", 0.3, "--frames", 2)
    first, second, _ = pictures(tmp_path / "out")
    assert has_colour(first, COLOUR) and has_colour(second, COLOUR)
    (photos / "1.png").write_bytes(b"no image")
    assert "1.png: not an image" in refused(photos, *words)
    nnrd(photos, *words, "--skip-bad")
    assert capsys.readouterr().out.endswith("2 images (1 skipped)\n")


def test_what_is_refused(tmp_path, monkeypatch):
    photos, found = source(tmp_path, "folder"), results(tmp_path / "r.json", [1])
    assert "nothing to draw" in refused(photos, "--out", tmp_path / "out")
    given = ("--predictions", found)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert "there is no display here" in refused(photos, *given, "--show")
    assert "x.mov: neither a folder" in refused(photos, *given, "--out", "x.mov")
    assert "0.png: not JSON" in refused(photos, "--predictions", photos / "0.png", "--out", "x")
    Image.new("RGB", (32, 32)).save(photos / "9.png")
    said = refused(photos, *given, "--out", tmp_path / "x.mp4")
    assert "9 has 32x32, those before 128x64: name a folder" in said
    assert not (tmp_path / "x.mp4").exists()
    found.write_text('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, NaN, 4], "score": 1}]')
    assert "r.json: [0]: bbox:" in refused(photos, *given, "--out", tmp_path / "out")
    row = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}
    found.write_text(json.dumps([row | {"segmentation": {"size": [4, 4], "counts": "?"}}]))
    said = refused(photos, *given, "--out", tmp_path / "out")
    assert "r.json: 0: segmentation: its runs are not the pixels of 4x4" in said


def test_a_window(tmp_path, monkeypatch, capsys):
    """What OpenCV would show; the key q ends it."""
    shown, keys = [], [-1, ord("q"), -1]
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda wait: keys[len(shown) - 1])
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: shown.append(None))
    found = results(tmp_path / "r.json", [1, 2, 3])
    nnrd(source(tmp_path, "video"), "--predictions", found, "--show")
    first, _, closed = shown
    assert closed is None and has_colour(first[:, :, ::-1].astype(int), COLOUR)
    assert "images" in capsys.readouterr().out
