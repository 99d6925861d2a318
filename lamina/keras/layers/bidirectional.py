"""Bidirectional: a recurrent layer run forwards and backwards."""

from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor, nest
from lamina.keras.core import Layer, checks

__all__ = ["Bidirectional"]

_MERGES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer):
    """Run a recurrent layer forwards, and a second one backwards, and merge their outputs.

    Letters: B batch, T time, U units of the layer.

    Args:
        layer: The recurrent layer; it is copied, under the name "forward_…".
        merge_mode: How outputs are merged: "concat" along the last axis, "sum", "mul", "ave";
            None returns both.
        weights: Start values of the weights, as from `get_weights`, or None.
        backward_layer: The layer that runs backwards; None makes one from the config of `layer`.
        **kwargs: See `Layer`.

    Call:
        sequences: What the layer takes, ``(B, T, …)``.
        initial_state: The states of the forward layer, then those of the backward layer; or None.
        mask: Boolean ``(B, T)``, or None.
        training: Passed to the layers.

    Returns:
        ``(B, 2 U)``, or ``(B, T, 2 U)`` if the layer returns sequences, for "concat"; U in place
        of 2 U for the others; a tuple of two for None. If the layer returns states, a tuple of
        that, the states of the forward layer and those of the backward layer. Outputs of both
        stand in the order of time.

    Raises:
        TypeError: `layer` is no recurrent layer.
        ValueError: `merge_mode` is unknown, or the two layers do not fit.
    Masking:
        The mask passes through if sequences are returned.

    Example:
        >>> layer = tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(4, return_sequences=True))
        >>> layer(tf.ones((2, 5, 3))).shape
        TensorShape([2, 5, 8])

    Reference: Schuster and Paliwal 1997, "Bidirectional recurrent neural networks".
    """

    supports_masking = True
    _config_omit = ("weights",)

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._check_recurrent("layer", layer)
        self.merge_mode = checks.choice(self, "merge_mode", merge_mode, _MERGES)
        name = layer.name.removeprefix("forward_")
        self.forward_layer = _copied(layer, f"forward_{name}", layer.go_backwards)
        if backward_layer is None:
            self.backward_layer = _copied(layer, f"backward_{name}", not layer.go_backwards)
        else:
            self._check_recurrent("backward_layer", backward_layer)
            self.backward_layer = backward_layer
        self._check_pair()
        for one in (self.forward_layer, self.backward_layer):
            # What is masked must not show in the merged output.
            one.zero_output_for_mask = one.return_sequences
        self._start_weights = weights

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None):
        for one in (self.forward_layer, self.backward_layer):
            if not one.built:
                one.build(sequences_shape)
        if self._start_weights is not None:
            self.set_weights(self._start_weights)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        first, second = self._halves(initial_state)
        y, *states = _listed(self.forward_layer(sequences, initial_state=first, mask=mask))
        z, *others = _listed(self.backward_layer(sequences, initial_state=second, mask=mask))
        y, z = (ops.cast(each, self.compute_dtype) for each in (y, z))
        if self.return_sequences:
            time = 0 if getattr(self.forward_layer, "time_major", False) else 1
            z = nest.map_structure(lambda t: ops.reverse(t, [time]), z)
        merged = self._merged(y, z)
        if not self.return_state:
            return merged
        merged = merged if isinstance(merged, tuple) else (merged,)
        return (*merged, *states, *others)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = nest.flatten(mask)[0] if mask is not None else None
        mask = mask if self.return_sequences else None
        masks = [mask] if self.merge_mode is not None else [mask, mask]
        if self.return_state:
            masks += [None] * (2 * len(nest.flatten(self.forward_layer.state_size)))
        return masks if len(masks) > 1 else mask

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Any:
        # As Keras: by the forward layer, whatever `backward_layer` gives.
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states: tuple[Any, ...] = ()
        if self.return_state:
            shape, *found = shape
            states = tuple(found)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        if not states:
            return shape if self.merge_mode is not None else (shape, shape)
        return (*([shape] if self.merge_mode is not None else [shape, shape]), *states, *states)

    def _merged(self, y: Any, z: Any) -> Any:
        if self.merge_mode is None:
            return y, z
        if self.merge_mode == "concat":
            return ops.concat([y, z], axis=-1)
        if self.merge_mode == "mul":
            return y * z
        return y + z if self.merge_mode == "sum" else (y + z) / 2

    def _halves(self, initial_state: Any) -> tuple[Any, Any]:
        if initial_state is None:
            return None, None
        states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        if len(states) % 2:
            raise ValueError(
                f"{checks.label(self)}: `initial_state` must hold the states of the forward "
                f"layer, then as many of the backward layer; got {len(states)}.\n"
                f"  Fix: [h, h] for a GRU, [h, c, h, c] for an LSTM."
            )
        half = len(states) // 2
        return states[:half], states[half:]

    # -- what the layers say

    @property
    def layer(self) -> Any:
        """The forward layer."""
        return self.forward_layer

    @property
    def return_sequences(self) -> bool:
        """Whether the layers return the outputs of all steps."""
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        """Whether the layers return their states."""
        return self.forward_layer.return_state

    @property
    def stateful(self) -> bool:
        """Whether the layers keep their states from batch to batch."""
        return self.forward_layer.stateful

    @property
    def states(self) -> Any:
        """The kept states of the forward layer, then of the backward layer; None without."""
        kept = [one.states for one in (self.forward_layer, self.backward_layer)]
        return None if None in kept else tuple(nest.flatten(kept))

    def reset_state(self) -> None:
        """Start the next batch anew, for stateful layers."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """As `reset_state`."""
        self.reset_state()

    # -- checks

    def _check_recurrent(self, argument: str, layer: Any) -> None:
        needed = ("go_backwards", "return_sequences", "return_state")
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{checks.label(self)}: `{argument}` must be a layer; got {layer!r} "
                f"({type(layer).__name__}).\n  Fix: Bidirectional(LSTM(32))."
            )
        lacking = [name for name in needed if not hasattr(layer, name)]
        if lacking:
            raise TypeError(
                f"{checks.label(self)}: `{argument}` must be a recurrent layer, with "
                f"{', '.join(needed)}; got {checks.label(layer)} without {', '.join(lacking)}.\n"
                f"  Fix: use RNN, LSTM, GRU or SimpleRNN."
            )

    def _check_pair(self) -> None:
        one, other = self.forward_layer, self.backward_layer
        if one.go_backwards == other.go_backwards:
            raise ValueError(
                f"{checks.label(self)}: `layer` and `backward_layer` must differ in "
                f"`go_backwards`; got {one.go_backwards} for both.\n"
                f"  Fix: make `backward_layer` with go_backwards=True."
            )
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(one, name, None) != getattr(other, name, None):
                raise ValueError(
                    f"{checks.label(self)}: `layer` and `backward_layer` must agree in `{name}`; "
                    f"got {getattr(one, name, None)} and {getattr(other, name, None)}.\n"
                    f"  Fix: give both the same `{name}`."
                )


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _copied(layer: Any, name: str, go_backwards: bool) -> Any:
    config = {**layer.get_config(), "name": name, "go_backwards": go_backwards}
    made = type(layer).from_config(config)
    if hasattr(layer, "use_cudnn"):  # configs have it not
        made.use_cudnn = layer.use_cudnn
    return made
