"""Hashes of code kept from run to run, so that a run with nothing to do ends in a moment."""

import hashlib
import json
from pathlib import Path

from nnrd.core.files import complete_file
from nnrd.core.packages import RESULT_PACKAGES, installed
from nnrd.study.source_hash import PACKAGE, ROOT, SOURCES, source_hash


class Memo:
    """`source_hash`, remembered in a file as long as no source of nnrd and no version changes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.state = _state()
        self.hashes = self._read()

    def __call__(self, stage: str, *more: str) -> str:
        """Return the hash of a stage and what it finds by name; errors as in `source_hash`."""
        key = " ".join([stage, *more])
        if any(name.partition(".")[0] != PACKAGE for name in (stage, *more)):
            return source_hash(stage, *more)  # the state says nothing of a plug-in
        if key not in self.hashes:
            self.hashes[key] = source_hash(stage, *more)
            with complete_file(self.file) as temporary:
                temporary.write_text(json.dumps({"state": self.state, "hashes": self.hashes}))
        return self.hashes[key]

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self.file.read_text())
            return found["hashes"] if found["state"] == self.state else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _state() -> str:
    """Return a sum over all sources of nnrd, by name and content, and the versions that count."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / PACKAGE).rglob("*")):
        if path.suffix in {".py", *SOURCES}:
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    digest.update(" ".join(str(installed(name)) for name in RESULT_PACKAGES).encode())
    return digest.hexdigest()
