"""The tables of a run: of which studies, of which records, and what is said of their making."""

import json
from functools import cached_property
from pathlib import Path

from nnrd.report import plots
from nnrd.study import inputs, paths
from nnrd.study.config import Settings
from nnrd.study.declared import shown
from nnrd.study.jobs import Wildcards
from nnrd.study.kinds.base import Study
from nnrd.study.lists import listed


class Tables:
    """Look-ups in the settings of what the tables hold; some are input and params functions."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.studies = settings.studies

    def study_records(self, study: str) -> list[str]:
        """Return the records of a study to make, those of one source of tensors side by side.

        So a part of them, as ``snakemake --batch`` takes it, runs part I of few splits.
        """
        return sorted(inputs.records(self.studies[study]))

    @property
    def measured(self) -> list[str]:
        """Return the studies that have a table of points."""
        return [name for name, study in self.studies.items() if study.records]

    @cached_property
    def joined(self) -> dict[str, Study]:
        """The studies in the joint tables: those to make, and others that are complete.

        A study that is not declared any more has no rows there.
        """
        declared = self.settings.declared.items()
        return {name: study for name, study in declared if study.records and self._is_made(study)}

    def _is_made(self, study: Study) -> bool:
        if study.name in self.studies:
            return True
        tables = [paths.fill(paths.STUDY_TABLE, study=study.name, table=t) for t in paths.TABLES]
        files = [*tables, *map(paths.sums, tables), *inputs.records(study)]
        return all(Path(file).exists() for file in files)

    def joined_tables(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of the studies that are joined, in the configuration's order."""
        table = wildcards.get("table")
        return [paths.fill(paths.STUDY_TABLE, study=name, table=table) for name in self.joined]

    def plotted(self, wildcards: Wildcards) -> str:
        """Return the table that a plot is drawn from."""
        table = plots.TABLES.get(wildcards.get("plot"), paths.TABLES[0])
        return paths.table_of(wildcards.get("study"), table)

    def record_list(self, wildcards: Wildcards) -> str:
        """Return a file that lists a study's records, a line each, in the order of the table."""
        study = wildcards.get("study")
        return listed(
            f"tabulate_points/{study}.txt", "\n".join(inputs.records(self.studies[study]))
        )

    def provenance(self, wildcards: Wildcards) -> str:
        """Return a file of what the provenance is about."""
        records = [file for study in self.joined.values() for file in inputs.records(study)]
        measured = [file for study in self.studies.values() for file in study.measurements]
        run = {
            "config": self.settings.config,
            "assets": inputs.asset_sums(self.settings),
            "records": [*records, *measured],
            "results": shown(self.settings),
        }
        return listed("write_provenance.json", json.dumps(run, indent=1))
