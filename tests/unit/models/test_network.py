"""What is sent of a network, what fills it at the other end, and the checkpoints it comes from."""

import numpy as np
import pytest
import torch
from model_rows import MODELS, network, row

from nnrd import UserError
from nnrd.core import bundles
from nnrd.models.network import fill_arrays, read_checkpoint, set_up, tensors


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(5, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.out = torch.nn.Linear(3, 5, bias=False)
        self.out.weight = self.embed.weight


def test_tied_tensors_are_sent_once():
    sent = tensors(Tied())
    assert "embed.weight" in sent
    assert "out.weight" not in sent
    assert sent["norm.num_batches_tracked"].dtype == np.int64
    assert bundles.size(sent) == 4 * (15 + 4 * 3) + 8  # float32, and one int64 buffer


def test_half_precision_is_sent_as_float32():
    assert {t.dtype.name for t in tensors(Tied().half()).values()} == {"float32", "int64"}


def test_load_fills_tied_tensors():
    one, other = Tied(), Tied()
    fill_arrays(other, tensors(one), "a bundle")
    assert torch.equal(other.out.weight, one.embed.weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("norm.bias"), r"x: .*missing: norm.bias \(3\)"),
        (lambda t: t.update(new=t["norm.bias"]), r"unknown: new \(3\)"),
        (
            lambda t: t.update({"norm.bias": np.zeros(4, np.float32)}),
            r"of another shape: norm.bias \(4\) for \(3\)",
        ),
        (
            lambda t: t.update({"norm.bias": np.zeros(3, np.int32)}),
            r"of another kind: norm.bias int32 for float32",
        ),
        (
            lambda t: t.update({"norm.bias": np.zeros(3, np.complex64)}),
            r"of another kind: norm.bias complex64 for float32",
        ),
        (
            lambda t: t.update({"norm.num_batches_tracked": np.float32(7).reshape(())}),
            r"of another kind: norm.num_batches_tracked float32 for int64",
        ),
    ],
)
def test_tensors_that_do_not_fit(change, message):
    sent = tensors(Tied())
    change(sent)
    with pytest.raises(UserError, match=message):
        fill_arrays(Tied(), sent, "x")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "0 files"),
        ({"a.pt": {}, "b.pth": {}}, "2 files"),
        ({"a.pt": b"not a checkpoint"}, "not a checkpoint"),
        ({"a.pt": b""}, "not a checkpoint"),
        ({"a.pt": [1, 2]}, "not a state dict"),
        ({"a.pt": {"model": 3}}, "not a state dict"),
        ({"a.pt": {"a": 3}}, "not a state dict"),
        ({"a.pt": {3: torch.zeros(1)}}, "not a state dict"),
        ({"a.pt": Tied()}, "not a checkpoint"),  # a pickled object: its code is not run
    ],
)
def test_checkpoints_that_are_wrong(tmp_path, files, message):
    for name, content in files.items():
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        else:
            torch.save(content, tmp_path / name)
    with pytest.raises(UserError, match=message) as caught:
        read_checkpoint(tmp_path)
    assert "\n" not in str(caught.value)


def sparse(tensor):
    return tensor.to_sparse()


def quantised(tensor):
    return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)


def holed(tensor):
    return torch.where(torch.arange(tensor.numel()).reshape(tensor.shape) == 1, torch.nan, tensor)


STRANGE = [
    (sparse, "is sparse"),
    (lambda t: t.to_sparse_csr(), "is sparse"),
    (quantised, "is quantised"),
    (lambda t: t.to(torch.complex64), "is complex"),
    (lambda t: t.to("meta"), "has no values"),
    (lambda t: t * torch.nan, "432 of 432 values are not finite"),
    (holed, "1 of 432 values are not finite"),
    (lambda t: t.half() / 0, "432 of 432 values are not finite"),
    (lambda t: (t * torch.nan).to(torch.float8_e4m3fn), "432 of 432 values are not finite"),
]


@pytest.mark.filterwarnings("ignore")  # torch says that sparse CSR is in beta
@pytest.mark.parametrize(("change", "said"), STRANGE)
def test_tensors_that_no_network_can_be_filled_with(tmp_path, change, said):
    of = row("resnet56_cifar100")
    state = network(of).build().state_dict()
    name = "conv1.weight"
    shape = state[name].shape
    state[name] = change(state[name].reshape(16, 27))
    if said.endswith("finite"):
        state[name] = state[name].reshape(shape)
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(UserError, match=rf"tensor {name}: {said}") as caught:
        network(of).load(tmp_path)
    assert "\n" not in str(caught.value)


def test_other_integers_and_precisions_fill_a_network(tmp_path):
    of = row("resnet56_cifar100")
    state = network(of).build().state_dict()
    counts = [name for name in state if name.endswith("num_batches_tracked")]
    state |= {name: state[name].to(torch.int32) for name in counts}
    state |= {"conv1.weight": state["conv1.weight"].to(torch.bfloat16)}
    torch.save(state, tmp_path / "a.pt")
    assert network(of).load(tmp_path).conv1.weight.dtype == torch.float32


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"model": state},
        lambda state: {"state_dict": state, "epoch": 7},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {f"module.1.{name}": tensor for name, tensor in state.items()},
    ],
)
def test_checkpoints_as_people_write_them(tmp_path, wrap):
    state = Tied().state_dict()
    torch.save(wrap(state), tmp_path / "a.pt")
    found = read_checkpoint(tmp_path)
    assert list(found) == list(state)
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize("family", ["resnet56_cifar100", "torchvision_classifiers"])
def test_a_model_without_files_says_so(family):
    of = row(family, variant="resnet18")
    with pytest.raises(UserError, match=f"model {family}: its files are needed"):
        network(of).load(None)


def test_random_weights_are_the_same_each_time_and_differ():
    of = row("resnet56_cifar100", weights="random")
    one, other = (tensors(network(of).load(None)) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    floats = [array for array in one.values() if array.dtype == np.float32]
    assert all(array.min() != array.max() for array in floats)


def test_weights_that_a_network_builds_itself_need_no_files():
    """As a network of one's own makes them: not seeded anew, no constant changed."""
    of = row("resnet56_cifar100", weights="built")
    one, built = network(of).load(None), network(of).build()
    torch.manual_seed(0)
    expected = network(of).build().state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in one.state_dict().items())
    assert not one.training and set(built.state_dict()) == set(expected)


def test_a_receiver_has_another_network_than_the_sender(tmp_path):
    """Only what was sent makes them alike."""
    of = row("resnet56_cifar100")
    torch.manual_seed(7)
    torch.save(network(of).build().state_dict(), tmp_path / "checkpoint.pt")
    sent, bare = tensors(network(of).load(tmp_path)), network(of).bare()
    assert not np.array_equal(tensors(bare)["fc.weight"], sent["fc.weight"])
    fill_arrays(bare, sent, "a bundle")
    assert all(np.array_equal(array, sent[name]) for name, array in tensors(bare).items())


def test_resnet56_checkpoint(real_data):
    of = MODELS["resnet56_cifar100"]
    found = network(row("resnet56_cifar100")).load(real_data / "resnet56_cifar100")
    sent = tensors(found)
    assert len(sent) == 350
    assert sum(array.size for array in sent.values()) == of.values


@pytest.mark.parametrize("tf32", [True, False])
def test_torch_multiplies_in_float32_unless_it_is_told_otherwise(tf32):
    set_up(tf32=tf32)
    assert torch.backends.cuda.matmul.allow_tf32 is tf32
    assert torch.backends.cudnn.allow_tf32 is tf32
