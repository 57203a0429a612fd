"""What the jobs of profile studies are told: their inputs and options, by their wildcards."""

import hashlib
import json
from typing import Any

from nnrd.models.family import WHOLE
from nnrd.study import paths
from nnrd.study.config import Settings
from nnrd.study.jobs import Wildcards
from nnrd.study.kinds.profile import ProfileStudy, measured
from nnrd.study.lists import listed
from nnrd.study.places import as_input
from nnrd.study.points import ProfilePoint


class ProfileJobs:
    """Look-ups in the settings by a job's wildcards; the methods are input and params functions."""

    def __init__(self, settings: Settings) -> None:
        found = settings.studies.items()
        self.studies = {name: s for name, s in found if isinstance(s, ProfileStudy)}
        every = [point for study in self.studies.values() for point in study.points]
        self.points = {measured(point): point for point in every}

    def point(self, wildcards: Wildcards) -> ProfilePoint:
        """Return the point that a job measures."""
        names = ("model", "runs", "measured")
        return self.points[
            paths.fill(paths.PROFILED, **{name: wildcards.get(name) for name in names})
        ]

    def parts(self, wildcards: Wildcards) -> list[str]:
        """Return the parts that a model has to have, as options; none where nobody names any."""
        name = wildcards.get("model")
        named = [s.parts for s in self.studies.values() if name in s.networks and s.parts]
        words = list(dict.fromkeys(part for parts in named for part in parts))
        return ["--parts", *words] if words else []

    def graphs(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return the graphs that a job runs, and the facts of them; none in PyTorch."""
        point = self.point(wildcards)
        pairs = [paths.graph_files(point.network, graph, WHOLE) for graph in point.graphs]
        found = {"graphs": [file for file, _ in pairs], "facts": [facts for _, facts in pairs]}
        return found if pairs else {}

    def graph_options(self, wildcards: Wildcards) -> list[str]:
        """Return the same as options."""
        return [
            word for key, files in self.graphs(wildcards).items() for word in (f"--{key}", *files)
        ]

    def how(self, wildcards: Wildcards) -> list[str]:
        """Return what runs a job's model, on what, and how often, as options."""
        point = self.point(wildcards)
        names = ("runtime", "precision", "device", "threads", "size", "batch", "seconds")
        given = {name: getattr(point, name) for name in names} | point.protocol
        pairs = ((f"--{key.replace('_', '-')}", value) for key, value in given.items())
        return [word for key, value in pairs if value is not None for word in (key, str(value))]

    def threads(self, wildcards: Wildcards) -> int:
        """Return the compute threads of a job."""
        return self.point(wildcards).threads

    # Tables.

    def tabulated(self, wildcards: Wildcards) -> list[str]:
        """Return what the tables of a study are made of."""
        study = self.studies[wildcards.get("study")]
        rows = [row for point in study.points for row in _files(study, point)]
        return [*dict.fromkeys(rows), *self.published(wildcards).values()]

    def published(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the table of published numbers of a study, if it has one."""
        file = self.studies[wildcards.get("study")].published
        return {"published": as_input(file)} if file else {}

    def listed(self, wildcards: Wildcards) -> str:
        """Return a file that lists the points of a study, in the order of the table.

        Its name is that of its content, so that another order tabulates again.
        """
        study = self.studies[wildcards.get("study")]
        rows = [_row(study, point) for point in study.points]
        given = {"study": study.name, "parts": study.parts, "published": study.published}
        text = json.dumps(given | {"points": rows}, indent=1)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return listed(f"tabulate_profile/{study.name}-{digest}.json", text)


def _row(study: ProfileStudy, point: ProfilePoint) -> dict[str, Any]:
    """Return what the tables are told of a point: its columns, and its files."""
    names = ("measured", "counted", "accuracy")
    return {"label": point.label | {"network": point.network}} | dict(
        zip(names, _files(study, point), strict=False)
    )


def _files(study: ProfileStudy, point: ProfilePoint) -> list[str]:
    """Return the record of a point, that of its parameters, and that of its accuracy if any."""
    found = [measured(point), paths.fill(paths.COUNTED, model=point.network)]
    scored = study.accuracies.get(point)
    return found + ([paths.fill(paths.RECORD, folder=scored.folder)] if scored else [])
