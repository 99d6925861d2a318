"""Learning rate schedules: the learning rate as a function of the step."""

from collections.abc import Mapping, Sequence
from typing import Any

from lamina import engine
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras import policy, registry
from lamina.keras.capture import Captured
from lamina.ops import decay

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(Captured):
    """Base class of schedules: write ``__call__(step)``, and give it to an optimizer.

    The optimizer calls it in each step with its count of steps, an int64 Variable; the call must
    use Tensor operations (``tf.cond``, ``tf.where``), since ``fit`` records it once.

    Example:
        >>> class Halving(tf.keras.optimizers.schedules.LearningRateSchedule):
        ...     def __init__(self, start):
        ...         self.start = start
        ...
        ...     def __call__(self, step):
        ...         return self.start * 0.5 ** tf.cast(step, tf.float32)
        >>> optimizer = tf.keras.optimizers.SGD(Halving(0.4))
        >>> w = tf.Variable(1.0)
        >>> for _ in range(2):
        ...     _ = optimizer.apply_gradients([(tf.constant(1.0), w)])
        >>> round(float(w), 4)
        0.4
    """

    def __init__(self):
        pass

    def __call__(self, step: Any) -> Any:
        """Return the learning rate for a step, counted from 0."""
        raise NotImplementedError(
            f"{type(self).__name__}: a schedule must define the learning rate of a step.\n"
            f"  Fix: write `def __call__(self, step)` in {type(self).__name__}."
        )


def _rate(value: Any) -> Any:
    """Return a rate as what decides the result's dtype; Python numbers take floatx."""
    if isinstance(value, int | float):
        return convert_to_tensor(float(value), policy.floatx())
    return value


def _check_steps(schedule: Any, name: str, steps: Any):
    is_known = not isinstance(steps, Tensor | engine.Variable)
    if is_known and steps <= 0:
        raise ValueError(
            f"{type(schedule).__name__}: `{name}` must be > 0; got {steps!r}.\n"
            f"  Fix: pass the number of steps over which the rate decays."
        )


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps after which the rate has changed by the factor ``decay_rate``, > 0.
        decay_rate: That factor.
        staircase: Whether the rate changes only once every ``decay_steps``.
        name: A name.

    Raises:
        ValueError: ``decay_steps`` is not positive.

    Example:
        >>> schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        >>> round(float(schedule(20)), 6)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        _check_steps(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> Tensor:
        rate = _rate(self.initial_learning_rate)
        return decay.exponential_decay(
            step, rate, self.decay_steps, self.decay_rate, staircase=self.staircase
        )


class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps after which the divisor has grown by ``decay_rate``, > 0.
        decay_rate: That growth.
        staircase: Whether the rate changes only once every ``decay_steps``.
        name: A name.

    Raises:
        ValueError: ``decay_steps`` is not positive.

    Example:
        >>> schedule = tf.keras.optimizers.schedules.InverseTimeDecay(0.1, 10, 0.5)
        >>> round(float(schedule(20)), 6)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        decay_rate: Any,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name
        _check_steps(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> Tensor:
        rate = _rate(self.initial_learning_rate)
        return decay.inverse_time_decay(
            step, rate, self.decay_steps, self.decay_rate, staircase=self.staircase
        )


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the end rate along ``(1 - step / decay_steps) ** power``.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps until the end rate, > 0.
        end_learning_rate: The rate from then on.
        power: The power; 1 is a line.
        cycle: Whether to start anew, ``decay_steps`` longer each time, instead of staying at the
            end rate.
        name: A name.

    Raises:
        ValueError: ``decay_steps`` is not positive.

    Example:
        >>> schedule = tf.keras.optimizers.schedules.PolynomialDecay(0.1, 10, 0.0)
        >>> round(float(schedule(5)), 6)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        end_learning_rate: Any = 0.0001,
        power: Any = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name
        _check_steps(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> Tensor:
        rate = _rate(self.initial_learning_rate)
        end, power = self.end_learning_rate, self.power
        return decay.polynomial_decay(step, rate, self.decay_steps, end, power, cycle=self.cycle)


class CosineDecay(LearningRateSchedule):
    """A half cosine down to ``alpha`` times the rate, after a linear warmup if asked for.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Length of the cosine in steps, > 0, after the warmup.
        alpha: The last rate as a fraction of the rate that the cosine starts from.
        name: A name.
        warmup_target: The rate at the end of the warmup; None for no warmup.
        warmup_steps: Length of the warmup in steps.

    Raises:
        ValueError: ``decay_steps`` is not positive.

    Example:
        >>> schedule = tf.keras.optimizers.schedules.CosineDecay(
        ...     0.0, 10, warmup_target=0.1, warmup_steps=5
        ... )
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 15)]
        [0.0, 0.1, 0.05, 0.0]

    Reference: Loshchilov & Hutter 2016, https://arxiv.org/abs/1608.03983, eq. 5.
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        decay_steps: Any,
        alpha: Any = 0.0,
        name: str = "CosineDecay",
        warmup_target: Any = None,
        warmup_steps: Any = 0,
    ):
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_steps = warmup_steps
        self.warmup_target = warmup_target
        _check_steps(self, "decay_steps", decay_steps)

    def __call__(self, step: Any) -> Tensor:
        rate = _rate(self.initial_learning_rate)
        return decay.cosine_decay(
            step, rate, self.decay_steps, self.alpha, self.warmup_target, self.warmup_steps
        )


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after another, each longer and lower than the one before.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: Length of the first cosine in steps, > 0.
        t_mul: Factor from the length of one cosine to that of the next.
        m_mul: Factor from the height of one cosine to that of the next.
        alpha: The lowest rate as a fraction of the initial one.
        name: A name.

    Raises:
        ValueError: ``first_decay_steps`` is not positive.

    Example:
        >>> schedule = tf.keras.optimizers.schedules.CosineDecayRestarts(0.1, 10)
        >>> [round(float(schedule(step)), 4) for step in (0, 5, 10, 20)]
        [0.1, 0.05, 0.1, 0.05]

    Reference: Loshchilov & Hutter 2016, https://arxiv.org/abs/1608.03983, section 3.
    """

    def __init__(
        self,
        initial_learning_rate: Any,
        first_decay_steps: Any,
        t_mul: Any = 2.0,
        m_mul: Any = 1.0,
        alpha: Any = 0.0,
        name: str = "SGDRDecay",
    ):
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name
        _check_steps(self, "first_decay_steps", first_decay_steps)

    def __call__(self, step: Any) -> Tensor:
        rate = _rate(self.initial_learning_rate)
        return decay.cosine_restarts(
            step, rate, self.first_decay_steps, self.t_mul, self.m_mul, self.alpha
        )


class PiecewiseConstantDecay(LearningRateSchedule):
    """One rate for each interval of steps.

    Args:
        boundaries: Increasing steps; each is the last of its interval.
        values: The rates of the intervals, one more than ``boundaries``.
        name: A name.

    Raises:
        ValueError: there are not as many values as intervals.

    Example:
        >>> schedules = tf.keras.optimizers.schedules
        >>> schedule = schedules.PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.1])
        >>> [round(float(schedule(step)), 4) for step in (100, 101, 201)]
        [1.0, 0.5, 0.1]
    """

    def __init__(
        self, boundaries: Sequence[Any], values: Sequence[Any], name: str = "PiecewiseConstant"
    ):
        super().__init__()
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: `values` must have one element more than `boundaries`; "
                f"got {len(values)} values {list(values)} for {len(boundaries)} boundaries "
                f"{list(boundaries)}.\n  Fix: give a value for each interval, the last one too."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        if not self.boundaries:
            return convert_to_tensor(self.values[0])
        return decay.piecewise_constant(step, *self.boundaries, *self.values)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return the config of a schedule.

    Args:
        learning_rate_schedule: The schedule.

    Returns:
        A dict with "class_name" and "config" that `deserialize` reads.

    Example:
        >>> schedule = tf.keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        >>> tf.keras.optimizers.schedules.serialize(schedule)["class_name"]
        'ExponentialDecay'
    """
    return registry.serialize_keras_object(learning_rate_schedule)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """Return the schedule of a config.

    Args:
        config: What `serialize` returned.
        custom_objects: Names of own classes.

    Returns:
        A new schedule.

    Example:
        >>> schedules = tf.keras.optimizers.schedules
        >>> config = schedules.serialize(schedules.ExponentialDecay(0.1, 10, 0.5))
        >>> schedules.deserialize(config).decay_rate
        0.5
    """
    return registry.deserialize_keras_object(config, custom_objects=custom_objects)
