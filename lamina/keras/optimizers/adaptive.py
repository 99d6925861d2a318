"""Optimizers that divide by what the gradients of each coordinate have been."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lamina import engine
from lamina.engine.identity import identity
from lamina.keras import initializers
from lamina.keras.optimizers.arguments import check, shared_arguments
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.variable import Variable
from lamina.ops import optim

__all__ = ["Adadelta", "Adafactor", "Adagrad", "Ftrl", "RMSprop"]


class RMSprop(Optimizer):
    """Steps by the gradient over the root of the mean squared gradient.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        rho: Decay of the mean squared gradient.
        momentum: Decay of the steps that are added up; 0 for none.
        epsilon: Added under the root, against division by 0.
        centered: Whether to use the variance of the gradient instead of its mean square.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: velocity, with ``momentum`` momentum, with ``centered``
        average_gradient.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.RMSprop(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.684, 2.316], dtype=float32)

    Reference: Hinton 2012, lecture 6e, http://www.cs.toronto.edu/~tijmen/csc321/.
    """

    slots = ("velocity",)
    settings = ("rho", "momentum", "epsilon", "centered")
    rule = staticmethod(optim.rmsprop)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def _slot_groups(self) -> Iterable[tuple[str, ...]]:
        groups = [self.slots]
        if self.momentum > 0:
            groups.append(("momentum",))
        if self.centered:
            groups.append(("average_gradient",))
        return groups


class Adagrad(Optimizer):
    """Steps by the gradient over the root of the sum of all squared gradients.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        initial_accumulator_value: Where the sums start, 0 or more.
        epsilon: Added under the root, against division by 0.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: accumulator.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Adagrad(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.901, 2.03 ], dtype=float32)

    Reference: Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html, figure 1.
    """

    slots = ("accumulator",)
    settings = ("epsilon",)
    rule = staticmethod(optim.adagrad)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def _slot_start(self, name: str, variable: engine.Variable) -> Any:
        return initializers.Constant(self.initial_accumulator_value)


class Adadelta(Optimizer):
    """Steps by the gradient times the root mean square of past steps over that of gradients.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments; 1.0 is
            the paper's algorithm.
        rho: Decay of both means.
        epsilon: Added under both roots.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: accumulated_grad, accumulated_delta_var.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> optimizer = tf.keras.optimizers.Adadelta(1.0, epsilon=0.01)
        >>> _ = optimizer.apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.558, 2.098], dtype=float32)

    Reference: Zeiler 2012, https://arxiv.org/abs/1212.5701, algorithm 1.
    """

    slots = ("accumulated_grad", "accumulated_delta_var")
    settings = ("rho", "epsilon")
    rule = staticmethod(optim.adadelta)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = epsilon


class Ftrl(Optimizer):
    """Follow the regularized leader: for large sparse linear models.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        learning_rate_power: Power of the accumulator in the divisor, 0 or less.
        initial_accumulator_value: Where the sums of squares start, 0 or more.
        l1_regularization_strength: L1 penalty, 0 or more.
        l2_regularization_strength: L2 penalty, 0 or more.
        l2_shrinkage_regularization_strength: L2 penalty on the size of the gradient step, 0 or
            more.
        beta: The paper's beta.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: accumulator, linear.

    Raises:
        ValueError: a value has the wrong sign, or a shared argument is wrong.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Ftrl(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.796, 0.123], dtype=float32)

    Reference: McMahan et al. 2013, https://research.google/pubs/pub41159/, algorithm 1.
    """

    slots = ("accumulator", "linear")
    rule = staticmethod(optim.ftrl)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        who = f'Ftrl "{self.name}"'
        power = learning_rate_power
        check(who, "learning_rate_power", power, "0 or less", power <= 0)
        for name in ("initial_accumulator_value", *list(_FTRL.values())[1:4]):
            value = getattr(self, name)
            check(who, name, value, "0 or more", value >= 0)

    def _slot_start(self, name: str, variable: engine.Variable) -> Any:
        if name == "accumulator":
            return initializers.Constant(self.initial_accumulator_value)
        return "zeros"

    def _rule_of(self, variable: engine.Variable) -> tuple[Callable[..., Any], dict[str, Any]]:
        return type(self).rule, {short: self._setting(name) for short, name in _FTRL.items()}


# The rule's name of each setting, and the constructor's.
_FTRL = {
    "power": "learning_rate_power",
    "l1": "l1_regularization_strength",
    "l2": "l2_regularization_strength",
    "shrinkage": "l2_shrinkage_regularization_strength",
    "beta": "beta",
}


class Adafactor(Optimizer):
    """Adam without momentum whose mean squares are kept by rows and columns only.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        beta_2_decay: The mean squares forget as ``1 - step ** beta_2_decay``, below 0.
        epsilon_1: Added to squared gradients.
        epsilon_2: Least scale of a variable, which its steps are relative to.
        clip_threshold: Largest root mean square of a step before scaling.
        relative_step: Whether the learning rate is at most ``1 / sqrt(step)``.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable of two axes or more: means over rows and over columns of the last two
        axes (for others two unused scalars), and velocity.

    Example:
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = tf.keras.optimizers.Adafactor(0.1).apply_gradients([(tf.constant([3.0, -0.1]), w)])
        >>> w.numpy().round(3)
        array([0.842, 2.158], dtype=float32)

    Reference: Shazeer & Stern 2018, https://arxiv.org/abs/1804.04235, algorithms 4 and 5.
    """

    settings = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    rule = staticmethod(optim.adafactor)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def _add_slots(self, variables: Sequence[engine.Variable]):
        for v in variables:
            self._slots[identity(v)] = self._factors(v)
            self._slots[identity(v)]["velocity"] = self.add_variable_from_reference(v, "velocity")

    def _slots_of(self, variable: engine.Variable) -> tuple[Variable, ...]:
        return tuple(self._slots[identity(variable)].values())

    def _factors(self, variable: engine.Variable) -> dict[str, Variable]:
        name = variable.name.replace(":", "_")
        shape = tuple(variable.shape)
        if len(shape) < 2:
            # Unused, but there in Keras' files.
            unused = [Variable(0, trainable=False, autocast=False, name=name) for _ in range(2)]
            self._variables += unused
            return {}
        sizes = {"rows": shape[:-1], "columns": shape[:-2] + shape[-1:]}
        return {k: self.add_variable(v, dtype=variable.dtype, name=name) for k, v in sizes.items()}

    def _rule_of(self, variable: engine.Variable) -> tuple[Callable[..., Any], dict[str, Any]]:
        rule, settings = super()._rule_of(variable)
        settings["relative_step"] = self.relative_step and not callable(self._learning_rate)
        return rule, settings
