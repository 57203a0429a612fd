"""The options of NNCodec that nnrd drives, and the quantisation parameter of each tensor."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnrd.core.errors import UserError


@dataclass(frozen=True)
class Options:
    """Options of ``nncodec.nnc.compress``, of the same names, meanings and defaults.

    qp: quantisation parameter of tensors of two dimensions or more.
    qp_density: the step is (k + qp % k) · 2^(qp // k − qp_density), k = 2^qp_density.
    nonweight_qp: of tensors of one dimension; 0 takes qp − 2^(qp_density + 1).
    qp_per_tensor: by name, before both.
    use_dq: dependent (trellis-coded) quantisation.
    opt_qp: each tensor's qp from its share of the values and its standard deviation.
    codebook_mode: 0 never, 1 always, 2 where the codebook makes the tensor smaller.
    lambda_scale: weight of the rate in quantisation.
    param_opt: initial states of the context models chosen by a trial.
    cabac_unary_length_minus1: greater-than flags with a context, minus 1; 0 to 255.
    row_skipping: rows of zeros cost one flag.
    """

    qp: int = -38
    qp_density: int = 2
    nonweight_qp: int | None = -75
    qp_per_tensor: Mapping[str, int] | None = None
    use_dq: bool = True
    opt_qp: bool = False
    codebook_mode: int = 0
    lambda_scale: float = 0
    param_opt: bool = True
    cabac_unary_length_minus1: int = 10
    row_skipping: bool = False


def qp_range(qp_density: int) -> tuple[int, int]:
    """Return the least and the greatest qp that a stream can hold: 6 + qp_density bits."""
    return -(32 << qp_density), (32 << qp_density) - 1


def step_size(qp: int, qp_density: int) -> float:
    """Return what one level of a quantised value stands for (NNCodec's Quant.cpp)."""
    k = 1 << qp_density
    return (k + qp % k) * 2.0 ** (qp // k - qp_density)


def finest_qp(largest: float, qp_density: int) -> int:
    """Return the least qp at which a value has a level of less than 31 bits."""
    low, high = qp_range(qp_density)
    fits = (qp for qp in range(low, high + 1) if largest < 2**31 * step_size(qp, qp_density))
    return next(fits, high + 1)


def qp_of_each(tensors: Mapping[str, np.ndarray], options: Options) -> dict[str, int]:
    """Return the qp of each tensor.

    UserError where a stream cannot hold it, and for ``opt_qp`` where NNCodec divides by zero.
    """
    other = options.nonweight_qp or options.qp - (2 << options.qp_density)
    qps = {name: options.qp if t.ndim > 1 else other for name, t in tensors.items()}
    qps |= {k: int(v) for k, v in (options.qp_per_tensor or {}).items() if k in qps}
    if options.opt_qp:
        qps |= _optimised(tensors, qps)
    for name, qp in qps.items():
        _check_qp(name, qp, options.qp_density)
    return qps


def _check_qp(name: str, qp: int, qp_density: int) -> None:
    """Raise UserError for a qp that NNCodec would cut to its low bits without a word."""
    low, high = qp_range(qp_density)
    if not low <= qp <= high:
        raise UserError(f"tensor {name}: qp {qp} is outside {low}…{high} (qp_density {qp_density})")


def _optimised(tensors: Mapping[str, np.ndarray], qps: Mapping[str, int]) -> dict[str, int]:
    """Return the weights' qp as NNCodec's opt_qp makes them, to the last bit of its arithmetic."""
    names = [name for name, tensor in tensors.items() if tensor.ndim > 1]
    sizes = [tensors[name].size for name in names]
    # NNCodec takes the deviation of the array as it lies in memory: do not copy it before.
    with np.errstate(over="ignore", invalid="ignore"):
        deviations = np.array([np.std(tensors[name]) for name in names])
    largest = deviations.max(initial=0)
    if not 0 < largest < np.inf:  # no NaN either
        raise UserError(
            "opt_qp: needs tensors of two dimensions or more with a deviation above 0 that float32 "
            f"holds, from which each qp follows; it is {largest:.3g}: leave opt_qp out"
        )
    relative = deviations / largest
    shares = np.array(sizes) / sum(sizes) + 0.1 * (1 - relative)
    changed = {}
    for name, share in zip(names, shares, strict=True):
        weight = 0.15 if share > 0.5 else share
        changed[name] = int(np.int32(round(np.int32(qps[name]) * (1 - weight))))
    return changed
