"""Where a model's weights may be, and models that cannot be right: one line each, before work."""

import importlib
import json
import random

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from small_models import FLOAT, MODELS, X, constant, floats, model, node
from test_split_programs import run

import nnrd.split
from nnrd import UserError
from nnrd.models import facts
from nnrd.runtime import sessions
from nnrd.split import files, stored

WEIGHT = floats(4, 1, 1)
DATA = WEIGHT.tobytes()  # 16 bytes


def small(**changes):
    nodes = [node("Mul", "x w", "a"), node("Sin", "a", "b"), node("Add", "b v", "y")]
    weights = {"w": WEIGHT, "v": np.arange(4, dtype=np.float32).reshape(4, 1, 1)}
    return model(nodes, X, {"y": (FLOAT, None)}, weights, **changes)


def refer(tensor, **entries):
    """Make a tensor's values external."""
    tensor.CopyFrom(stored.bare(tensor))
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))


def external(**entries):
    found = small()
    refer(found.graph.initializer[0], **entries)
    return found


@pytest.fixture
def folder(tmp_path):
    """Return a model's folder: its data in it, and a secret beside it, to which links lead."""
    (tmp_path / "secret").write_bytes(b"0123456789abcdef")
    (tmp_path / "model/deep").mkdir(parents=True)
    (tmp_path / "model/w.bin").write_bytes(DATA)
    (tmp_path / "model/deep/w.bin").write_bytes(b"\0" * 8 + DATA)
    (tmp_path / "model/link").symlink_to("../secret")
    (tmp_path / "model/up").symlink_to("..")
    return tmp_path / "model"


OUTSIDE = "is outside the model's folder, and not read"
PLACES = [
    ({"location": "/etc/hostname"}, OUTSIDE),
    ({"location": "../secret"}, OUTSIDE),
    ({"location": "deep/../../secret"}, OUTSIDE),
    ({"location": "link"}, OUTSIDE),
    ({"location": "up/secret"}, OUTSIDE),
    ({"location": ""}, "'' is no file's name"),
    ({"location": "w\0.bin"}, "is no file's name"),
    ({}, "'' is no file's name"),
    ({"location": "."}, "missing; it holds weights"),
    ({"location": "deep"}, "missing; it holds weights"),
    ({"location": "absent.bin"}, "missing; it holds weights"),
    ({"location": "w.bin", "offset": "x"}, "offset: 'x' is no number of bytes"),
    ({"location": "w.bin", "offset": "-4"}, "offset: '-4' is no number of bytes"),
    ({"location": "w.bin", "offset": "1e3"}, "offset: '1e3' is no number of bytes"),
    ({"location": "w.bin", "offset": "٣"}, "is no number of bytes"),
    ({"location": "w.bin", "offset": "9" * 5000}, "is no number of bytes"),
    ({"location": "w.bin", "length": ""}, "length: '' is no number of bytes"),
    ({"location": "w.bin", "length": 12}, "12 bytes, its shape and type take 16"),
    ({"location": "w.bin", "length": 2**40}, "its shape and type take 16"),
    ({"location": "w.bin", "offset": 4}, "cut short; 'w' ends at 20 of 16"),
    ({"location": "deep/w.bin", "offset": 2**40}, "cut short"),
]


def refused(read, *arguments):
    with pytest.raises(UserError) as caught:
        read(*arguments)
    said = str(caught.value)
    assert "\n" not in said and len(said) < 400
    return said


@pytest.mark.fault("hostile: external data")
@pytest.mark.parametrize(("entries", "said"), PLACES, ids=[str(p)[:40] for p in PLACES])
def test_external_data_that_is_refused(folder, entries, said):
    onnx.save(external(**entries), folder / "m.onnx")
    assert said in refused(files.load, folder / "m.onnx")
    # A library may hold a model that was not read by `load`.
    assert said in refused(files.save, external(**entries), folder.parent / "out.onnx", folder)
    assert not (folder.parent / "out.onnx").exists()


def test_a_graph_is_read_before_its_data_is_there(folder):
    """A run is planned before external data was fetched."""
    onnx.save(external(location="gone"), folder / "m.onnx")
    assert facts.graph_of(folder / "m.onnx")["nodes"] == ["/a", "/b", "/y"]


def in_a_node(found):
    found.graph.node.insert(0, constant("c", WEIGHT))
    found.graph.node[1].input[1] = "c"
    return found.graph.node[0].attribute[0].t


def in_a_body(found):
    graph = helper.make_graph(
        [constant("c", WEIGHT)], "g", [], [helper.make_tensor_value_info("c", FLOAT, None)]
    )
    yes = constant("yes", np.bool_(True))
    found.graph.node.insert(0, node("If", "yes", "d", then_branch=graph, else_branch=graph))
    found.graph.node.insert(0, yes)
    return found.graph.node[1].attribute[0].g.node[0].attribute[0].t


def in_a_function(found):
    body = [constant("c", WEIGHT), helper.make_node("Mul", ["p", "c"], ["q"])]
    own = helper.make_function("own", "F", ["p"], ["q"], body, [helper.make_opsetid("", 17)])
    found.functions.append(own)
    found.opset_import.append(helper.make_opsetid("own", 1))
    return found.functions[0].node[0].attribute[0].t


def in_sparse_weights(found):
    values = numpy_helper.from_array(floats(4), "s")
    indices = numpy_helper.from_array(np.arange(4), "i")
    found.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [9]))
    return found.graph.sparse_initializer[0].values


@pytest.mark.parametrize("where", [in_a_node, in_a_body, in_a_function, in_sparse_weights])
def test_external_data_anywhere_in_a_model(folder, where):
    found = small()
    refer(where(found), location="../secret")
    onnx.save(found, folder / "m.onnx")
    assert OUTSIDE in refused(files.load, folder / "m.onnx")
    found = small()
    refer(where(found), location="w.bin")
    onnx.save(found, folder / "m.onnx")
    files.save(files.load(folder / "m.onnx"), folder / "out.onnx", folder)
    (folder / "w.bin").unlink()
    assert files.load(folder / "out.onnx").graph.node
    assert any(t.raw_data == DATA for t in stored.tensors(files.load(folder / "out.onnx")))


def test_a_folder_that_is_a_link_itself(folder):
    onnx.save(external(location="deep/w.bin", offset=8), folder / "m.onnx")
    (folder.parent / "other").symlink_to("model")
    loaded = files.load_whole(folder.parent / "other/m.onnx")
    assert loaded.graph.initializer[0].raw_data == DATA


def stage(name, *arguments):
    run(name, *arguments)
    return importlib.import_module(f"nnrd.stages.{name}")


def conversion(folder, out):
    row = {"model": "m", "family": "onnx_file", "weights": "asset", "file": "m.onnx"}
    files = ["--assets", folder, "--out", out / "m.onnx", "--facts", out / "m.json"]
    return ["--model", json.dumps(row), *files]


def test_a_model_with_external_data_enters_the_workflow_as_one_file(folder, tmp_path):
    onnx.save(external(location="deep/w.bin", offset=8), folder / "m.onnx")
    given = {"x": floats(1, 4, 6, 6)}
    expected = sessions.run(sessions.session(folder / "m.onnx"), given)["y"]
    stage("convert_model", *conversion(folder, tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["m.json", "m.onnx"]
    found = sessions.run(sessions.session(tmp_path / "out/m.onnx"), given)["y"]
    np.testing.assert_array_equal(found, expected)
    facts = json.loads((tmp_path / "out/m.json").read_text())
    assert (facts["nodes"], facts["parameters"]) == (3, 8)


def test_a_model_without_external_data_is_taken_as_it_is(folder, tmp_path):
    onnx.save(small(), folder / "m.onnx")
    stage("convert_model", *conversion(folder, tmp_path / "out"))
    assert (tmp_path / "out/m.onnx").read_bytes() == (folder / "m.onnx").read_bytes()


def test_external_data_that_one_file_cannot_hold(folder, tmp_path, monkeypatch):
    onnx.save(external(location="w.bin"), folder / "m.onnx")
    monkeypatch.setattr(files, "LIMIT", 20)
    said = refused(run, "convert_model", *conversion(folder, tmp_path / "out"))
    assert "over 2 GB, which one file cannot hold" in said
    assert not list((tmp_path / "out").iterdir())


def changed(change, **options):
    found = small(**options)
    change(found)
    return found


def untyped(kind):
    return lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", kind)


def dim(number, size):
    def change(found):
        found.graph.input[0].type.tensor_type.shape.dim[number].dim_value = size

    return change


def huge(found):
    dim(0, 2**40)(found)
    dim(1, 2**40)(found)


def foreign(found):
    found.graph.node[1].domain = "com.other"


def foreign_in_a_body(found):
    in_a_body(found)
    found.graph.node[1].attribute[0].g.node[0].domain = "com.other"


def weight(**fields):
    def change(found):
        tensor = found.graph.initializer[0]
        for name, value in fields.items():
            if name == "dims":
                tensor.dims[:] = value
            else:
                setattr(tensor, name, value)

    return change


def listed(found):
    tensor = found.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.float_data.extend([1, 2, 3])


WRONG = [
    (untyped(99), "input 'x': unknown element type 99"),
    (dim(1, -1), "input 'x': dimension -1"),
    (dim(0, -(2**62)), "input 'x': dimension -46"),
    (huge, "input 'x': 1099511627776×1099511627776×6×6 values are more than can be"),
    (weight(data_type=99), "tensor 'w': unknown element type 99"),
    (weight(data_type=0), "tensor 'w': unknown element type 0"),
    (weight(dims=[-1]), "tensor 'w': dimension -1"),
    (weight(dims=[4, -1, -1]), "tensor 'w': dimension -1"),
    (weight(dims=[5]), "tensor 'w': 16 bytes, its shape and type take 20"),
    (weight(dims=[3]), "tensor 'w': 16 bytes, its shape and type take 12"),
    (weight(dims=[2**40, 2**40]), "values are more than can be"),
    (weight(dims=[2**40]), "tensor 'w': 16 bytes, its shape and type take 4398046511104"),
    (weight(raw_data=b""), "tensor 'w': 0 bytes, its shape and type take 16"),
    (weight(data_type=TensorProto.STRING), "tensor 'w': 16 bytes"),
    (listed, "tensor 'w': 3 values, its shape and type take 4"),
    (foreign, "node '/b' (Sin): operator set 'com.other' is not imported"),
    (foreign_in_a_body, "operator set 'com.other' is not imported"),
    (lambda m: m.opset_import.pop(), "operator set 'ai.onnx' is not imported"),
]


def functions(*calls):
    """Return a change: functions F0, F1, … of which each calls others."""

    def change(found):
        for number, names in enumerate(calls):
            body = [
                helper.make_node(n, ["p"], ["q"], domain="own" if n[0] == "F" else "")
                for n in names
            ]
            sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
            found.functions.append(
                helper.make_function("own", f"F{number}", ["p"], ["q"], body, sets)
            )
        found.opset_import.append(helper.make_opsetid("own", 1))
        found.graph.node[1].op_type, found.graph.node[1].domain = f"F{len(calls) - 1}", "own"

    return change


WRONG += [
    (functions(["F0"]), "a function of the model calls itself: F0 -> F0"),
    (functions(["F1"], ["F0"]), "a function of the model calls itself: F"),
    (
        functions(["Neg"], *([f"F{n}", f"F{n}"] for n in range(40))),
        "1099511627778 nodes, once its functions are written out",
    ),
]


@pytest.mark.fault("hostile: an ONNX model")
@pytest.mark.parametrize(("change", "said"), WRONG, ids=[w[1][:50] for w in WRONG])
def test_a_model_that_cannot_be_right(tmp_path, change, said):
    path = tmp_path / "m.onnx"
    path.write_bytes(changed(change).SerializeToString())
    message = refused(files.load, path)
    assert message.startswith(f"{path}: ") and said in message
    refused(run, "split_model", path, "--rank", 1, "--out", tmp_path / "out")
    refused(run, "tabulate_splits", path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "kind", ["INT4", "UINT4", "INT2", "FLOAT4E2M1", "BFLOAT16", "BOOL", "STRING"]
)
@pytest.mark.parametrize("count", [0, 1, 7])
def test_every_kind_of_weight_is_right(tmp_path, kind, count):
    found = small()
    number = TensorProto.DataType.Value(kind)
    values = [b"a" if kind == "STRING" else 1] * count
    found.graph.initializer.append(helper.make_tensor("k", number, [count], values))
    onnx.save(found, tmp_path / "m.onnx")
    loaded = files.load(tmp_path / "m.onnx")
    files.save(loaded, tmp_path / "n.onnx")
    assert files.load(tmp_path / "n.onnx") == loaded


def test_old_models_import_nothing():
    """Before IR version 3 there was one operator set."""
    found = small(ir=2)
    del found.opset_import[:]
    nnrd.split.checks.check(found)


def test_sizes_that_nothing_holds(tmp_path):
    """Shape inference follows an Expand to 2^80 values."""
    nodes = [constant("size", np.array([2**40, 2**40])), node("Expand", "w size", "a")]
    nodes += [node("Add", "x v", "b"), node("Add", "a b", "y")]
    weights = {"w": floats(1, 1), "v": floats(1)}
    found = model(nodes, {"x": (FLOAT, [1, 1])}, {"y": (FLOAT, None)}, weights)
    onnx.save(found, tmp_path / "m.onnx")
    assert "tensor 'a'" in refused(run, "tabulate_splits", tmp_path / "m.onnx")


def nested(depth):
    """Return a model whose third node has so many bodies within each other."""
    inner = node("Neg", "a", "b0")
    for level in range(1, depth + 1):
        name = inner.output[0]
        value = helper.make_tensor_value_info(name, FLOAT, None)
        body = helper.make_graph([inner], "g", [], [value])
        inner = node("If", "yes", f"b{level}", then_branch=body, else_branch=body)
    nodes = [node("Sin", "x", "a"), constant("yes", np.bool_(True)), inner]
    nodes += [node("Add", f"a b{depth}", "y")]
    return model(nodes, {"x": (FLOAT, [1, 4])}, {"y": (FLOAT, None)}, {})


@pytest.mark.fault("hostile: a model of bodies within bodies")
@pytest.mark.parametrize("depth", [1, 10])
def test_a_model_of_bodies_within_bodies_is_split_exactly(tmp_path, depth):
    onnx.save(nested(depth), tmp_path / "m.onnx")
    whole = files.load(tmp_path / "m.onnx")
    feeds = {"x": floats(1, 4)}
    expected = sessions.run(sessions.session(tmp_path / "m.onnx"), feeds)["y"]
    for rank in range(1, len(whole.graph.node)):
        parts = nnrd.split.extract(whole, nnrd.split.cut(whole, rank=rank))
        sent = feeds
        for part in parts:
            sent = sessions.run(sessions.session(part.SerializeToString()), sent)
        assert (sent["y"] == expected).all()


def raw_nested(depth):
    """Return the bytes of bodies that no library would read: length-delimited fields by hand."""

    def field(number, data):
        size, head = len(data), bytes([number << 3 | 2])
        while size > 127:
            head, size = head + bytes([size & 127 | 128]), size >> 7
        return head + bytes([size]) + data

    graph = field(2, b"g")
    for _ in range(depth):
        attribute = field(1, b"body") + field(6, graph) + bytes([20 << 3 | 1 << 7, 1, 5])
        graph = field(1, field(4, b"If") + field(5, attribute)) + field(2, b"g")
    return field(7, graph)


@pytest.mark.fault("hostile: a model of 200 bodies within bodies")
def test_a_model_of_200_bodies_within_bodies_is_no_model(tmp_path):
    (tmp_path / "m.onnx").write_bytes(raw_nested(200))
    assert "not an ONNX model" in refused(files.load, tmp_path / "m.onnx")


def doubled(levels):
    """Return a model that doubles a tensor of 16 bytes again and again."""
    nodes = [node("Sin", "x", "a0")]
    nodes += [node("Concat", f"a{n} a{n}", f"a{n + 1}", axis=1) for n in range(levels)]
    nodes += [node("Sin", f"a{levels}", "y")]
    return model(nodes, {"x": (FLOAT, [1, 4])}, {"y": (FLOAT, None)}, {})


def counted():
    """Return a model that counts to 2^62."""
    nodes = [node("Range", "none most one", "z"), node("Size", "z", "n")]
    nodes += [node("Cast", "n", "b", to=FLOAT), node("Add", "x b", "y")]
    ends = {"none": 0, "most": 2**62, "one": 1}
    weights = {name: np.array(value, np.int64) for name, value in ends.items()}
    return model(nodes, {"x": (FLOAT, [1, 4])}, {"y": (FLOAT, None)}, weights)


@pytest.mark.fault("hostile: a model of tensors that nothing holds")
@pytest.mark.parametrize("options", [(), ("--shape", "x=1,4")], ids=["inferred", "measured"])
@pytest.mark.parametrize("make", [lambda: doubled(60), counted], ids=["doubled", "counted"])
def test_sizes_that_nothing_holds_are_refused_measured_too(tmp_path, make, options):
    """ONNX Runtime makes none of these tensors: of each only the shape is asked for."""
    onnx.save(make(), tmp_path / "m.onnx")
    said = refused(run, "tabulate_splits", tmp_path / "m.onnx", *options)
    assert "bytes cannot be" in said


@pytest.mark.fault("hostile: a model's bytes changed")
def test_a_damaged_file_is_a_line_or_a_model(tmp_path):
    """Bytes of real graphs changed by chance: what is read can be tabulated, split and saved."""
    chance, path = random.Random(0), tmp_path / "m.onnx"
    refusals = 0
    for number in range(600):
        data = bytearray(MODELS[list(MODELS)[number % len(MODELS)]]().SerializeToString())
        for _ in range(chance.choice([1, 2, 4])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            graph = nnrd.split.Graph(files.load(path))
            parts = nnrd.split.extract(graph, nnrd.split.cut(graph, 1))
            nnrd.split.table(graph)
            files.save(parts[0], tmp_path / "part.onnx")
        except UserError as error:
            assert "\n" not in str(error)
            refusals += 1
    assert 200 < refusals < 600


@pytest.mark.parametrize("failing", ["part1", "part2"])
def test_both_parts_appear_or_none(tmp_path, monkeypatch, failing):
    onnx.save(small(), tmp_path / "m.onnx")
    write = files.save

    def save(part, path, folder="."):
        if failing in str(path):
            raise OSError(28, "No space left on device")
        write(part, path, folder)

    monkeypatch.setattr(files, "save", save)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    with pytest.raises(OSError, match="No space"):
        run("split_model", tmp_path / "m.onnx", "--rank", 1, "--out", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
