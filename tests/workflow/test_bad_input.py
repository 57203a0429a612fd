"""A mistake ends the run with one line that says what, where, what to do; nothing half-written."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import CONFIG, DATASET, ITEMS, MODEL, ROOT

FULL_DISK = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.argv = sys.argv[1:]
sys.path[0] = sys.argv[0].rpartition("/")[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

LITTLE_MEMORY = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def program(
    name: str, *arguments: object, wrap: tuple[str, ...] = (), folder: Path = ROOT
) -> tuple[int, str]:
    """Run a program as a rule does; return its exit code and what it said last."""
    command = [sys.executable, *wrap, str(ROOT / f"scripts/{name}.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr.strip()


def is_one_line_about(said: str, *words: str) -> bool:
    return said.startswith("error: ") and "\n" not in said and all(word in said for word in words)


def test_mistake_in_the_config_stops_before_any_work(checkout):
    config = copy.deepcopy(CONFIG)
    config["studies"]["small"]["splits"].append(999)
    checkout.configure(config)
    before = sorted(checkout.folder.rglob("results/**"))
    done = checkout.run()
    assert done.returncode != 0
    said = "error: config/config.yaml: studies.small.splits[2]: rank 999 is out of range 1..182"
    assert said in (done.stdout + done.stderr)
    assert sorted(checkout.folder.rglob("results/**")) == before


def aliases(kind: str, levels: int) -> str:
    """Return YAML in which every line has the line before nine times."""
    write = "{{{}}}" if kind == "mappings" else "[{}]"
    lines = ["a0: &a0 " + write.format("x: 1" if kind == "mappings" else "x")]
    for level in range(1, levels):
        parts = [
            f"{'k' + str(i) + ': ' if kind == 'mappings' else ''}*a{level - 1}" for i in range(9)
        ]
        lines.append(f"a{level}: &a{level} " + write.format(", ".join(parts)))
    return "\n".join(lines) + "\n"


BEFORE_ANY_CODE_OF_OURS = """Snakemake 9.27 joins the mappings of --configfile one by one, shared or
not (ConfigSettings._get_overwrite_config, settings/types.py:416, by utils.py:635), and does so
before it reads a Snakefile: it ends when the memory does."""


@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        ("lists", 12),
        ("mappings", 6),
        pytest.param(
            "mappings",
            12,
            marks=pytest.mark.xfail(strict=True, reason=BEFORE_ANY_CODE_OF_OURS),
        ),
    ],
)
def test_aliases_of_yaml_that_repeat_too_much(tmp_path, kind, levels):
    """In a file of one's own; `config/config.yaml` is looked at before Snakemake reads it."""
    (tmp_path / "mine.yaml").write_text(aliases(kind, levels))
    options = ["--dry-run", "--cores", "1", "--configfile", str(tmp_path / "mine.yaml")]
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY, "-m", "snakemake", *options],
        capture_output=True, text=True, cwd=ROOT, timeout=100,
    )  # fmt: skip
    said = done.stderr.splitlines()[-1]
    assert said.startswith("error: ") and "more than 100000 values" in said, done.stderr
    assert f"mine.yaml: a{levels - 1}" in said


TAGS = {
    "a call": "!!python/object/apply:os.system ['touch pwned']",
    "a name": "!!python/name:os.system",
    "an object": "!!python/object/new:pathlib.Path [pwned]",
    "one's own": "!mine 3",
}


@pytest.mark.fault("hostile: a tag of YAML on the command line")
@pytest.mark.parametrize("name", TAGS)
def test_tags_of_yaml_run_nothing(tmp_path, name):
    """Snakemake reads the file first, and has a line of its own for some of them."""
    (tmp_path / "mine.yaml").write_text(f"run: {TAGS[name]}\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "-n"]
    done = subprocess.run(
        [*command, "--configfile", "mine.yaml"], cwd=tmp_path, capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1 and not (tmp_path / "pwned").exists(), said
    assert "not valid JSON or YAML" in said or "mine.yaml:1: could not determine" in said


def test_failed_job_shows_its_one_line(checkout):
    config = copy.deepcopy(CONFIG)
    config["studies"]["small"]["splits"].append({"name": "node_conv2d_333"})
    checkout.configure(config)
    # Its graph is not known, so the job finds out that there is no such node.
    (checkout.folder / f"results/models/{MODEL}.json").unlink()
    done = checkout.run()
    assert done.returncode != 0
    assert "node_conv2d_33" in done.stdout + done.stderr
    assert "error: " in done.stdout + done.stderr
    assert not list(checkout.folder.glob("results/split/*/before-node_conv2d_333/*"))


@pytest.mark.fault("an asset with another sum than the sheet's")
def test_wrong_checksum_leaves_no_file(checkout):
    sheet = (checkout.folder / "config/assets.tsv").read_text()
    image = next(line for line in sheet.splitlines() if "astronaut.png" in line)
    right = image.split("\t")[3]
    checkout.edit("config/assets.tsv", right, "0" * 64)
    done = checkout.run(f"resources/{DATASET}")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert any(right in line and "0" * 64 in line for line in said.splitlines()), said
    assert not (checkout.folder / f"resources/{DATASET}").exists()


@pytest.fixture
def out(tmp_path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def conversion(row: dict, assets: Path, out: Path) -> list[object]:
    """Return the options of convert_model for a model and the folder of its files."""
    where = ["--out", out / "m.onnx", "--facts", out / "m.json"]
    return ["--model", json.dumps(row), "--assets", assets, *where]


DETECTOR = {"model": MODEL, "family": MODEL, "weights": "asset"}


def test_file_that_is_not_onnx(out):
    row = {"model": "mine", "family": "onnx_file", "weights": "asset", "file": "README.md"}
    code, said = program("convert_model", *conversion(row, ROOT, out))
    assert code == 1 and is_one_line_about(said, "README.md", "not an ONNX model")
    assert not list(out.iterdir())


@pytest.mark.fault("weights cut short")
def test_truncated_weights(finished, out):
    weights = out.parent / "weights"
    weights.mkdir()
    for file in (finished.folder / "resources" / MODEL).iterdir():
        data = file.read_bytes()
        (weights / file.name).write_bytes(data[:-1000] if file.name.endswith("5of5") else data)
    code, said = program("convert_model", *conversion(DETECTOR, weights, out))
    assert code == 1 and is_one_line_about(said, "too short")
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (("--rank", 183), ("183", "1 to 182")),
        (("--rank", 0), ("0", "1 to 182")),
        (("--name", "node_conv2d_333"), ("node_conv2d_333",)),
    ],
)
def test_split_that_does_not_exist(finished, out, at, words):
    model = finished.folder / f"results/models/{MODEL}.onnx"
    code, said = program("split_model", model, *at, "--out", out)
    assert code == 1 and is_one_line_about(said, *words)
    assert not list(out.iterdir())


def test_image_that_is_not_an_image(finished, out):
    images = out.parent / "images"
    images.mkdir()
    for file in (finished.folder / "resources" / DATASET).iterdir():
        (images / file.name).write_bytes(file.read_bytes())
    (images / "coffee.png").write_text("no image")
    code, said = program(
        "index_dataset", "--annotations", "config/ground_truth/demo_images.json",
        "--folder", images, "--items", 27, "--out", out / "i.json",
    )  # fmt: skip
    assert code == 1 and is_one_line_about(said, "coffee.png", "not an image")
    assert not list(out.iterdir())


@pytest.mark.fault("file size limit: encode_tensors")
def test_full_disk(finished, out):
    """A file may have 20 kB at most, which is what a disk that fills up midway looks like."""
    folder = finished.folder / f"results/features/{MODEL}/{ITEMS}/rank50/tensors/0-of-2"
    wrap = (str(out.parent / "full.py"),)
    (out.parent / "full.py").write_text(FULL_DISK)
    code, said = program(
        "encode_tensors", "--tensors", folder, "--source", f"{folder}.times.json", "--codec", "raw",
        "--out", out / "bitstreams", "--times", out / "times.json", wrap=wrap,
    )  # fmt: skip
    assert code == 1 and is_one_line_about(said, "File too large")
    assert not list(out.iterdir())


@pytest.mark.fault("file size limit: extract_features")
def test_full_disk_under_the_tensors_that_cross(finished, out):
    split = finished.folder / f"results/split/{MODEL}/rank50"
    (out.parent / "full.py").write_text(FULL_DISK)
    index = finished.folder / f"results/datasets/{ITEMS}.json"
    code, said = program(
        "extract_features", "--part1", split / "part1.onnx", "--split", split / "split.json",
        "--model", json.dumps(DETECTOR), "--index", index, "--shard", "0-of-2",
        "--out", out / "tensors", "--times", out / "times.json",
        wrap=(str(out.parent / "full.py"),), folder=finished.folder,
    )  # fmt: skip
    assert code == 1 and is_one_line_about(said, "cannot be written", "File too large")
    assert not list(out.iterdir())
