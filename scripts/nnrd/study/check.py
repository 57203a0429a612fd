"""What of all results is whole, missing, damaged, made from something older, or nobody's."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from nnrd.codecs import files as codec_files
from nnrd.core import bundles, lineage
from nnrd.core.errors import UserError
from nnrd.core.files import checksum, read_record
from nnrd.study import paths
from nnrd.study.config import Settings
from nnrd.study.declared import README, RESULTS, declared, files_of, shown, undeclared

WHOLE, MISSING, DAMAGED, STALE, NOBODYS = "whole", "missing", "damaged", "stale", "nobody's"
STATES = (WHOLE, MISSING, DAMAGED, STALE, NOBODYS)
WRONG = (MISSING, DAMAGED, STALE)
OPTIONAL = (README, paths.REPORT)  # not made by a job
TIMES = paths.times("")
FETCHED, INDICES = (pattern.partition("{")[0] for pattern in (paths.ASSET, paths.INDEX))
# What a step calls the files of its folder, one an item.
SUFFIXES = dict.fromkeys(["tensors", "outputs", "decoded"], bundles.SUFFIX)
SUFFIXES |= {"bitstreams": codec_files.SUFFIX, "graphs": ""}


@dataclass(frozen=True)
class Finding:
    """A file or folder, and what is the matter with it.

    ``made``: the file or folder that a job makes and that it is, or is in; empty where no job
    makes it.
    """

    path: str
    state: str
    reason: str = ""
    made: str = ""


class Check:
    """Looks at all files of a run once; ``looked`` is told the bytes of each that is read.

    Afterwards ``vouching`` has the record that has the sum of a file, or those of a folder, and
    ``wanted`` the sums that each record has of what it was made from, both by path.
    """

    def __init__(
        self, settings: Settings, folder: Path, looked: Callable[[int], object] = lambda size: None
    ) -> None:
        self.settings, self.folder, self.looked = settings, folder, looked
        assets = _assets(settings)
        self.needed = {*assets, *files_of(settings.studies.values())}
        # The provenance vouches for what nothing else does, so it comes last.
        names = dict.fromkeys([*assets, *declared(settings)])
        self.names = [name for name in names if name != paths.PROVENANCE] + [paths.PROVENANCE]
        self.known = set(self.names)
        self.sums: dict[str, str | None] = {}
        self.found: dict[str, Finding] = {}
        self.vouching: dict[str, str] = {}
        self.wanted: dict[str, dict[str, str]] = {}

    def findings(self) -> list[Finding]:
        """Return a finding for each file or folder that is declared, or there and nobody's."""
        records: dict[str, lineage.Record] = {}
        for name in self.names:
            if (self.folder / name).exists():
                self._note(Finding(name, WHOLE, made=name))
                if name.endswith(".json"):
                    self._read(name, records)
            elif name in self.needed and not self._may_be_gone(name):
                self._note(Finding(name, MISSING, "it was not made, or was removed", name))
        for name, record in records.items():
            for path, expected in self._vouched(name, record):
                self._compare(path, expected, name)
        self._doubt_pictures()
        self._trace_all(records)
        left = (str(path.relative_to(self.folder)) for path in undeclared(self.folder, self.names))
        return [*self.found.values(), *(Finding(path, NOBODYS, "not declared") for path in left)]

    def agrees(self, name: str, record: lineage.Record) -> list[str]:
        """Return the files that a record vouches for; none unless they are those."""
        self.found.clear()
        found = dict(self._vouched(name, record))
        same = all(self.sum(path) == expected for path, expected in found.items())
        return list(found) if same and not self.found else []

    def sum(self, path: str) -> str | None:
        """Return a file's SHA-256, None where it is missing; each is read once."""
        if path not in self.sums:
            file = self.folder / path
            self.sums[path] = checksum(file) if file.is_file() else None
            self.looked(file.stat().st_size if file.is_file() else 0)
        return self.sums[path]

    def _note(self, finding: Finding) -> None:
        """Keep the first thing that is wrong with a file."""
        if self._is_whole(finding.path):
            self.found[finding.path] = finding

    def _is_whole(self, path: str) -> bool:
        return path not in self.found or self.found[path].state == WHOLE

    def _may_be_gone(self, name: str) -> bool:
        if name in OPTIONAL:
            return True
        # What a run deletes behind itself.
        steps = [
            "decoded",
            *([] if self.settings.config["keep_tensors"] else ["tensors", "outputs"]),
        ]
        return PurePosixPath(name).parent.name in steps and not name.endswith(TIMES)

    def _doubt_pictures(self) -> None:
        """Take what a damaged provenance alone had the sum of for damaged, too."""
        provenance = self.found.get(paths.PROVENANCE)
        if provenance is None or provenance.state != DAMAGED:
            return
        for name in shown(self.settings):
            if name not in self.vouching and (self.folder / name).exists():
                reason = f"its SHA-256 stood in {paths.PROVENANCE}, which is damaged"
                self._note(Finding(name, DAMAGED, reason, name))

    def _read(self, name: str, records: dict[str, lineage.Record]) -> None:
        try:
            records[name] = _sums_of(read_record(self.folder / name))
        except UserError:
            self._note(Finding(name, DAMAGED, "its checksum is not that of its content", name))

    def _vouched(self, name: str, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the files that a record vouches for, and their sums."""
        files, above = record.get(lineage.FILES, {}), PurePosixPath(name).parent
        if name.endswith(lineage.SUFFIX) and name.startswith(FETCHED):
            above = PurePosixPath(name.removesuffix(lineage.SUFFIX))
            files = {**files, **self._of_sheet(above.name)}
            yield from self._in_folder(str(above), files, name)
        else:
            yield from ((str(above / file), expected) for file, expected in files.items())
        # The provenance has the sums of tables, too, which have their own record.
        results = record.get(RESULTS, {}).items()
        yield from ((p, sum) for p, sum in results if self.vouching.get(p, name) == name)
        if name.startswith(INDICES):
            yield from ((item["path"], item["checksum"]) for item in record["items"])
        rows = {row["item"]: row["checksum"] for row in record.get("rows", []) if "checksum" in row}
        if rows:
            made = name.removesuffix(TIMES)
            suffix = SUFFIXES[PurePosixPath(made).parent.name]
            named = {f"{item}{suffix}": expected for item, expected in rows.items()}
            yield from self._in_folder(made, named, name)

    def _of_sheet(self, asset: str) -> dict[str, str]:
        """Return the sums that the sheet has of an asset's files."""
        rows = self.settings.sheets.assets[asset]
        files = [row for row in rows if row.get("sha256") and not row["file"].endswith("/")]
        return {row["file"]: row["sha256"] for row in files}

    def _in_folder(
        self, made: str, files: Mapping[str, str], record: str
    ) -> Iterator[tuple[str, str]]:
        """Yield the files of a folder that a job makes; note those that do not belong there."""
        self.vouching[made] = record
        if (self.folder / made).is_dir():
            for file in set(lineage.names_below(self.folder / made)) - files.keys():
                self._note(Finding(f"{made}/{file}", DAMAGED, "does not belong there", made))
            yield from ((f"{made}/{file}", expected) for file, expected in files.items())

    def _compare(self, path: str, expected: str, record: str) -> None:
        self.vouching.setdefault(path, record)
        found, made = self.sum(path), self._made(path)
        if found is None and (self.folder / made).exists():
            self._note(Finding(path, MISSING, f"{record} has it", made))
        elif found not in (None, expected):
            self._note(Finding(path, DAMAGED, f"its SHA-256 is not that in {record}", made))

    def _made(self, path: str) -> str:
        """Return the declared file or folder that a path is, or is in; empty where none is."""
        above = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
        return next((name for name in above if name in self.known), "")

    def _trace_all(self, records: dict[str, lineage.Record]) -> None:
        """Compare all files with what records, which are used up, say that they were made from."""
        for name in list(records):
            record = records.pop(name)  # what is wanted takes its place in the memory
            results = record.get(RESULTS, {}).items()
            others = {path: sum for path, sum in results if self.vouching[path] != name}
            for path, expected in (record.get(lineage.INPUTS, {}) | others).items():
                self.wanted.setdefault(path, {})[name] = expected
        for path, wanted in self.wanted.items():
            if self._is_whole(path) and self.sum(path) is not None:
                self._trace(path, wanted)

    def _trace(self, path: str, wanted: Mapping[str, str]) -> None:
        """Compare a file with what records of other files say that these were made from.

        What the first record saw that was written after the file is what the file was.
        """
        found, made = self.sum(path), self._made(path)
        after = [name for name in wanted if made and self._time(path) <= self._time(name)]
        first = min(after, key=self._time, default=None)
        altered = first is not None and wanted[first] != found
        for name in [name for name, expected in wanted.items() if expected != found]:
            if altered and name in after:
                reason = f"altered, with its time kept, since {name} was made from it"
                self._note(Finding(path, DAMAGED, reason, made))
            else:
                self._note(Finding(name, STALE, f"made from another {path}", name))

    def _time(self, path: str) -> int:
        return (self.folder / path).stat().st_mtime_ns


def _sums_of(record: Mapping[str, Any]) -> lineage.Record:
    """Return what a record says of files, without what was measured: there may be many."""
    found = {key: record[key] for key in (lineage.FILES, lineage.INPUTS, RESULTS) if key in record}
    for rows, name in (("rows", "item"), ("items", "path")):
        kept = [row for row in record.get(rows, []) if "checksum" in row]
        found[rows] = [{key: row[key] for key in (name, "checksum")} for row in kept]
    return found


def _assets(settings: Settings) -> Collection[str]:
    """Return the folders of the assets that the studies need, and their sums."""
    studies = settings.studies.values()
    names = dict.fromkeys(asset for study in studies for asset in study.assets(settings.sheets))
    folders = [paths.fill(paths.ASSET, asset=name) for name in names]
    return [*folders, *map(paths.sums, folders)]
