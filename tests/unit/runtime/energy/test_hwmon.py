"""Supply rails and board counters of made machines."""

import pytest
from made_machine import CHIP, write

from nnrd.runtime.energy import hwmon
from nnrd.runtime.energy.meter import Meter

ORIN_NANO = {
    "name": "ina3221",
    **{"in1_label": "VDD_IN", "in1_input": 5000, "curr1_input": 1000},
    **{"in2_label": "VDD_CPU_GPU_CV", "in2_input": 5000, "curr2_input": 300},
    **{"in3_label": "VDD_SOC", "in3_input": 5000, "curr3_input": 280},
    # shunt voltages in µV and the sum of the currents: no rail
    **{"in4_input": 5000, "in5_input": 1500, "in6_input": 1400, "in7_input": 7900},
    **{"in7_label": "sum of shunt voltages", "curr4_input": 1580},
}
AGX = {"name": "ina3221", "in1_label": "NC", "in1_input": 0, "curr1_input": 0}
AGX |= {"in2_label": "VDDQ_VDD2_1V8AO", "in2_input": 4968, "curr2_input": 80}
# Chips of a machine; names of what is added up; watts or joules of each.
MACHINES = {
    "a Jetson with an input rail": ([ORIN_NANO], {"hwmon0 ina3221 VDD_IN": 5.0}),
    "a Jetson without one": (
        [{**ORIN_NANO, "in1_label": "VDD_GPU_SOC"}, AGX],
        {
            "hwmon0 ina3221 VDD_GPU_SOC": 5.0,
            "hwmon0 ina3221 VDD_CPU_GPU_CV": 1.5,
            "hwmon0 ina3221 VDD_SOC": 1.4,
            "hwmon1 ina3221 VDDQ_VDD2_1V8AO": 0.39744,
        },
    ),
    "an INA226 on a supply": (
        [
            {"name": "ina226", "in0_input": 2, "in1_input": 5000, "curr1_input": 700}
            | {"power1_input": 3_500_000}
        ],
        {"hwmon0 ina226 1": 3.5},
    ),
    "a server's power meter": (
        [{"name": "power_meter", "power1_average": 90_000_000}, {"name": "coretemp"}],
        {"hwmon0 power_meter 1": 90.0},
    ),
    "a solid-state disk is no whole": ([{"name": "nvme", "power1_input": 4_000_000}], {}),
}


@pytest.mark.parametrize(("chips", "expected"), MACHINES.values(), ids=MACHINES)
def test_rails(tmp_path, chips, expected):
    for place, files in enumerate(chips):
        write(tmp_path, CHIP.format(place), **files)
    meter = Meter.find(tmp_path)
    found = {c.name: c.read() / c.per_unit for c in meter.counters if c.name in meter.counted}
    assert found == pytest.approx(expected)


def test_rails_of_an_old_jetson_kernel(tmp_path):
    rails = {"rail_name_0": "POM_5V_IN", "in_power0_input": 2500}
    rails |= {"rail_name_1": "POM_5V_GPU", "in_power1_input": 100}
    write(tmp_path, "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0", **rails)
    counters, reasons = hwmon.find(tmp_path)
    assert {c.name: c.read() / c.per_unit for c in counters} == {
        "ina3221x POM_5V_IN": 2.5,
        "ina3221x POM_5V_GPU": 0.1,
    }
    assert not reasons and Meter(counters).counted == {"ina3221x POM_5V_IN"}


def test_energy_is_preferred_to_power(tmp_path):
    files = {"name": "ina238", "energy1_input": 7, "power1_input": 8, "in1_input": 1}
    write(tmp_path, CHIP.format(3), **files, curr1_input=1)
    ((counter,), _) = hwmon.find(tmp_path)
    assert (counter.read(), counter.power) == (7, False)


def test_a_rail_that_cannot_be_read_is_named(tmp_path):
    write(tmp_path, CHIP.format(0), **ORIN_NANO | {"curr2_input": "busy"})
    counters, reasons = hwmon.find(tmp_path)
    assert len(counters) == 2
    assert reasons == ["/sys/class/hwmon/hwmon0/curr2_input: not a number"]
