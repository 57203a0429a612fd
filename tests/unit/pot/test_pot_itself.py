"""The same script by POT itself, beside ``nnrd.pot``, in an environment that is made for it."""

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("speech_script.py")
CONVERT = (
    "import openvino, sys;"
    "openvino.save_model(openvino.convert_model(sys.argv[1]), sys.argv[2], compress_to_fp16=False)"
)
RUNS = {
    "DefaultQuantization": {},
    "AccuracyAwareQuantization": {
        "maximal_drop": 0.02,
        "ranking_subset_size": 6,
        "max_iter_num": 5,
    },
}


@pytest.fixture(scope="module")
def pot_python(tmp_path_factory):
    """Return the Python of an environment with POT, which is removed in the end."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("POT 2023.3 is installed in Python 3.11 only")
    folder, start = tmp_path_factory.mktemp("environment"), time.monotonic()
    try:
        venv.create(folder, with_pip=True)
        install = [folder / "bin/pip", "install", "--quiet", "-r", ROOT / "envs/pot.txt"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"envs/pot.txt cannot be installed: {done.stderr.splitlines()[-1]}")
        print(f"\nenvs/pot.txt: installed in {time.monotonic() - start:.0f} s")
        yield folder / "bin/python"
    finally:
        shutil.rmtree(folder)


def call(folder, python, *words, **environment):
    """Return what a program prints last; POT leaves models on the way where it is run."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(w) for w in (python, *words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=kept | {"HOME": str(folder)} | environment,
    )
    assert not done.returncode, done.stderr[-2000:]
    return done.stdout.splitlines()[-1] if done.stdout else ""


@pytest.mark.slow  # two minutes each
@pytest.mark.parametrize("network", ["speech", "digits"])
def test_pot_and_nnrd_stand_side_by_side(network, request, tmp_path, pot_python):
    speech = request.getfixturevalue(network)
    by_pot = tmp_path / "by_pot.py"
    text = SCRIPT.read_text()
    by_pot.write_text(text.replace("from nnrd.pot import", "from openvino.tools.pot import"))
    assert "nnrd.pot" not in by_pot.read_text().replace("``nnrd.pot``", "")
    old_model = tmp_path / "old.xml"
    call(tmp_path, pot_python, "-c", CONVERT, speech / "deepspeech.onnx", old_model)
    found = {}
    for name, params in RUNS.items():
        words = ["--data", speech / "valid", "--test", speech / "test", "--algorithm", name]
        words += ["--params", json.dumps(params), "--out", tmp_path / name]
        old = call(tmp_path, pot_python, by_pot, "--model", old_model, *words)
        new = call(
            tmp_path,
            sys.executable,
            *(SCRIPT, "--model", speech / "deepspeech.xml"),
            *words,
            PYTHONPATH=str(ROOT / "scripts"),
        )
        found[name] = {"POT": json.loads(old), "nnrd.pot": json.loads(new)}
    print(f"\n{network}{_table(found)}")
    for both in found.values():
        before = [by["before"]["word_error_rate"] for by in both.values()]
        assert abs(before[0] - before[1]) < 0.1  # of the float network
    controlled = found["AccuracyAwareQuantization"]["nnrd.pot"]
    assert controlled["after"]["word_error_rate"] > controlled["before"]["word_error_rate"] - 0.2


def _table(found):
    rows = [
        f"{name:26} {by:9} share {of['before']['word_error_rate']:.2f} → "
        f"{of['after']['word_error_rate']:.2f}, WER {of['before']['WER']:.1f} → "
        f"{of['after']['WER']:.1f} %, {of['bytes']} bytes"
        for name, both in found.items()
        for by, of in both.items()
    ]
    return "\n".join(["", *rows])
