"""Where the files are that a configuration names: beside the run, or in nnrd's checkout.

They are the same folder, unless nnrd is a module of another workflow.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

LINKS = Path(".snakemake/nnrd/links")
WILDCARD = re.compile(r"\{\s*[.\w]+.*\}")


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


def as_input(path: str) -> str:
    """Return a path as the input of a rule, which cannot hold ``{word}``: that is a wildcard.

    For such a path a link stands, which is made here, in the folder that Snakemake runs in.
    """
    if not WILDCARD.search(path):
        return path
    link, target = LINKS / hashlib.sha256(path.encode()).hexdigest()[:16], Path(path).absolute()
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    return str(link)
