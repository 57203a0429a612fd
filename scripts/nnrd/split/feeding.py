"""Inputs for a model, read from files or made up, fitted to what the model declares."""

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import helper

from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.split.graph import initializer_names

Shape = list[int | None]
MAX_VALUES = 2**28  # values, 1 GiB of float32


def inputs(model: onnx.ModelProto) -> dict[str, tuple[np.dtype, Shape]]:
    """Return each input's element type and dimensions (None: open)."""
    weights = initializer_names(model.graph)
    found = {}
    for value in model.graph.input:
        if value.name not in weights:
            kind = value.type.tensor_type
            dims = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
            found[value.name] = helper.tensor_dtype_to_np_dtype(kind.elem_type), dims
    return found


def read(model: onnx.ModelProto, path: str | Path) -> dict[str, np.ndarray]:
    """Return the inputs of ``model`` from a file.

    ``.npz``: arrays by input name. ``.npy``: the one input's array. Else an image: RGB,
    float32 in [0, 1], channels first, scaled to the size the model asks for, if any.
    Raises UserError: a file that is none of these, a model that takes something else.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    if path.suffix == ".npz":
        with _loaded(path) as arrays:
            return {name: np.asarray(array) for name, array in arrays.items()}
    wanted = inputs(model)
    if len(wanted) != 1:
        raise UserError(f"{path}: the model has inputs {', '.join(wanted)}: give them as .npz")
    ((name, (_, shape)),) = wanted.items()
    return {name: _loaded(path) if path.suffix == ".npy" else _image(path, shape)}


def _loaded(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not a NumPy file") from error


def _image(path: Path, shape: Shape) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UserError(f"{path}: neither an image nor .npy nor .npz")
    if len(shape) not in (3, 4) or shape[-3] not in (3, None):
        raise UserError(f"{path}: the model's input {shape} is no image of three channels")
    size = [asked or given for asked, given in zip(shape[-2:], pixels.shape[:2], strict=True)]
    pixels = cv2.resize(pixels, size[::-1]) if size != list(pixels.shape[:2]) else pixels
    planes = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).transpose(2, 0, 1).astype(np.float32) / 255
    return planes if len(shape) == 3 else planes[None]


def random(model: onnx.ModelProto, shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    """Return inputs drawn uniformly from [0, 1), of the given or else the declared shapes.

    Raises UserError where a shape is open and not given, of another rank than declared, of more
    values than `MAX_VALUES`, or of no input of the model.
    """
    generator = np.random.default_rng(0)
    feeds, wanted = {}, inputs(model)
    for name in shapes:
        if name not in wanted:
            raise UserError(unknown("input of the model", name, wanted))
    for name, (dtype, declared) in wanted.items():
        shape = [size for size in shapes.get(name, declared) if size is not None]
        if len(shape) != len(declared):
            raise UserError(f"input {name!r} is {declared}: give its shape as {name}=1,3,…")
        if math.prod(shape) > MAX_VALUES:
            raise UserError(
                f"input {name!r}: {math.prod(shape)} values; {MAX_VALUES} at most are made up"
            )
        feeds[name] = generator.random(shape).astype(dtype)
    return feeds
