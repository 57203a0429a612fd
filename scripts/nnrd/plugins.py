"""Modules of a package, found by name and imported when they are asked for."""

import importlib
import pkgutil
from types import ModuleType

from nnrd.errors import UserError
from nnrd.schema import unknown


def find(package: ModuleType, word: str, name: str) -> ModuleType:
    """Return module ``name`` of ``package``; UserError, with the known ones, where there is none.

    ``word`` is what such a module is called in the message, such as "detector".
    """
    known = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    if name not in known:
        raise UserError(unknown(word, name, known))
    return importlib.import_module(f"{package.__name__}.{name}")
