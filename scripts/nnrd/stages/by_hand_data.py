"""A dataset of the sheets by its name, or a folder of images, for a program by hand."""

from pathlib import Path

from nnrd.assets import cache, fetch
from nnrd.assets.rows import AssetFile
from nnrd.core.errors import UserError
from nnrd.core.files import checksum
from nnrd.core.schema import unknown
from nnrd.datasets import frames
from nnrd.datasets.bad import Bad
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import Draw, Index, Item
from nnrd.stages.planning import Sheets

NO_CLASS = -1  # of an image of which nobody knows what it shows


def index(data: str, annotations: Path | None, sheets: Sheets, checkout: Path, work: Path) -> Index:
    """Return the items of a dataset or of a folder, whose images may have ``annotations``, COCO's.

    ``work``: where a dataset's files are put, out of the cache. Raises UserError: an unknown
    dataset, a folder without images, what the dataset's format refuses.
    """
    if data in sheets.datasets:
        if annotations:
            raise UserError(f"--annotations: dataset {data} has its own; they are of a folder")
        return _of_sheet(data, sheets, checkout, work)
    if not Path(data).exists():
        raise UserError(f"--data: no folder, and {unknown('dataset', data, sheets.datasets)}")
    if annotations:
        return REGISTRY.get("coco")().index(annotations, Path(data))
    return Index([_item(frame) for frame in frames.source(data).frames(Bad())])


def has_truth(found: Index) -> bool:
    """Say whether there is something to score against, beside the float model."""
    return any(f.get("objects") or f.get("text") or f.get("label", -1) >= 0 for f in _facts(found))


def _facts(found: Index) -> list[dict]:
    return [dict(item.facts) for item in found.items]


def _item(frame: frames.Frame) -> Item:
    item = frame.item
    facts = {**item.facts, "objects": [], "label": NO_CLASS}
    return Item(item.name, item.path, checksum(item.path), facts)


def _of_sheet(data: str, sheets: Sheets, checkout: Path, work: Path) -> Index:
    row = sheets.datasets[data]
    asset = sheets.asset_of(row.annotations)
    for name in dict.fromkeys(filter(None, (row.asset, asset))):
        rows = [AssetFile(**file) for file in sheets.assets[name]]
        fetch.fetch(rows, work / name, cache.Cache(cache.default_folder()), checkout)
    folder = work / row.asset if row.asset else checkout / str(row.folder)
    truth = (work if asset else checkout) / row.annotations
    draw = Draw.of(checkout / row.selection) if row.selection else Draw()
    draw.bad.skip = row.bad_items == "skip"
    inner = folder / row.folder if row.asset and row.folder else folder
    return REGISTRY.get(row.format)().index(truth, inner, draw)
