"""ESPnet's beam search over one recording's states, as its ``Speech2Text`` sets it up."""

from typing import Any

import numpy as np
import torch

from nnrd.core.errors import UserError
from nnrd.models.espnet import packages
from nnrd.models.espnet.options import Decoding

NEVER = -1  # the end of a sentence where that is not to end the search: no token
NAMES = {"decoder": "attention decoder", "ctc": "CTC"}


@torch.inference_mode()
def best(model: Any, states: np.ndarray, how: Decoding, name: str) -> list[str]:
    """Return the tokens of the best prefix that ended, blanks left out; none where none ended.

    ``states``: float32 (places, width); ``name``: the model's, for a message. Raises UserError for
    a weight of a part that the model does not have, and for more tokens than CTC has places for.
    """
    given_weights = {"decoder": 1 - how.ctc_weight, "ctc": how.ctc_weight}
    weights = {part: weight for part, weight in given_weights.items() if weight}
    reason = _impossible(model, how, weights, len(states))
    if reason:
        raise UserError(f"model {name}: {reason}")
    search = _search(model, how, weights)
    given = torch.from_numpy(states).to(next(model.parameters()).device)
    # It adds up memory that it has left as it was, and uses none of those sums.
    with packages.quiet(), np.errstate(invalid="ignore"):
        # A negative ratio is a number of tokens, which none exceeds.
        found = search(given, maxlenratio=-(how.output_length or 0))
    numbers = found[0].yseq[1:-1].tolist() if found else []
    return [model.token_list[number] for number in numbers if number != model.blank_id]


def _impossible(model: Any, how: Decoding, weights: dict[str, float], places: int) -> str | None:
    for part, weight in weights.items():
        if getattr(model, part, None) is None:
            return f"has no {NAMES[part]}, whose weight is {weight:g} (option ctc_weight)"
    if "ctc" in weights and (how.output_length or 0) > places:
        return f"{how.output_length} tokens (option output_length) of {places} places: CTC has none"
    return None


def _search(model: Any, how: Decoding, weights: dict[str, float]) -> torch.nn.Module:
    """Return the search, of all prefixes at once where all of what scores them can."""
    scorers = {"decoder": model.decoder} if "decoder" in weights else {}
    if "ctc" in weights:
        prefixes = packages.module("espnet.nets.scorers.ctc").CTCPrefixScorer
        scorers["ctc"] = prefixes(ctc=model.ctc, eos=model.eos)
    found = packages.module("espnet.nets.beam_search").BeamSearch(
        scorers, weights, how.beam, len(model.token_list), model.sos,
        model.eos if how.output_length is None else NEVER,
        pre_beam_score_key=None if how.ctc_weight == 1 else "full",
    )  # fmt: skip
    together = packages.module("espnet.nets.scorer_interface").BatchScorerInterface
    if all(isinstance(scorer, together) for scorer in found.full_scorers.values()):
        found.__class__ = packages.module("espnet.nets.batch_beam_search").BatchBeamSearch
    return found.eval()
