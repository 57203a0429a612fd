"""docs/by-hand.md: its examples are run, in its order, and it names every column."""

import json
import re
import shlex
from pathlib import Path

import pandas
import pytest
from PIL import Image
from small_detector import detector, folder, picture, video

from nnrd import cli
from nnrd.inference import results

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs/by-hand.md").read_text()


def commands(text):
    """Return the commands of a text's examples."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def test_the_examples(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    detector(tmp_path / "detector.onnx")
    Image.fromarray(picture(200)).save("photo.png")
    folder(tmp_path / "photos", 220, 140, 20)
    video(tmp_path / "street.avi", 220, 140)
    images = [{"id": n, "file_name": f"{n}.png", "width": 128, "height": 64} for n in range(3)]
    boxes = [{"image_id": n, "category_id": 1, "bbox": [32, 16, 64, 32]} for n in range(3)]
    truth = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "person"}]}
    Path("truth.json").write_text(json.dumps(truth))
    given = {"image_id": 1, "category_id": 1, "bbox": [32, 16, 64, 32], "score": 0.9}
    Path("street.json").write_text(json.dumps([given]))
    found = commands(DOCUMENT)
    assert [words[1] for words in found] == ["infer"] * 3 + ["score"] * 2 + ["draw"] * 2
    for words in found:
        if "found-whole.json" in words:  # numbered from 1, and the ground truth here from 0
            rows = json.loads(Path("found-whole.json").read_text())
            shifted = [row | {"image_id": row["image_id"] - 1} for row in rows]
            Path("found-whole.json").write_text(json.dumps(shifted))
        cli.main(words[1:])
    table = pandas.read_csv("map.csv")
    assert table["predictions"].nunique() == 2 and Path("map.png").is_file()
    assert len(list(Path("both").iterdir())) == 3 and Path("seen.avi").stat().st_size > 1000
    assert sorted(path.name for path in Path("sent").iterdir()) == [
        *(f"rank{rank}-{codec}" for rank in (1, 2) for codec in ("nnc-qp-26", "raw"))
    ]


def test_the_document_names_every_column():
    section = DOCUMENT.split("### The columns")[1].split("\n## ")[0]
    names = (*results.LABELS, *results.COUNTS, *results.SIZES, *results.STEPS)
    for name in (*names, "compress_ratio", "frames_per_second", "nmse"):
        assert re.search(rf"^\| .*`{name}`.* \|", section, re.MULTILINE), name
    for number in ("first", *results.NUMBERS):
        assert f"`NAME_{number}`" in section
    known = {name.rpartition("_")[0] if name.endswith(("_first", "_mean")) else name
             for name in results.COLUMNS}  # fmt: skip
    assert known >= set(names)


@pytest.mark.parametrize("command", ["infer", "score", "draw"])
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert f"\nexamples:\n  nnrd {command} " in capsys.readouterr().out


@pytest.mark.slow
def test_the_readmes_lines(tmp_path, monkeypatch):
    """With real weights, in a folder that has the sheets, on frames of the size of a photo."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").symlink_to(ROOT / "config")
    section = (ROOT / "README.md").read_text().split("## By hand")[1].split("\n## ")[0]
    folder(tmp_path / "photos", 200, 100)
    video(tmp_path / "street.mp4", *range(0, 200, 20))
    images = [{"id": n, "file_name": f"{n}.png", "width": 128, "height": 64} for n in range(2)]
    boxes = [{"image_id": n, "category_id": 1, "bbox": [32, 16, 64, 32]} for n in range(2)]
    truth = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "person"}]}
    Path("truth.json").write_text(json.dumps(truth))
    found = commands(section)
    for words in found:  # a shell would expand what has a *
        paths = [sorted(map(str, tmp_path.glob(word))) if "*" in word else [word] for word in words]
        cli.main([path for group in paths for path in group][1:])
    assert [words[1] for words in found] == ["infer", "infer", "score", "draw"]
    assert len(pandas.read_csv("runs.csv")) == 4 and Path("drawn.mp4").stat().st_size > 1000
