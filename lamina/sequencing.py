"""Order of execution: programs run in the order in which they are written."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from lamina.engine import convert_to_tensor, local
from lamina.ops import identity

__all__ = ["CriticalSection", "control_dependencies", "tuple"]


class control_dependencies:  # noqa: N801  # TF's name
    """A block whose operations run after others; here everything runs in program order.

    Assignments, prints and assertions of a `tf.function` come in the order of its lines, so the
    block adds nothing.

    Args:
        control_inputs: Tensors, operations or, in eager code, functions, which are called; or
            None.

    Example:
        >>> v = tf.Variable(1.0)
        >>> with tf.control_dependencies([v.assign_add(1.0)]):
        ...     v.numpy()
        np.float32(2.0)
    """

    def __init__(self, control_inputs: Any) -> None:
        inputs = control_inputs if isinstance(control_inputs, list) else []
        if callable(control_inputs):
            inputs = [control_inputs]
        for each in inputs:
            if callable(each) and local.trace.eager and not hasattr(each, "dtype"):
                each()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None


class CriticalSection:
    """A lock: what one section executes runs in one thread at a time.

    Args:
        name: A name.
        shared_name: Accepted, unused: a section is shared by passing it on.
        critical_section_def: Not supported: only None.
        import_scope: Accepted, unused.

    Raises:
        ValueError: `critical_section_def` is given.

    Example:
        >>> v = tf.Variable(0)
        >>> section = tf.CriticalSection()
        >>> int(section.execute(lambda: v.assign_add(1)))
        1
    """

    def __init__(
        self,
        name: str | None = None,
        shared_name: str | None = None,
        critical_section_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if critical_section_def is not None:
            raise ValueError(
                "tf.CriticalSection: `critical_section_def` must be None: sections of TensorFlow "
                "1 graphs cannot be imported."
            )
        self._name = name or shared_name or "critical_section"
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    def execute(
        self,
        fn: Callable[[], Any],
        exclusive_resource_access: bool = True,
        name: str | None = None,
    ) -> Any:
        """Call a function while no other thread executes in this section.

        Args:
            fn: A function without arguments.
            exclusive_resource_access: Accepted, unused.
            name: Accepted, unused.

        Returns:
            What it returns.
        """
        with self._lock:
            return fn()


def tuple(  # TF's name
    tensors: Sequence[Any], control_inputs: Any = None, name: str | None = None
) -> list[Any]:
    """Return the Tensors, to be used once all of them are computed.

    Args:
        tensors: Tensors; None stays None.
        control_inputs: Accepted; they are computed before, as written.
        name: Accepted, unused.

    Returns:
        A list of Tensors.

    Raises:
        ValueError: there are no Tensors.
    """
    if not any(t is not None for t in tensors):
        raise ValueError("tf.tuple: `tensors` must hold a Tensor; got none.")
    return [None if t is None else identity(convert_to_tensor(t)) for t in tensors]
