"""Ratios to hand-written JAX, measured side by side on this machine: `python -m benchmarks`."""
