"""A wheel of the checkout works in an empty environment; an editable install is a plain path."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from packaging.requirements import Requirement
from packaging.version import Version

import nnrd

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CODER = "nncodec==2.1.3"  # codes NNC where the wheel was built without nnrd's own coder
PLAIN = {"PATH": "/usr/bin:/bin"}  # no PYTHONPATH that leads to the checkout


def call(*command, **options):
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy, so that no build is left behind in the checkout."""
    folder = tmp_path_factory.mktemp("copy") / "nnrd"
    left = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.so", "build")
    for name in ("scripts", "workflow"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=left)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    return built(sys.executable, checkout, tmp_path_factory.mktemp("wheel"), "--no-build-isolation")


def built(python, checkout, folder, *options):
    call(python, "-m", "pip", "wheel", "-q", "--no-deps", *options, "-w", folder, checkout)
    (found,) = folder.iterdir()
    return found


def other_python():
    """The one of 3.11 and 3.12 that does not run the tests, on the path or of pyenv's; or None."""
    name = "python3.12" if sys.version_info[:2] == (3, 11) else "python3.11"
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    places = [shutil.which(name), *root.glob(f"versions/*/bin/{name}")]
    for place in filter(None, places):
        done = subprocess.run([place, "--version"], capture_output=True)
        if done.returncode == 0:  # pyenv puts programs on the path that do not run
            return place
    return None


@pytest.mark.slow  # a C++ coder is built with it, if the checkout has one
def test_what_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    packages = {str(p.relative_to(ROOT / "scripts")) for p in (ROOT / "scripts/nnrd").rglob("*.py")}
    assert packages <= names
    schemas = {f"nnrd/schemas/{p.name}" for p in (ROOT / "workflow/schemas").glob("*.json")}
    assert schemas and schemas <= names and "nnrd/py.typed" in names
    tops = {"nnrd", "snakemake_logger_plugin_nnrd", f"nnrd-{nnrd.__version__}.dist-info"}
    assert {name.partition("/")[0] for name in names} == tops
    assert not any("encode_tensors.py" in name and "stages" not in name for name in names)


def test_an_editable_install_is_a_plain_path(checkout, tmp_path):
    code = "import sys; from setuptools.build_meta import build_editable as b; b(sys.argv[1])"
    call(sys.executable, "-c", code, tmp_path, cwd=checkout)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        (path,) = (name for name in names if name.endswith(".pth"))
        assert file.read(path).decode().strip() == str(checkout / "scripts")
    assert not any(name.endswith(".py") for name in names)


def test_versions_are_those_of_the_environment():
    files = (ROOT / "envs" / name for name in ("requirements.txt", "energy.txt"))
    lines = [line for file in files for line in file.read_text().splitlines()]
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {pin.name.lower(): next(iter(pin.specifier)).version for pin in pins}
    named = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        named += [text for text in extra if not text.startswith("nnrd[")]
    for requirement in map(Requirement, named):
        pinned = versions.pop(requirement.name.lower(), None)
        if pinned is None and requirement.name == "tokenizers":
            continue  # Transformers brings it
        assert pinned and Version(pinned) in requirement.specifier, requirement
    tools = {"pytest", "hypothesis", "ruff", "snakefmt", "mypy", "pycocotools"}
    tools |= {"pybind11", "setuptools", "types-jsonschema", "types-protobuf", "types-pyyaml"}
    assert set(versions) <= tools, "a package of the library that pyproject.toml does not name"


def test_citation_and_changelog_name_the_version():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {nnrd.__version__}\n" in citation
    assert f"\n## [{nnrd.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_extra_that_a_message_names_is_there():
    from nnrd.core.extras import EXTRAS

    assert set(EXTRAS.values()) <= set(PROJECT["optional-dependencies"])


@pytest.fixture(scope="module", params=["this Python", "the other"])
def empty(request, checkout, wheel, tmp_path_factory):
    """An environment with the wheel and its own dependencies alone; no PyTorch."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    python = sys.executable if request.param == "this Python" else other_python()
    if python is None:
        pytest.skip("only one of Python 3.11 and 3.12 is here")
    call(python, "-m", "venv", folder)
    pip = (folder / "bin/python", "-m", "pip", "install", "-q")
    if python != sys.executable:
        wheel = built(folder / "bin/python", checkout, tmp_path_factory.mktemp("wheel"))
    call(*pip, wheel, timeout=600)
    with zipfile.ZipFile(wheel) as file:
        native = any("nnc/_native" in name for name in file.namelist())
    if not native:
        call(*pip, "--no-deps", CODER, timeout=600)
    return folder / "bin"


def model(path):
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in "xz"]
    nodes = [helper.make_node("Relu", ["x"], ["y"], "one"), helper.make_node("Neg", ["y"], ["z"])]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:])
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


@pytest.mark.slow
def test_the_command_in_an_empty_environment(empty, tmp_path):
    def command(*words):
        return call(empty / "nnrd", *words, cwd=tmp_path, env=PLAIN)

    assert command("--help").startswith("usage: nnrd")
    assert command("--version") == f"nnrd {nnrd.__version__}\n"
    tensors = {"w": np.linspace(-1, 1, 600, dtype=np.float32).reshape(20, 30), "n": np.arange(4)}
    nnrd_file = tmp_path / "model.safetensors"
    from nnrd import tensor_files

    tensor_files.write(nnrd_file, tensors)
    for codec, *options in (["raw"], ["zstd", "--qp", "-38"], ["nnc", "--qp", "-38", "--use-dq"]):
        command("encode", nnrd_file.name, "-o", f"{codec}.nnrd", "--codec", codec, *options)
        assert f"codec       {codec} " in command("info", f"{codec}.nnrd")
        command("decode", f"{codec}.nnrd", "-o", f"{codec}.npz")
        found = tensor_files.read(tmp_path / f"{codec}.npz")
        np.testing.assert_allclose(found["w"], tensors["w"], atol=1e-2)
        np.testing.assert_array_equal(found["n"], tensors["n"])
    model(tmp_path / "m.onnx")
    command("split", "m.onnx", "--rank", "1", "--out", "parts")
    assert (tmp_path / "parts/part2.onnx").is_file()


LIBRARY = """
import nnrd, numpy as np
from nnrd import codecs, detection, nnc, split
from nnrd.core import sheets
from nnrd.datasets import formats
from nnrd.models import REGISTRY
from nnrd.tasks import REGISTRY as TASKS

assert "site-packages" in nnrd.__file__
assert sheets.schema("config")["properties"]
mean, _ = detection.tr26847_map([{"ground_truth": [], "predictions": []}])
assert REGISTRY.get("whisper").needs_network and TASKS.get("detection")().metric.name == "AP"
table = split.table(split.load("m.onnx"))
assert list(table["branches"]) == [1]
try:
    formats.REGISTRY.get("coco")
except nnrd.UserError as error:
    assert "dataset format coco: no package cv2; an extra of nnrd" in str(error), error
else:
    raise AssertionError("OpenCV is there")
"""


@pytest.mark.slow
def test_the_library_in_an_empty_environment(empty, tmp_path):
    model(tmp_path / "m.onnx")
    call(empty / "python", "-c", LIBRARY, cwd=tmp_path, env=PLAIN)
    for words in (["estimate"], ["summarise", "benchmarks"], ["score", "--annotations", "no.json"]):
        more = ["--predictions", "p.json"] if words[0] == "score" else []
        command = [empty / "nnrd", *words, *more]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=PLAIN)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr


@pytest.fixture
def full(wheel, tmp_path):
    """An environment with the wheel and all that its models, plots and scores need."""
    folder = tmp_path / "venv"
    call(sys.executable, "-m", "venv", folder)
    python = folder / "bin/python"
    wanted = f"{wheel}[run,score,plots,models]"
    call(python, "-m", "pip", "install", "-q", "--no-compile", wanted, "pytest", timeout=900)
    yield python
    shutil.rmtree(folder)  # 6 GB


@pytest.mark.slow(minutes=4)
def test_the_plug_in_examples_with_the_wheel(full, tmp_path):
    """The same tests as in the checkout, away from it: nnrd is what the wheel brought."""
    for name in ("tests/unit/package/test_plug_ins.py", "docs/plug-ins.md"):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    said = call(full, "-m", "pytest", "-q", "--noconftest", "tests", cwd=tmp_path, env=PLAIN)
    examples = (ROOT / "tests/unit/package/test_plug_ins.py").read_text().count("\ndef test_")
    assert f"{examples} passed" in said and "skipped" not in said, said
    where = call(full, "-c", "import nnrd; print(nnrd.__file__)", cwd=tmp_path, env=PLAIN)
    assert "site-packages" in where
