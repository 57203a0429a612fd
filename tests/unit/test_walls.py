"""The walls between the rooms: who may import whom, and what a job need not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LIBRARY = SCRIPTS / "nnrd"
# What a study is made of, and what is told of it; room → the rooms of which it knows nothing.
BEHIND = {"study", "stages", "report", "analysis", "inference"}
RUNS = {"models", "tasks", "datasets", "codecs", "split"}
WALLS = {
    "metrics": BEHIND | RUNS,
    "analysis": BEHIND - {"analysis"} | RUNS - {"tasks"} | {"runtime"},
    "split": BEHIND | RUNS - {"split"},
    "nnc": BEHIND | RUNS,
    "codecs": BEHIND | RUNS - {"codecs"},
    "datasets": BEHIND | RUNS - {"datasets"},
    "assets": BEHIND | RUNS,
    "runtime": BEHIND | RUNS,
    "models": BEHIND,
    "tasks": BEHIND | {"models", "codecs", "split"},
    "transforms": BEHIND,
    "inference": BEHIND - {"inference"} | {"tasks"},
    "quantisation": BEHIND,
    "pot": BEHIND | RUNS,
    "profile": BEHIND | RUNS,
    "stages": {"study"},
    "report": {"study", "stages", "inference"},
    "study": {"stages", "report", "inference"},
    "tensor_files": BEHIND | {"models", "tasks", "datasets", "codecs"},
    "workflow": BEHIND | RUNS,
}
# Programs by hand, no jobs of a run: they look at a whole configuration.
PLANNING = tuple(
    f"nnrd/stages/{name}.py"
    for name in ("planning", "estimate_cost", "prune_results", "check_results")
)

# Registries say where a thing is, for the hash of a job's code, and import nothing of it.
REGISTRIES = {
    *("nnrd.report.plots", "nnrd.stages.runtimes.REGISTRY"),
    "nnrd.stages.profile_runs.TARGETS",
}


def imported(file):
    """Yield the modules of nnrd that a file imports anywhere in it, with the line."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "nnrd":
                yield name, f"{file.relative_to(SCRIPTS)}:{node.lineno}"


def breaches(room, allowed):
    """Return the imports of a room that ``allowed`` (of a room's name) refuses."""
    return [
        f"{where} imports {name}"
        for file in sorted((LIBRARY / room).rglob("*.py"))
        for name, where in imported(file)
        if not allowed(name.split(".")[1])
        and name not in REGISTRIES
        and not where.startswith(PLANNING)
    ]


def test_core_imports_nothing_of_nnrd_outside_core():
    assert not breaches("core", lambda other: other == "core")


@pytest.mark.parametrize("room", WALLS)
def test_a_room_does_not_know_the_rooms_behind_its_walls(room):
    assert (LIBRARY / room).is_dir()
    assert not breaches(room, lambda other: other not in WALLS[room])


def test_every_room_stands_among_the_walls():
    rooms = {path.parent.name for path in LIBRARY.glob("*/__init__.py")} - {"core", "schemas"}
    unknown = {name for walls in WALLS.values() for name in walls} - rooms
    assert not unknown
    assert rooms == set(WALLS)


def test_programs_import_their_stage_and_no_more():
    """A rule's program is the template; what it does is in its stage."""
    for stage in sorted((LIBRARY / "stages").glob("*_*.py")):
        program = SCRIPTS / stage.name
        if not program.exists():
            continue
        names = {name for name, _ in imported(program)}
        assert names == {"nnrd.core.program.run", f"nnrd.stages.{stage.stem}"}, program.name


def loaded(code, *watched):
    """Return which of the watched packages are loaded after the code ran in a fresh process."""
    found = modules_after(code)
    return [name for name in watched if name in found]


def modules_after(code):
    """Return the names of all modules that are loaded after the code ran in a fresh process."""
    code += "\nimport sys; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return ast.literal_eval(done.stdout.splitlines()[-1])


RUN_ONNX = """
import numpy as np, onnx
from onnx import TensorProto, helper
from nnrd.models import REGISTRY, ModelRow
from nnrd.datasets.index import Item
from nnrd.stages import extract_features, infer_anchor, infer_features, split_model
from nnrd.runtime import sessions
values = [
    helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    for name, shape in (("input", [1, 3, 224, 224]), ("output", [1, 3]))
]
nodes = [
    helper.make_node("GlobalAveragePool", ["input"], ["mean"]),
    helper.make_node("Flatten", ["mean"], ["output"]),
]
graph = helper.make_graph(nodes, "small", values[:1], values[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
run = sessions.Run(sessions.session(model.SerializeToString()))
row = ModelRow("m", "torchvision_classifiers", "random", variant="resnet18")
pipeline = REGISTRY.get(row.family).load_pipeline(row)
pipeline.open(None)
pipeline.load = lambda item: np.zeros((300, 400, 3), np.uint8)
(found,) = pipeline.predict(run, [Item("a", "", "")])
assert found[0]["classes"] == [2, 1, 0]
assert set(found[1]) == {"pre_time", "run_time", "post_time", "input_size"}
"""


def test_a_job_that_runs_onnx_imports_no_torch():
    assert loaded(RUN_ONNX, "torch", "torchvision", "torchaudio", "transformers") == []


PIPELINES = """
from nnrd.models import REGISTRY, ModelRow
for name in REGISTRY.names():
    family = REGISTRY.get(name)
    if family.pipeline:
        family.load_pipeline(ModelRow("m", name, "random", variant="HUBERT_ASR_LARGE"))
"""


def test_what_measures_imports_nothing_that_takes_memory():
    code = "import nnrd.profile.measure, nnrd.runtime.energy.recorded"
    assert loaded(code, "torch", "onnxruntime", "pandas", "zeus", "pynvml", "scipy") == []


def test_no_pipeline_imports_torch():
    assert loaded(PIPELINES, "torch", "torchvision", "torchaudio") == []


LOAD = """
import yaml
from pathlib import Path
from nnrd.study.config import load
root = Path("..").resolve()
load(yaml.safe_load((root / "config/config.yaml").read_text()), "config.yaml", root)
"""


def test_the_configuration_is_read_without_heavy_packages():
    heavy = ("torch", "onnxruntime", "onnx", "matplotlib", "cv2", "transformers", "scipy")
    assert loaded(LOAD, *heavy) == []


def test_families_are_listed_without_their_halves():
    code = "from nnrd.models import REGISTRY\nfor name in REGISTRY.names(): REGISTRY.get(name)"
    assert loaded(code, "torch", "onnxruntime", "cv2", "PIL") == []


# What takes a job longer to import than its work may take; stage → what it has a use for.
HEAVY = {
    *("torch", "transformers", "onnx", "onnxruntime", "cv2", "PIL", "pandas", "matplotlib"),
    *("scipy", "yaml", "jsonschema", "importlib.metadata", "multiprocessing", "asyncio"),
}
USED = {
    "encode_tensors": set(),
    "decode_weights": set(),
    "extract_features": {"onnxruntime"},
    "extract_outputs": {"onnxruntime"},
    "infer_features": {"onnxruntime"},
    "infer_anchor": set(),  # what runs the model is found by name
    "infer_weights": set(),
    "infer_files": set(),
    "score_point": set(),
    "index_dataset": set(),
    "split_model": {"onnx", "importlib.metadata"},  # the latter by the former
}


@pytest.mark.parametrize("stage", USED)
def test_a_job_starts_with_little(stage):
    """A study has thousands of jobs: what each imports is held by names and by a number."""
    code = f"import nnrd.core.program, nnrd.stages.{stage}"
    found = modules_after(code)
    assert HEAVY & set(found) == USED[stage]
    assert len(found) < (450 if "onnx" in USED[stage] else 330), found


CODE = """
import numpy
from nnrd import codecs
from nnrd.runtime.environment import made_by
codec = codecs.make("nnc", qp=-26)
assert codec.decode(codec.encode({"x": numpy.ones((4, 4), "float32")}))
assert made_by()["packages"]["numpy"]
"""


def test_coding_and_what_a_job_writes_down_load_no_more():
    assert HEAVY & set(modules_after(CODE)) == set()


def test_no_two_test_files_share_a_name():
    """Test folders are no packages, so pytest imports each file by its name alone."""
    files = sorted((SCRIPTS.parent / "tests/unit").rglob("test_*.py"))
    names = [file.name for file in files]
    assert not {name for name in names if names.count(name) > 1}
