"""Other libraries beside lamina and hand-written JAX: `python -m benchmarks --peers`.

Run as `python -m benchmarks.peers tensorflow` or `... keras`: Keras has one backend for each
process, so TensorFlow is measured in one and Keras on JAX, Flax and PyTorch in another. Each
process measures JAX and lamina too, interleaved with the others.
"""

import argparse
import importlib
import itertools
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

import lamina
from benchmarks.__main__ import table
from benchmarks.layers import LAYERS, measure_layer
from benchmarks.models import CASES, EPSILON, Case
from benchmarks.timing import interleaved, ratio
from benchmarks.training import FIT_STEPS, built, keras_fit, keras_loop, raw_epochs, raw_loop

Ways = dict[str, Callable[[int], Any]]


def _module(name: str) -> Any:
    """Return a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"{name} is not installed and is left out", file=sys.stderr)
        return None


# ---- TensorFlow ---------------------------------------------------------------------------------


def tensorflow_ways(case: Case, weights: list[np.ndarray]) -> tuple[Ways, Ways]:
    """Return TensorFlow's loops, and its fit."""
    tf = _module("tensorflow")
    if tf is None:
        return {}, {}

    def model() -> Any:
        return built(tf.keras, case, weights)

    compiled = lambda step: tf.function(step, jit_compile=True)  # noqa: E731
    loops = {
        "TF tf.function": keras_loop(tf, model(), case, tf.function),
        "TF jit_compile": keras_loop(tf, model(), case, compiled),
    }
    return loops, {"TF fit": keras_fit(tf.keras, model(), case)}


# ---- Keras on JAX -------------------------------------------------------------------------------


def keras_ways(case: Case, weights: list[np.ndarray]) -> tuple[Ways, Ways]:
    """Return the ways of Keras on JAX (fit only), Flax and PyTorch."""
    keras = _module("keras")
    loops: Ways = {}
    for make in (flax_way, torch_way):
        loops |= make(case)
    fits = {} if keras is None else {"Keras-JAX fit": keras_fit(keras, built(keras, case), case)}
    return loops, fits


# ---- Flax NNX -----------------------------------------------------------------------------------


def flax_model(nnx: Any, case: Case, name: str) -> Any:
    """Return the case's model in Flax, or None where it is not written down here."""
    rngs = nnx.Rngs(0)
    if name.startswith("MLP"):
        layers, width = (2, 128) if "2" in name else (8, 256)
        sizes = [case.shape[0], *[width] * (layers - 1)]
        parts: list[Any] = []
        for a, b in itertools.pairwise(sizes):
            parts += [nnx.Linear(a, b, rngs=rngs), nnx.relu]
        return nnx.Sequential(*parts, nnx.Linear(sizes[-1], 10, rngs=rngs))
    if name == "CNN":
        pool = lambda x: nnx.max_pool(x, (2, 2), (2, 2))  # noqa: E731
        return nnx.Sequential(
            *[nnx.Conv(1, 16, (3, 3), rngs=rngs), nnx.relu, pool],
            *[nnx.Conv(16, 32, (3, 3), rngs=rngs), nnx.relu, pool],
            lambda x: x.reshape(x.shape[0], -1),
            nnx.Linear(7 * 7 * 32, 10, rngs=rngs),
        )
    return None


def flax_way(case: Case) -> Ways:
    """Return Flax's loop with nnx.jit."""
    nnx, optax = _module("flax.nnx"), _module("optax")
    model = None if nnx is None else flax_model(nnx, case, _name_of(case))
    if model is None:
        return {}
    optimizer = nnx.Optimizer(model, optax.adam(1e-3, eps=EPSILON), wrt=nnx.Param)
    batches = [(jax.numpy.asarray(x), jax.numpy.asarray(y)) for x, y in case.batches()]

    @nnx.jit
    def step(model, optimizer, x, y):
        def loss_fn(model):
            return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

        loss, gradients = nnx.value_and_grad(loss_fn)(model)
        optimizer.update(model, gradients)
        return loss

    def run(n: int) -> float:
        loss = None
        for i in range(n):
            loss = step(model, optimizer, *batches[i % len(batches)])
        jax.block_until_ready(nnx.state(model))
        return float(loss)

    return {"Flax nnx.jit": run}


def _name_of(case: Case) -> str:
    return next(name for name, known in CASES.items() if known is case)


# ---- PyTorch ------------------------------------------------------------------------------------


def torch_model(torch: Any, case: Case, name: str) -> Any:
    """Return the case's model in PyTorch, or None where it is not written down here."""
    nn = torch.nn
    if name.startswith("MLP"):
        layers, width = (2, 128) if "2" in name else (8, 256)
        sizes = [case.shape[0], *[width] * (layers - 1)]
        parts: list[Any] = []
        for a, b in itertools.pairwise(sizes):
            parts += [nn.Linear(a, b), nn.ReLU()]
        return nn.Sequential(*parts, nn.Linear(sizes[-1], 10))
    if name == "CNN":
        return nn.Sequential(
            *[nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
            *[nn.Flatten(), nn.Linear(7 * 7 * 32, 10)],
        )
    return None


def torch_way(case: Case) -> Ways:
    """Return PyTorch's eager loop."""
    torch = _module("torch")
    model = None if torch is None else torch_model(torch, case, _name_of(case))
    if model is None:
        return {}
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, eps=EPSILON)
    loss_fn = torch.nn.CrossEntropyLoss()
    batches = []
    for x, y in case.batches():
        x = np.moveaxis(x, -1, 1).copy() if x.ndim == 4 else x
        batches.append((torch.from_numpy(x), torch.from_numpy(y).long()))

    def run(n: int) -> float:
        loss = None
        for i in range(n):
            x, y = batches[i % len(batches)]
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return {"PyTorch": run}


# ---- all together -------------------------------------------------------------------------------

_KINDS: Mapping[str, Callable[[Case, list[np.ndarray]], tuple[Ways, Ways]]] = {
    "tensorflow": tensorflow_ways,
    "keras": keras_ways,
}


def measure(kind: str, name: str, rounds: int, chunk: float) -> dict[str, str]:
    """Return the ratios to hand-written JAX of lamina and the peers of one kind, for one case."""
    case = CASES[name]
    weights = built(lamina.keras, case).get_weights()
    peer_loops, peer_fits = _KINDS[kind](case, weights)
    loops: Ways = {"raw": raw_loop(case, weights)}
    model = built(lamina.keras, case, weights)
    loops["lamina loop"] = keras_loop(lamina, model, case)
    fits: Ways = {"raw": raw_epochs(case, weights)}
    fits["lamina fit"] = keras_fit(lamina.keras, built(lamina.keras, case, weights), case)
    found: dict[str, str] = {}
    for ways, warmup in ((loops | peer_loops, 3), (fits | peer_fits, 1)):
        times = interleaved(ways, rounds, chunk, warmup)
        steps = FIT_STEPS if "lamina fit" in ways else 1
        found.setdefault("jax.jit + optax", f"{np.median(times['raw']) / steps * 1e3:.3f} ms")
        found |= {k: str(ratio(t, times["raw"])) for k, t in times.items() if k != "raw"}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("kind", choices=_KINDS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", metavar="NAME", default="")
    parser.add_argument("--peers", action="store_true", help="accepted, as in python -m benchmarks")
    args = parser.parse_args()
    wanted = "jax" if args.kind == "keras" else "tensorflow"
    if os.environ.get("KERAS_BACKEND") != wanted:
        parser.error(f"KERAS_BACKEND must be {wanted!r}; python -m benchmarks --peers sets it")
    rounds, chunk = (5, 0.03) if args.quick else (15, 0.15)
    rows: dict[str, dict[str, str]] = {}
    for name in CASES:
        if args.only.lower() in name.lower():
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            rows[name] = measure(args.kind, name, rounds, chunk)
    header = list(dict.fromkeys(k for row in rows.values() for k in row))
    cells = [[name, *[row.get(k, "–") for k in header]] for name, row in rows.items()]
    title = f"Beside {args.kind}: time of a training step, as multiples of hand-written JAX"
    if cells:
        print(table(title, ["training step", *header], cells), flush=True)
    if args.kind == "keras":
        layers(args.only, rounds, chunk)
    return 0


def layers(only: str, rounds: int, chunk: float) -> None:
    """Print single layers beside those of Keras on JAX."""
    keras = _module("keras")
    names = [n for n in LAYERS if only.lower() in n.lower() or only.lower() in "layers"]
    if keras is None or not names:
        return
    rows = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows.append([name, *measure_layer(lamina.keras, keras, name, rounds, chunk)])
    title = "Layers: time of predict_on_batch and train_on_batch, as multiples of Keras on JAX"
    print(table(title, ["layer", "forward", "training"], rows), flush=True)


if __name__ == "__main__":
    sys.exit(main())
