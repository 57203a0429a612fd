"""Items that cannot be used: refused, or left out and counted."""

import sys
from dataclasses import dataclass, field

from nnrd.core.errors import UserError


@dataclass
class Bad:
    """What is done with items that cannot be used: ``skip`` them, or stop.

    ``skipped``: why, by the item's name or number; what is read again counts once. ``hint``: how
    one says that they be skipped.
    """

    skip: bool = False
    hint: str = "--skip-bad"
    skipped: dict[str | int, str] = field(default_factory=dict)

    def meets(self, item: str | int, error: UserError) -> None:
        """Count what is skipped, and say it on standard error; raise it where nothing may be."""
        if not self.skip:
            raise UserError(f"{error}; {self.hint} leaves out what cannot be used") from None
        if item in self.skipped:
            return
        self.skipped[item] = str(error)
        print(f"skipped: {error}", file=sys.stderr, flush=True)
