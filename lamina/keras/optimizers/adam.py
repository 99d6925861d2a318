"""Adam and the optimizers built on its two moments."""

from collections.abc import Iterable
from typing import Any

from lamina import engine
from lamina.engine import Tensor
from lamina.keras import policy
from lamina.keras.optimizers.arguments import shared_arguments
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.variable import Variable
from lamina.ops import optim

__all__ = ["Adam", "AdamW", "Adamax", "Lamb", "Nadam", "ScheduleFreeAdamW"]


class Adam(Optimizer):
    """Steps by the mean gradient over the root of the mean squared gradient, both running.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_1: Decay of the mean gradient.
        beta_2: Decay of the mean squared gradient.
        epsilon: Added to the root, against division by 0; the paper's "epsilon hat".
        amsgrad: Whether to divide by the largest mean squared gradient so far.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: momentum, velocity, and with ``amsgrad`` velocity_hat.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Adam(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.9, 2.1], dtype=float32)

    Reference: Kingma & Ba 2014, https://arxiv.org/abs/1412.6980, end of section 2; Reddi et al.
    2018, https://openreview.net/forum?id=ryQu7f-RZ, algorithm 2 (amsgrad).
    """

    slots = ("momentum", "velocity")
    settings = ("beta_1", "beta_2", "epsilon")
    rule = staticmethod(optim.adam)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def _slot_groups(self) -> Iterable[tuple[str, ...]]:
        return (self.slots, ("velocity_hat",)) if self.amsgrad else (self.slots,)


class AdamW(Adam):
    """Adam with weight decay that does not pass through the moments.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: Fraction of a variable, times the learning rate, taken off in each step.
        beta_1: Decay of the mean gradient.
        beta_2: Decay of the mean squared gradient.
        epsilon: Added to the root, against division by 0.
        amsgrad: Whether to divide by the largest mean squared gradient so far.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        As of Adam.

    Raises:
        ValueError: ``weight_decay`` is None, or a shared argument is wrong.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> optimizer = tf.keras.optimizers.AdamW(0.1, weight_decay=0.5)
        >>> _ = optimizer.apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.85, 2.  ], dtype=float32)

    Reference: Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101, algorithm 2.
    """

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay=weight_decay,
            **kwargs,
        )
        if weight_decay is None:
            raise ValueError(
                f'AdamW "{self.name}": `weight_decay` must be a float; got None.\n'
                f"  Fix: use Adam for no weight decay."
            )


class Adamax(Optimizer):
    """Adam with the largest instead of the mean squared gradient.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_1: Decay of the mean gradient.
        beta_2: Decay of the largest gradient.
        epsilon: Added to the divisor, against division by 0.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: momentum, norm.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Adamax(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.9, 2.1], dtype=float32)

    Reference: Kingma & Ba 2014, https://arxiv.org/abs/1412.6980, section 7.1.
    """

    slots = ("momentum", "norm")
    settings = ("beta_1", "beta_2", "epsilon")
    rule = staticmethod(optim.adamax)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon


class Nadam(Adamax):
    """Adam with Nesterov momentum, whose decay grows from half to all of ``beta_1``.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_1: Decay of the mean gradient.
        beta_2: Decay of the mean squared gradient.
        epsilon: Added to the root, against division by 0.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: momentum, velocity. For all: the product of all momenta so far.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Nadam(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.894, 2.106], dtype=float32)

    Differs from TF: not at all, which in bfloat16 means NaN: 0.999 rounds to 1 there. Keep such
    variables in float32 (policy "mixed_bfloat16").
    Reference: Dozat 2016, http://cs229.stanford.edu/proj2015/054_report.pdf, algorithm 8.
    """

    slots = ("momentum", "velocity")
    rule = staticmethod(optim.nadam)

    def build(self, variables: Iterable[engine.Variable]):
        """Make the state for `variables`; those that have it already are left alone.

        Args:
            variables: The variables to train.
        """
        variables = list(variables)
        if self.built:
            super().build(variables)
            return
        dtype = variables[0].dtype if variables else policy.floatx()
        waiting, self._waiting_state = self._waiting_state, []
        super().build(variables)
        self._momentum_product = Variable(1.0, dtype=dtype, trainable=False, autocast=False)
        self._variables.append(self._momentum_product)
        if waiting:
            self._load(waiting)

    def _step(self, grads: list[Any], variables: list[engine.Variable]):
        product = self._momentum_product
        product._set(optim.nadam_product(product._read(), self._step_count(), self.beta_1))
        super()._step(grads, variables)

    def _shared_state(self) -> tuple[Variable, ...]:
        return (self._momentum_product,)


class Lamb(Adamax):
    """Adam whose step is as long, for each variable, as the variable times the learning rate.

    Keeps large batches (tens of thousands) stable.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_1: Decay of the mean gradient.
        beta_2: Decay of the mean squared gradient.
        epsilon: Added to the root, against division by 0.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: momentum, velocity.

    Example:
        >>> w = tf.Variable([3.0, 4.0])
        >>> _ = tf.keras.optimizers.Lamb(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([2.646, 4.354], dtype=float32)

    Reference: You et al. 2019, https://arxiv.org/abs/1904.00962, algorithm 2.
    """

    slots = ("momentum", "velocity")
    rule = staticmethod(optim.lamb)


class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its iterates, and so needs no schedule for the learning rate.

    The variables hold the points where gradients are taken.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_1: Share of the average in the points where gradients are taken.
        beta_2: Decay of the mean squared gradient.
        epsilon: Added to the root, against division by 0.
        warmup_steps: Steps in which the learning rate grows linearly to its value.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: momentum (the iterate, which starts at the variable), velocity.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> optimizer = tf.keras.optimizers.ScheduleFreeAdamW(0.1)
        >>> _ = optimizer.apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.9, 2.1], dtype=float32)

    Reference: Defazio et al. 2024, https://arxiv.org/abs/2405.15682, algorithm 1.
    """

    slots = ("momentum", "velocity")
    settings = ("beta_1", "beta_2", "epsilon", "warmup_steps")
    rule = staticmethod(optim.schedule_free_adamw)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def _slot_start(self, name: str, variable: engine.Variable) -> Any:
        if name != "momentum":
            return "zeros"

        def value(shape: Any, dtype: Any) -> Tensor:
            return variable._read()

        return value
