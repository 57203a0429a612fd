"""What no study declares is found, listed and, if asked, deleted; nothing else is touched."""

import shutil
from pathlib import Path

import pytest
import yaml

from nnrd import UserError
from nnrd.core import program
from nnrd.stages import prune_results
from nnrd.study import config, paths
from nnrd.study.declared import declared, undeclared
from nnrd.study.kinds.coded import CodedStudy

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SETTINGS = config.load(CONFIG, "config.yaml", ROOT)
POINT = "results/features/ssdlite300_mobilenet_v2/demo_images/rank10/nnc/qp=-38"


def make(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("x" * 1000)


def left(folder):
    found = undeclared(folder, declared(SETTINGS))
    return sorted(str(path.relative_to(folder)) for path in found)


def test_all_of_a_run_is_declared():
    names = declared(SETTINGS)
    for study in SETTINGS.declared.values():
        assert set(study.pictures()) <= set(names)
        if isinstance(study, CodedStudy):
            records = {paths.fill(paths.RECORD, folder=r.folder) for r in study.records}
            assert records <= set(names)
    assert "results/splits/vgg16.csv" in names  # of a study that is not to be made


def test_what_is_declared_stays(tmp_path):
    make(
        tmp_path,
        f"{POINT}/bitstreams/0-of-1/any_image.bin",
        f"{POINT}/bitstreams/0-of-1.times.json",
        f"{POINT}/point.json",
        "results/models/ssdlite300_mobilenet_v2.onnx",
        "results/README.md",
        "results/tables/points.csv",
        "results/plots/demo/accuracy_bytes.svg",
    )
    assert left(tmp_path) == []


def test_a_model_is_one_file(tmp_path):
    data = "results/models/ssdlite300_mobilenet_v2.onnx.data"
    make(tmp_path, data)
    assert left(tmp_path) == [data]


def test_what_is_not_declared_is_found_as_a_whole(tmp_path):
    removed = POINT.replace("rank10", "rank11")
    make(tmp_path, f"{removed}/point.json", f"{removed}/bitstreams/0-of-1/a.bin")
    make(tmp_path, f"{POINT}/bitstreams/1-of-2/a.bin", "results/plots/renamed/codec_bars.png")
    make(tmp_path, f"{POINT}/point.json", "results/notes.txt", "elsewhere/file")
    assert left(tmp_path) == [
        f"{POINT}/bitstreams/1-of-2",
        removed.partition("/nnc")[0],
        "results/notes.txt",
        "results/plots/renamed",
    ]


@pytest.mark.parametrize("delete", [False, True])
def test_the_program_lists_and_deletes(tmp_path, capsys, delete):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    make(tmp_path, "results/old/file", f"{POINT}/point.json", "results/old.csv")
    (tmp_path / "results/link").symlink_to(tmp_path / "config")
    words = ["--folder", str(tmp_path), *(["--delete"] if delete else [])]
    program.run(prune_results, words)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4 and said[-1].startswith(
        "3 files and folders that no study declares, 0.00"
    )
    assert (tmp_path / "results/old").exists() is not delete
    assert (tmp_path / "results/link").is_symlink() is not delete
    assert (tmp_path / POINT / "point.json").exists() and (tmp_path / "config").exists()


def test_a_mistake_in_any_study_prunes_nothing():
    broken = CONFIG | {"studies": CONFIG["studies"] | {"other": {"kind": "features"}}}
    with pytest.raises(UserError, match=r"studies\.other: 'model' is missing.* study other"):
        declared(config.load(broken, "config.yaml", ROOT))
