"""docs/int8.md: its example is run as it stands, and it names every backend and parameter."""

import re
from pathlib import Path

import numpy as np
from small_graphs import CLASSES, Images, convolutions, saved

from nnrd.quantisation import graphs
from nnrd.quantisation.backends import REGISTRY
from nnrd.quantisation.settings import SCHEMA

DOCUMENT = (Path(__file__).parents[3] / "docs/int8.md").read_text()


def test_the_example(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = graphs.open_graph(saved(convolutions(), tmp_path / "model.onnx"))
    Path("pictures").mkdir()
    for number, image in Images(24):
        label = run({"x": image})["y"].argmax() if number % 4 else CLASSES  # a quarter is wrong
        np.savez(f"pictures/{number:02}.npz", image=image, label=label)
        if number == 23:
            break
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    assert sum(map(bool, example.splitlines())) <= 40
    exec(compile(example, "docs/int8.md", "exec"), {})
    before, after, rest = capsys.readouterr().out.splitlines()
    assert before.startswith("model.onnx 75.0 {'model': ")
    assert re.match(r"int8/model\.xml [67][0-9.]+ \{'model': ", after)
    assert "'nnc_size'" in rest and "Layer(graph='model'" in rest
    assert {path.name for path in Path("int8").iterdir()} == {"model.xml", "model.bin"}


def test_it_names_every_backend_and_parameter():
    for name in (*REGISTRY.names(), *(key for key in SCHEMA["properties"] if key != "backend")):
        assert re.search(rf"^\| `{name}` \|", DOCUMENT, re.MULTILINE), name
    control = SCHEMA["properties"]["accuracy_control"]["properties"]
    assert all(f"`{key}`" in DOCUMENT for key in control)
