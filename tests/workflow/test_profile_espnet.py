"""ESPnet's two recognisers through a profile study, with published numbers beside ours."""

import pandas as pd
import pytest

from .conftest import copy_of_project

COUNTS = {
    "espnet_conformer": {"all": 116_146_960, "decoder": 30_350_216, "ctc": 2_565_000},
    "espnet_blstm": {"all": 8_248_145, "decoder": 1_459_318, "ctc": 8_667},
}
STUDY = {
    "kind": "profile",
    "models": ["espnet_conformer", {"model": "espnet_blstm", "batches": [1, 2]}],
    "sizes": [100],
    "options": {"ctc_weight": [0, 0.3]},
    "published": "config/espnet/published.csv",
    "parts": ["encoder", "decoder", "ctc"],
    "warm_up": 0,
    "samples": 1,
    "repeats": 1,
    "power_seconds": 1,
}


@pytest.mark.slow  # 3 minutes
def test_counts_are_the_published_ones_and_weights_are_points(tmp_path):
    checkout = copy_of_project(tmp_path / "checkout")
    checkout.configure({"run": ["hybrids"], "studies": {"hybrids": STUDY}})
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    tables = checkout.folder / "results/tables/hybrids"
    parts = pd.read_csv(tables / "parameters.csv").set_index(["model", "part"])
    for model, counts in COUNTS.items():
        for part, count in counts.items():
            row = parts.loc[model, part]
            assert row["parameters"] == row["published_parameters"] == count
    found = pd.read_csv(tables / "profile.csv")
    assert len(found) == 6 and (found["status"] == "measured").all()
    assert (found["decoding_mean_s"] > 0).all() and (found["macs"] > 0).all()
    wers = found[found["model"] == "espnet_conformer"]["published_wer"].tolist()
    assert wers == [54.18, 4.33]
    said = (checkout.folder / "results/plots/hybrids/profile/findings.html").read_text()
    assert "espnet_conformer has 116,146,960 parameters, 14.08 times the 8,248,145" in said
    assert "99.378 s, 5.82 W, 578 J" in said
    assert checkout.plan().rules == {}
