"""Dropout in recurrent cells: factors that stay the same over the steps of a sequence.

Letters: B batch, G gates.
"""

from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import random
from lamina.keras.core import Layer, checks

__all__ = ["DroppingCell"]


class DroppingCell(Layer):
    """A cell whose inputs and states may be dropped, apart for each gate.

    A subclass calls `set_dropout` in its constructor, and `_masks` in `call`.

    Reference: Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287.
    """

    gates: ClassVar[int] = 1
    _lm_masks: dict[str, Any]

    def set_dropout(self, dropout: Any, recurrent_dropout: Any, seed: int | None) -> None:
        """Set the shares of inputs and states that are dropped, in [0, 1), and the seed."""
        self.dropout = checks.fraction(self, "dropout", dropout, below_one=True)
        self.recurrent_dropout = checks.fraction(
            self, "recurrent_dropout", recurrent_dropout, below_one=True
        )
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.__dict__["_lm_masks"] = {}

    def get_dropout_mask(self, step_input: Tensor) -> Tensor | list[Tensor] | None:
        """Return the factors of the inputs: ``(B, F)``, or one such for each gate.

        They are kept until `reset_dropout_mask`. None without dropout.
        """
        return self._by_gate(self._mask("input", self.dropout, step_input))

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Tensor | list[Tensor] | None:
        """Return the factors of the state; see `get_dropout_mask`."""
        return self._by_gate(self._mask("state", self.recurrent_dropout, step_input))

    def reset_dropout_mask(self) -> None:
        """Forget the factors of the inputs; the next use draws new ones."""
        self._lm_masks.pop("input", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the factors of the state; the next use draws new ones."""
        self._lm_masks.pop("state", None)

    def _mask(self, which: str, rate: float, like: Tensor) -> Tensor | None:
        """Return the factors ``(G, B, ·)`` for what is multiplied by a kernel, or None."""
        if rate == 0:
            return None
        kept = self._lm_masks.get(which)
        # A mask drawn while another program was traced has no value in this one.
        if kept is None or not (kept._value is not None or kept._trace.alive):
            ones = ops.stack([ops.ones_like(like)] * self.gates)
            kept = random.dropout(ones, rate, seed=self.seed_generator)
            self._lm_masks[which] = kept
        return kept

    def _by_gate(self, mask: Tensor | None) -> Tensor | list[Tensor] | None:
        if mask is None:
            return None
        parts = ops.unstack(mask, self.gates)
        return parts[0] if self.gates == 1 else parts

    def _masks(
        self, x: Tensor, state: Tensor, training: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        if not training:
            return None, None
        inputs = self._mask("input", self.dropout, x)
        return inputs, self._mask("state", self.recurrent_dropout, state)
