"""Items that cannot be used: refused, or skipped whole, named and counted; before the draw."""

import argparse
import json
import re
from functools import partial

import numpy as np
import pytest
import soundfile
from PIL import Image
from small_detector import video

from nnrd import UserError
from nnrd.datasets import index as indexes
from nnrd.datasets.bad import Bad
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import Draw
from nnrd.stages import index_dataset

NAMES = [f"p{number}" for number in range(6)]
BOX = [4, 5, 6, 7]


def picture(path):
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(path)


def coco(at, change=None):
    """Write six images with a box each; ``change`` spoils the second or what is said of it."""
    size = {"width": 30, "height": 20}
    truth = {
        "images": [{"id": n, "file_name": f"{name}.png", **size} for n, name in enumerate(NAMES)],
        "annotations": [
            {"image_id": n, "category_id": 1 + n % 2, "bbox": BOX} for n in range(len(NAMES))
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    for name in NAMES:
        picture(at / f"{name}.png")
    if change:
        change(at / "p1.png", truth["images"][1], truth["annotations"][1])
    (at / "gt.json").write_text(json.dumps(truth))
    return "coco", at / "gt.json", at


COCO = {
    "no image": (lambda file, image, row: file.write_text("x"), "p1.png: not an image"),
    "cut short": (lambda file, image, row: file.write_bytes(file.read_bytes()[:60]), "p1.png: not"),
    "missing": (lambda file, image, row: file.unlink(), "p1.png: no such image"),
    "another size": (lambda file, image, row: image.update(width=31), "gt.json says 31x20"),
    "unknown category": (lambda file, image, row: row.update(category_id=9), "category_id 9 is no"),
    "negative side": (lambda file, image, row: row.update(bbox=[1, 1, -2, 3]), "negative side"),
    "no area": (lambda file, image, row: row.update(bbox=[1, 1, 0, 3]), "p1: has an object whose"),
    "not finite": (lambda file, image, row: row.update(bbox=[1, 1, 1, 1e300]), "four finite"),
}


def labelled(at):
    for number in range(6):
        picture(at / f"set_0{number}_{number % 2}.png")
    (at / "set_01_1.png").write_text("x")
    return "labelled_images", at / "set", at


def spoken(at, second="one two"):
    for name in NAMES:
        soundfile.write(at / f"{name}.wav", np.zeros(400, np.float32), 16000)
    lines = ["file\ttext", *(f"{n}.wav\t{second if n == 'p1' else 'words'}" for n in NAMES)]
    (at / "t.tsv").write_text("\n".join([*lines, ""]))
    return "transcripts", at / "t.tsv", at


def silent(at):
    return spoken(at, "")


def damaged(at):
    found = spoken(at)
    (at / "p1.wav").write_bytes(b"RIFF")
    return found


def short_video(at):
    """Six labels of a video of five frames."""
    (at / "labels").mkdir()
    video(at / "Clip_128x64_10.avi", *range(50, 100, 10))
    for number in range(6):
        (at / f"labels/Clip_128x64_10_seq_{number:03}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    return "sfu_hw_objects", at / "labels", at


OTHERS = {
    labelled: ("set_01_1", "set_01_1.png: not an image"),
    silent: ("p1", "p1: the transcript is empty"),
    damaged: ("p1", "p1.wav: not an audio file"),
    short_video: ("Clip_128x64_10_005", "has 5 frames, not frame 5"),
}
CASES = {make.__name__: (make, *given) for make, given in OTHERS.items()}
CASES |= {name: (partial(coco, change=change), "p1", said) for name, (change, said) in COCO.items()}


def index(made, draw):
    form, annotations, folder = made
    return REGISTRY.get(form)().index(annotations, folder, draw)


@pytest.mark.parametrize("case", CASES)
def test_a_bad_item_is_refused_or_skipped(tmp_path, capsys, case):
    make, name, said = CASES[case]
    made = make(tmp_path)
    with pytest.raises(UserError, match=re.escape(said)) as caught:
        index(made, Draw())
    assert "\n" not in str(caught.value)
    draw = Draw(bad=Bad(skip=True))
    found = index(made, draw)
    assert len(found.items) == 5 and list(draw.bad.skipped) == [name]
    assert said in draw.bad.skipped[name] and said in capsys.readouterr().err


def test_a_draw_is_of_what_is_good(tmp_path):
    """Whatever is drawn, a bad item never is, and the draw is that of a set without it."""
    made = coco(tmp_path, COCO["missing"][0])
    for seed in range(8):
        draw = Draw(count=3, seed=seed, bad=Bad(skip=True))
        names = [item.name for item in index(made, draw).items]
        assert len(names) == 3 and "p1" not in names and list(draw.bad.skipped) == ["p1"]
        good = [name for name in NAMES if name != "p1"]
        plain = Draw(count=3, seed=seed)
        assert names == plain(good, str, lambda name: 1 + int(name[1]) % 2)


def test_without_skipping_only_what_is_drawn_is_looked_at(tmp_path):
    made = coco(tmp_path, COCO["missing"][0])
    draws = [Draw(2, seed) for seed in range(20)]
    lucky = [draw for draw in draws if "p1" not in draw(NAMES, str, lambda name: int(name[1]) % 2)]
    assert lucky and all(len(index(made, draw).items) == 2 for draw in lucky)


def test_an_object_of_no_image_is_counted(tmp_path):
    made = coco(tmp_path, lambda file, image, row: row.update(image_id=77))
    with pytest.raises(UserError, match="image_id 77 is no image's"):
        index(made, Draw())
    found = index(made, Draw(bad=Bad(skip=True)))
    assert len(found.items) == 6 and found.left_out() == "1 annotations are of no image"


def run(made, out, *words):
    form, annotations, folder = made
    parser = argparse.ArgumentParser()
    index_dataset.add_arguments(parser)
    given = ["--format", form, "--annotations", annotations, "--folder", folder, "--out", out]
    index_dataset.main(parser.parse_args([str(word) for word in (*given, *words)]))
    return indexes.read(out)


@pytest.mark.parametrize(
    ("words", "count"), [(["--items", 6], 5), (["--items", 3, "--seed", 1], 3)]
)
def test_the_index_names_what_was_left_out(tmp_path, capsys, words, count):
    found = run(coco(tmp_path, COCO["missing"][0]), tmp_path / "i.json", *words, "--skip-bad")
    assert len(found.items) == count and list(found.skipped) == ["p1"]
    assert found.left_out() == "1 items cannot be used: p1"
    assert "i.json: " in capsys.readouterr().err
    (tmp_path / "damaged.json").write_text("{}")
    files = [tmp_path / name for name in ("i.json", "damaged.json", "none.json")]
    assert list(indexes.left_out(files)) == [f"{files[0]}: {found.left_out()}"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--items", 7, "--skip-bad"], "5 items, and 1 that cannot be used, not 7"),
        (["--items", 6, "--seed", 0, "--skip-bad"], "5 items, and 1 that cannot be used, not 6"),
        (["--items", 6], "no such image; --skip-bad, or bad_items: skip in the dataset's row, le"),
    ],
)
def test_a_dataset_that_has_too_few(tmp_path, words, said):
    made = coco(tmp_path, COCO["missing"][0])
    with pytest.raises(UserError, match=re.escape(said)):
        run(made, tmp_path / "i.json", *words)
    assert not (tmp_path / "i.json").exists()
