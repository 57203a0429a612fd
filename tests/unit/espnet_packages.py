"""ESPnet for tests: its asset, fetched into a folder and laid beside what is installed."""

from pathlib import Path

import pytest
from model_rows import ROOT, SHEETS

from nnrd import UserError
from nnrd.assets.cache import Cache, default_folder
from nnrd.assets.fetch import fetch
from nnrd.assets.rows import AssetFile
from nnrd.core.packages import lay_beside
from nnrd.models.espnet.packages import ASSET
from nnrd.study import sheets

ASSETS = sheets.read(sheets.Given(SHEETS, {}, str, ROOT.joinpath)).assets


def assets(name: str, folder: Path) -> Path:
    """Return a folder with the files of a shipped asset; skip where they cannot be had."""
    rows = [AssetFile(**row) for row in ASSETS[name]]
    try:
        fetch(rows, folder / name, Cache(default_folder()), ROOT)
    except UserError as error:
        pytest.skip(f"asset {name} cannot be had: {error}")
    return folder / name


def espnet(folder: Path) -> Path:
    """Return the folder of ESPnet's packages, which can be imported now; skip as `assets` does."""
    found = assets(ASSET, folder)
    lay_beside(found)
    return found
