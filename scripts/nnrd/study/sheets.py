"""The three sheets of a configuration: assets, models, datasets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnrd import models
from nnrd.core import sheets
from nnrd.core.errors import UserError
from nnrd.core.schema import unknown
from nnrd.datasets.formats import REGISTRY as FORMATS
from nnrd.models.family import Family, ModelRow
from nnrd.tasks import REGISTRY as TASKS


@dataclass(frozen=True)
class DatasetRow:
    """A row of the sheet of datasets; its columns are explained in ``config/README.md``."""

    dataset: str
    task: str
    format: str
    annotations: str
    items: int
    part: str = "test"
    asset: str | None = None
    folder: str | None = None


@dataclass(frozen=True)
class Sheets:
    """All rows by name; an asset has one row a file."""

    assets: dict[str, list[dict[str, Any]]]
    models: dict[str, ModelRow]
    datasets: dict[str, DatasetRow]

    def family(self, model: str) -> Family:
        """Return the family of a model."""
        return models.REGISTRY.get(self.models[model].family)


def read(files: Mapping[str, str], root: Path) -> Sheets:
    """Read the sheets of these files, relative to ``root``.

    Raises UserError, naming file, line or row: what does not fit the schemas, a name that is
    given twice, an asset, family, task or format that is not known.
    """
    assets: dict[str, list[dict[str, Any]]] = {}
    for row in sheets.read(root / files["assets"], "assets"):
        assets.setdefault(row["asset"], []).append(row)
    found = sheets.by_name(root / files["models"], "models", "model")
    rows = {name: _model(row, files["models"]) for name, row in found.items()}
    data = sheets.by_name(root / files["datasets"], "datasets", "dataset")
    datasets = {name: DatasetRow(**row) for name, row in data.items()}
    for name, dataset in datasets.items():
        _check_dataset(f"{files['datasets']}: {name}", dataset)
    for sheet, named in (("models", rows), ("datasets", datasets)):
        for name, entry in named.items():
            if entry.asset is not None and entry.asset not in assets:
                reason = unknown("asset", entry.asset, assets)
                raise UserError(f"{files[sheet]}: {name}: {reason}")
    return Sheets(assets, rows, datasets)


def _model(row: dict[str, Any], file: str) -> ModelRow:
    where = f"{file}: {row['model']}"
    try:
        options = json.loads(row.pop("options", "{}"))
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise UserError(f"{where}: options: not a JSON object")
    found = ModelRow(**row, options=options)
    try:
        models.REGISTRY.target(found.family)
        if found.task is not None:
            TASKS.target(found.task)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if found.weights == "asset" and found.asset is None:
        raise UserError(f"{where}: weights: 'asset', but the column asset is empty")
    return found


def _check_dataset(where: str, row: DatasetRow) -> None:
    try:
        FORMATS.target(row.format)
        TASKS.target(row.task)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if (row.asset is None) == (row.folder is None):
        raise UserError(f"{where}: give it an asset or a folder, one of the two")
