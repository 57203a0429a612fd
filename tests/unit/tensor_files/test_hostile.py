"""Files of tensors that are not what they say, through `nnrd encode`: one line, or the tensors."""

import json
import os
import pickle
import random
import resource
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from nnrd import UserError, cli, tensor_files

DATA = np.arange(4, dtype=np.float32).tobytes()
RIGHT = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
DEEP = "[" * 100_000


class Payload:
    """Makes a file where it is unpickled."""

    def __init__(self, folder):
        self.command = f"touch '{folder}/pwned'"

    def __reduce__(self):
        return os.system, (self.command,)


def npy(header):
    """Return what makes a .npz of one array with any header and no values."""

    def make(path):
        text = f"{header}\n".encode()
        member = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.npy", member)

    return make


def array(shape, dtype="<f4"):
    return npy(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}")


def objects(path):
    np.savez(path, a=np.array([Payload(path.parent), 1], dtype=object))


def lone_array(path):
    with path.open("wb") as file:
        np.save(file, np.arange(3))


def by_bzip2(path):
    """Write what `zipfile` would unpack all at once."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as file, file.open("a.npy", "w") as member:
        np.lib.format.write_array(member, np.zeros(4, np.float32))


NO_NPZ = "not a .npz of plain arrays"
NPZ = {
    "a pickle": (lambda p: p.write_bytes(pickle.dumps(Payload(p.parent))), NO_NPZ),
    "arrays of objects": (objects, "Object arrays cannot be loaded"),
    "an array of NumPy's own": (lone_array, NO_NPZ),
    "a claim of 2^40 values": (array((2**40,)), NO_NPZ),
    "a claim of 2^63 values": (array((2**62, 2)), NO_NPZ),
    "a claim of 2^64 values": (array((2**32, 2**32)), NO_NPZ),
    "a negative side": (array((-4,)), NO_NPZ),
    "a side of half a value": (array((2.5,)), NO_NPZ),
    "code for a header": (npy("__import__('os').system('touch pwned')"), NO_NPZ),
    "a header of brackets": (npy("(" * 5000), NO_NPZ),
    "bzip2": (by_bzip2, "compressed by something else than deflate"),
    "an empty file": (lambda p: p.write_bytes(b""), NO_NPZ),
}


def header(content, length=None, data=DATA):
    """Return what makes a .safetensors of any header."""
    text = (content if isinstance(content, str) else json.dumps(content)).encode()
    length = len(text) if length is None else length
    return lambda path: path.write_bytes(length.to_bytes(8, "little") + text + data)


def tensor(**changes):
    return header({"a": RIGHT | changes})


NO_SAFETENSORS = "not a safetensors file"
SAFETENSORS = {
    "a pickle": (lambda p: p.write_bytes(pickle.dumps(Payload(p.parent))), NO_SAFETENSORS),
    "a header of 2^63 bytes": (header({"a": RIGHT}, 2**63), NO_SAFETENSORS),
    "a header beyond the file": (header({"a": RIGHT}, 10**6), NO_SAFETENSORS),
    "a header of brackets": (header('{"a":' * 20_000), NO_SAFETENSORS),
    "values beyond the file": (tensor(shape=[5], data_offsets=[0, 20]), NO_SAFETENSORS),
    "values that overlap": (header({"a": RIGHT, "b": RIGHT}), NO_SAFETENSORS),
    "values that nobody has": (tensor(shape=[2], data_offsets=[8, 16]), NO_SAFETENSORS),
    "offsets that go back": (tensor(data_offsets=[16, 0]), NO_SAFETENSORS),
    "offsets of 2^64": (tensor(data_offsets=[0, 2**64 - 1]), NO_SAFETENSORS),
    "another shape": (tensor(shape=[3]), NO_SAFETENSORS),
    "2^64 values": (tensor(shape=[2**62, 4]), NO_SAFETENSORS),
    "a negative side": (tensor(shape=[-4]), NO_SAFETENSORS),
    "an unknown dtype": (tensor(dtype="Q9"), NO_SAFETENSORS),
    "metadata that are no text": (header({"__metadata__": {"a": 3}, "a": RIGHT}), NO_SAFETENSORS),
}
CASES = {
    **{f".npz: {name}": ("a.npz", *case) for name, case in NPZ.items()},
    **{f".safetensors: {name}": ("a.safetensors", *case) for name, case in SAFETENSORS.items()},
}
LITTLE = 4 << 30  # bytes of address space; libraries map a good part of it


def is_refused(code, said, file, words, folder):
    assert code == 1 and len(said.splitlines()) == 1, said
    assert said.startswith(f"error: {file}: ") and words in said
    assert {path.name for path in folder.iterdir()} == {file}, "something ran, or was written"


@pytest.mark.fault("hostile: tensors")
@pytest.mark.parametrize("name", CASES)
def test_files_that_lie_are_one_line(tmp_path, monkeypatch, name):
    file, make, words = CASES[name]
    make(tmp_path / file)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(["encode", file, "--codec", "raw", "-o", "out"])
    said = caught.value.code  # a text: Python prints it, and ends with exit code 1
    is_refused(1, f"{said}\n", file, words, tmp_path)


@pytest.mark.parametrize("name", [*list(CASES)[::8], ".npz: a claim of 2^40 values"])
def test_with_little_memory_too(tmp_path, name):
    file, make, words = CASES[name]
    make(tmp_path / file)
    command = [sys.executable, "-m", "nnrd.cli", "encode", file, "--codec", "raw", "-o", "out"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LITTLE, LITTLE)),
    )  # fmt: skip
    is_refused(done.returncode, done.stderr, file, words, tmp_path)


ORDERS = {"another's": '["b"]', "not JSON": "a", "brackets": DEEP, "twice": '["a", "a"]'}


@pytest.mark.fault("hostile: an order of tensors")
@pytest.mark.parametrize("name", ORDERS)
def test_an_order_that_does_not_fit_is_none(tmp_path, name):
    header({"__metadata__": {"order": ORDERS[name]}, "a": RIGHT})(tmp_path / "a.safetensors")
    assert list(tensor_files.read(tmp_path / "a.safetensors")) == ["a"]


@pytest.mark.fault("hostile: a .npz with bytes changed")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_npz_is_a_line_or_arrays(tmp_path, save):
    chance, path = random.Random(0), tmp_path / "a.npz"
    save(path, a=np.arange(999.0), b=np.ones(3))
    whole = path.read_bytes()
    for _ in range(1500):
        damaged = bytearray(whole)
        near = chance.choice([0, len(whole) - 200, chance.randrange(len(whole))])
        damaged[min(near + chance.randrange(200), len(whole) - 1)] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            tensor_files.read(path)
        except UserError as error:
            assert "\n" not in str(error)
