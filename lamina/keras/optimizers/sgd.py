"""Gradient descent, with or without momentum, and its sign-based relative."""

from collections.abc import Iterable
from typing import Any

from lamina.keras.optimizers.arguments import check, shared_arguments
from lamina.keras.optimizers.base import Optimizer
from lamina.ops import optim

__all__ = ["SGD", "Lion"]


class SGD(Optimizer):
    """Gradient descent: ``w -= learning_rate * g``, optionally with momentum.

    With momentum ``m = momentum * m - learning_rate * g`` and ``w += m``; Nesterov's looks ahead,
    ``w += momentum * m - learning_rate * g``.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        momentum: A float in [0, 1].
        nesterov: Whether to use Nesterov momentum.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    Raises:
        ValueError: ``momentum`` is no float in [0, 1], or a shared argument is wrong.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.SGD(0.5).apply_gradients([(tf.constant([1.0, -1.0]), w)])
        >>> w.numpy()
        array([0.5, 2.5], dtype=float32)

    Reference: Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html, eq. 1-4.
    """

    slots = ("momentum",)
    settings = ("momentum", "nesterov")
    rule = staticmethod(optim.sgd)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        right = isinstance(momentum, float) and 0 <= momentum <= 1
        check(f'SGD "{self.name}"', "momentum", momentum, "a float in [0, 1]", right)
        self.momentum = momentum
        self.nesterov = nesterov

    def _slot_groups(self) -> Iterable[tuple[str, ...]]:
        return (self.slots,) if self.momentum != 0 else ()


class Lion(Optimizer):
    """Steps by the sign of the momentum: as long in each coordinate, half the memory of Adam.

    Learning rates are 3 to 10 times smaller, and weight decay as much larger, than for Adam.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_1: Share of the momentum in the direction, in (0, 1].
        beta_2: Decay of the momentum.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    Raises:
        ValueError: ``beta_1`` is not in (0, 1], or a shared argument is wrong.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Lion(0.5).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy()
        array([0.5, 2.5], dtype=float32)

    Reference: Chen et al. 2023, https://arxiv.org/abs/2302.06675, algorithm 2.
    """

    slots = ("momentum",)
    settings = ("beta_1", "beta_2")
    rule = staticmethod(optim.lion)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        check(f'Lion "{self.name}"', "beta_1", beta_1, "in (0, 1]", 0 < beta_1 <= 1)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
