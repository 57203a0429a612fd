"""ESPnet's own modules, imported without what its recognisers never call.

`espnet2.tasks.asr` imports, at its top, what all its models, their training and their data need.
Where such a package is not installed something stands in for it while ESPnet is imported: modules
that hold nothing; for librosa, of which ESPnet's front end takes the mel filter bank, torchaudio's,
which has the same numbers; for numba a decorator that leaves functions as they are. So what is
fetched is pure Python, 2 MB and the same on each machine, and nothing is built or downloaded at
import, as g2p_en does NLTK's data.
"""

import importlib
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from io import StringIO
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from nnrd.core.errors import UserError

ASSET = "espnet"
# Structured state spaces; phonemes, cleaners of text, subwords; features that are kept in files.
UNUSED = (
    *("hydra", "omegaconf", "einops", "opt_einsum", "g2p_en", "jamo", "jaconv"),
    *("tacotron_cleaner", "vietnamese_cleaner", "sentencepiece", "kaldiio", "h5py"),
)


@cache
def module(name: str) -> Any:
    """Return a module of ESPnet; UserError where ESPnet is not there."""
    if find_spec("espnet2") is None:
        raise UserError(
            f"ESPnet is not there: python scripts/fetch_asset.py --sheet config/assets.tsv"
            f" --asset {ASSET} --out FOLDER, then --packages FOLDER"
        )
    with _stood_in(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what torch and Python have newer names for
        return importlib.import_module(name)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back the warnings of ESPnet's log, which say each time what is meant here."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)


@contextmanager
def _stood_in() -> Iterator[None]:
    """Let what is missing be imported; none but ESPnet sees it, for it is forgotten then."""
    finder = _StandIns()
    sys.meta_path.append(finder)
    try:
        with quiet(), redirect_stdout(StringIO()):  # where it says what it does without
            yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.made:
            sys.modules.pop(name, None)


class _StandIns(MetaPathFinder, Loader):
    """Finds what stands in, after all others have found nothing."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Return a specification where a name is to be stood in for."""
        if fullname.partition(".")[0] not in (*UNUSED, *USED):
            return None
        self.made.append(fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        return _Nothing(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Fill it."""
        module.__dict__.update(USED.get(module.__name__, {}))


class _Nothing(ModuleType):
    """A module of which any name can be imported; calling what it stands for fails."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Missing,), {"package": self.__name__.partition(".")[0]})


class _Missing:
    """What is not there: a class, so that ESPnet can derive its own from it."""

    package = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        del args, options
        raise UserError(f"ESPnet asks for package {self.package}: install it beside nnrd")


def mel(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float, htk: bool) -> np.ndarray:
    """Return librosa's mel filter bank, float32 (n_mels, n_fft // 2 + 1), Slaney's by default.

    Its arguments, and the area of each triangle, are those of ``librosa.filters.mel``.
    """
    from torchaudio.functional import melscale_fbanks

    scale = "htk" if htk else "slaney"
    bins = n_fft // 2 + 1
    return melscale_fbanks(bins, fmin, fmax, n_mels, sr, "slaney", scale).T.numpy()


def uncompiled(*given: Any, **options: Any) -> Any:
    """Return what numba's ``jit`` with arguments returns: a decorator, here one of no effect."""
    del given, options
    return lambda function: function


USED: dict[str, dict[str, Any]] = {
    "librosa": {"filters": SimpleNamespace(mel=mel)},
    "numba": {"jit": uncompiled},
}
