"""Readers of other tools' output; the files were written after the tools' documents."""

from pathlib import Path

import pytest

from nnrd.core.errors import UserError
from nnrd.runtime.energy import recorded

DATA = Path(__file__).resolve().parents[3] / "data/energy"


def read(name):
    return (DATA / name).read_text()


def test_powertop_tells_what_the_battery_gave_apart_from_its_estimate():
    found = recorded.powertop(read("powertop.csv"))
    assert (found.watts, found.joules) == (5.82, 349)
    assert found.estimated_watts == pytest.approx(0.92)


def test_powertop_without_a_battery_measured_nothing():
    text = "".join(
        line for line in read("powertop.csv").splitlines(keepends=True) if "battery" not in line
    ).replace("The energy consumed was :  349  J;", "")
    found = recorded.powertop(text)
    assert (found.watts, found.joules) == (None, None)
    assert found.estimated_watts == pytest.approx(0.92)


# 5 and 7 W at 0 and 1 s, a missing reading at 2 s, 9 W at 4 s: 6 · 1 + 8 · 3 J.
ORIN = ([0, 1, 4], [5, 7, 9], 7.0, 30.0)
# Without an input rail the whole is the sum: 3 + 12 + 5 + 1 W.
TEGRA = [
    ("tegrastats_orin.txt", *ORIN),
    ("tegrastats_nano.txt", [0, 1], [2.5, 4.5], 3.5, 3.5),
    ("tegrastats_agx.txt", [0], [21], 21.0, None),
]


@pytest.mark.parametrize(("name", "seconds", "watts", "mean", "joules"), TEGRA)
def test_tegrastats(name, seconds, watts, mean, joules):
    found = recorded.tegrastats(read(name))
    assert list(found.seconds) == seconds
    assert list(found.watts) == pytest.approx(watts)
    assert found.mean == pytest.approx(mean)
    assert found.joules == (pytest.approx(joules) if joules else None)


def test_tegrastats_knows_each_rail_and_takes_no_memory_for_one():
    found = recorded.tegrastats(read("tegrastats_orin.txt"))
    assert list(found.rails) == ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"]
    assert list(found.rails["VDD_SOC"]) == [1.4, 1.5, 1.6]


def test_the_interval_is_that_of_the_recording_where_lines_have_no_time():
    text = read("tegrastats_nano.txt")
    found = recorded.tegrastats(text.replace("\n", "\n\n"), interval=0.5)
    assert list(found.seconds) == [0, 0.5] and found.joules == pytest.approx(1.75)


# 0.1 · 3.3 + 2 · 0.75, then 0.33 + 3, then 0.66 + 3; two seconds apart.
PMIC = [1.83, 3.33, 3.66]


def test_pmic_multiplies_current_and_voltage_of_each_rail():
    found = recorded.pmic(read("pmic_read_adc.txt"), interval=2)
    assert list(found.watts) == pytest.approx(PMIC)
    assert set(found.rails) == {"3V3_SYS", "VDD_CORE"}  # the input and the battery have no current
    assert found.joules == pytest.approx((1.83 + 3.33) + (3.33 + 3.66))


def test_a_reading_without_a_rail_is_a_missing_one_and_no_lower_sum():
    lines = read("pmic_read_adc.txt").splitlines(keepends=True)
    del lines[9]  # the second reading's voltage of VDD_CORE
    found = recorded.pmic("".join(lines))
    assert list(found.watts) == pytest.approx(PMIC[::2]) and list(found.seconds) == [0, 2]


def test_voltage_alone_is_no_power():
    assert recorded.volts(read("measure_volts.txt")) == [0.86, 0.856]
    with pytest.raises(UserError, match="no rail has current and voltage"):
        recorded.pmic(read("measure_volts.txt"))


OTHER = ["", "command not found", "VDD_IN\n", "{}\n" * 100, "volt=1.2.3V", "volt=nanV"]
OTHER += ["VDD_IN 5mW/", f"volt={'9' * 5000}V", f"VDD_IN {'9' * 5000}mW/1mW"]


@pytest.mark.parametrize("reader", ["powertop", "tegrastats", "pmic", "volts"])
@pytest.mark.parametrize("text", OTHER, ids=lambda text: text[:20])
def test_other_text_is_refused(reader, text):
    with pytest.raises(UserError):
        getattr(recorded, reader)(text)


def test_what_looks_like_a_date_and_is_none():
    text = read("tegrastats_orin.txt").replace("11-24-2026", "99-99-2026")
    assert list(recorded.tegrastats(text).seconds) == [0, 1, 3]


def test_numbers_of_powertop_that_are_none():
    text = read("powertop.csv").replace(" 5.82  W", " NaN  W").replace("920 m", "1.2.3 m")
    found = recorded.powertop(text)
    assert (found.watts, found.estimated_watts) == (None, None)
