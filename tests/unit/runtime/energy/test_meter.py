"""Energy on made machines, whose counters move while they are read."""

import errno
import os
import time

import pytest
from made_machine import CHIP, Moving, replace, server, write, zone

from nnrd.core.errors import UserError
from nnrd.runtime.energy import gpus, lab, rapl
from nnrd.runtime.energy.counters import BOARD, CPU, DRAM, GPU, PART, RAIL, Counter
from nnrd.runtime.energy.meter import MEASURED, NOT_MEASURED, Meter, chosen


class Clock:
    """Seconds as a test sets them."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def power(values, name="rail", scope=RAIL):
    """Return a counter of power in milliwatts that says one value after another, or raises it."""
    given = iter(values)

    def read():
        value = next(given)
        if isinstance(value, Exception):
            raise value
        return value

    return Counter(name, scope, read, 1000, power=True)


def over(counters, times):
    """Return the energy of a window that is read at these seconds, the last one at its end."""
    clock = Clock()
    clock.now = times[0]
    with Meter(counters, period=0, clock=clock).window() as window:
        for clock.now in times[1:-1]:
            window.tick()
        clock.now = times[-1]
    return window.energy


def test_joules_are_those_of_the_counters_to_the_microjoule(tmp_path):
    """Two processors and their memory, counters that move each millisecond, read 100 times/s."""
    files = server(tmp_path)
    more = {file: 1 + place for place, file in enumerate(files.values())}
    with Meter.find(tmp_path, period=0.01).window() as window, Moving(more) as moving:
        while moving.steps < 100:
            time.sleep(0.01)
    found = {reading.name: reading.joules for reading in window.energy.counters}
    microjoules = (1 + 3 + 4 + 5) * moving.steps  # package-0, dram, package-1, dram
    assert window.energy.joules == pytest.approx(microjoules / 1e6, abs=1e-12)
    assert found["rapl psys"] == 6 * moving.steps / 1e6
    assert (
        window.energy.status == MEASURED and "/sys/class/hwmon: not there" in window.energy.reasons
    )


def test_a_counter_that_begins_again_twice(tmp_path):
    """It has a range of 1,000 µJ, of which 7 are used each millisecond."""
    file = zone(tmp_path, "0", "package-0", energy=990, wraps=1000)
    with Meter.find(tmp_path, period=0.01).window() as window, Moving({file: 7}, 1000) as moving:
        while moving.steps < 350:
            time.sleep(0.01)
    assert (990 + 7 * moving.steps) // 1000 >= 2
    assert window.energy.joules == 7 * moving.steps / 1e6


def test_nothing_is_counted_twice(tmp_path):
    server(tmp_path)
    write(tmp_path, CHIP.format(0), name="amd_energy", energy1_label="Esocket0", energy1_input=5)
    readings = Meter.find(tmp_path).idle(0).counters
    assert [reading.name for reading in readings if reading.counted] == [
        "rapl package-0",
        "rapl 0 dram",
        "rapl package-1",
        "rapl 1 dram",
    ]
    assert {reading.name for reading in readings if not reading.counted} == {
        "rapl 0 core",
        "rapl psys",
        "hwmon0 amd_energy Esocket0",
    }


CHOSEN = [
    ([], []),
    ([("a", PART)], []),
    ([("rapl p", CPU), ("rapl d", DRAM), ("gpu 0", GPU), ("rapl psys", BOARD)], [0, 1, 2]),
    ([("rapl psys", BOARD), ("hwmon1 ina3221 A", RAIL)], [0]),
    ([("hwmon1 ina3221 A", RAIL), ("hwmon1 ina3221 B", RAIL), ("x", PART)], [0, 1]),
    ([("hwmon1 ina3221 A", RAIL), ("hwmon1 ina3221 VDD_IN", BOARD)], [1]),
    ([("hwmon2 amd_energy Esocket0", CPU), ("hwmon2 amd_energy Esocket1", CPU)], [0, 1]),
    ([("gpu 0", GPU), ("gpu 1", GPU)], [0, 1]),
]


@pytest.mark.parametrize(("given", "places"), CHOSEN)
def test_what_is_added_up(given, places):
    counters = [Counter(name, scope, int, 1) for name, scope in given]
    assert chosen(counters) == {given[place][0] for place in places}


def test_power_is_integrated_by_trapezoids_over_the_times_it_was_read():
    """2 → 4 → 4 → 8 W at 0, 1, 3, 3.5 s: 3 + 8 + 3 J; the lab takes the mean of 4 and 4 W."""
    found = over([power([2000, 4000, 4000, 8000])], [10, 11, 13, 13.5])
    assert found.joules == 14 and found.watts == 4 and found.seconds == 3.5


def test_a_missing_sample_is_said_and_bridged():
    """2 → (missing) → 6 W over 2 s."""
    for error in (OSError(errno.EAGAIN, "again"), ValueError("")):
        found = over([power([2000, error, 6000])], [0, 1, 2])
        assert found.joules == 8 and found.counters[0].missed == 1 and found.status == MEASURED


def test_a_missing_sample_of_energy_costs_nothing(tmp_path):
    file = zone(tmp_path, "0", "package-0", energy=100)
    with Meter.find(tmp_path, period=0).window() as window:
        file.write_text("")
        window.tick()
        replace(file, 400)
    assert window.energy.joules == 300 / 1e6 and window.energy.counters[0].missed == 1


VANISHING = {
    "the file goes": (FileNotFoundError(errno.ENOENT, "no"), "vanished (not there)"),
    "the device goes": (OSError(errno.ENODEV, "No such device"), "vanished (No such device)"),
    "no longer allowed": (PermissionError(errno.EACCES, ""), "vanished (only root may read it)"),
    "no answer at the end": (OSError(errno.EIO, "I/O error"), "could not be read at the end"),
}


@pytest.mark.fault("energy counter")
@pytest.mark.parametrize(("error", "reason"), VANISHING.values(), ids=VANISHING)
def test_a_counter_that_vanishes_is_not_measured_and_the_others_go_on(error, reason):
    other = power([1000, 1000, 1000], "other", PART)
    found = over([power([2000, 2000, error]), other], [0, 1, 2])
    assert (found.status, found.joules, found.watts) == (NOT_MEASURED, None, None)
    assert found.reasons == (f"rail: {reason}",)
    assert [reading.joules for reading in found.counters] == [None, 2]


def test_a_file_that_goes_while_it_is_read(tmp_path):
    files = server(tmp_path)
    with Meter.find(tmp_path, period=0.01).window() as window:
        files["1"].unlink()
        time.sleep(0.05)
        replace(files["1"], 5)  # a counter that comes again is not the same one
    assert window.energy.joules is None
    assert window.energy.reasons[0] == "rapl package-1: vanished (not there)"
    joules = {reading.name: reading.joules for reading in window.energy.counters}
    assert joules["rapl package-0"] == 0 and joules["rapl package-1"] is None


def test_a_counter_that_is_set_back_is_not_measured():
    values = iter([500, 100])
    found = over([Counter("gpu 0", GPU, lambda: next(values), 1000)], [0, 1])
    assert found.joules is None and found.reasons == ("gpu 0: was set back",)


def test_where_only_root_may_read(tmp_path, monkeypatch):
    file = zone(tmp_path, "0", "package-0")

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(rapl, "number", refuse)
    meter = Meter.find(tmp_path)
    assert file.exists() and meter.counters == ()
    zones = "/sys/class/powercap/intel-rapl:0"
    assert meter.reasons == (
        f"{zones}/energy_uj: only root may read it",
        f"{zones}/max_energy_range_uj: only root may read it",
        "/sys/class/hwmon: not there",
    )
    found = meter.idle(60)  # at once
    assert (found.status, found.joules, found.reasons) == (NOT_MEASURED, None, meter.reasons)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_the_kernel_refuses_who_is_not_root(tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == 0 and folder.name.startswith(("pytest-", tmp_path.name)):
            folder.chmod(0o755)
    zone(tmp_path, "0", "package-0").chmod(0o400)
    os.seteuid(65534)
    try:
        counters, reasons = rapl.find(tmp_path)
    finally:
        os.seteuid(0)
    assert not counters
    assert reasons == ["/sys/class/powercap/intel-rapl:0/energy_uj: only root may read it"]


@pytest.mark.parametrize("value", ["", "many", "0x1f"])
def test_a_counter_that_says_no_number(tmp_path, value):
    zone(tmp_path, "0", "package-0").write_text(value)
    (reason,) = rapl.find(tmp_path)[1]
    assert reason == "/sys/class/powercap/intel-rapl:0/energy_uj: not a number"


def test_a_counter_whose_range_is_not_known(tmp_path):
    zone(tmp_path, "0", "package-0").with_name("max_energy_range_uj").unlink()
    reasons = ["/sys/class/powercap/intel-rapl:0/max_energy_range_uj: not there"]
    assert rapl.find(tmp_path) == ([], reasons)


def test_a_machine_with_nothing_says_what_was_looked_for(tmp_path):
    assert Meter.find(tmp_path).reasons == (
        "/sys/class/powercap: not there",
        "/sys/class/hwmon: not there",
    )
    write(tmp_path, CHIP.format(0), name="coretemp", temp1_input=40000)
    (tmp_path / "sys/class/powercap").mkdir()
    assert Meter.find(tmp_path).reasons == (
        "/sys/class/powercap: no zone intel-rapl:N in it",
        "/sys/class/hwmon: no chip tells energy or power",
    )


def test_zeus_reads_gpus_where_it_is_installed(monkeypatch):
    """A driver of two GPUs in the form of zeus's; of the second the counter is not supported."""

    class Gpus:
        energy = 5000

        def __len__(self):
            return 2

        def get_total_energy_consumption(self, index):
            if index:
                raise RuntimeError("Not Supported")
            self.energy += 1500
            return self.energy

    import sys
    from types import ModuleType

    device = ModuleType("zeus.device")
    device.get_gpus = Gpus
    monkeypatch.setitem(sys.modules, "zeus", ModuleType("zeus"))
    monkeypatch.setitem(sys.modules, "zeus.device", device)
    counters, reasons = gpus.find(lambda: True)
    assert reasons == ["gpu 1: Not Supported"]
    assert over(counters, [0, 1]).joules == 1.5


def test_a_gpu_without_zeus_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "zeus", None)
    assert gpus.find(lambda: False) == ([], ["GPU: none that can be used"])
    (reason,) = gpus.find(lambda: True)[1]
    assert reason == "energy of the GPU: package zeus is missing: pip install 'nnrd[energy]'"


def test_the_lab_multiplies_watts_with_latency_beside_the_joules_counted():
    """6 W for 2 s, 4 of them at rest, over 8 runs: 1.5 J each, 0.5 of them above rest."""
    idle = over([power([4000, 4000])], [0, 1])
    busy = over([power([6000, 6000, 6000])], [0, 1, 2])
    found = lab.summed(busy, 8, latency=0.25, idle=idle)
    assert found["joules"] == 1.5 and found["joules_above_idle"] == 0.5
    assert (found["watts"], found["idle_watts"], found["inferences"]) == (6, 4, 8)
    assert found["lab_joules"] == 1.5


def test_the_published_figure_of_the_lab():
    """5.82 W and 99.378 s are 578 J."""
    found = lab.summed(over([power([5820] * 3)], [0, 1, 2]), 1, 99.378, None)
    assert found["lab_joules"] == pytest.approx(578, abs=0.5)


def test_the_loop_runs_for_its_time_and_counts(tmp_path):
    file = zone(tmp_path, "0", "package-0")
    value = 0

    def run():
        nonlocal value
        time.sleep(0.002)
        value += 50
        replace(file, value)

    found = lab.power(run, Meter.find(tmp_path, period=0.02), latency=0.002, seconds=0.2)
    assert found["joules"] == pytest.approx(50 / 1e6, abs=1e-12)
    assert 0.2 <= found["seconds"] < 5 and found["inferences"] * 50 == value


@pytest.mark.parametrize("counters", [[], [power([1000, 1000], "hwmon0 nvme 1", PART)]])
def test_without_a_counter_nothing_is_run(counters):
    def run():
        raise AssertionError("ran")

    found = lab.power(run, Meter(counters, ["none"]), latency=1)
    assert (found["status"], found["inferences"]) == (NOT_MEASURED, 0)
    parts = ["hwmon0 nvme 1: of no processor, GPU or board as a whole"] if counters else []
    assert found["reasons"] == ["none", *parts]
    numbers = ("joules", "joules_above_idle", "lab_joules", "watts", "idle_watts")
    assert [found[name] for name in numbers] == [None] * 5


@pytest.mark.parametrize(("seconds", "latency"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1)])
def test_no_time_is_refused(seconds, latency):
    with pytest.raises(UserError, match="more than 0 s"):
        lab.power(int, Meter([]), latency, seconds)


def test_an_estimate_is_watts_times_cpu_seconds_over_cores():
    assert lab.estimated(cpu_seconds=2, tdp_watts=280, cores=128) == 4.375
    for watts, cores in ((0, 4), (65, 0)):
        with pytest.raises(UserError, match="estimate"):
            lab.estimated(1, watts, cores)
