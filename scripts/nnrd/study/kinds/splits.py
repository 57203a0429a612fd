"""Splits studies: what crosses each split of some models, counted and not coded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnrd.core.schema import unknown
from nnrd.study import paths
from nnrd.study.kinds.base import Context, Kind, Study


@dataclass(frozen=True)
class SplitsStudy(Study):
    """Models whose splits are tabulated."""

    tabulated: list[str]

    @property
    def models(self) -> list[str]:
        """The models that are tabulated."""
        return self.tabulated

    def pictures(self) -> list[str]:
        """Return the tables."""
        return [paths.fill(paths.SPLIT_TABLE, model=model) for model in self.tabulated]


class Splits(Kind):
    """Branches and bytes at every rank."""

    name = "splits"

    def study(self, context: Context, name: str, given: Mapping[str, Any]) -> SplitsStudy:
        """Return the study."""
        for i, model in enumerate(given["models"]):
            if model not in context.sheets.models:
                reason = unknown("model", model, context.sheets.models)
                context.fail(f"studies.{name}.models[{i}]", reason)
        return SplitsStudy(name, self, list(given["models"]))
