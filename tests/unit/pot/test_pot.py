"""POT's names: configurations, items, the engine, parameters, what is refused and how."""

import copy
import pickle

import numpy as np
import pytest

from nnrd.core.errors import UserError
from nnrd.pot import Dict, IEEngine, create_pipeline, load_model, save_model
from nnrd.pot.algorithms import algorithm
from nnrd.pot.batches import BatchSampler
from nnrd.pot.interface import DataLoader, Metric
from nnrd.pot.pipeline import _Validation

FILES = {"model": "xml", "weights": "bin"}
CPU = {"device": "CPU", "stat_requests_number": 1, "eval_requests_number": 1}


class Loader(DataLoader):
    def __init__(self, items):
        super().__init__({})
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class Largest(Metric):
    """Whether the likeliest label is the annotation."""

    def __init__(self, direction="higher-better"):
        self.direction = direction
        super().__init__()

    @property
    def value(self):
        return {"hit": self.last}

    @property
    def avg_value(self):
        return {"hit": np.mean(self.all)}

    def update(self, output, target):
        self.last = [float(o.argmax() == t) for o, t in zip(output[0], target, strict=True)]
        self.all += self.last

    def reset(self):
        self.last, self.all = [], []

    def get_attributes(self):
        return {"hit": {"direction": self.direction, "type": "accuracy"}}


@pytest.fixture(scope="module")
def doubling(tmp_path_factory):
    """Return a model of one input x (1, 3), which gives 2 x."""
    openvino = pytest.importorskip("openvino")
    from openvino import opset13 as ops

    x = ops.parameter([1, 3], np.float32, name="x")
    x.output(0).get_tensor().set_names({"x"})
    y = ops.multiply(x, ops.constant(np.array([[2.0]], np.float32)))
    y.output(0).get_tensor().set_names({"y"})
    file = tmp_path_factory.mktemp("doubling") / "doubling.xml"
    openvino.save_model(openvino.Model([y], [x], "doubling"), file, compress_to_fp16=False)
    return file


def items(count=4):
    return [(np.eye(3, dtype=np.float32)[n % 3], n % 3) for n in range(count)]


def engine(loader=None, metric=None, kind=IEEngine, **config):
    return kind(CPU | config, Loader(items()) if loader is None else loader, metric or Largest())


def test_a_configuration_is_read_by_attribute_and_a_missing_key_is_empty():
    found = Dict({"a": {"b": 1}, "c": [{"d": 2}]}, e=3)
    assert (found.a.b, found.c[0].d, found.e, found["a"]["b"]) == (1, 2, 3, 1)
    assert not found.missing.anything and "missing" not in found
    found.f = {"g": 4}
    assert found.f.g == 4
    assert copy.deepcopy(found) == found == pickle.loads(pickle.dumps(found))


@pytest.mark.parametrize(
    "item",
    [
        ("data", "label"),
        ((0, "label"), "data"),
        ("data", "label", "more"),
        ((0, "label"), "data", "more"),
    ],
)
def test_items_of_either_order_are_the_same_batch(item):
    (batch,) = BatchSampler(Loader([item]))
    annotations, data, metadata = IEEngine._process_batch(batch)
    assert (annotations, data) == ([(0, "label")], ["data"])
    assert metadata == (["more"] if len(item) == 3 else [{}])


def test_a_sampler_takes_the_items_asked_for_in_batches():
    found = list(BatchSampler(Loader(items(5)), 2, [4, 0, 2]))
    assert [[number for (number, _), *_ in batch] for batch in found] == [[4, 0], [2]]


def test_an_engine_without_methods_of_its_own_predicts(doubling):
    found = engine()
    found.set_model(load_model({"model": str(doubling)}))
    assert found.predict() == ({"hit": 1.0}, {})
    rows, metrics = found.predict(metric_per_sample=True)[0]
    assert metrics == {"hit": 1.0}
    assert rows == [{"sample_id": n, "metric_name": "hit", "result": 1.0} for n in range(4)]


def test_compiled_models_and_results_are_used_as_openvinos(doubling):
    found = engine()
    found.set_model(load_model({"model": str(doubling)}))
    compiled = found._ie.compile_model(model=found._model, device_name="CPU")
    request = compiled.create_infer_request()
    x = np.array([[1, 2, 3]], np.float64)  # OpenVINO converts it, too
    for key in ("x", 0, compiled.inputs[0], compiled.input("x")):
        results = request.infer({key: x})
        for port in ("y", 0, compiled.outputs[0], compiled.output(0), found._model.outputs[0]):
            np.testing.assert_array_equal(results[port], 2 * x)
    request.start_async([x])
    request.wait()
    assert [names for port in request.results for names in port.get_names()] == ["y"]
    np.testing.assert_array_equal(compiled(x)["y"], 2 * x)
    with pytest.raises(UserError, match=r"no input z; it has x"):
        request.infer({"z": x})


@pytest.mark.parametrize(("config", "method"), [(1, "sync"), (0, "async"), (4, "async")])
def test_the_method_that_pot_would_call_is_called(doubling, config, method):
    called = []

    class Mine(IEEngine):
        def _process_dataset(self, *_, **__):
            called.append("sync")

        def _process_dataset_async(self, *_, **__):
            called.append("async")

    found = engine(kind=Mine, stat_requests_number=config, eval_requests_number=9)
    found.set_model(load_model({"model": str(doubling)}))
    found.record(BatchSampler(found.data_loader))
    assert called == [method]


def test_what_the_engine_feeds_is_recorded_with_the_state_that_it_carries(doubling):
    class Carrying(IEEngine):
        """Feeds what came out before, as an LSTM's state."""

        def _process_dataset(self, stats_layout, sampler, *_, **__):
            assert set(stats_layout) == {"y"}
            request = self._ie.compile_model(self._model, self._device).create_infer_request()
            for batch in sampler:
                (x,) = self._process_batch(batch)[1]
                for _ in range(2):
                    x = request.infer({"x": x.reshape(1, 3)})["y"]
                    self._collect_statistics({}, stats_layout, None)

    found = engine(kind=Carrying)
    found.set_model(load_model({"model": str(doubling)}))
    fed = found.record(BatchSampler(found.data_loader, 1, [1]))
    assert [feeds["x"].tolist() for feeds in fed] == [[[0, 1, 0]], [[0, 2, 0]]]


def test_a_metric_that_is_better_lower_is_turned_for_nncf(doubling):
    for direction, expected in (("higher-better", 1.0), ("higher-worse", -1.0)):
        found = engine(metric=Largest(direction))
        found.set_model(load_model({"model": str(doubling)}))
        check = _Validation(found, None)
        assert check(lambda feeds: {"y": feeds["x"]}, [0, 2]) == (expected, [expected, expected])


def test_a_model_is_saved_whole_under_its_name(doubling, tmp_path):
    model = load_model({"model_name": "twice", "model": str(doubling)})
    (paths,) = save_model(model, tmp_path / "out")
    assert paths == {key: str(tmp_path / f"out/twice.{s}") for key, s in FILES.items()}
    assert (tmp_path / "out/twice.xml").read_bytes() == doubling.read_bytes()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"preset": "performance", "per_channel": True}),
        ({"preset": "mixed"}, {"preset": "mixed"}),
        ({"weights": {"granularity": "pertensor"}}, {"per_channel": False}),
        (
            {"ignored": {"scope": ["a", "b"], "operations": [{"type": "LSTMSequence"}]}},
            {"ignored": {"names": ["a", "b"], "types": ["LSTMSequence"]}},
        ),
    ],
)
def test_parameters_of_default_quantization_are_nncfs(params, expected):
    found = algorithm({"name": "DefaultQuantization", "params": params}).settings(7, 0.5)
    assert found | expected == found
    assert (found["subset_size"], found["backend"]) == (7, "nncf_openvino")
    assert "accuracy_control" not in found


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {"max_drop": 0.01, "ranking_subset_size": 300}),
        ({"maximal_drop": 0.02, "max_iter_num": 3}, {"max_drop": 0.02, "max_iterations": 3}),
        ({"maximal_drop": 0.1, "drop_type": "relative"}, {"max_drop": 0.05}),
        ({"ranking_subset_size": 9}, {"ranking_subset_size": 9}),
    ],
)
def test_parameters_of_accuracy_aware_quantization_are_nncfs(params, expected):
    found = algorithm({"name": "AccuracyAwareQuantization", "params": params}).settings(7, -0.5)
    control = found["accuracy_control"]
    assert control | expected == control


AWARE = "AccuracyAwareQuantization"


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("DefaultQuantisation", {}, "did you mean DefaultQuantization"),
        ("MinMaxQuantization", {}, "it is a part of DefaultQuantization"),
        ("DataFreeQuantization", {}, "ort_dynamic of int8_ptq needs no data"),
        ("MagnitudeSparsity", {}, "known: DefaultQuantization, AccuracyAwareQuantization"),
        ("DefaultQuantization", {"presett": "mixed"}, "did you mean preset"),
        ("DefaultQuantization", {"preset": "accuracy"}, "none of performance, mixed"),
        ("DefaultQuantization", {"target_device": "GNA"}, "target_device: 'GNA' is none of ANY"),
        ("DefaultQuantization", {"maximal_drop": 0.1}, "unknown key 'maximal_drop'"),
        ("DefaultQuantization", {"stat_subset_size": 0}, "stat_subset_size: 0 is below 1"),
        ("DefaultQuantization", {"activations": {}}, "NNCF finds the ranges"),
        ("DefaultQuantization", {"use_fast_bias": False}, "use_fast_bias: False is none of True"),
        (AWARE, {"tune_hyperparams": True}, "tune_hyperparams"),
        (AWARE, {"metric_subset_ratio": 0.5}, "the whole loader is scored"),
    ],
)
def test_what_nncf_has_no_like_of_is_refused_in_one_line(name, params, said):
    with pytest.raises(UserError, match=said) as error:
        algorithm({"name": name, "params": params})
    assert "\n" not in str(error.value)


DEFAULT = {"name": "DefaultQuantization", "params": {}}


def other(folder):
    (folder / "other.bin").touch()
    return folder / "other.bin"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda m, f: load_model({"model": "no.xml"}), "no.xml: not there"),
        (lambda m, f: load_model({}), "model: missing"),
        (lambda m, f: load_model({"cascade": [{"name": "a"}]}), "cascade"),
        (lambda m, f: load_model({"model": m, "weights": other(f)}), "beside the model"),
        (lambda m, f: create_pipeline([], engine()), "0 algorithms"),
        (lambda m, f: create_pipeline([DEFAULT], object()), "subclass of IEEngine"),
        (lambda m, f: create_pipeline([{"name": AWARE}], IEEngine(CPU)), "no metric"),
        (lambda m, f: engine(device="GPU"), "device GPU: nnrd.pot runs on CPU"),
        (lambda m, f: run(m, loader=Loader([])), "the engine has no data"),
        (lambda m, f: run(m, loader=Loader([1])), r"item 0 .*not \(data, annotation\)"),
        (lambda m, f: run(m, loader=Loader([(np.zeros(4), 0)])), "input x: data of 1x4"),
        (
            lambda m, f: run(m, loader=Loader([({"z": np.zeros(3)}, 0)])),
            "input 'z'; the model has x",
        ),
        (lambda m, f: run(m, kind=Idle), "ran the model on none of 4 items"),
        (lambda m, f: engine().predict(), "no model: call set_model"),
        (lambda m, f: IEEngine(CPU)._ie.compile_model(None), "no model: call set_model"),
    ],
)
def test_mistakes_are_said_in_one_line(doubling, tmp_path, what, said):
    with pytest.raises(UserError, match=said) as error:
        what(doubling, tmp_path)
    assert "\n" not in str(error.value)


class Idle(IEEngine):
    def _process_dataset(self, *_, **__):
        pass


def run(model, **given):
    return create_pipeline([DEFAULT], engine(**given)).run(load_model({"model": str(model)}))
