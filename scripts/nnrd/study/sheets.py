"""The three sheets of a configuration: assets, models, datasets."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from nnrd import models
from nnrd.assets import rows as asset_rows
from nnrd.core import sheets
from nnrd.core.errors import UserError
from nnrd.core.options import json_object
from nnrd.core.schema import first_mistake, unknown, with_defaults
from nnrd.datasets.formats import REGISTRY as FORMATS
from nnrd.models.family import Family
from nnrd.models.row import ModelRow
from nnrd.study.places import Places
from nnrd.study.points import variant
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
    selection: str | None = None
    bad_items: str = "refuse"


class Models(dict[str, ModelRow]):
    """The rows of models by name, and their variants, which are found by name and not listed.

    A variant is a row with other options.
    """

    def __init__(self, rows: Mapping[str, ModelRow]) -> None:
        super().__init__(rows)
        self.variants: dict[str, tuple[ModelRow, str]] = {}

    def __missing__(self, name: str) -> ModelRow:
        """Return a variant; KeyError where there is none."""
        return self.variants[name][0]

    def vary(self, name: str, options: Mapping[str, Any]) -> ModelRow:
        """Return a row with some options changed, which can be found by its name afterwards.

        The row itself where they say no other thing. Raises UserError, without the row's name, for
        options that its family does not take.
        """
        row = self[name]
        stated = with_defaults(_options_schema(row), dict(row.options))
        changed = {key: value for key, value in options.items() if stated.get(key) != value}
        if not changed:
            return row
        found = replace(row, model=variant(name, changed), options={**row.options, **changed})
        mistake = options_mistake(found)
        if mistake:
            raise UserError(mistake)
        family = models.REGISTRY.get(row.family)
        graphs = [family.input_row(one).options for one in (row, found)]
        self.variants[found.model] = found, name if graphs[0] == graphs[1] else found.model
        return found

    def with_graph_of(self, name: str) -> str:
        """Return the model whose graph a model, or a variant, has: what a file is called by."""
        return self.variants[name][1] if name in self.variants else name


@dataclass(frozen=True)
class Sheets:
    """All rows by name; an asset has one row a file."""

    assets: dict[str, list[dict[str, Any]]]
    models: Models
    datasets: dict[str, DatasetRow]

    def family(self, model: str) -> Family:
        """Return the family of a model."""
        return models.REGISTRY.get(self.models[model].family)

    def packages(self, model: str) -> str | None:
        """Return the asset with the packages that only a model's family needs, if any.

        Raises UserError where no sheet has it.
        """
        asset = self.family(model).packages
        if asset is not None and asset not in self.assets:
            family = self.models[model].family
            raise UserError(
                f"model {model}: family {family} needs asset {asset!r}; no sheet has it"
            )
        return asset

    def asset_of(self, path: str) -> str | None:
        """Return the asset that a path begins with; None for a file of one's own."""
        first = path.partition("/")[0]
        return first if first in self.assets else None

    def missing(self, dataset: str, places: Places) -> str | None:
        """Return which of a dataset's own files, as a message says it, is not there; if any."""
        row = self.datasets[dataset]
        if row.asset is None and not places.file(str(row.folder)).is_dir():
            return f"the folder of dataset {dataset}, {row.folder!r}, is not there"
        if row.selection is not None and not places.file(row.selection).is_file():
            return f"the selection of dataset {dataset}, {row.selection!r}, is not there"
        if self.asset_of(row.annotations) or places.file(row.annotations).exists():
            return None
        if FORMATS.get(row.format).has_annotations:
            return f"the annotations of dataset {dataset}, {row.annotations!r}, are not there"
        return None


@dataclass(frozen=True)
class Given:
    """What a configuration says of its sheets.

    ``files``: the files of each sheet; ``rows``: rows in the configuration itself, by name;
    ``origin``: what a message calls the place of such a row, from its key; ``located``: where a
    file is.
    """

    files: Mapping[str, Sequence[str]]
    rows: Mapping[str, Mapping[str, Any]]
    origin: Callable[[str], str]
    located: Callable[[str], Path]


def read(given: Given) -> Sheets:
    """Read the sheets, whose rows add up.

    Raises UserError, naming file, line or row: what does not fit the schemas, a name that is
    given twice, an asset, family, task or format that is not known.
    """
    assets = {name: rows for name, (_, rows) in _assets(given).items()}
    models = {n: (w, _model(r, w)) for n, (w, r) in _named(given, "models", "model").items()}
    found = _named(given, "datasets", "dataset")
    datasets = {name: (where, DatasetRow(**row)) for name, (where, row) in found.items()}
    for where, dataset in datasets.values():
        _check_dataset(where, dataset)
    entries: list[tuple[str, ModelRow | DatasetRow]] = [*models.values(), *datasets.values()]
    for where, entry in entries:
        if entry.asset is not None and entry.asset not in assets:
            raise UserError(f"{where}: {unknown('asset', entry.asset, assets)}")
    return Sheets(
        assets,
        Models({name: row for name, (_, row) in models.items()}),
        {name: row for name, (_, row) in datasets.items()},
    )


def _assets(given: Given) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Return where each asset stands, and its rows; all of them are in one sheet."""
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    files: set[tuple[str, str]] = set()
    for sheet, where, row in _rows(given, "assets", "asset"):
        first, rows = found.setdefault(row["asset"], (sheet, []))
        if first != sheet:
            raise UserError(f"{sheet}: asset {row['asset']!r} is in {first}, too")
        asset_rows.check(asset_rows.AssetFile(**row), where, files)
        row["source"] = _located(row["source"], given)
        if row.get("only", "").startswith("@"):
            row["only"] = f"@{given.located(row['only'][1:])}"
        rows.append(row)
    return found


def _located(source: str, given: Given) -> str:
    """Return a source with the path of a file that only nnrd's checkout has."""
    path, hash_, member = source.removeprefix("file:").partition("#")
    place = given.located(path)
    if source.startswith("file:") and not Path(path).exists() and place.exists():
        return f"file:{place}{hash_}{member}"
    return source


def _named(given: Given, name: str, column: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return where each row of a sheet stands, and the row, by the value of a column."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    places: dict[str, str] = {}
    for sheet, where, row in _rows(given, name, column):
        key = row[column]
        if key in found:
            twice = "is given twice" if places[key] == sheet else f"is in {places[key]}, too"
            raise UserError(f"{sheet}: {column} {key!r} {twice}")
        found[key], places[key] = (where, row), sheet
    return found


def _rows(given: Given, name: str, column: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the sheet, the place of a row in it, and the row: those of the files first."""
    for file in given.files[name]:
        for row in sheets.read(given.located(file), name):
            yield file, f"{file}: {row[column]}", row
    for key, entry in given.rows.get(name, {}).items():
        file = given.origin(f"{name}.{key}")
        for row in entry if isinstance(entry, list) else [entry]:
            where = f"{file}: {name}.{key}"
            yield file, where, sheets.checked({column: key} | row, name, where)


def _model(row: dict[str, Any], where: str) -> ModelRow:
    options = row.pop("options", {})
    try:
        options = json_object(options) if isinstance(options, str) else options
    except UserError as error:
        raise UserError(f"{where}: options: {error}") from None
    found = ModelRow(**row, options=options)
    try:
        models.REGISTRY.target(found.family)
        if found.task is not None:
            TASKS.target(found.task)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    mistake = options_mistake(found)
    if mistake:
        raise UserError(f"{where}: options: {mistake}")
    if found.weights == "asset" and found.asset is None:
        raise UserError(f"{where}: weights: 'asset', but the column asset is empty")
    return found


def options_mistake(row: ModelRow) -> str | None:
    """Return what is wrong with the options of a row, the option first; None where nothing is."""
    mistake = first_mistake(_options_schema(row), dict(row.options)) if row.options else None
    return ": ".join(part for part in mistake if part) if mistake else None


def _options_schema(row: ModelRow) -> dict[str, Any]:
    """Return the schema of a row's options, which its family has; any fit where it has none."""
    return dict(models.REGISTRY.get(row.family).options or {})


def _check_dataset(where: str, row: DatasetRow) -> None:
    try:
        FORMATS.target(row.format)
        TASKS.target(row.task)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    if row.asset is None and row.folder is None:
        raise UserError(f"{where}: give it an asset or a folder")
    below = PurePosixPath(row.folder or ".")
    if row.asset is not None and (below.is_absolute() or ".." in below.parts):
        raise UserError(f"{where}: folder: {row.folder!r} is outside the asset")
