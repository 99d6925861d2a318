"""`python -m benchmarks`: measure, and print tables in Markdown."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence

import jax

import lamina as tf
from benchmarks.changing import measure_changing
from benchmarks.models import CASES
from benchmarks.pipelines import PIPELINES, measure_pipeline
from benchmarks.recording import measure_recording
from benchmarks.startup import measure_startup
from benchmarks.training import measure_training

_PEERS = {"tensorflow": "tensorflow", "keras": "jax"}  # which peers share a process: Keras' backend


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        first, *others = (c.ljust(w) if i == 0 else c.rjust(w)
                          for i, (c, w) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        return "| " + " | ".join([first, *others]) + " |"

    rule = "|" + "|".join(
        "-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)
    )
    return "\n".join(["", f"**{title}**", "", line(header), rule + "|", *map(line, cells[1:])])


def training(names: Sequence[str], rounds: int, chunk: float) -> None:
    rows = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found = measure_training(tf, CASES[name], rounds, chunk)
        rows.append(
            [
                name,
                f"{found['custom loop'].base * 1e3:.3f} ms",
                *[str(found[k]) for k in ("custom loop", "tf.function", "fit")],
                f"{found['fit'].extra * 1e6:+.0f} µs",
            ]
        )
    header = ["training step", "jax.jit + optax", "custom loop", "tf.function", "fit", "fit adds"]
    print(table("Time of a training step, as multiples of hand-written JAX", header, rows))


def recording(rounds: int) -> None:
    found = measure_recording(tf, rounds)
    rows = [[k, f"{v * 1e6:.2f} µs"] for k, v in found.items()]
    print(table("Recording", ["one", "time"], rows))


def changing(rounds: int, chunk: float) -> None:
    found = measure_changing(tf, rounds, chunk)
    rows = [["random programs, none twice", str(found)]]
    print(table("Ever-changing structure", ["", "multiple of eager JAX"], rows))


def pipelines(rounds: int, chunk: float) -> None:
    rows = []
    for name, case in PIPELINES.items():
        found, _ = measure_pipeline(tf, case, rounds, chunk)
        rows.append([name, f"{found.base * 1e6:.1f} µs", str(found)])
    header = ["shuffle().batch().prefetch()", "NumPy indexing", "tf.data"]
    print(table("A batch from arrays in memory, as multiples of NumPy indexing", header, rows))


def startup(rounds: int) -> None:
    found = measure_startup(rounds)
    rows = [[k, f"{v:.2f} s"] for k, v in found.items()]
    share = found["first step, second process"] / found["first step, cold"]
    rows.append(["second process / first", f"{share:.2f}"])
    print(table("Starting", ["", "time"], rows))


def peers(arguments: Sequence[str]) -> int:
    """Measure the peers, in one process for each Keras backend."""
    codes = [
        subprocess.run(
            [sys.executable, "-m", "benchmarks.peers", kind, *arguments],
            env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        ).returncode
        for kind, backend in _PEERS.items()
    ]
    return max(codes)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", metavar="NAME", default="", help="what contains NAME only")
    parser.add_argument("--peers", action="store_true", help="TensorFlow, Keras, Flax, PyTorch")
    args = parser.parse_args()
    if args.peers:
        return peers(sys.argv[1:])

    rounds, chunk = (5, 0.03) if args.quick else (21, 0.15)
    print(
        f"{platform.machine()}, {os.cpu_count()} CPUs, {jax.default_backend()}, "
        f"JAX {jax.__version__}, Python {platform.python_version()}; median (quartiles) of "
        f"{rounds} interleaved rounds"
    )

    def wanted(name: str) -> bool:
        return args.only.lower() in name.lower()

    names = [n for n in CASES if wanted(n) or wanted("training")]
    if names:
        training(names, rounds, chunk)
    if wanted("recording"):
        recording(rounds)
    if wanted("changing"):
        changing(rounds, chunk)
    if wanted("data pipelines"):
        pipelines(rounds, chunk)
    if wanted("startup"):
        startup(1 if args.quick else 3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
