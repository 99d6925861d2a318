"""The arguments of an optimizer: checks, learning rate, settings that change, config."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, ClassVar

import numpy as np

from lamina import engine, ops
from lamina.engine import Tensor, context, convert_to_tensor
from lamina.keras import initializers, policy, registry
from lamina.keras.capture import Captured
from lamina.keras.naming import auto_name
from lamina.keras.optimizers.schedules import InverseTimeDecay, LearningRateSchedule
from lamina.keras.spelling import note_older
from lamina.keras.variable import Variable

__all__ = ["check", "shared_arguments"]


class _Arguments(Captured):
    """What an optimizer is told; `Optimizer` says what the arguments mean."""

    slots: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()

    _config_omit = ("args", "learning_rate")
    _config_head_keys = (
        "name",
        "learning_rate",
        "weight_decay",
        "clipnorm",
        "global_clipnorm",
        "clipvalue",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "loss_scale_factor",
        "gradient_accumulation_steps",
    )

    def __init__(self, *args: Any, **kwargs: Any):  # so in Keras: `_configure` has the arguments
        self._configure(*args, **kwargs)

    def _configure(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        self.name = name or auto_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        learning_rate = self._older_learning_rate(learning_rate, kwargs)
        self._check_arguments(kwargs)
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[engine.Variable] = []
        self._trainable_variables_indices: dict[int, int] = {}
        self._model_variables_moving_average: list[Variable] = []
        self._accumulated_gradients: list[Variable] = []
        self._slots: dict[int, dict[str, Variable]] = {}
        self._plans: dict[Any, Any] = {}
        self._late: dict[str, Any] = {}
        self._excluded: tuple[frozenset[int], re.Pattern | None] = (frozenset(), None)
        self._warned: set[tuple[str, ...]] = set()
        self._waiting_state: list[Any] = []
        self._iterations = self.add_variable((), dtype="int64", name="iteration")
        self._learning_rate = self._as_learning_rate(learning_rate)

    def _older_learning_rate(self, rate: Any, kwargs: dict[str, Any]) -> Any:
        """Take `lr=` and `decay=` as TensorFlow 2.0–2.10 meant them."""
        name = type(self).__name__
        if "lr" in kwargs:
            note_older(f"tf.keras.optimizers.{name}(lr=)", "learning_rate=")
            rate = kwargs.pop("lr")
        decay = kwargs.pop("decay", None)
        if decay is None:
            return rate
        note_older(
            f"tf.keras.optimizers.{name}(decay=)",
            "learning_rate=tf.keras.optimizers.schedules.InverseTimeDecay(rate, 1, decay)",
        )
        return InverseTimeDecay(rate, 1, decay) if decay and not callable(rate) else rate

    def _check_arguments(self, unknown: dict[str, Any]):
        who = f'{type(self).__name__} "{self.name}"'
        if unknown:
            raise ValueError(
                f"{who}: the arguments of {type(self).__name__} were expected; got "
                f"{', '.join(f'`{k}={v!r}`' for k, v in unknown.items())} too.\n"
                f"  Fix: remove {'it' if len(unknown) == 1 else 'them'}."
            )
        clips = {k: getattr(self, k) for k in ("clipnorm", "clipvalue", "global_clipnorm")}
        clips = {k: v for k, v in clips.items() if v is not None}
        if len(clips) > 1:
            raise ValueError(
                f"{who}: at most one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set; "
                f"got {', '.join(f'{k}={v}' for k, v in clips.items())}.\n  Fix: keep one."
            )
        steps = self.gradient_accumulation_steps
        check(who, "gradient_accumulation_steps", steps, "2 or more", not steps or steps >= 2)
        if self.use_ema:
            share, every = self.ema_momentum, self.ema_overwrite_frequency
            check(who, "ema_momentum", share, "in [0, 1]", 0 <= share <= 1)
            whole = not every or (isinstance(every, int) and every >= 1)
            check(who, "ema_overwrite_frequency", every, "an int >= 1 or None", whole)

    def _as_learning_rate(self, rate: Any) -> Any:
        if callable(rate) or isinstance(rate, engine.Variable):
            return rate
        if not isinstance(rate, float | np.floating | Tensor):
            raise ValueError(
                f'{type(self).__name__} "{self.name}": `learning_rate` must be a float, a '
                f"LearningRateSchedule or a function without arguments; got {rate!r} "
                f"({type(rate).__name__}).\n  Fix: pass a float, such as 1e-3."
            )
        return self.add_variable(
            (), lambda shape, dtype: ops.cast(rate, dtype), policy.floatx(), name="learning_rate"
        )

    def __setattr__(self, name: str, value: Any):
        if name not in self.settings and name not in _CHANGEABLE:
            super().__setattr__(name, value)
            return
        object.__setattr__(self, name, value)
        if self.__dict__.get("_plans"):
            self._note_change(name, value)

    def _note_change(self, name: str, value: Any):
        """Take a setting that changes during training as an operand: one new program at most."""
        kept = self._late.get(name)
        if isinstance(value, float) and isinstance(kept, Variable):
            kept.assign(value)
            return
        self._late.pop(name, None)
        if isinstance(value, engine.Variable | Tensor):
            self._late[name] = value
        elif isinstance(value, float) and (name in self.settings or name == "weight_decay"):
            with context.init_scope():
                self._late[name] = Variable(value, dtype="float64", trainable=False, name=name)
        self._forget_plans()

    def _forget_plans(self):
        """Let steps that were compiled before be recorded anew."""
        self._plans.clear()
        context.versions.structure += 1

    def _setting(self, name: str) -> Any:
        """Return a setting: a Variable if it changes during training."""
        return self._late.get(name, getattr(self, name))

    def add_variable(
        self,
        shape: Iterable[Any],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a state variable.

        Args:
            shape: Its shape, all sizes known.
            initializer: An initializer, its name, or a function of ``(shape, dtype=)``.
            dtype: Its dtype; None takes ``tf.keras.config.floatx()``.
            aggregation: Accepted: one process keeps one copy.
            layout: Accepted: state is laid out as the variables it is computed from.
            name: The last part of its path.
        """
        initializer = initializer if callable(initializer) else initializers.get(initializer)
        with self._scope():
            made = Variable(
                initializer,
                shape=tuple(shape),
                dtype="int64" if dtype == "int" else dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                name=name,
            )
        self._variables.append(made)
        return made

    def _scope(self) -> Any:
        """Return the name scope of the state, unless it is open already."""
        is_open = context.local.names.rpartition("/")[2] == self.name
        return nullcontext() if is_open else context.name_scope(self.name)

    @property
    def iterations(self) -> Any:
        """The number of updates so far, an int64 scalar."""
        steps = self.gradient_accumulation_steps
        return ops.floordiv(self._iterations, steps) if steps else self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate of the next step: a Variable, or the schedule's value.

        Assign a number, Tensor or Variable to change its value, or a schedule or function to
        replace it. It takes effect in the next step, compiled or not.

        Raises:
            TypeError: a number is assigned where a schedule decides.
        """
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        return rate() if callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, value: Any):
        before = self._learning_rate
        if callable(value):
            self._variables = [v for v in self._variables if v is not before]
            self._learning_rate = value
            self._forget_plans()
        elif callable(before):
            raise TypeError(
                f'{type(self).__name__} "{self.name}": `learning_rate` cannot be set to a number '
                f"while {type(before).__name__} decides it; got {value!r}.\n"
                f"  Fix: make the optimizer with a float, or assign another schedule."
            )
        else:
            before.assign(ops.cast(convert_to_tensor(value), before.dtype))

    lr = learning_rate

    def _config_head(self) -> dict[str, Any]:
        rate = self._learning_rate
        rate = registry.serialize_keras_object(rate) if callable(rate) else float(rate.numpy())
        return {
            name: rate if name == "learning_rate" else getattr(self, name)
            for name in self._config_head_keys
        }


# What all steps read in Python, besides the settings of the rule.
_CHANGEABLE = frozenset(
    [
        "clipnorm",
        "clipvalue",
        "ema_momentum",
        "ema_overwrite_frequency",
        "global_clipnorm",
        "gradient_accumulation_steps",
        "loss_scale_factor",
        "use_ema",
        "weight_decay",
    ]
)


_SHARED = list(inspect.signature(_Arguments._configure).parameters.values())[2:-1]


def shared_arguments(init: Callable[..., None]) -> Callable[..., None]:
    """Give a constructor, before its ``**kwargs``, the arguments that all optimizers share.

    They are stated once, in `Optimizer._configure`; the constructor finds them in its ``kwargs``.
    """
    signature = inspect.signature(init)
    *own, rest = signature.parameters.values()
    own += [p for p in _SHARED if p.name not in signature.parameters]
    names = [p.name for p in own]

    @functools.wraps(init)
    def __init__(self: _Arguments, *args: Any, **kwargs: Any):  # noqa: N807
        if len(args) >= len(names):
            raise TypeError(
                f"{type(self).__name__}: at most {len(names) - 1} arguments were expected; got "
                f"{len(args)}.\n  Fix: pass arguments by name."
            )
        init(self, **dict(zip(names[1:], args)), **kwargs)  # noqa: B905

    vars(__init__)["__signature__"] = signature.replace(parameters=[*own, rest])
    return __init__


def check(who: str, name: str, value: Any, expected: str, is_right: bool):
    """Raise ValueError, in the house's form, unless an argument is right."""
    if not is_right:
        raise ValueError(f"{who}: `{name}` must be {expected}; got {value!r}.")
