"""TimeDistributed: a layer applied to each step of sequences."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, nest
from lamina.keras import registry
from lamina.keras.core import checks
from lamina.keras.layers.rnn import in_dtype
from lamina.keras.layers.wrapper import Wrapper
from lamina.ops.loops import run_scan

__all__ = ["TimeDistributed"]


class TimeDistributed(Wrapper):
    """Apply a layer to each step of sequences, with the same weights.

    Letters: B batch, T time.

    Args:
        layer: The layer, or model.
        **kwargs: See `Layer`.

    Call:
        inputs: ``(B, T, …)``: what the layer takes, with T after the batch.
        training: Passed to the layer.
        mask: Boolean, ``(B, T)``, or ``(B, T, …)`` for the layer; or None.

    Returns:
        ``(B, T, …)``: what the layer gives for each step, with T after the batch.
    State:
        That of the layer, which changes step by step, as in batch normalization.

    Raises:
        ValueError: `layer` is no layer, an input has fewer than 3 axes, or the mask does not fit.
    Masking:
        The mask passes through. One with more than two axes goes on to the layer.

    Example:
        >>> layer = tf.keras.layers.TimeDistributed(tf.keras.layers.Dense(4))
        >>> layer(tf.ones((2, 5, 3))).shape
        TensorShape([2, 5, 4])
    """

    supports_masking = True

    def build(self, input_shape: Any = None):
        checks.rank(self, input_shape, at_least=3)
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Any:
        self._check_mask(inputs, mask)
        found = self._applied(inputs, mask)
        return nest.map_structure(lambda y: in_dtype(self, y), found)

    def _applied(self, inputs: Tensor, mask: Tensor | None) -> Any:
        given = [inputs]
        # Of lamina's own, a layer that knows of time has no use for the mask of one step.
        if mask is not None and (mask.ndim > 2 or not registry.is_own(type(self.layer))):
            given += [mask] * ("mask" in self.layer._lm_spec.names)
        if not self._has_state():
            return self._all_at_once(given)
        if inputs.shape[1] is None:
            steps = [ops.transpose(g, [1, 0, *range(2, g.ndim)]) for g in given]
            who = checks.label(self)
            _, outputs = run_scan(lambda state, now: (state, self._step(now)), (), steps, who=who)
            return nest.map_structure(
                lambda y: ops.transpose(y, [1, 0, *range(2, y.ndim)]), outputs
            )
        columns = zip(*[ops.unstack(g, axis=1) for g in given], strict=True)
        outputs = [self._step(list(column)) for column in columns]
        return nest.map_structure(lambda *parts: ops.stack(parts, axis=1), *outputs)

    def _check_mask(self, inputs: Tensor, mask: Tensor | None) -> None:
        if mask is None:
            return
        pairs = zip(inputs.shape[:2], mask.shape[:2], strict=False)
        if mask.ndim < 2 or any(a != b and None not in (a, b) for a, b in pairs):
            raise ValueError(
                f"{checks.label(self)}: `mask` must start with the axes (batch, time), "
                f"{tuple(inputs.shape[:2])}; got {tuple(mask.shape)}.\n"
                f"  Fix: one bool for each step of each sequence."
            )

    def _has_state(self) -> bool:
        """Return whether a step changes something that the next one reads, or draws at random."""
        layers = self.layer._flatten_layers()
        return bool(self.layer.non_trainable_variables) or any(
            getattr(one, "stateful", False) for one in layers
        )

    def _step(self, given: list[Any]) -> Any:
        return self.layer(given[0], **({"mask": given[1]} if len(given) > 1 else {}))

    def _all_at_once(self, given: list[Tensor]) -> Any:
        """Apply the layer to all steps as one batch of ``B T`` rows."""
        batch, time = (ops.shape(given[0])[i] for i in range(2))
        rows = [ops.reshape(g, [batch * time, *_sizes(g, 2)]) for g in given]
        outputs = self._step(rows)
        return nest.map_structure(lambda y: ops.reshape(y, [batch, time, *_sizes(y, 1)]), outputs)


def _sizes(x: Tensor, start: int) -> list[Any]:
    """Return the sizes of the axes from `start` on, as ints where they are known."""
    return [
        ops.shape(x)[i] if size is None else size for i, size in enumerate(x.shape) if i >= start
    ]
