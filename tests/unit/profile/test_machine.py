"""What a made machine says of itself."""

import pytest

from nnrd.profile import machine

X86 = "".join(
    f"processor\t: {core}\nmodel name\t: Made CPU @ 2.00GHz\ncpu MHz\t\t: {mhz}\n\n"
    for core, mhz in enumerate((1000.0, 2000.0, 3000.0, 2000.0))
)
ARM = "processor\t: 0\nBogoMIPS\t: 108.00\n\nprocessor\t: 1\nBogoMIPS\t: 108.00\n\n"
CORE = "sys/devices/system/cpu/cpu{}/cpufreq/{}"


def made(root, files):
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


SERVER = {
    "proc/cpuinfo": X86,
    "proc/loadavg": "1.25 0.50 0.25 2/345 6789\n",
    "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0,2-3\n",
    "sys/devices/system/cpu/online": "0-3\n",
    **{CORE.format(core, "scaling_governor"): "performance\n" for core in (0, 2, 3)},
    CORE.format(1, "scaling_governor"): "powersave\n",
    **{CORE.format(core, "scaling_cur_freq"): f"{core}100000\n" for core in range(1, 4)},
}
FOUND = {
    "cpu": "Made CPU @ 2.00GHz",
    "cores": 4,
    "cores_used": 3,
    "governor": "performance",  # core 1 is not used
    "frequency_mhz": 2600.0,  # cores 2 and 3; core 0 does not tell
    "load": 1.25,
}


def test_a_server(tmp_path):
    root = made(tmp_path, SERVER)
    assert machine.describe(root=root) == FOUND
    assert machine.describe(2, root)["cores_used"] == 2
    assert machine.describe(8, root)["cores_used"] == 3


def test_cores_that_are_set_differently(tmp_path):
    files = SERVER | {CORE.format(3, "scaling_governor"): "powersave\n"}
    assert machine.describe(root=made(tmp_path, files))["governor"] == "performance+powersave"


def test_without_a_governor_the_frequency_is_the_processors(tmp_path):
    files = {path: text for path, text in SERVER.items() if "cpufreq" not in path}
    found = machine.describe(root=made(tmp_path, files))
    assert (found["governor"], found["frequency_mhz"]) == (None, 2000.0)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"proc/cpuinfo": ARM + "Model\t\t: Raspberry Pi 5\n"}, "Raspberry Pi 5"),
        ({"proc/cpuinfo": ARM, "proc/device-tree/model": "NVIDIA Orin\0"}, "NVIDIA Orin"),
        ({"proc/cpuinfo": ARM}, None),
    ],
)
def test_boards_with_arm_cores(tmp_path, files, name):
    found = machine.describe(root=made(tmp_path, files))
    assert (found["cpu"], found["cores"], found["cores_used"]) == (name, 2, 2)


def test_what_is_missing_is_none(tmp_path):
    found = machine.describe(root=tmp_path)
    assert set(found) == set(FOUND) and set(found.values()) == {None}
    files = {"proc/loadavg": "much\n", "proc/cpuinfo": "", CORE.format(0, "scaling_cur_freq"): "?"}
    assert set(machine.describe(root=made(tmp_path, files)).values()) == {None}


def test_this_machine_has_a_core():
    found = machine.describe(1)
    assert found["cores"] >= found["cores_used"] == 1


WARNINGS = [
    (0.0, 0.0, None),
    (0.05, None, None),
    (0.05, 0.2, None),
    (0.0501, None, "the machine may have been busy: 5% of the time was lost"),
    (0.3, 0.25, "the machine was busy: 30% of the time was lost, 25% because others had the core"),
    (
        0.97,
        0.01,
        "97% of the time was lost, 1% because others had the core: the steps slept",
    ),
]


@pytest.mark.parametrize(("lost", "queued", "text"), WARNINGS)
def test_a_busy_machine_is_warned_of_above_five_percent(lost, queued, text):
    found = machine.busy(lost, queued)
    assert found is None if text is None else found.startswith(text)
