"""Rows of the shipped sheet of models, and families of rows that a test makes."""

from pathlib import Path

from nnrd.models import REGISTRY, Family, ModelRow
from nnrd.study import sheets

ROOT = Path(__file__).resolve().parents[3]
SHEETS = {name: [f"config/{name}.tsv"] for name in ("assets", "models", "datasets")}
MODELS = sheets.read(sheets.Given(SHEETS, {}, str, ROOT.joinpath)).models


def row(family: str, **columns) -> ModelRow:
    return ModelRow(**{"model": family, "family": family, "weights": "asset", **columns})


def family(of: ModelRow) -> Family:
    return REGISTRY.get(of.family)


def network(of: ModelRow):
    return family(of).load_network(of)


def pipeline(of: ModelRow):
    return family(of).load_pipeline(of)
