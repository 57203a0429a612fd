"""What a run made, but for times: what two runs of the same have to agree in, byte for byte."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# How long a thing took, and by how many threads, goes by what else runs; so do the sums of files
# that say it, and what is reckoned from it.
RECKONED = ("latency", "provenance.json", "report.html")
SUMS = ("checksum", "inputs", "files")


def of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of ``folder``/results by its name, times taken out."""
    results = folder / "results"
    files = [path for path in results.rglob("*") if path.is_file()]
    names = {path.relative_to(results).as_posix(): path for path in files}
    kept = {name: path for name, path in names.items() if not path.name.startswith(RECKONED)}
    return {name: _sum(path) for name, path in sorted(kept.items())}


def different(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Return the names of what only one has, or both have with another content."""
    return sorted(n for n in {*ours, *theirs} if ours.get(n) != theirs.get(n))


def _sum(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".json":
        data = json.dumps(_without_times(json.loads(data), top=True)).encode()
    if path.suffix == ".csv":
        data = _table(data.decode())
    return hashlib.sha256(data).hexdigest()


def _is_time(name: str) -> bool:
    return name.endswith(("_time", "threads"))


def _without_times(value: Any, top: bool = False) -> Any:
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if not _is_time(key)}
        kept = {key: part for key, part in kept.items() if not (top and key in SUMS)}
        return {key: _without_times(part) for key, part in kept.items()}
    return [_without_times(part) for part in value] if isinstance(value, list) else value


def _table(text: str) -> bytes:
    rows = list(csv.reader(io.StringIO(text)))
    kept = [number for number, name in enumerate(rows[0]) if not _is_time(name)]
    return "\n".join("\t".join(row[number] for number in kept) for row in rows).encode()
