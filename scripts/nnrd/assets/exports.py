"""ONNX files that programs by hand exported, kept in the cache by what they were made of."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from nnrd.assets.cache import WAITS
from nnrd.core import lineage
from nnrd.core.errors import UserError
from nnrd.core.files import complete_folder

FOLDER, FILE, FACTS = "exports", "model.onnx", "model.json"


class Exports:
    """The exports of one model; ``cache``: the folder of the cache.

    Each is a folder with the file and the facts of it, which have its sum. Those that were not
    used for `WAITS` go when another is kept.
    """

    def __init__(self, cache: Path, model: str) -> None:
        self.folder = cache / FOLDER / model

    def take(self, key: str) -> Path | None:
        """Return the ONNX file of this key; None where there is none, or it is damaged."""
        folder = self.folder / key
        try:
            lineage.verify_made(folder / FILE, folder / FACTS)
        except (UserError, OSError):
            return None
        with suppress(OSError):
            os.utime(folder)
        return folder / FILE

    def keep(self, key: str, onnx: Path, facts: Path) -> None:
        """Keep a copy of an ONNX file and the facts of it, where the cache can be written to."""
        with suppress(OSError), complete_folder(self.folder / key) as temporary:
            shutil.copyfile(onnx, temporary / FILE)
            shutil.copyfile(facts, temporary / FACTS)
        with suppress(OSError):
            for folder in self.folder.iterdir():
                if time.time() - folder.stat().st_mtime > WAITS:
                    shutil.rmtree(folder, ignore_errors=True)
