"""A module's top-level statements: what each means, which names it binds, which it loads."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

Path = tuple[str, ...]
# The module that a path of attributes starts from; None: a name of the statement's own module.
Reference = tuple[str | None, Path]
Target = tuple[str, Path]

BARE = ""  # the statements of a module that run for their effect
GUARD = "__main__"  # the block that runs only as a program

_MESSAGE_KEYWORDS = {"help", "description", "metavar", "epilog"}
_STREAMS = {"sys.stderr", "sys.stdout"}
_BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Symbols:
    """The top level of one module: by name its code, what that loads, and what it imports."""

    code: dict[str, list[str]] = field(default_factory=dict)
    loads: dict[str, set[Reference]] = field(default_factory=dict)
    targets: dict[str, list[Target]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Every name that can be asked for."""
        return set(self.code) | set(self.targets)


def read_symbols(tree: ast.Module, package: str) -> Symbols:
    """Return the symbols of a parsed module, whose relative imports start at ``package``."""
    found = Symbols()
    stripped: Any = _Stripper().visit(tree)
    for statement in stripped.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _add_targets(found, statement, package)
            continue
        for node in _same_scope(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                _add_targets(found, node, package)
        if isinstance(statement, ast.ClassDef):
            found.classes[statement.name] = statement
        for name in _symbols_of(statement):
            _add(found, name, statement, package)
    return found


def _symbols_of(statement: ast.stmt) -> set[str]:
    """Return the names under which a statement counts."""
    if _is_guard(statement):
        return {GUARD}
    names = set(_bound(statement))
    if not names or (isinstance(statement, _BLOCKS) and _has_effect(statement)):
        names.add(BARE)
    return names


def _add(found: Symbols, name: str, statement: ast.stmt, package: str) -> None:
    scan = _Scan(package)
    scan.visit(statement)
    found.code.setdefault(name, []).append(ast.dump(statement))
    found.loads.setdefault(name, set()).update(scan.found)


def add_class_part(found: Symbols, name: str, methods: set[str], package: str) -> str:
    """Add a class with some of its methods as a symbol of its own; return the symbol's name.

    What is no method stays, and so do methods such as ``__init__``; the bases do not.
    """
    part = f"{name}.{','.join(sorted(methods))}"
    if part not in found.code:
        whole = found.classes[name]
        body = [s for s in whole.body if not _is_method(s) or s.name in methods or _special(s.name)]
        kept = ast.ClassDef(name, [], whole.keywords, body or [ast.Pass()], whole.decorator_list)
        _add(found, part, kept, package)
    return part


def called_on_self(statement: ast.ClassDef, methods: set[str]) -> set[str]:
    """Return the attributes that some methods of a class read of the object or its bases."""
    found = set()
    for method in statement.body:
        if _is_method(method) and (method.name in methods or _special(method.name)):
            found |= {
                node.attr
                for node in ast.walk(method)
                if isinstance(node, ast.Attribute) and _is_object(node.value)
            }
    return found


def _is_method(statement: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_object(node: ast.expr) -> bool:
    return ast.unparse(node) in {"self", "cls", "super()"}


def import_targets(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Target]]:
    """Yield each name that an import binds ("*" for a star), and what stands behind it."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            module = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or module, (module, ())
        return
    parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    module = ".".join([*parts, *([node.module] if node.module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, (module, (alias.name,))


def _add_targets(found: Symbols, node: ast.Import | ast.ImportFrom, package: str) -> None:
    for name, target in import_targets(node, package):
        if name == "*":
            found.stars.append(target[0])
        else:
            found.targets.setdefault(name, []).append(target)


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield ``node`` and what lies under it, but not inside a function or class of its own."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if not isinstance(current, (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)):
            waiting += ast.iter_child_nodes(current)


def _bound(statement: ast.AST) -> Iterator[str]:
    for node in _same_scope(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0]
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name


def _has_effect(block: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Expr)
        or (isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store))
        for node in _same_scope(block)
    )


def _is_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ == ")


class _Scan(ast.NodeVisitor):
    """Collects what a statement loads from outside itself, with Python's scopes."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.found: set[Reference] = set()
        # Innermost last; None: a local variable, else what the function itself imports.
        self.scopes: list[dict[str, list[Target] | None]] = []

    def visit_Name(self, node: ast.Name) -> None:
        self._load(node.id, ())

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            path.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._load(inner.id, tuple(path))
        else:
            self.visit(inner)

    def visit_Global(self, node: ast.Global) -> None:
        self.found.update((None, (name,)) for name in node.names)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update((alias.name, (BARE,)) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for name, (module, _) in import_targets(node, self.package):
            self.found.add((module, () if name == "*" else (BARE,)))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._visit_all([*node.decorator_list, *_defaults(node.args)])
        self._enter(_arguments(node.args), node.body)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all(_defaults(node.args))
        self._enter(_arguments(node.args), [node.body])

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, _COMPREHENSIONS):
            self.visit(node.generators[0].iter)  # evaluated outside the comprehension
            targets = [generator.target for generator in node.generators]
            self._enter((name for target in targets for name in _bound(target)), [], node)
        else:
            super().generic_visit(node)

    def _enter(
        self, names: Iterable[str], body: Iterable[ast.AST], whole: ast.AST | None = None
    ) -> None:
        scope: dict[str, list[Target] | None] = dict.fromkeys(names)
        outer: set[str] = set()
        body = list(body)
        for node in (inner for part in body for inner in _same_scope(part)):
            if isinstance(node, ast.Global | ast.Nonlocal):
                outer.update(node.names)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for name, target in import_targets(node, self.package):
                    scope[name] = [*(scope.get(name) or []), target]
        for name in (name for part in body for name in _bound(part)):
            scope.setdefault(name, None)
        self.scopes.append({name: scope[name] for name in scope if name not in outer})
        self._visit_all(body)
        if whole is not None:
            super().generic_visit(whole)
        self.scopes.pop()

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _load(self, name: str, path: Path) -> None:
        for scope in reversed(self.scopes):
            if name in scope:
                for module, start in scope[name] or []:
                    self.found.add((module, start + path))
                return
        self.found.add((None, (name, *path)))


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    for node in ast.walk(arguments):
        if isinstance(node, ast.arg):
            yield node.arg


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [*arguments.defaults, *(default for default in arguments.kw_defaults if default)]


class _Stripper(ast.NodeTransformer):
    """Takes away what no result depends on: docstrings, annotations, messages."""

    def __init__(self) -> None:
        self.inside: list[ast.AST] = []  # the functions and classes around a node

    def visit(self, node: ast.AST) -> ast.AST | None:
        scope = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if scope:
            self.inside.append(node)
        result: ast.AST | None = super().visit(node)
        if scope:
            self.inside.pop()
        if isinstance(result, ast.stmt | ast.ExceptHandler) and getattr(result, "body", None) == []:
            result.body = [ast.Pass()]  # type: ignore[union-attr]
        return result

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        checking = ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING"
        return node.orelse if checking else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        # A field's type can drive a dataclass or a NamedTuple.
        if self.inside and isinstance(self.inside[-1], ast.ClassDef):
            return node
        return ast.Assign([node.target], node.value) if node.value else None

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        node.cause = None
        if isinstance(node.exc, ast.Call) and self._is_message(node.exc.func):
            node.exc.args, node.exc.keywords = [], []
        return self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.msg = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
        files = [ast.unparse(word.value) for word in node.keywords if word.arg == "file"]
        printed = name == "print" and all(file in _STREAMS for file in files)
        left = name == "sys.exit" and self._is_message(node.func)
        if printed or left or name in {"warnings.warn", "Registry"}:
            # A registry's list is not what a job takes from it: that is asked for by name.
            node.args, node.keywords = [], []
        node.keywords = [word for word in node.keywords if word.arg not in _MESSAGE_KEYWORDS]
        return self.generic_visit(node)

    def _is_message(self, function: ast.expr) -> bool:
        """Whether the arguments are words: not so in a program's last ``sys.exit(main())``."""
        return bool(self.inside) or ast.unparse(function) not in {"sys.exit", "SystemExit"}
