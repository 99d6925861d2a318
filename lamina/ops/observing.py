"""Values of a running program, handed to Python."""

import jax

from lamina.engine import op

__all__ = ["observe"]


@op(mixed=True, differentiable=False, calls_host=True)
def observe(*values, receive):
    """Call `receive` with the values, as NumPy arrays, each time the program runs.

    Args:
        *values: Tensors of any kind.
        receive: A function of as many arrays. It runs while the program does, and must not wait
            for a Tensor.

    Returns:
        An empty list.
    """
    jax.debug.callback(receive, *values)
    return []
