"""The record of one point."""

import json
import time

import pytest
from made_machine import replace, server, zone

from nnrd.core.errors import UserError
from nnrd.profile.measure import Power, Protocol, Step, measure
from nnrd.runtime.energy.counters import CPU, Counter
from nnrd.runtime.energy.meter import Meter

NOTHING = Meter([], ["/sys/class/powercap: not there"])
SHORT = Protocol(1, 4, 2)


def work(value):
    return sum(range(3000)) + value


STEPS = [Step("forward", work), Step("decode", work)]


def test_a_record_is_json_and_says_what_each_number_needs():
    found = measure(STEPS, 1, SHORT, NOTHING, threads=1, input_seconds=2.0)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["protocol"] == {"warm_up": 1, "samples": 4, "repeats": 2}
    assert [row["step"] for row in found["steps"]] == ["forward", "decode", "total"]
    parts, total = found["steps"][:2], found["steps"][2]
    assert total["mean"] == pytest.approx(sum(row["mean"] for row in parts))
    for row in found["steps"]:
        assert row["minimum"] <= row["p50"] <= row["p90"] <= row["p99"]
        assert row["mean_low"] <= row["mean"] <= row["mean_high"]
        assert row["real_time_factor"] == pytest.approx(row["mean"] / 2)
    assert found["memory"]["bytes"] > 1_000_000
    assert found["machine"]["cores_used"] == 1


def test_without_a_counter_energy_is_not_measured_and_costs_no_time():
    start = time.monotonic()
    energy = measure(STEPS, 1, SHORT, NOTHING)["energy"]
    assert time.monotonic() - start < 5
    assert (energy["status"], energy["reasons"]) == ("not measured", list(NOTHING.reasons))
    names = ("joules", "joules_above_idle", "lab_joules", "watts", "idle_watts")
    assert {energy[name] for name in (*names, "estimated_joules")} == {None}


def test_an_estimate_has_a_field_of_its_own_where_it_is_asked_for():
    found = measure(STEPS, 1, SHORT, NOTHING, Power(tdp_watts=100))
    energy, cores = found["energy"], found["machine"]["cores"]
    assert energy["estimated_joules"] == pytest.approx(100 * found["steps"][-1]["cpu"] / cores)
    assert energy["joules"] is None and energy["status"] == "not measured"


def test_joules_of_a_run_and_of_rest_on_a_made_machine(tmp_path):
    """A counter that moves by 2,000 µJ at each run, and not at rest."""
    file = zone(tmp_path, "0", "package-0", energy=5)

    def run(_):
        time.sleep(0.001)
        replace(file, int(file.read_text()) + 2000)

    meter = Meter.find(tmp_path, period=0.02)
    steps, power, ticks = [Step("run", run)], Power(0.2, 0.05), []
    energy = measure(steps, None, SHORT, meter, power, progress=lambda: ticks.append(1))["energy"]
    assert len(ticks) == 8 + energy["inferences"]
    assert energy["status"] == "measured" and energy["joules"] == pytest.approx(0.002)
    assert energy["idle_watts"] == 0 and energy["joules_above_idle"] == energy["joules"]
    assert energy["lab_joules"] == pytest.approx(0.002, rel=0.5)  # watts · latency


def test_rest_is_subtracted():
    """A machine that takes 2 W whether something runs or not: nothing of it is the run's."""
    counter = Counter("rapl package-0", CPU, lambda: int(2e6 * time.monotonic()), 1_000_000)
    steps = [Step("run", lambda _: time.sleep(0.005))]
    energy = measure(steps, None, SHORT, Meter([counter]), Power(0.1, 0.1))["energy"]
    assert energy["idle_watts"] == pytest.approx(2, rel=0.01)
    assert energy["joules"] >= 2 * 0.005
    assert energy["joules_above_idle"] == pytest.approx(0, abs=0.02 * energy["joules"])


def test_a_counter_that_vanishes_midway_is_said_and_all_else_is_there(tmp_path):
    files = server(tmp_path)
    calls = 0

    def run(_):
        nonlocal calls
        calls += 1
        time.sleep(0.002)
        if calls == 30:  # after warm-up and samples, in the loop that is read
            files["0"].unlink()

    meter = Meter.find(tmp_path, period=0.02)
    found = measure([Step("run", run)], None, SHORT, meter, Power(0.3, 0.02))
    energy = found["energy"]
    assert (energy["status"], energy["joules"], energy["lab_joules"]) == (
        "not measured",
        None,
        None,
    )
    assert energy["reasons"][0] == "rapl package-0: vanished (not there)"
    assert found["steps"][0]["mean"] > 0.002 and energy["inferences"] >= 22


def test_a_step_that_sleeps_is_warned_of():
    (warning,) = measure([Step("sleep", lambda _: time.sleep(0.01))], 0, SHORT, NOTHING, what="m")[
        "warnings"
    ]
    assert warning.startswith("m: ") and "of the time was lost" in warning


def test_what_does_not_fit_in_memory_is_refused_in_a_line():
    def allocate(_):
        raise MemoryError

    with pytest.raises(UserError, match="m at batch 9: does not fit in memory; take a smaller"):
        measure([Step("forward", allocate)], 0, SHORT, NOTHING, what="m at batch 9")


def test_zero_samples_are_refused():
    with pytest.raises(UserError, match="samples: 0 is too few"):
        measure(STEPS, 1, Protocol(samples=0), NOTHING)
