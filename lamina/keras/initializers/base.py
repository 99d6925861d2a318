"""The base class of initializers."""

from typing import Any, Self

from lamina.keras.capture import Captured

__all__ = ["Initializer"]


class Initializer(Captured):
    """Make the start value of a weight: a callable from a shape to a Tensor.

    A subclass defines ``__call__(self, shape, dtype=None)``. The config is captured from the
    constructor, so nothing more is needed to save and reload it.

    Raises:
        NotImplementedError: a subclass that lacks `__call__` is called.

    Example:
        >>> class Sevens(tf.keras.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return tf.fill(shape, tf.cast(7, dtype or "float32"))
        >>> Sevens()((2,)).numpy()
        array([7., 7.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return a Tensor of this shape and dtype.

        Args:
            shape: The shape, all of it known.
            dtype: The dtype; None is `tf.keras.backend.floatx()`.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: an initializer defines `__call__(self, shape, dtype=None)`; "
            f"got a class without it.\n  Fix: define it, returning a Tensor of that shape."
        )

    def clone(self) -> Self:
        """Return a new initializer with the same arguments."""
        return type(self).from_config(self.get_config())
