"""How large a model is, and how much it computes: parameters by part, multiply-accumulates."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode

ALL, REST = "all", "rest"
FLOAT = 4  # bytes of a float32
RECURRENT = (nn.RNNBase, nn.RNNCellBase)


def parameters(model: nn.Module, parts: Mapping[str, nn.Module]) -> list[dict[str, Any]]:
    """Return the parameters of a model: ``all``, its parts in order, ``rest`` (in no part).

    A row: ``part``; ``parameters``, their number, where several layers have the same ones (tied
    weights) each once; ``shared``, how many of them another part has too; ``bytes`` as float32.
    The rows of parts that share add up to more than ``all``. ``rest`` is left out where it is
    empty. The same ones are those at one place in memory.
    """
    whole = _sizes(model)
    held = {name: _sizes(part) for name, part in parts.items()}
    rows = [_row(ALL, whole, 0)]
    for name, own in held.items():
        others = set().union(*(sizes for other, sizes in held.items() if other != name))
        rows.append(_row(name, own, sum(own[key] for key in own.keys() & others)))
    rest = {key: whole[key] for key in whole.keys() - set().union(*held.values())}
    return [*rows, _row(REST, rest, 0)] if rest else rows


def _sizes(module: nn.Module) -> dict[tuple[Any, ...], int]:
    """Return the number of values of each parameter by its place in memory."""
    return {_place(each): each.numel() for each in module.parameters() if each.numel()}


def _place(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Return what two tensors have in common that are one; without memory each is its own."""
    if tensor.device.type == "meta":
        return ("meta", id(tensor))
    return (str(tensor.device), tensor.data_ptr(), tuple(tensor.shape))


def _row(part: str, sizes: Mapping[Any, int], shared: int) -> dict[str, Any]:
    count = sum(sizes.values())
    return {"part": part, "parameters": count, "shared": shared, "bytes": FLOAT * count}


def macs(model: nn.Module, call: Callable[[], object]) -> int:
    """Return the multiply-accumulates of ``call()``, which runs the model once.

    Matrix products, convolutions and attention by PyTorch's counter (FLOPs / 2), recurrent layers
    by formula (`recurrent`), since the counter knows none of the fused kernels that run them.
    Attention is run as plain products meanwhile, for the same reason: both products of all pairs of
    places are counted, also of those that a mask leaves out. What works on single values
    (activations, normalisation, gates) is not counted.
    """
    counter = FlopCounterMode(display=False)
    recurrent_macs, inside = 0, 0
    with ExitStack() as stack:
        stack.enter_context(_plain_attention())
        stack.enter_context(_reckoned_weights(model))
        stack.enter_context(counter)

        def before(*_: Any) -> None:
            nonlocal inside
            inside -= counter.get_total_flops()

        def after(layer: nn.Module, given: tuple[Any, ...], _: Any) -> None:
            nonlocal inside, recurrent_macs
            inside += counter.get_total_flops()
            recurrent_macs += recurrent(layer, given[0])

        for layer in _recurrent_layers(model):
            stack.callback(layer.register_forward_pre_hook(before).remove)
            stack.callback(layer.register_forward_hook(after).remove)
        call()
        total = counter.get_total_flops()
    return (total - inside) // 2 + recurrent_macs


def recurrent(layer: nn.Module, given: Any) -> int:
    """Return the multiply-accumulates of an LSTM, a GRU, an RNN, or a cell of one.

    Each weight matrix is used once at each place of the sequence: for a layer and direction of an
    LSTM 4·H·(I + H) (with a projection to P 4·H·(I + P) + H·P), of a GRU 3·H·(I + H), of an RNN
    H·(I + H) (the equations in PyTorch's reference of torch.nn.LSTM, GRU, RNN). ``given``: what the
    layer was called with, a tensor or a PackedSequence, whose padding costs nothing.
    """
    weights = sum(each.numel() for each in layer.parameters() if each.dim() == 2)
    values = given.data if isinstance(given, nn.utils.rnn.PackedSequence) else given
    return prod(values.shape[:-1]) * weights


def _recurrent_layers(model: nn.Module) -> Iterator[nn.Module]:
    return (each for each in model.modules() if isinstance(each, RECURRENT))


@contextmanager
def _reckoned_weights(model: nn.Module) -> Iterator[None]:
    """Keep weights that are reckoned from others, such as normalised ones, as they are now.

    Beneath PyTorch's counter they cannot be reckoned: reading one ends in an AttributeError.
    """
    with parametrize.cached(), torch.inference_mode():
        for layer in model.modules():
            if parametrize.is_parametrized(layer):
                for name in layer.parametrizations:
                    getattr(layer, name)
        yield


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Run attention, and layers that have it, without kernels that do several things at once."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
