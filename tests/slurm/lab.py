"""A real SLURM on this one machine: munged, slurmctld, and a slurmd for each of three nodes.

It runs as root, without systemd, cgroups and accounting, from Debian's packages slurmctld, slurmd,
slurm-client and munge. A node is a PID namespace, so that it can be lost with all that runs on it.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
NODES = ("n1", "n2", "g1")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "unshare")
UNSHARE = ("unshare", "--uts", "--pid", "--fork", "--mount-proc")  # what a node is
NULL_DEVICE = os.makedev(1, 3)


def missing() -> str:
    """Return why SLURM cannot run here; empty where it can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"no {', '.join(absent)}: apt-get install slurmctld slurmd slurm-client munge"
    if os.geteuid() != 0:
        return "SLURM's daemons and their nodes need root"
    namespaces = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    return "" if namespaces.returncode == 0 else namespaces.stderr.strip()


class Lab:
    """A cluster in a folder: two nodes of a partition cpu, one with two pretended GPUs of gpu."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: dict[str, subprocess.Popen] = {}

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program needs in its environment to find this cluster."""
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": path}

    def up(self) -> None:
        """Start all daemons and wait until every node is idle."""
        self._configure()
        socket_file, key = self.folder / "munge.socket", self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        files = {"key-file": key, "socket": socket_file, "pid-file": self.folder / "munged.pid"}
        files |= {name: self.folder / f"munged.{name}" for name in ("log-file", "seed-file")}
        self._call("munged", *(f"--{name}={file}" for name, file in files.items()))
        self._call("slurmctld", "-c")
        for node in NODES:
            self.boot(node)
        wait_for(lambda: self.idle() == set(NODES))

    def idle(self) -> set[str]:
        """Return the nodes that are ready for a job."""
        return set(self.asked("sinfo", "-hNt", "idle", "-o", "%N").split())

    def boot(self, node: str) -> None:
        """Start a node: its first process is a shell, with whose end everything on it ends."""
        inside = f"hostname {node}; slurmd -D -N {node}; :"
        with (self.folder / f"node.{node}.log").open("ab") as log:
            self.nodes[node] = subprocess.Popen(
                [*UNSHARE, "--kill-child", "sh", "-c", inside],
                env=os.environ | dict(self.environment), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def crash(self, node: str) -> None:
        """Lose a node and all that runs on it, as by a power cut."""
        process = self.nodes.pop(node)
        process.kill()
        process.wait()

    def down(self) -> None:
        """End all that was started."""
        for node in list(self.nodes):
            self.crash(node)
        for daemon in ("slurmctld", "munged"):
            file = self.folder / f"{daemon}.pid"
            if file.is_file():
                process = int(file.read_text())
                os.kill(process, signal.SIGTERM)
                wait_for(lambda process=process: not Path(f"/proc/{process}").exists())

    def asked(self, *command: str) -> str:
        """Return what a client of SLURM's prints; nothing where it cannot reach the controller."""
        done = subprocess.run(
            command, env=os.environ | dict(self.environment), capture_output=True, text=True
        )
        return done.stdout

    def jobs(self, *columns: str) -> list[list[str]]:
        """Return columns, as squeue names them, of all jobs, those that have ended too."""
        lines = self.asked("squeue", "--states=all", "-h", "-o", "|".join(columns)).splitlines()
        return [line.split("|") for line in lines]

    def _configure(self) -> None:
        self.folder.mkdir(parents=True)
        for folder in ("state", "bin", *(f"spool.{node}" for node in NODES)):
            (self.folder / folder).mkdir()
        for name in ("slurm.conf", "gres.conf"):
            text = (HERE / name).read_text().replace("@RUN@", str(self.folder))
            (self.folder / name).write_text(text.replace("@HOST@", socket.gethostname()))
        for i in range(2):
            os.mknod(self.folder / f"gpu{i}", 0o666 | 0o020000, NULL_DEVICE)
        # Snakemake's job step takes SLURM_CONF out of the environment of its srun.
        srun = self.folder / "bin/srun"
        configuration = self.environment["SLURM_CONF"]
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)

    def _call(self, *command: str) -> None:
        subprocess.run(command, env=os.environ | dict(self.environment), check=True)


def wait_for(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds; TimeoutError where it does not within some seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"{holds}: not within {seconds} s")
        time.sleep(0.2)
