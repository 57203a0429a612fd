"""Tensors that benchmarks of the coder take: of real models, of their shapes, or drawn."""

import os
from pathlib import Path

import numpy as np

Tensors = dict[str, np.ndarray]
EMBEDDING = (51_864, 384)  # Whisper tiny.en's token embedding, more than half of its values


def nbytes(tensors: Tensors) -> int:
    """Return the tensors' size in memory."""
    return sum(tensor.nbytes for tensor in tensors.values())


def laplacian(shape: tuple[int, ...]) -> np.ndarray:
    """Return values as trained weights are distributed, of a scale of 0.02."""
    return (np.random.default_rng(0).laplace(size=shape) * 0.02).astype(np.float32)


def gaussian(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return weights as a trained layer has them roughly: σ = 1 ÷ √inputs."""
    values = np.random.default_rng(seed).standard_normal(shape, np.float32)
    values /= np.float32(max(1.0, np.prod(shape[1:])) ** 0.5)
    return values


def resnet56() -> tuple[str, Tensors]:
    """Return ResNet56 for CIFAR-100: its weights from NNRD_DATA, else gaussian ones."""
    folder = os.environ.get("NNRD_DATA")
    if not folder:
        return "ResNet56 shapes, gaussian (NNRD_DATA unset)", _resnet56_gaussian()
    import torch

    torch.set_num_threads(1)
    path = Path(folder) / "resnet56_cifar100" / "ResNet56_CIF100.pt"
    loaded = torch.load(path, map_location="cpu", weights_only=False)
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else loaded.state_dict()
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    return "ResNet56", {
        name: array if array.dtype == np.float32 else array.astype(np.int32).reshape(-1)
        for name, array in arrays.items()
    }


def _resnet56_gaussian() -> Tensors:
    """Return tensors of ResNet56's shapes: 3 stages of 9 blocks of 2 convolutions."""
    shapes: list[tuple[int, ...]] = [(16, 3, 3, 3)]
    width = 16
    for stage in (16, 32, 64):
        for _ in range(9):
            shapes += [(stage, width, 3, 3), (stage, stage, 3, 3)]
            width = stage
    tensors: Tensors = {}
    for i, shape in enumerate(shapes):
        tensors[f"conv{i}.weight"] = gaussian(shape, i)
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"bn{i}.{part}"] = gaussian(shape[:1], i)
        tensors[f"bn{i}.num_batches_tracked"] = np.ones(1, np.int32)
    return tensors | {"fc.weight": gaussian((100, 64)), "fc.bias": gaussian((100,))}


def feature_map() -> Tensors:
    """Return one map of 512 × 38 × 38 as behind a ReLU."""
    return {"map": gaussian((1, 512, 38, 38)).clip(0) * np.float32(512 * 38)}


def whisper_tiny() -> Tensors:
    """Return gaussian tensors of the shapes of Whisper tiny.en: 37.8 million values."""
    d, shapes = 384, {"decoder.tokens": EMBEDDING, "decoder.positions": (448, 384)}
    shapes |= {"encoder.positions": (1500, d), "conv1.weight": (d, 80, 3), "conv1.bias": (d,)}
    shapes |= {"conv2.weight": (d, d, 3), "conv2.bias": (d,)}
    for side, attentions in (("encoder", ("self",)), ("decoder", ("self", "cross"))):
        for layer in range(4):
            for attention in attentions:
                at = f"{side}.{layer}.{attention}"
                shapes |= {f"{at}.{part}.weight": (d, d) for part in "qkvo"}
                shapes |= {f"{at}.{part}.bias": (d,) for part in "qvo"}
                shapes |= {f"{at}.norm.weight": (d,), f"{at}.norm.bias": (d,)}
            at = f"{side}.{layer}"
            shapes |= {f"{at}.fc1.weight": (4 * d, d), f"{at}.fc1.bias": (4 * d,)}
            shapes |= {f"{at}.fc2.weight": (d, 4 * d), f"{at}.fc2.bias": (d,)}
            shapes |= {f"{at}.norm.weight": (d,), f"{at}.norm.bias": (d,)}
        shapes |= {f"{side}.norm.weight": (d,), f"{side}.norm.bias": (d,)}
    return {name: gaussian(shape, seed) for seed, (name, shape) in enumerate(shapes.items())}
