"""Any optax transformation as an optimizer."""

from collections.abc import Iterable
from typing import Any

from lamina import engine, ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.optimizers.arguments import shared_arguments
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.optimizers.steps import dense_gradient
from lamina.keras.variable import Variable
from lamina.ops import optim

__all__ = ["Optax"]


class _Transform:
    """A transformation that hashes by identity: a constant of the recorded program."""

    def __init__(self, tx: Any):
        self.init = tx.init
        self.update = tx.update


class Optax(Optimizer):
    """Use an optax ``GradientTransformation`` as an optimizer.

    Its parameters are a dict from the variables' paths to their values, so that masks and labels
    can go by name; a variable without a gradient counts with a gradient of 0, and stays as it is.

    Args:
        tx: The transformation, such as ``optax.adam(1e-3)``.
        learning_rate: Factor on its updates: 1.0 leaves the rate to the transformation.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        One variable for each array in the transformation's state.

    Raises:
        TypeError: ``tx`` has no ``init`` and ``update``.

    Example:
        >>> import optax
        >>> optimizer = tf.keras.optimizers.Optax(optax.chain(optax.clip(1.0), optax.sgd(0.1)))
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = optimizer.apply_gradients([(tf.constant([3.0, -0.5]), w)])
        >>> w.numpy()
        array([0.9 , 2.05], dtype=float32)

    Differs from TF: not there. A transformation cannot be written to a file: `get_config` raises;
    the state can, with `save_own_variables`.
    """

    @shared_arguments
    def __init__(self, tx: Any, learning_rate: Any = 1.0, **kwargs: Any):
        if not (callable(getattr(tx, "init", None)) and callable(getattr(tx, "update", None))):
            raise TypeError(
                f"Optax: `tx` must be an optax GradientTransformation; got {tx!r} "
                f"({type(tx).__name__}).\n  Fix: pass optax.adam(1e-3) or the like."
            )
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.tx = tx
        self._transform = _Transform(tx)
        self._leaves: dict[str, Variable] = {}

    def get_config(self) -> dict[str, Any]:
        """Raise TypeError: functions cannot be written to a config."""
        raise TypeError(
            f'Optax "{self.name}": only plain values can go into a config; got {self.tx!r}, '
            f"which is made of functions.\n  Fix: make the optimizer anew, and load its state with "
            f"load_own_variables."
        )

    def build(self, variables: Iterable[engine.Variable]):
        """Make the transformation's state for `variables`; state that is there is kept.

        Args:
            variables: The variables to train.
        """
        waiting, self._waiting_state = self._waiting_state, []
        super().build(variables)
        known = self._trainable_variables
        self._names = tuple(
            f"{path}#{i}" if path in paths[:i] else path
            for paths in [[getattr(v, "path", None) or v.name for v in known]]
            for i, path in enumerate(paths)
        )
        with engine.context.init_scope():
            values = [v._read() for v in known]
            start = optim.transform_init(*values, transform=self._transform, names=self._names)
            shapes = tuple(tuple(v.shape) for v in known)
            leaves = optim.transform_state_names(
                self._transform,
                self._names,
                shapes,
                tuple(engine.as_dtype(v.dtype).np for v in known),
            )
            for name, value in zip(leaves, start, strict=True):
                if name not in self._leaves:
                    self._leaves[name] = self._add_leaf(name, value)
        self._order = [self._leaves[name] for name in leaves]
        if waiting:
            self._load(waiting)

    def _add_leaf(self, name: str, value: Tensor) -> Variable:
        words = "".join(c if c.isalnum() else " " for c in name).split()
        return self.add_variable(
            value.shape, lambda shape, dtype: value, value.dtype, name="_".join(words) or "state"
        )

    def _step(self, grads: list[Any], variables: list[engine.Variable]):
        lr = convert_to_tensor(self.learning_rate)
        given = {id(v): g for g, v in zip(grads, variables, strict=True)}
        known = self._trainable_variables
        values = []
        for v in known:
            value = v._read()
            if self.weight_decay is not None and id(v) in given and self._use_weight_decay(v):
                value = optim.decayed(value, lr, self.weight_decay)
            values.append(value)
        dense = [
            dense_gradient(given[id(v)], v) if id(v) in given else ops.zeros_like(x)
            for v, x in zip(known, values, strict=True)
        ]
        state = [leaf._read() for leaf in self._order]
        new = optim.transform_update(
            lr, *dense, *values, *state, transform=self._transform, names=self._names
        )
        for v, value in zip(known, new[: len(known)], strict=True):
            if id(v) in given:
                v._set(value)
        for leaf, value in zip(self._order, new[len(known) :], strict=True):
            leaf._set(value)
