"""The joint tables hold every study of the configuration that was made, whichever ran last."""

import pandas

from .conftest import CONFIG, Checkout


def studies_in(checkout: Checkout, table: str = "points") -> list[str]:
    found = pandas.read_csv(checkout.folder / f"results/tables/{table}.csv")
    return list(dict.fromkeys(found["study"]))


def test_running_one_study_keeps_the_other_s_rows(checkout):
    rules = checkout.plan("--config", "run=[weights]").rules
    assert set(rules) <= {"write_provenance"}
    checkout.configure(CONFIG | {"run": ["weights"]})
    (checkout.folder / "results/tables/points.csv").unlink()
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert studies_in(checkout) == ["small", "weights"]
    provenance = (checkout.folder / "results/provenance.json").read_text()
    assert "features/ssdlite300" in provenance and "results/weights/" in provenance


def test_a_study_that_is_gone_has_no_rows(checkout):
    kept = {name: CONFIG["studies"][name] for name in ("weights",)}
    checkout.configure({"run": ["weights"], "studies": kept})
    assert checkout.plan().rules["join_tables"] == 2
    done = checkout.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert studies_in(checkout) == studies_in(checkout, "items") == ["weights"]


def test_a_study_that_is_not_complete_has_no_rows_yet(checkout):
    other = CONFIG["studies"]["weights"] | {"items": 3}
    checkout.configure({"run": ["weights"], "studies": CONFIG["studies"] | {"other": other}})
    assert "tabulate_points" not in checkout.plan().rules
    assert studies_in(checkout) == ["small", "weights"]
