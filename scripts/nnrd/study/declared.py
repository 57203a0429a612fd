"""What the studies of a configuration declare under results/, and what is there besides."""

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.study import paths
from nnrd.study.config import Settings
from nnrd.study.kinds.base import Study

RESULTS = "results"
README = f"{RESULTS}/README.md"  # is in the repository
SHOWN = (".csv", ".html", *(f".{suffix}" for suffix in paths.FORMATS))


def declared(settings: Settings) -> list[str]:
    """Return all files, and folders, of all studies of a configuration, to be made or not.

    A folder stands for whatever is in it. Raises UserError where a study has a mistake: what is
    declared cannot be known then.
    """
    for name, mistake in settings.broken.items():
        raise UserError(f"{mistake}; what study {name} declares is not known until that is mended")
    return files_of(settings.declared.values())


def files_of(studies: Collection[Study]) -> list[str]:
    """Return all files, and folders, of some studies, with what belongs to all of them."""
    measured = any(study.records for study in studies)
    plots = dict.fromkeys(plot for study in studies for plot in study.kind.joint_plots)
    shared = [
        *(README, paths.PROVENANCE, paths.REPORT),
        *(paths.fill(paths.TABLE, table=table) for table in paths.TABLES if measured),
        *(
            paths.fill(paths.PLOT, study=paths.ALL, plot=plot, suffix=suffix)
            for plot in plots
            for suffix in paths.FORMATS
        ),
    ]
    found = [*shared, *(file for study in studies for file in study.files())]
    beside = [paths.sums(file) for file in found if file.endswith(".csv")]
    return list(dict.fromkeys(found + beside))


def shown(settings: Settings) -> list[str]:
    """Return the tables, plots and pages of the studies to be made, as far as jobs make them."""
    files = files_of(settings.studies.values())
    return [file for file in files if file.endswith(SHOWN) and file != paths.REPORT]


def undeclared(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield what is below ``folder``/results and is not declared, a folder only as a whole.

    ``names`` are those of `declared`. Links are not followed.
    """
    whole = set(names)
    above = {str(parent) for name in whole for parent in Path(name).parents}
    for path, folders, files in os.walk(folder / RESULTS):
        place = Path(path).relative_to(folder)
        inside = {name: str(place / name) for name in sorted([*files, *folders])}
        folders[:] = [name for name in folders if inside[name] in above - whole]
        yield from (
            folder / inner
            for name, inner in inside.items()
            if inner not in whole and name not in folders
        )
