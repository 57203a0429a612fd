"""Two small recognisers at several weights of CTC: word error rate, time of encoder and search.

ESPnet's, trained on made speech and scored on more of it, in minutes of one core. One thread.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benches import hybrids
from benches.hybrids import RECIPES, Recipe
from benches.made_speech import kept
from nnrd.core import program
from nnrd.core.errors import UserError
from nnrd.core.schema import first_mistake
from nnrd.datasets.index import Index, Item
from nnrd.models import REGISTRY
from nnrd.models.pipeline import Times
from nnrd.runtime.environment import made_by
from nnrd.tasks import Prediction
from nnrd.tasks.asr import Asr

ROW = "{:<16} {:>10} {:>7} {:>15} {:>12} {:>12}"
HEAD = ("", "CTC weight", "WER %", "95 % interval", "encoder, ms", "search, ms")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    words = "folder that keeps speech and networks; a temporary one by default"
    parser.add_argument("--folder", type=Path, help=words)
    weights = "of CTC beside the attention decoder"
    parser.add_argument("--ctc-weights", type=float, nargs="+", default=[0, 0.3, 1], help=weights)
    parser.add_argument("--beam", type=int, default=5, help="prefixes that the search keeps")
    parser.add_argument("--models", nargs="+", choices=RECIPES, default=[*RECIPES], help="which")


def main(args: argparse.Namespace) -> None:
    """Train, measure and print."""
    with kept(args.folder) as folder:
        _measure(args, folder)


def _measure(args: argparse.Namespace, folder: Path) -> None:
    print(f"{made_by()['processor']}, 1 thread, beam {args.beam}", flush=True)
    hybrids.fetched(folder)
    test = hybrids.speech(folder, "test")
    print(ROW.format(*HEAD))
    for name in args.models:
        assets = hybrids.trained(RECIPES[name], folder)
        for weight in args.ctc_weights:
            options = {"ctc_weight": weight, "beam": args.beam}
            pairs = list(recognised(RECIPES[name], assets, test, options))
            print(ROW.format(*_row(name, weight, test, pairs)), flush=True)


def recognised(
    recipe: Recipe, assets: Path, items: list[Item], options: dict
) -> Iterator[tuple[Prediction, Times]]:
    """Yield transcript and times of each recording, decoded by a row's options.

    Raises UserError for options that the family does not take.
    """
    family, row = REGISTRY.get(recipe.row.family), replace(recipe.row, options=options)
    mistake = first_mistake(dict(family.options or {}), options)
    if mistake:
        raise UserError(": ".join(mistake))
    network, pipeline = family.load_network(row), family.load_pipeline(row)
    run = network.run(network.load(assets))
    pipeline.network = run.model
    yield from pipeline.predict(run, items)


def _row(
    name: str, weight: float, test: list[Item], pairs: list[tuple[Prediction, Times]]
) -> tuple[str, ...]:
    found = [prediction for prediction, _ in pairs]
    scores, _ = Asr().score(Index(test), found, found)
    interval = f"{scores['WER_low']:.1f} to {scores['WER_high']:.1f}"
    encoder, search = (
        f"{1e3 * sum(times[step] for _, times in pairs) / len(pairs):.1f}"
        for step in ("run_time", "post_time")
    )
    return name, f"{weight:g}", f"{scores['WER']:.1f}", interval, encoder, search


if __name__ == "__main__":
    program.run(sys.modules[__name__])
