"""Optimizers made of optimizers: dynamic loss scaling, and different ones for variables."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lamina import engine, ops
from lamina.engine import Tensor, convert_to_tensor, local
from lamina.keras import initializers, registry
from lamina.keras.capture import Captured
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.optimizers.steps import dense_gradient
from lamina.keras.variable import Variable
from lamina.ops import optim

__all__ = ["LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"]


class LossScaleOptimizer(Optimizer):
    """Keep float16 gradients from vanishing: scale the loss, and the gradients back.

    A step whose gradients are not all finite is skipped and halves the scale; a number of good
    steps in a row doubles it. ``fit`` scales the loss; own loops call ``scale_loss``.

    Args:
        inner_optimizer: The optimizer that updates the variables.
        initial_scale: The first scale.
        dynamic_growth_steps: Good steps in a row before the scale doubles.
        name: A name.
        **kwargs: Accepted with their default values only, as in old configs.

    State:
        step_counter (good steps since the scale changed), dynamic_scale, then that of
        ``inner_optimizer``.

    Raises:
        ValueError: an argument belongs to the inner optimizer.

    Example:
        >>> optimizer = tf.keras.optimizers.LossScaleOptimizer(tf.keras.optimizers.SGD(0.5))
        >>> w = tf.Variable(1.0)
        >>> with tf.GradientTape() as tape:
        ...     loss = optimizer.scale_loss(3.0 * w)
        >>> _ = optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        >>> w.numpy()
        np.float32(-0.5)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        kwargs = {k: v for k, v in kwargs.items() if k not in _IGNORED or v != _IGNORED[k]}
        if kwargs:
            raise ValueError(
                f"LossScaleOptimizer: only `inner_optimizer`, `initial_scale`, "
                f"`dynamic_growth_steps` and `name` were expected; got "
                f"{', '.join(f'`{k}={v!r}`' for k, v in kwargs.items())} too.\n"
                f"  Fix: give them to the inner optimizer; `loss_scale_factor` there is a fixed "
                f"scale."
            )
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(
                f"LossScaleOptimizer: `inner_optimizer` must be an Optimizer; got "
                f"{inner_optimizer!r}.\n  Fix: pass tf.keras.optimizers.get(...)."
            )
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # gradients are not to be scaled back twice

    def build(self, variables: Iterable[engine.Variable]):
        """Make the state for `variables`, the inner optimizer's too.

        Args:
            variables: The variables to train.
        """
        variables = list(variables)
        if not self.built:
            scale = initializers.Constant(self.initial_scale)
            self.step_counter = self.add_variable((), dtype="int64", name="step_counter")
            self.dynamic_scale = self.add_variable((), scale, "float32", name="dynamic_scale")
        self.inner_optimizer.build(variables)
        super().build(variables)

    def _forget(self, gone: Iterable[engine.Variable]):
        gone = list(gone)
        self.inner_optimizer._forget(gone)
        super()._forget(gone)

    def _reorder(self, variables: Sequence[engine.Variable]):
        self.inner_optimizer._reorder(variables)
        super()._reorder(variables)

    @property
    def variables(self) -> list[Variable]:
        """All state, then that of the inner optimizer."""
        return self._variables + self.inner_optimizer.variables

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's learning rate."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any):
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    @property
    def iterations(self) -> Any:
        """The inner optimizer's number of updates: skipped steps do not count."""
        return self.inner_optimizer.iterations

    def apply(
        self, grads: Sequence[Any], trainable_variables: Iterable[engine.Variable] | None = None
    ):
        """Update variables by scaled gradients, if all of these are finite.

        Args:
            grads: One gradient of the scaled loss for each variable.
            trainable_variables: The variables; None for those that the optimizer was built with.
        """
        grads = list(grads)
        if not grads:
            return
        if local.replica is not None:
            local.replica.updating(self.apply, grads, trainable_variables)
            return
        variables = self._matched(grads, trainable_variables)
        scale = self.dynamic_scale._read()
        dense = [
            None if g is None else dense_gradient(g, v)
            for g, v in zip(grads, variables, strict=True)
        ]
        given = [g for g in dense if g is not None]
        if not given:
            self._with_gradient(dense, variables)  # says so
        finite = optim.all_finite(*given)
        scaled = [None if g is None else ops.divide(g, ops.cast(scale, g.dtype)) for g in dense]
        touched = [*variables, *self.inner_optimizer.variables]
        self._only_if(finite, touched, lambda: self.inner_optimizer.apply(scaled, variables))
        scale, count = optim.grown_scale(
            scale, self.step_counter._read(), finite, growth_steps=self.dynamic_growth_steps
        )
        self.dynamic_scale._set(scale)
        self.step_counter._set(count)

    def scale_loss(self, loss: Any) -> Tensor:
        """Return the loss times the scale of now."""
        loss = convert_to_tensor(loss)
        scale = self.dynamic_scale if self.built else self.initial_scale
        return ops.multiply(loss, ops.cast(scale, loss.dtype))

    def finalize_variable_values(self, var_list: Iterable[engine.Variable]):
        """Set variables to the inner optimizer's averages, if it keeps them."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def _config_head(self) -> dict[str, Any]:
        return {"name": self.name}


# What old configs hold without effect.
_IGNORED = {
    **dict.fromkeys(Optimizer._config_head_keys[2:]),
    **{"use_ema": False, "ema_momentum": 0.99, "dynamic": True},
}


class OptimizerMap(Captured):
    """Which optimizer a variable gets, by its path.

    Args:
        default_optimizer: For paths that no entry matches.
        optimizer_map: Path or regular expression (matched in full) → optimizer.

    Raises:
        TypeError: an argument is of another kind.

    Example:
        >>> optimizers = tf.keras.optimizers
        >>> chosen = optimizers.OptimizerMap(optimizers.SGD(), {"encoder/.*": optimizers.Adam()})
        >>> type(chosen["encoder/dense/kernel"]).__name__
        'Adam'
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"OptimizerMap: `default_optimizer` must be an Optimizer; got "
                f"{default_optimizer!r}.\n  Fix: pass tf.keras.optimizers.get(...)."
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(
                f"OptimizerMap: `optimizer_map` must be a dict of path → optimizer; got "
                f"{optimizer_map!r}."
            )
        self._default_optimizer = default_optimizer
        self._optimizer_map = dict(optimizer_map or {})

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer for paths that no entry matches."""
        return self._default_optimizer

    @property
    def optimizer_map(self) -> dict[str, Optimizer]:
        """A copy of the entries."""
        return dict(self._optimizer_map)

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"OptimizerMap: one entry at most must match a path; got {matching} for {key!r}.\n"
                f"  Fix: make the patterns narrower, or give the path itself an entry."
            )
        return self._optimizer_map[matching[0]] if matching else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer):
        if key in self._optimizer_map:
            raise ValueError(
                f"OptimizerMap: each key can be set once; {key!r} already exists with "
                f"{self._optimizer_map[key]!r}.\n  Fix: del map[{key!r}] first."
            )
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a key must be a string; got {key!r}.")
        _check_inner(optimizer, key)
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str):
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def values(self) -> Iterable[Optimizer]:
        """Return the optimizers of the entries."""
        return self._optimizer_map.values()

    def __call__(self, variable: engine.Variable) -> Optimizer:
        """Return the optimizer of a variable."""
        return self[getattr(variable, "path", None) or variable.name]


def _check_inner(optimizer: Any, where: str):
    if not isinstance(optimizer, Optimizer) or isinstance(
        optimizer, LossScaleOptimizer | MultiOptimizer
    ):
        raise ValueError(
            f"MultiOptimizer: an Optimizer, but no LossScaleOptimizer or MultiOptimizer, was "
            f"expected for {where!r}; got {optimizer!r}.\n"
            f"  Fix: wrap the MultiOptimizer in a LossScaleOptimizer, not its parts."
        )


class MultiOptimizer(Optimizer):
    """Give different variables to different optimizers.

    Args:
        optimizer_map: An `OptimizerMap`, or a function from a variable to its optimizer; it must
            return the same object for variables that share one.
        loss_scale_factor: That of all the optimizers; replaces their own.
        name: A name.

    State:
        iteration and a learning rate without use, then that of each optimizer.

    Example:
        >>> optimizers = tf.keras.optimizers
        >>> slow, fast = optimizers.SGD(0.1), optimizers.SGD(1.0)
        >>> both = optimizers.MultiOptimizer(lambda v: slow if "slow" in v.name else fast)
        >>> v, w = tf.Variable(1.0, name="slow"), tf.Variable(1.0, name="fast")
        >>> _ = both.apply_gradients([(tf.constant(1.0), v), (tf.constant(1.0), w)])
        >>> v.numpy(), w.numpy()
        (np.float32(0.9), np.float32(0.0))
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[engine.Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        if not callable(optimizer_map):  # an OptimizerMap is
            raise TypeError(
                f"MultiOptimizer: `optimizer_map` must be an OptimizerMap or a function from a "
                f"variable to its optimizer; got {optimizer_map!r}."
            )
        self._inner: list[Optimizer] = []
        self._owner: dict[int, Optimizer] = {}
        super().__init__(learning_rate=0.0, loss_scale_factor=loss_scale_factor, name=name)
        self.optimizer_map = optimizer_map
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._include(optimizer)

    def _include(self, optimizer: Optimizer):
        if not any(optimizer is each for each in self._inner):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self._inner.append(optimizer)

    def build(self, variables: Iterable[engine.Variable]):
        """Make the state for `variables` in the optimizer of each.

        Args:
            variables: The variables to train.
        """
        variables = list(variables)
        for v in variables:
            if id(v) not in self._owner:
                optimizer = self.optimizer_map(v)
                _check_inner(optimizer, getattr(v, "path", None) or v.name)
                self._include(optimizer)
                self._owner[id(v)] = optimizer
        for optimizer in self._inner:
            own = [v for v in variables if self._owner[id(v)] is optimizer]
            if own:
                optimizer.build(own)
        super().build(variables)

    def _forget(self, gone: Iterable[engine.Variable]):
        gone = list(gone)
        for optimizer in self._inner:
            optimizer._forget(gone)
        for v in gone:
            self._owner.pop(id(v), None)
        super()._forget(gone)

    def _reorder(self, variables: Sequence[engine.Variable]):
        for optimizer in self._inner:
            optimizer._reorder([v for v in variables if self._owner[id(v)] is optimizer])
        super()._reorder(variables)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers."""
        return self._inner

    @property
    def variables(self) -> list[Variable]:
        """All state, then that of each optimizer."""
        return self._variables + [v for each in self._inner for v in each.variables]

    @property
    def learning_rate(self) -> Any:
        """Not there: each optimizer has its own.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(_MSG_RATE)

    @learning_rate.setter
    def learning_rate(self, value: Any):
        raise AttributeError(_MSG_RATE)

    lr = learning_rate

    @property
    def iterations(self) -> Variable:
        """The number of calls so far, an int64 Variable."""
        return self._iterations

    def apply(
        self, grads: Sequence[Any], trainable_variables: Iterable[engine.Variable] | None = None
    ):
        """Update each variable by its own optimizer.

        Args:
            grads: One gradient for each variable.
            trainable_variables: The variables; None for those that the optimizer was built with.
        """
        grads = list(grads)
        if not grads:
            return
        pairs = list(zip(grads, self._matched(grads, trainable_variables), strict=True))
        if all(g is None for g, _ in pairs):
            self._with_gradient(grads, [v for _, v in pairs])  # says so
        for optimizer in self._inner:
            own = [(g, v) for g, v in pairs if self._owner[id(v)] is optimizer]
            if any(g is not None for g, _ in own):
                optimizer.apply([g for g, _ in own], [v for _, v in own])
        self._iterations._set(optim.next_step(self._iterations._read()))

    def finalize_variable_values(self, var_list: Iterable[engine.Variable]):
        """Set variables to the averages of their optimizers that keep them."""
        var_list = list(var_list)
        for optimizer in self._inner:
            own = [v for v in var_list if self._owner.get(id(v)) is optimizer]
            optimizer.finalize_variable_values(own)

    def _config_head(self) -> dict[str, Any]:
        return {"name": self.name, "loss_scale_factor": self.loss_scale_factor}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "MultiOptimizer":
        """Return a new optimizer from what `get_config` returned."""
        with registry.CustomObjectScope(custom_objects):
            return super().from_config(config)


_MSG_RATE = (
    "MultiOptimizer: `learning_rate` is that of each of its optimizers; it has none itself.\n"
    "  Fix: use optimizer.optimizers[i].learning_rate."
)
