"""A model on its way through POT's functions: files of OpenVINO's intermediate representation."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnrd.core.errors import UserError
from nnrd.core.files import complete_files
from nnrd.pot.interface import Config


class CompressedModel:
    """A model, float or quantised; ``path``: its ``.xml``, which has its ``.bin`` beside it.

    ``reverted``: the layers that accuracy control put back to float.
    """

    def __init__(self, name: str, path: Path, reverted: tuple[str, ...] = ()) -> None:
        self.name, self.path, self.reverted = name, path, reverted
        self.is_cascade = False
        self._folder: tempfile.TemporaryDirectory | None = None

    @classmethod
    def made(cls, name: str) -> CompressedModel:
        """Return a model whose files are yet to be written, in a folder that goes with it."""
        folder = tempfile.TemporaryDirectory(prefix="nnrd-pot-")
        model = cls(name, Path(folder.name) / "model.xml")
        model._folder = folder
        return model

    def save(self, save_path: str | Path, model_name: str | None = None) -> list[dict[str, str]]:
        """Write its two files, see `save_model`."""
        name, folder = model_name or self.name, Path(save_path)
        with complete_files(folder) as temporary:
            for suffix in (".xml", ".bin"):
                shutil.copyfile(self.path.with_suffix(suffix), temporary / f"{name}{suffix}")
        return [{"model": str(folder / f"{name}.xml"), "weights": str(folder / f"{name}.bin")}]


def load_model(model_config: Mapping[str, Any], target_device: str = "ANY") -> CompressedModel:
    """Return the model of a configuration: ``model_name``, ``model`` (.xml), ``weights`` (.bin).

    ``target_device`` has no meaning for NNCF's loading. Raises UserError: a file that is not
    there, weights that are not beside the model under its name, a cascade of models.
    """
    del target_device
    config = Config(model_config)
    if config.cascade:
        raise UserError(
            "cascade: POT's cascades are not taken; quantise each model of it by itself"
        )
    if not config.model:
        raise UserError("model: missing; write the path of the .xml")
    path = Path(config.model)
    weights = Path(config.weights or path.with_suffix(".bin"))
    for file in (path, weights):
        if not file.is_file():
            raise UserError(f"{file}: not there")
    if weights.resolve() != path.with_suffix(".bin").resolve():
        raise UserError(f"{weights}: OpenVINO wants it beside the model, as {path.stem}.bin")
    return CompressedModel(config.model_name or path.stem, path)


def save_model(
    model: CompressedModel,
    save_path: str | Path,
    model_name: str | None = None,
    for_stat_collection: bool = False,
) -> list[dict[str, str]]:
    """Write a model as ``NAME.xml`` and ``NAME.bin``; return ``[{"model": …, "weights": …}]``.

    ``for_stat_collection`` mattered to cascades only. Both files are there or neither is.
    """
    del for_stat_collection
    return model.save(save_path, model_name)


def compress_model_weights(model: CompressedModel) -> None:
    """Do nothing: NNCF stores the weights of what it quantised as 8-bit integers already."""
