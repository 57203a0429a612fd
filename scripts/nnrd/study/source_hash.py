"""What a job's code is: the symbols of nnrd that it reaches, and the packages behind them.

Snakemake sees that a rule's command changed, not that a function behind it did.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from nnrd.core.errors import UserError
from nnrd.core.packages import RESULT_PACKAGES, installed
from nnrd.study.symbols import (
    BARE,
    Reference,
    Symbols,
    add_class_part,
    called_on_self,
    read_symbols,
)

PACKAGE = "nnrd"
ROOT = Path(__file__).resolve().parents[2]  # the folder that holds nnrd
WHOLE = "*"  # all of a module
SOURCES = {".cpp", ".hpp", ".inl"}  # of a compiled module

Symbol = tuple[str, str]


@cache
def source_hash(stage: str, *more: str) -> str:
    """Return a short hash of all code that ``stage`` and ``more`` reach, and of its packages.

    Each is a dotted ``module`` (all of it), ``module:symbol``, or ``module:Class.method,method``
    (a class with these methods and those that they call), of nnrd or of a plug-in.
    Docstrings, comments, layout, annotations and messages do not count. Raises UserError for a
    module or symbol that does not exist and for a syntax error.
    """
    return _sources().hash(stage, *more)


def reached(stage: str, *more: str) -> set[Symbol]:
    """Return every (module, top-level symbol) that the hash covers; raises as it does."""
    return _sources().reached(stage, *more)


@cache
def _sources() -> "Sources":
    return Sources(ROOT)


@cache
def distributions() -> dict[str, list[str]]:
    """Return the distributions of each import name, without an import."""
    return {name: sorted(set(found)) for name, found in metadata.packages_distributions().items()}


class Sources:
    """The modules under one root, each parsed once; an edit needs a new object."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[str, Path | None] = {}
        self._modules: dict[str, Symbols] = {}
        self._next: dict[Symbol, frozenset[Symbol]] = {}
        self._lines: dict[Symbol, str] = {}

    def hash(self, stage: str, *more: str) -> str:
        """Return the first 12 hex digits; see ``source_hash``."""
        lines = set()
        for symbol in self._closure(stage, *more):
            if symbol[0]:
                lines.add(self._line(symbol))
            else:
                lines.add(symbol[1])
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12]

    def reached(self, stage: str, *more: str) -> set[Symbol]:
        """Return every (module, symbol) that the hash covers."""
        return {
            (module, name)
            for module, name in self._closure(stage, *more)
            if module and name not in (BARE, WHOLE)
        }

    def _closure(self, *names: str) -> set[Symbol]:
        found: set[Symbol] = set()
        waiting = [symbol for name in names for symbol in self._asked(name)]
        while waiting:
            symbol = waiting.pop()
            if symbol not in found:
                found.add(symbol)
                if symbol[0]:
                    waiting += self._after(symbol)
        return found

    def _asked(self, name: str) -> set[Symbol]:
        """Return the symbols that a dotted name asks for; raises UserError where there is none."""
        module, _, symbol = name.partition(":")
        foreign = module.split(".")[0] != PACKAGE
        if foreign:
            plug_in = self._plug_in(module)
        if self._file(module) is None:
            raise UserError(f"{module}: no such Python module")
        first, _, methods = symbol.partition(".")
        if first and first not in self._module(module).names:
            raise UserError(f"{name}: no such symbol in {module}")
        if foreign:
            return plug_in
        if methods:
            return self._class_part(module, first, set(methods.split(",")))
        return self._resolve(module, (symbol,) if symbol else ())

    # Parts of classes.

    def _class_part(self, module: str, name: str, methods: set[str]) -> set[Symbol]:
        """Return a class and its bases with some methods only, and those that they call."""
        classes = list(self._with_bases(module, name))
        asked = set(methods)
        while True:
            more = {
                attribute
                for owner, base in classes
                for attribute in called_on_self(self._module(owner).classes[base], asked)
            }
            if more <= asked:
                break
            asked |= more
        found = set()
        for owner, base in classes:
            package = self._package(owner)
            part = add_class_part(self._module(owner), base, asked, package)
            found.add((owner, part))
        return found

    def _with_bases(self, module: str, name: str) -> Iterator[Symbol]:
        """Yield a class and those of nnrd that it is derived from."""
        if name not in self._module(module).classes:
            raise UserError(f"{module}:{name}: is not a class of nnrd")
        yield module, name
        for base in self._module(module).classes[name].bases:
            path = tuple(ast.unparse(base).partition("[")[0].split("."))
            for owner, symbol in self._resolve(module, path, own=True):
                if owner and symbol in self._module(owner).classes:
                    yield from self._with_bases(owner, symbol)

    # What a symbol leads to.

    def _after(self, symbol: Symbol) -> frozenset[Symbol]:
        if symbol not in self._next:
            module, name = symbol
            parts = module.split(".")
            # An import runs the packages above a module too.
            found = {(".".join(parts[: i + 1]), BARE) for i in range(len(parts))}
            found = {item for item in found if self._file(item[0])}
            if name == WHOLE:
                found |= self._all_of(module)
            else:
                for reference in self._module(module).loads.get(name, ()):
                    found |= self._follow(module, reference)
            for star in self._module(module).stars:
                found |= self._resolve(star, ())
            self._next[symbol] = frozenset(found)
        return self._next[symbol]

    def _all_of(self, module: str) -> set[Symbol]:
        symbols = self._module(module)
        found = {(module, name) for name in symbols.code}
        used = {path[0] for loads in symbols.loads.values() for base, path in loads if base is None}
        # What a module imports and does not use, others take from it.
        for name in set(symbols.targets) - used:
            found |= self._resolve(module, (name,))
        return found

    def _follow(self, module: str, reference: Reference) -> set[Symbol]:
        base, path = reference
        return self._resolve(module if base is None else base, path, own=base is None)

    def _resolve(
        self,
        module: str,
        path: tuple[str, ...],
        own: bool = False,
        seen: frozenset[str] = frozenset(),
    ) -> set[Symbol]:
        """Return what a path of attributes of a module stands for, re-exports included.

        ``own``: a name that the module itself loads; what it does not bind is a builtin.
        """
        if self._file(module) is None:
            return self._third_party(module)
        if not path or path[0] == BARE:
            return {(module, WHOLE if not path else BARE)}
        first, rest = path[0], path[1:]
        step = f"{module}:{'.'.join(path)}"
        if step in seen:
            return set()
        seen |= {step}
        symbols = self._module(module)
        found = {(module, first)} if first in symbols.names else set()
        for target, start in symbols.targets.get(first, ()):
            inner = f"{target}.{'.'.join(start)}"
            if target == module and start == (first,) and self._file(inner):
                # A package that imports a module of its own.
                found |= self._resolve(inner, rest, seen=seen)
            else:
                found |= self._resolve(target, start + rest, seen=seen)
        if found:
            return found
        return self._unbound(module, path, own, seen)

    def _unbound(
        self, module: str, path: tuple[str, ...], own: bool, seen: frozenset[str]
    ) -> set[Symbol]:
        """Return what a path stands for whose first name the module does not bind itself."""
        symbols = self._module(module)
        found: set[Symbol] = set()
        for star in symbols.stars:
            found |= self._resolve(star, path, seen=seen)
        if found or own:
            return found
        if self._file(f"{module}.{path[0]}"):
            return self._resolve(f"{module}.{path[0]}", path[1:], seen=seen)
        if compiled := self._compiled(f"{module}.{path[0]}"):
            return compiled
        if "__getattr__" in symbols.code:
            return {(module, "__getattr__")}
        return {(module, WHOLE if path[0] == "__dict__" else BARE)}

    def _third_party(self, module: str) -> set[Symbol]:
        root = module.split(".")[0]
        if root == PACKAGE:
            return self._compiled(module)
        if root not in RESULT_PACKAGES:
            return set()
        found = installed(root)
        return {("", found)} if found else set()

    def _compiled(self, module: str) -> set[Symbol]:
        """Return a compiled module of nnrd: ``_name`` is built of the sources in ``name/``."""
        parts = module.split(".")
        folder = self.root.joinpath(*parts[:-1], parts[-1].removeprefix("_"))
        sources = [path for path in sorted(folder.glob("*")) if path.suffix in SOURCES]
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        return {("", f"{module} {digest}")} if sources else set()

    def _line(self, symbol: Symbol) -> str:
        if symbol not in self._lines:
            module, name = symbol
            symbols = self._module(module)
            code = [*symbols.code.get(name, ()), *map(str, symbols.targets.get(name, ()))]
            digest = hashlib.sha256("\n".join(code).encode()).hexdigest() if code else ""
            # An empty "all of it" says nothing: its symbols have their own lines.
            self._lines[symbol] = f"{module} {name} {digest}" if digest else ""
        return self._lines[symbol]

    # Files.

    def _module(self, module: str) -> Symbols:
        if module not in self._modules:
            file = self._file(module)
            assert file is not None
            self._modules[module] = read_symbols(_parse(file), self._package(module))
        return self._modules[module]

    def _package(self, module: str) -> str:
        """Return where the relative imports of a module start."""
        file = self._file(module)
        inside = file is not None and file.name == "__init__.py"
        return module if inside else module.rpartition(".")[0]

    def _file(self, module: str) -> Path | None:
        """Return the file of a module of nnrd or of a plug-in asked for; None for others."""
        if module not in self._files:
            inside = module.split(".")[0] == PACKAGE
            self._files[module] = _find(self.root, module) if inside else None
        return self._files[module]

    # Plug-ins.

    def _plug_in(self, module: str) -> set[Symbol]:
        """Return all modules of the distribution that holds ``module``, and its version."""
        top = module.split(".")[0]
        spec = PathFinder.find_spec(top)
        places = [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []
        if spec and not places and spec.origin:
            places = [Path(spec.origin)]
        if not places:
            raise UserError(f"{module}: no such Python module")
        names = distributions().get(top, [])
        found: set[Symbol] = {("", f"{name}=={metadata.version(name)}") for name in names}
        tops = {name for name, owners in distributions().items() if set(owners) & set(names)}
        for file, name in _python_files(places[0].parent, tops | {top}, follow=not names):
            self._files[name] = file
            found.add((name, WHOLE))
        return found


def _python_files(folder: Path, tops: Iterable[str], follow: bool) -> Iterator[tuple[Path, str]]:
    """Yield the files and names of top-level modules, with the neighbours that they import.

    ``follow``: only code that no distribution holds is known by its neighbours.
    """
    waiting, seen = sorted(tops), set[str]()
    while waiting:
        top = waiting.pop()
        if top in seen or top == PACKAGE:
            continue
        seen.add(top)
        single = folder / f"{top}.py"
        files = sorted((folder / top).rglob("*.py")) or ([single] if single.is_file() else [])
        for file in files:
            parts = file.relative_to(folder).with_suffix("").parts
            yield file, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if follow:
                waiting += (name for name in _imported(file) if name not in distributions())


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(_parse(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def _find(root: Path, module: str) -> Path | None:
    folder = root.joinpath(*module.split("."))
    for file in (folder / "__init__.py", folder.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _parse(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: {error.msg}") from None
