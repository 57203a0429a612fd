"""Where the files are that a configuration names: beside the run, or in nnrd's checkout.

They are the same folder, unless nnrd is a module of another workflow.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """``root``: the folder that Snakemake runs in; ``checkout``: that of nnrd."""

    root: Path
    checkout: Path

    def file(self, path: str) -> Path:
        """Return where a file is that a configuration or a sheet names."""
        return self.root / self.located(path)

    def located(self, path: str) -> str:
        """Return a path as a rule takes it: as it is, or in the checkout where only that has it."""
        elsewhere = self.checkout / path
        if (self.root / path).exists() or not elsewhere.exists():
            return path
        return str(elsewhere.resolve())
