"""A made /sys with counters that a test, or a thread of it, moves on."""

import threading

ZONE, CHIP = "sys/class/powercap/intel-rapl:{}", "sys/class/hwmon/hwmon{}"


def write(root, folder, **files):
    """Write files of a folder; ``name`` is a file as any other. Return the folder."""
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    for file, value in files.items():
        (place / file).write_text(f"{value}\n")
    return place


def zone(root, number, name, energy=0, wraps=262_143_328_850):
    """Make a zone of RAPL; return the file of its counter. Numbers: "0", "0:1"."""
    values = {"name": name, "energy_uj": energy, "max_energy_range_uj": wraps}
    return write(root, ZONE.format(number), **values) / "energy_uj"


def server(root):
    """Make a machine of two processors with memory, and the platform's counter; return files."""
    numbers = {
        "0": "package-0",
        "0:0": "core",
        "0:1": "dram",
        "1": "package-1",
        "1:0": "dram",
        "2": "psys",
    }
    return {number: zone(root, number, name) for number, name in numbers.items()}


def replace(file, value):
    """Give a counter a new value at once, as the kernel does: never an empty file."""
    beside = file.with_name("next")
    beside.write_text(f"{value}\n")
    beside.replace(file)


class Moving:
    """A thread that moves counters on by so much every millisecond, until its block ends.

    ``steps`` says how often it did; a counter begins again at ``wraps``.
    """

    def __init__(self, more, wraps=None):
        self.more, self.wraps, self.steps = more, wraps, 0
        self.values = {file: int(file.read_text()) for file in more}
        self.ended = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.move)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def move(self):
        while not self.ended.wait(0.001):
            self.steps += 1
            for file, more in self.more.items():
                self.values[file] += more
                if self.wraps:
                    self.values[file] %= self.wraps
                replace(file, self.values[file])
