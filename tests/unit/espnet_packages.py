"""ESPnet for tests: its asset, fetched into a folder and laid beside what is installed."""

from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.assets import rows
from nnrd.assets.cache import Cache, default_folder
from nnrd.assets.fetch import fetch
from nnrd.core.packages import lay_beside
from nnrd.models.espnet.packages import ASSET

ROOT = Path(__file__).resolve().parents[2]


def assets(name: str, folder: Path) -> Path:
    """Return a folder with the files of a shipped asset; skip where they cannot be had."""
    found = [row for row in rows.read_sheet(ROOT / "config/assets.tsv") if row.asset == name]
    try:
        fetch(found, folder / name, Cache(default_folder()), ROOT)
    except UserError as error:
        pytest.skip(f"asset {name} cannot be had: {error}")
    return folder / name


def espnet(folder: Path) -> Path:
    """Return the folder of ESPnet's packages, which can be imported now; skip as `assets` does."""
    found = assets(ASSET, folder)
    lay_beside(found)
    return found
