"""How far a result may lie from the expected one, by dtype: the one place where that is said."""

import numpy as np

__all__ = ["TOLERANCES", "assert_close", "tolerance"]

# dtype → (relative, absolute): those of the golden values. Integers and booleans are exact.
TOLERANCES = {
    "float64": (1e-6, 1e-8),
    "complex128": (1e-6, 1e-8),
    "float32": (1e-4, 1e-5),
    "complex64": (1e-4, 1e-5),
    "float16": (5e-3, 2e-3),
    "bfloat16": (3e-2, 1.5e-2),
}


def tolerance(dtype):
    """Return ``(relative, absolute)`` for a dtype's name, a NumPy dtype or a DType."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    return TOLERANCES.get(name or np.dtype(dtype).name, (0.0, 0.0))


def assert_close(actual, expected, dtype=None):
    """Fail unless shapes agree and values lie within the tolerance of a dtype.

    Args:
        actual: Tensor or array.
        expected: Tensor, array or nested list.
        dtype: What decides the tolerance; by default the dtype of ``actual``.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
    relative, absolute = tolerance(actual.dtype if dtype is None else dtype)
    if relative:  # NumPy cannot compare bfloat16 itself
        wide = np.complex128 if actual.dtype.kind == "c" else np.float64
        actual, expected = actual.astype(wide), expected.astype(wide)
    np.testing.assert_allclose(actual, expected, rtol=relative, atol=absolute)
