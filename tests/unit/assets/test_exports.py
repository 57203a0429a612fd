"""What a program by hand exports is kept in the cache, made again where it is damaged or stale."""

import os
import shutil
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
from small_models import residual

from nnrd.assets.exports import Exports
from nnrd.core import lineage
from nnrd.core.files import write_record
from nnrd.models import REGISTRY, ModelRow
from nnrd.stages import by_hand, convert_model, planning

ROW = ModelRow("m", "ssdlite300_mobilenet_v2", "random", "detection")


class Model(by_hand.Model):
    """A model of a row whose files are in a folder."""

    assets = packages = None

    def __init__(self, work, row=ROW):
        self.args, self.work, self.row = Namespace(folder=work, threads=1), work, row
        self.is_file = False
        work.mkdir()


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A cache of its own, and the list of the exports that were made."""
    monkeypatch.setenv("NNRD_CACHE", str(tmp_path / "cache"))
    found = []

    def export(args):
        found.append(args.model)
        args.out.write_bytes(residual().SerializeToString())
        write_record(args.facts, lineage.of([args.out], []))

    monkeypatch.setattr(convert_model, "main", export)
    return found


def test_a_second_call_exports_nothing(tmp_path, made, capsys):
    first, second = Model(tmp_path / "a").onnx, Model(tmp_path / "b").onnx
    assert len(made) == 1 and first.read_bytes() == second.read_bytes()
    assert second.is_relative_to(tmp_path / "cache")
    assert f"{second}: exported before, is used" in capsys.readouterr().err


SPOILED = {
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "a bit": lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + b"x"),
    "gone": lambda file: file.unlink(),
    "without facts": lambda file: file.with_suffix(".json").unlink(),
    "with other facts": lambda file: file.with_suffix(".json").write_text("{}"),
    "no folder": lambda file: (shutil.rmtree(file.parent), file.parent.touch()),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_damaged_one_is_made_again_and_never_used(tmp_path, made, how):
    whole = Model(tmp_path / "a").onnx.read_bytes()
    SPOILED[how](Model(tmp_path / "b").onnx)
    assert Model(tmp_path / "c").onnx.read_bytes() == whole and len(made) == 2
    if how != "no folder":
        assert Model(tmp_path / "d").onnx.read_bytes() == whole and len(made) == 2


def test_another_row_file_or_code_is_another_export(tmp_path, monkeypatch):
    family = REGISTRY.get(ROW.family)
    (tmp_path / "f").mkdir()
    (tmp_path / "f/w").write_bytes(b"1")

    def key(row=ROW):
        return planning.export_key(row, family, tmp_path / "f")

    keys = [key(), key(replace(ROW, options={"a": 1}))]
    (tmp_path / "f/w").write_bytes(b"2")
    keys.append(key())
    monkeypatch.setattr(planning, "source_hash", lambda stage, *more: f"{stage} {more}")
    keys.append(key())
    assert len(set(keys)) == 4 and key() == keys[-1]


def test_what_nobody_used_for_long_goes(tmp_path):
    kept = Exports(tmp_path, "m")
    (tmp_path / "model.onnx").write_bytes(b"x")
    write_record(tmp_path / "model.json", lineage.of([tmp_path / "model.onnx"], []))
    given = (tmp_path / "model.onnx", tmp_path / "model.json")
    long_ago = time.time() - 20 * 86_400
    for key in ("old", "used"):
        kept.keep(key, *given)
        os.utime(kept.folder / key, (long_ago, long_ago))
    assert kept.take("used")
    kept.keep("new", *given)
    assert {path.name for path in kept.folder.iterdir() if path.is_dir()} == {"used", "new"}


def test_a_cache_that_cannot_be_written_to_is_no_mistake(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "model.onnx").write_bytes(b"x")
    write_record(tmp_path / "model.json", lineage.of([tmp_path / "model.onnx"], []))
    kept = Exports(tmp_path / "file", "m")
    kept.keep("k", tmp_path / "model.onnx", tmp_path / "model.json")
    assert kept.take("k") is None and Path(tmp_path / "file").is_file()
