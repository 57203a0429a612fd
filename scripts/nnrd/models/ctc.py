"""Connectionist temporal classification: labels of frames to text.

Graves et al., "Connectionist temporal classification: labelling unsegmented sequence data with
recurrent neural networks", ICML 2006.
"""

from collections.abc import Sequence

import numpy as np


def best_path(scores: np.ndarray, labels: Sequence[str], blank: int) -> str:
    """Return the likeliest label of each frame, repeats and blanks left out, joined.

    ``scores``: (frames, labels), in any monotonous scale; ``blank`` is the number of the label
    that stands for none. It need not be among ``labels`` where it is the last.
    """
    best = scores.argmax(axis=-1)
    changed = np.flatnonzero(np.diff(best, prepend=-1))
    return "".join(labels[n] for n in best[changed] if n != blank)
