"""Muon: orthogonal steps for matrices, Adam for the rest."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lamina import engine
from lamina.engine.identity import identity
from lamina.keras.optimizers.arguments import shared_arguments
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.variable import Variable
from lamina.ops import optim

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum whose matrix is made orthogonal before each step.

    Variables of two axes are updated so; all others, embeddings, and those of ``exclude_layers``
    by AdamW.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        adam_beta_1: Adam's decay of the mean gradient.
        adam_beta_2: Adam's decay of the mean squared gradient.
        adam_weight_decay: Weight decay of the variables that Adam updates, or None.
        epsilon: Added to Adam's root, against division by 0.
        weight_decay: Weight decay of the variables that Muon updates, or None.
        exclude_layers: Regular expressions; Adam updates variables in whose path one is found.
        exclude_embeddings: Whether Adam updates variables with "embedding" in their path.
        muon_a: Newton-Schulz coefficient of X.
        muon_b: Newton-Schulz coefficient of (X X') X.
        muon_c: Newton-Schulz coefficient of (X X')² X.
        adam_lr_ratio: Adam's learning rate as a multiple of ``learning_rate``.
        momentum: Decay of the gradients that are added up.
        ns_steps: Newton-Schulz steps.
        nesterov: Whether to use Nesterov momentum.
        rms_rate: Root mean square of a step over the learning rate; None for steps of spectral
            norm 1.
        **kwargs: The arguments of `tf.keras.optimizers.Optimizer`.

    State:
        For each variable: momentum, and velocity where Adam updates it.

    Example:
        >>> w = tf.Variable([[3.0, 0.0], [0.0, 4.0]])
        >>> optimizer = tf.keras.optimizers.Muon(0.1, weight_decay=None, rms_rate=None)
        >>> _ = optimizer.apply_gradients([(tf.constant([[1.0, 0.0], [0.0, 1.0]]), w)])
        >>> w.numpy().round(2)
        array([[2.89, 0.  ],
               [0.  , 3.89]], dtype=float32)

    Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; Liu et al. 2025,
    https://arxiv.org/abs/2502.16982, eq. 4 (rms_rate).
    """

    settings = (
        *("momentum", "nesterov", "ns_steps", "rms_rate", "muon_a", "muon_b", "muon_c", "epsilon"),
        *("adam_lr_ratio", "adam_beta_1", "adam_beta_2", "adam_weight_decay"),
    )
    rule = staticmethod(optim.muon)

    @shared_arguments
    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Iterable[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _should_use_adamw(self, variable: engine.Variable) -> bool:
        path = getattr(variable, "path", None) or variable.name
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(re.search(keyword, path) for keyword in self.exclude_layers)

    def _add_slots(self, variables: Sequence[engine.Variable]):
        for v in variables:
            names = ("momentum", "velocity") if self._should_use_adamw(v) else ("momentum",)
            self._slots[identity(v)] = {n: self.add_variable_from_reference(v, n) for n in names}

    def _slots_of(self, variable: engine.Variable) -> tuple[Variable, ...]:
        return tuple(self._slots[identity(variable)].values())

    def _rule_of(self, variable: engine.Variable) -> tuple[Callable[..., Any], dict[str, Any]]:
        if self._should_use_adamw(variable):
            names, rule = _ADAM, optim.muon_adam
        else:
            names, rule = _MUON, optim.muon
        return rule, {short: self._setting(name) for short, name in names.items()}


# The rules' name of each setting, and the constructor's.
_ADAM = {
    "ratio": "adam_lr_ratio",
    "beta_1": "adam_beta_1",
    "beta_2": "adam_beta_2",
    "epsilon": "epsilon",
    "weight_decay": "adam_weight_decay",
}
_MUON = {
    "momentum": "momentum",
    "nesterov": "nesterov",
    "ns_steps": "ns_steps",
    "rms_rate": "rms_rate",
    "weight_decay": "weight_decay",
    "a": "muon_a",
    "b": "muon_b",
    "c": "muon_c",
}
