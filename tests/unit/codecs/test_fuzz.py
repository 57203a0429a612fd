"""Damaged bitstreams: each decodes or raises BitstreamError, in bounded time and memory.

The decoders run in a process of their own, so that a crash of the C++ coder is seen, under a
limit of address space and an alarm. ``python tests/unit/test_fuzz.py KIND COUNT`` runs one kind.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
SECONDS = 5  # for one stream
MEMORY = 256 << 20  # bytes above what the process has before the first stream
MAX_BYTES = 1 << 21  # of tensors, passed to the decoder
KINDS = ("damaged", "hostile", "plain")


def run_fuzz(kind, count):
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, __file__, kind, str(count)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    report = done.stdout.splitlines()[-1]
    assert report.startswith(f"{kind}: {count} mutated streams")
    return report


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_hundred_mutated_streams(kind):
    run_fuzz(kind, 400)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_mutated_streams(kind, capsys):
    report = run_fuzz(kind, 10_000)
    with capsys.disabled():
        print(f"\n{report}")


def sources(kind):
    """Return (stream, function that decodes it) of several codecs and shapes."""
    import numpy as np

    from nnrd import codecs, nnc

    r = np.random.default_rng(0)
    tensors = {
        "conv.weight": r.normal(size=(8, 4, 3, 3)).astype(np.float32),
        "sparse": (r.normal(size=(20, 30)) * (np.arange(20) % 4 == 0)[:, None]).astype(np.float32),
        "bias": r.normal(size=9).astype(np.float32),
        "steps": np.array([12345], np.int32),
    }
    if kind == "plain":
        options = [
            {"qp": -20},
            {"qp": -38, "use_dq": False, "row_skipping": True},
            {"qp": -8, "codebook_mode": 1, "nonweight_qp": -8},
            {"cabac_unary_length_minus1": 255, "qp": -60},
        ]
        return [
            (nnc.encode(tensors, **o), lambda s: nnc.decode(s, max_bytes=MAX_BYTES))
            for o in options
        ]
    tensors |= {"half": tensors["conv.weight"].astype(np.float16), "mask": tensors["bias"] > 0}
    tensors["gap"] = np.array([np.nan, 1, np.inf], np.float32)
    made = [codecs.make(name) for name in ("raw",)]
    made += [codecs.make(n, nonfinite="exact") for n in ("float16", "nnc", "zstd", "bzip2")]
    made += [codecs.make("huffman", nonfinite="exact"), codecs.make("int8", nonfinite="exact")]
    made.append(codecs.make("intn", bits=5, per_channel=True, nonfinite="exact"))
    return [(c.encode(tensors), lambda s, c=c: c.decode(s, max_bytes=MAX_BYTES)) for c in made]


def mutate(stream, other, chance):
    """Return the stream with one to four random changes."""
    data = bytearray(stream)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        i = chance.randrange(len(data) + 1)
        j = min(len(data), i + chance.choice((1, 1, 2, 4, 16, 200)))
        match chance.randrange(8):
            case 0 | 1 if i < len(data):
                data[i] ^= 1 << chance.randrange(8)
            case 2:
                data[i:j] = chance.randbytes(j - i)
            case 3:
                del data[i:j]
            case 4:
                data[i:i] = chance.randbytes(chance.choice((1, 2, 8)))
            case 5:
                data[i:j] = chance.choice((b"\0", b"\xff", b"\x80")) * (j - i)
            case 6:
                data[i:] = other[chance.randrange(len(other)) :]
            case _:
                del data[i:]
    return bytes(data)


def signed(blob):
    """Return a container with the checksum that its bytes deserve."""
    checksum = zlib.crc32(blob[10:], zlib.crc32(blob[:6]))
    return blob[:6] + checksum.to_bytes(4, "little") + blob[10:]


def limit_memory():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(kind, count):
    from nnrd import BitstreamError

    chance = random.Random(f"{kind} 1")
    streams = sources(kind)
    for stream, decode in streams:
        decode(stream)  # whole streams decode, and all imports are done
    limit_memory()
    outcomes, slowest = Counter(), 0.0
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, also inside C++
    while outcomes.total() < count:
        stream, decode = chance.choice(streams)
        mutated = mutate(stream, chance.choice(streams)[0], chance)
        if mutated in {stream for stream, _ in streams}:
            continue
        if kind == "hostile":
            mutated = signed(mutated)
        signal.alarm(SECONDS)
        start = time.perf_counter()
        try:
            decode(mutated)
            outcomes["decoded"] += 1
        except BitstreamError:
            outcomes["refused"] += 1
        slowest = max(slowest, time.perf_counter() - start)
        signal.alarm(0)
    assert kind != "damaged" or not outcomes["decoded"], outcomes
    print(
        f"\n{kind}: {count} mutated streams, {outcomes['refused']} refused, "
        f"{outcomes['decoded']} decoded, slowest {slowest:.3f} s, "
        f"each under {MEMORY >> 20} MiB and {SECONDS} s"
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
