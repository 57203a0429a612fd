"""Which files a job reads and what a run makes: pure functions of the settings."""

from nnrd.study import paths
from nnrd.study.config import Settings
from nnrd.study.kinds.base import Study
from nnrd.study.kinds.coded import CodedStudy
from nnrd.study.places import as_input
from nnrd.study.points import Anchor, FilePoint, ModelPoint, Record


def dataset_files(settings: Settings, dataset: str) -> dict[str, str | list[str]]:
    """Return what a dataset's index is made of: its files, and the sums of those fetched."""
    row = settings.sheets.datasets[dataset]
    fetched = dict.fromkeys([row.asset, settings.sheets.asset_of(row.annotations)])
    sums = [paths.sums(_asset_folder(asset)) for asset in fetched if asset]
    found: dict[str, str | list[str]] = {**_places(settings, dataset)}
    if row.selection:
        found["selection"] = as_input(settings.places.located(row.selection))
    return found | ({"sums": sums} if sums else {})


def _places(settings: Settings, dataset: str) -> dict[str, str]:
    row, places = settings.sheets.datasets[dataset], settings.places
    folder = _asset_folder(row.asset) if row.asset else as_input(places.located(str(row.folder)))
    asset = settings.sheets.asset_of(row.annotations)
    if asset:  # annotations within an asset come with it; the asset is what a rule can wait for
        return {"folder": folder, "annotations": _asset_folder(asset)}
    # A name that is no file, such as that of a set of images, stands for the whole folder.
    there = places.file(row.annotations).exists()
    truth = as_input(places.located(row.annotations)) if there else folder
    return {"folder": folder, "annotations": truth}


def _asset_folder(asset: str) -> str:
    return paths.fill(paths.ASSET, asset=asset)


def annotations(settings: Settings, dataset: str) -> str:
    """Return a dataset's ground truth: a file of the checkout, or one within an asset."""
    path = settings.sheets.datasets[dataset].annotations
    return f"resources/{path}" if settings.sheets.asset_of(path) else settings.places.located(path)


def files_folder(settings: Settings, dataset: str) -> str:
    """Return the folder in which a dataset's format finds the files of its items."""
    row, folder = settings.sheets.datasets[dataset], items_folder(settings, dataset)
    return f"{folder}/{row.folder}" if row.asset and row.folder else folder


def items_folder(settings: Settings, dataset: str) -> str:
    """Return what has the files of a dataset's items: the folder that a rule can wait for."""
    return _places(settings, dataset)["folder"]


def model_folder(settings: Settings, model: str) -> list[str]:
    """Return the folder of a model's files; none where it has no asset."""
    asset = settings.sheets.models[model].asset
    return [_asset_folder(asset)] if asset else []


def package_folder(settings: Settings, model: str) -> list[str]:
    """Return the folder of the packages that only a model's family needs; mostly none."""
    asset = settings.sheets.packages(model)
    return [_asset_folder(asset)] if asset else []


def record_inputs(record: Record) -> dict[str, str | list[str]]:
    """Return what a point or an anchor was measured by; the names are options of score_point."""
    held = record if isinstance(record, Anchor) else record.anchor
    anchor, shards = held.folder, held.data.shards
    inputs: dict[str, str | list[str]] = {"index": paths.fill(paths.INDEX, data=held.data.id)}
    if record.predicts:
        inputs["anchor"] = paths.predictions(anchor, shards)
        inputs["predictions"] = paths.predictions(record.folder, shards)
        inputs["inferred"] = paths.step_files(record.folder, "predictions", shards)
    if isinstance(record, Anchor):
        return inputs
    inputs["anchor_record"] = paths.fill(paths.RECORD, folder=anchor)
    if isinstance(record, FilePoint):
        return inputs
    if isinstance(record, ModelPoint):
        return inputs | {"encoded": paths.step_files(record.encoded, "graphs", [paths.WHOLE])}
    if record.split:
        where = {"model": record.model, "split": record.split.id}
        inputs["split"] = paths.fill(paths.PLAN, **where)
    if record.decoded:
        inputs["decoded"] = [*paths.step_files(record.folder, "decoded", record.decoded)]
    return inputs | {
        "source": paths.step_files(record.source, "tensors", record.source_shards),
        "encoded": paths.step_files(record.encoded, "bitstreams", record.source_shards),
    }


def records(study: Study) -> list[str]:
    """Return the files of a study's records, the anchor's first."""
    return [paths.fill(paths.RECORD, folder=record.folder) for record in study.records]


def overlay_inputs(study: CodedStudy, picture: str) -> dict[str, str | list[str]]:
    """Return what an overlay is drawn from; the names are options of draw_overlays."""
    point = next(point for point in study.overlays if study.overlay(point) == picture)
    return {
        "index": paths.fill(paths.INDEX, data=study.data.id),
        "anchor": paths.predictions(study.anchor.folder, study.data.shards),
        "point": paths.predictions(point.folder, study.data.shards),
    }


def pictures(settings: Settings) -> list[str]:
    """Return all plots, overlays and pages of a run."""
    studies = settings.studies.values()
    joint = dict.fromkeys(plot for study in studies for plot in study.kind.joint_plots)
    return [
        *(picture for study in studies for picture in study.pictures()),
        *(paths.fill(paths.PLOT, study=paths.ALL, plot=plot, suffix="png") for plot in joint),
    ]


def tables(settings: Settings) -> list[str]:
    """Return the tables of points and of items, where a study has some."""
    measured = any(study.records for study in settings.studies.values())
    return [paths.fill(paths.TABLE, table=name) for name in paths.TABLES if measured]


def asset_sums(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of every file that the studies use, by asset and name."""
    used = {name for study in settings.studies.values() for name in study.assets(settings.sheets)}
    rows = [row for asset in sorted(used) for row in settings.sheets.assets[asset]]
    return {f"{row['asset']}/{row['file']}": row.get("sha256", "") for row in rows}
