"""tf.xla.experimental: functions and blocks to be compiled, as all are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lamina.engine import Tensor, convert_to_tensor, function, local

__all__ = ["compile", "jit_scope"]


def compile(computation: Callable[..., Any], inputs: list[Any] | None = None) -> Any:
    """Run a function as one compiled program: `tf.function(computation)(*inputs)`.

    Args:
        computation: A function of Tensors.
        inputs: Its arguments, in a list.

    Returns:
        What the function returns; a single value, or a sequence of them, as a list of Tensors.

    Raises:
        TypeError: `inputs` is no list.

    Example:
        >>> tf.xla.experimental.compile(tf.square, [tf.constant(3.0)])[0].numpy()
        np.float32(9.0)
    """
    if not isinstance(inputs, list | None):
        raise TypeError(
            f"tf.xla.experimental.compile: `inputs` must be a list; got {inputs!r}.\n"
            "  Fix: put the arguments in a list, also a single one."
        )
    found = function(computation)(*(inputs or []))
    if isinstance(found, dict):
        return found
    items = found if isinstance(found, list | tuple) else [found]
    if any(isinstance(item, list | tuple | dict) for item in items):
        return found
    return [item if isinstance(item, Tensor) else convert_to_tensor(item) for item in items]


@contextmanager
def jit_scope(compile_ops: Any = True, separate_compiled_gradients: bool = False) -> Iterator[None]:
    """Mark a block of a `tf.function`; it is compiled with the rest of the function.

    Args:
        compile_ops: Accepted, unused.
        separate_compiled_gradients: Accepted, unused.

    Raises:
        RuntimeError: it is entered outside of a function, as in TensorFlow.
    """
    if local.trace.eager:
        raise RuntimeError(
            "tf.xla.experimental.jit_scope: it must stand in a tf.function; got eager code.\n"
            "  Fix: leave it out: eager code is compiled as well."
        )
    yield
