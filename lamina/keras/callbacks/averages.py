"""SwapEMAWeights: evaluating and saving with the moving averages of the weights."""

from collections.abc import Callable
from typing import Any

from lamina.keras.callbacks.base import Callback

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the moving averages in the place of the weights while the model is tested.

    The optimizer must keep them: `use_ema=True`.

    Args:
        swap_on_epoch: Whether they stand there between epochs too, so that callbacks after this
            one (ModelCheckpoint) save them.

    Raises:
        ValueError: no optimizer has `use_ema=True`.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> model.compile(tf.keras.optimizers.SGD(use_ema=True), "mse")
        >>> data = np.ones([4, 2]), np.ones(4)
        >>> swap = tf.keras.callbacks.SwapEMAWeights()
        >>> history = model.fit(*data, validation_data=data, callbacks=[swap], verbose=0)

    Reference: Polyak and Juditsky 1992, https://doi.org/10.1137/0330046.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Train with the weights."""
        if self.swap_on_epoch:
            self._set(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Leave the averages in the model, if asked to."""
        if not self.swap_on_epoch or self._swapped:
            return
        self._set(True)
        if epoch == (self.params or {}).get("epochs", 0) - 1:
            # fit ends by setting the weights to what stands in the averages' place.
            self._each(lambda weight, average: average.assign(weight.numpy()))

    def on_test_begin(self, logs: Any = None) -> None:
        """Test with the averages."""
        self._set(True)

    def on_test_end(self, logs: Any = None) -> None:
        """Go back to the weights."""
        self._set(False)

    def on_predict_begin(self, logs: Any = None) -> None:
        """Predict with the averages."""
        self._set(True)

    def on_predict_end(self, logs: Any = None) -> None:
        """Go back to the weights."""
        self._set(False)

    def _set(self, swapped: bool) -> None:
        if self._swapped == swapped:
            return

        def swap(weight: Any, average: Any) -> None:
            value = weight.numpy()
            weight.assign(average.numpy())
            average.assign(value)

        self._each(swap)
        self._swapped = swapped

    def _each(self, action: Callable[[Any, Any], None]) -> None:
        """Call a function of (weight, average) for all weights that are averaged."""
        outer = self.model.optimizer
        inner = getattr(outer, "inner_optimizer", outer)
        optimizers = getattr(inner, "optimizers", None) or [inner]
        averaging = [o for o in optimizers if getattr(o, "use_ema", False)]
        if not averaging:
            raise ValueError(
                f"SwapEMAWeights: an optimizer with use_ema=True is needed; got {inner!r}.\n"
                f"  Fix: pass use_ema=True to the optimizer."
            )
        for optimizer in averaging:
            optimizer._add_missing_sums()
            pairs = zip(
                optimizer._trainable_variables,
                optimizer._model_variables_moving_average,
                strict=True,
            )
            for weight, average in pairs:
                action(weight, average)
