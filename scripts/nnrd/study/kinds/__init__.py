"""The kinds of study. Nothing outside this room asks of which kind a study is."""

from nnrd.study.kinds.base import Kind
from nnrd.study.kinds.features import Features
from nnrd.study.kinds.profile import Profile
from nnrd.study.kinds.splits import Splits
from nnrd.study.kinds.weights import Weights

KINDS: dict[str, Kind] = {kind.name: kind for kind in (Features(), Weights(), Splits(), Profile())}
