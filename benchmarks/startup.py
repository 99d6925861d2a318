"""Fresh processes: import time, and time to the first step without and with a filled cache."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

__all__ = ["measure_startup"]

_ROOT = Path(__file__).parents[1]

_IMPORT = """
import time
import jax
start = time.perf_counter()
import lamina
print(time.perf_counter() - start)
"""

_FIRST_STEP = """
import time
import lamina as tf
from benchmarks.models import CASES
from benchmarks.training import built, keras_loop
start = time.perf_counter()
case = CASES["CNN"]
keras_loop(tf, built(tf.keras, case), case)(1)
print(time.perf_counter() - start)
"""


def _run(code: str, cache: Path, bytecode: Path) -> float:
    """Return the seconds that `code` prints, run in a new process with these caches."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "PYTHONPATH": str(_ROOT),
        "PYTHONPYCACHEPREFIX": str(bytecode),
        # JAX takes its own variable before lamina's default directory.
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.05",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, text=True, capture_output=True, cwd=_ROOT
    )
    if done.returncode:
        raise RuntimeError(f"a process of the benchmark failed:\n{done.stderr}")
    return float(done.stdout.split()[-1])


def measure_startup(rounds: int) -> dict[str, float]:
    """Return seconds: import over import jax, first step cold, first step with a warm cache.

    Python's bytecode is there in all of them, as it is where a package is installed.
    """
    imports, cold, warm = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        bytecode = Path(folder, "bytecode")
        _run(_FIRST_STEP, Path(folder, "first"), bytecode)
        for i in range(rounds):
            cache = Path(folder, str(i))
            imports.append(_run(_IMPORT, cache, bytecode))
            cold.append(_run(_FIRST_STEP, cache, bytecode))
            warm.append(_run(_FIRST_STEP, cache, bytecode))
    return {
        "import lamina, over import jax": float(np.median(imports)),
        "first step, cold": float(np.median(cold)),
        "first step, second process": float(np.median(warm)),
    }
