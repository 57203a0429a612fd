"""The row of the sheet that picks a model of a family."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RESULT_COLUMNS = ("model", "family", "weights", "variant", "file", "options")


@dataclass(frozen=True)
class ModelRow:
    """A row of the sheet of models; its columns are explained in ``config/README.md``."""

    model: str
    family: str
    weights: str
    task: str | None = None
    variant: str | None = None
    asset: str | None = None
    file: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    input_shape: str | None = None
    values: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that make a result, as JSON has them; others only help to plan."""
        named = {name: getattr(self, name) for name in RESULT_COLUMNS}
        return {name: value for name, value in named.items() if value}
