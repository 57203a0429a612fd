"""What is too long for a command line: written into files of the run, whose paths the jobs get."""

import hashlib
from pathlib import Path

from nnrd.core.files import complete_file

LONGEST = 50_000  # characters of options on a command line; they may be quoted
LISTS = Path(".snakemake/nnrd")


def fitting(words: list[str]) -> list[str]:
    """Return options as they are or, where a command cannot hold them, as ``@FILE`` of them."""
    text = "\n".join(words)
    if len(text) < LONGEST:
        return words
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return [f"@{listed(f'options/{digest}.txt', text)}"]


def listed(name: str, text: str) -> str:
    """Write what is too long for a command line into a file of the run; return its path.

    A command may have 128 kB, which a study of some thousand points exceeds.
    """
    path = LISTS / name
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        with complete_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return str(path)
