"""What a job's code is: the program and every module of nnrd that it can reach.

Snakemake sees that a rule's command changed, not that a module behind it did.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nnrd.errors import UserError

PACKAGE = "nnrd"
ROOT = Path(__file__).resolve().parent.parent  # scripts/


def source_hash(program: str, *modules: str) -> str:
    """Return a short hash of ``scripts/PROGRAM.py``, of what it imports from nnrd, and so on.

    ``modules``: dotted names of what the program finds at run time, such as a codec. Comments
    and layout do not count. Raises UserError for a program or module that does not exist.
    """
    files = set(_closure(ROOT / f"{program}.py"))
    for module in modules:
        files |= _closure(_file(module) or _foreign(module))
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\n{_meaning(file)}\n".encode())
    return digest.hexdigest()[:12]


def _foreign(module: str) -> Path:
    """Return the file of a module that is not nnrd's: a codec that a plug-in brings."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        raise UserError(f"{module}: no such Python module")
    return Path(found.origin)


@cache
def _meaning(file: Path) -> str:
    """Return the code without comments and layout."""
    return ast.dump(_tree(file))


@cache
def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text())
    except FileNotFoundError:
        raise UserError(f"{file}: no such program") from None
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: {error.msg}") from None


@cache
def _closure(file: Path) -> frozenset[Path]:
    """Return ``file`` and the modules of nnrd that it reaches by import statements."""
    reached, waiting = set(), [file]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting += _imports(current)
    return frozenset(reached)


def _imports(file: Path) -> Iterator[Path]:
    for node in ast.walk(_tree(file)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from nnrd.x import y": y may be a module or a name within x.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            found = _file(name)
            if found is not None:
                yield found


@cache
def _file(module: str) -> Path | None:
    """Return the file of a module of nnrd; None for anything else."""
    parts = module.split(".")
    if parts[0] != PACKAGE:
        return None
    folder = ROOT.joinpath(*parts)
    for file in (folder / "__init__.py", folder.with_suffix(".py")):
        if file.is_file():
            return file
    return None
