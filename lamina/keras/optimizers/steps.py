"""One step of an optimizer: clipping, accumulation, the update of each variable, averages."""

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from lamina import engine, ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.engine.identity import identity
from lamina.keras.optimizers.state import _State
from lamina.keras.variable import Variable
from lamina.ops import optim

__all__ = ["as_gradient", "dense_gradient"]


class _Steps(_State):
    """What an optimizer does with gradients."""

    rule: ClassVar[Any] = None

    def update(self, grad: Tensor, value: Tensor, *slots: Tensor, step: Tensor, lr: Tensor) -> Any:
        """Return the new value of a variable and its new slots: the whole algorithm.

        Args:
            grad: The gradient, in the dtype of the variable.
            value: The variable's value, after weight decay.
            *slots: The state of this variable, in the order of the class's ``slots``.
            step: The number of this step, from 1, in the dtype of the variable.
            lr: The learning rate, in the dtype of the variable.

        Returns:
            A tuple: the new value, then the new slots.
        """
        raise NotImplementedError(_MSG_NO_UPDATE.format(name=type(self).__name__))

    def update_step(self, gradient: Any, variable: engine.Variable, learning_rate: Any):
        """Update one variable and its state by assigning them, without weight decay.

        Args:
            gradient: Its gradient.
            variable: The variable.
            learning_rate: The learning rate, a scalar.
        """
        step, lr = self._step_count(), convert_to_tensor(learning_rate)
        if self.rule is None or type(self).update is not _Steps.update:
            self._update_one(dense_gradient(gradient, variable), variable, step, lr)
        else:
            self._run_rule([as_gradient(gradient)], [variable], step, lr, decay=False)

    def _clipped(self, grads: list[Any], variables: list[engine.Variable]) -> list[Any]:
        norm, limit, joint = self.clipnorm, self.clipvalue, self.global_clipnorm
        if not (norm or limit or joint):
            return grads
        grads = [dense_gradient(g, v) for g, v in zip(grads, variables, strict=True)]
        if norm and norm > 0:
            return [optim.clipped_by_norm(g, norm=norm) for g in grads]
        if joint and joint > 0:
            return optim.clipped_by_global_norm(*grads, norm=joint)
        if limit and limit > 0:
            return [optim.clipped_by_value(g, limit=limit) for g in grads]
        return grads

    def _accumulate(self, grads: list[Any], variables: list[engine.Variable]):
        """Add up gradients; in each last step of a round, take a step with their mean."""
        self._add_missing_sums()
        steps, count = self.gradient_accumulation_steps, self._iterations._read()
        kept = set()
        means = []
        for g, v in zip(grads, variables, strict=True):
            total = self._accumulated_gradients[self._get_variable_index(v)]
            mean, rest = optim.accumulated(dense_gradient(g, v), total._read(), count, steps=steps)
            total._set(rest)
            means.append(mean)
            kept.add(identity(total))
        for total in self._accumulated_gradients:
            if identity(total) not in kept:
                total._set(optim.emptied(total._read(), count, steps=steps))
        is_last = optim.is_last(count, steps=steps)
        touched = [*variables, *(v for v in self.variables if identity(v) not in kept)]
        self._only_if(
            is_last, touched, lambda: self._step(self._clipped(means, variables), variables)
        )

    def _only_if(self, condition: Tensor, touched: list[Any], run: Callable[[], None]):
        """Run a step, and take back its assignments where the condition does not hold."""
        before = [v._read() for v in touched]
        run()
        after = [v._read() for v in touched]
        changed = [i for i in range(len(touched)) if after[i] is not before[i]]
        new = [after[i] for i in changed]
        new = optim.selected(condition, *new, *[before[i] for i in changed])
        for i, value in zip(changed, new, strict=True):
            touched[i]._set(value)

    def _step_count(self) -> Tensor:
        count = self.iterations
        return count if type(count) is Tensor else count._read()

    def _step(self, grads: list[Any], variables: list[engine.Variable]):
        """Update all variables by the gradients as they are."""
        cls = type(self)
        lr, step = convert_to_tensor(self.learning_rate), self._step_count()
        own_update = cls.update is not _Steps.update or self.rule is None
        if cls.update_step is _Steps.update_step and not own_update:
            self._run_rule(grads, variables, step, lr, decay=True)
            return
        for g, v in zip(grads, variables, strict=True):
            if self.weight_decay is not None and self._use_weight_decay(v):
                v._set(optim.decayed(v._read(), lr, self.weight_decay))
            if cls.update_step is not _Steps.update_step:
                self.update_step(g if type(g) is Tensor else dense_gradient(g, v), v, lr)
            else:
                self._update_one(dense_gradient(g, v), v, step, lr)

    def _update_one(self, grad: Tensor, variable: engine.Variable, step: Tensor, lr: Tensor):
        dtype = variable.dtype
        targets = (variable, *self._slots_of(variable))
        new = self.update(
            ops.cast(grad, dtype),
            *[t._read() for t in targets],
            step=ops.cast(optim.next_step(step), dtype),
            lr=ops.cast(lr, dtype),
        )
        new = new if isinstance(new, list | tuple) else (new,)
        for target, value in zip(targets, new, strict=True):
            target.assign(value)

    def _run_rule(
        self, grads: list[Any], variables: Any, step: Tensor, lr: Tensor, decay: bool
    ) -> None:
        """Record one operation for all variables: the loop that must be quick."""
        dense = [type(grad) is Tensor for grad in grads]
        key = (decay, *dense, *map(identity, variables))
        found = self._plans.get(key)
        if found is None:
            found = self._plan_all(variables, dense, decay)
            self._plans[key] = found
        update, targets, reads = found
        if all(dense):
            parts = grads
        else:
            parts = [
                p for g in grads for p in ((g,) if type(g) is Tensor else (g.values, g.indices))
            ]
        engine.set_all(targets, update(step, lr, *parts, *engine.read_all(reads)))

    def _plan_all(self, variables: Any, dense: list[bool], decay: bool) -> Any:
        """Return (operation, variables it assigns, variables it reads) of a whole step."""
        plans = [self._plan(v, decay) for v in variables]
        counts = tuple(len(reads) for _, _, reads in plans)
        update = optim.together(tuple(update for update, _, _ in plans), tuple(dense), counts)
        targets = [v for _, some, _ in plans for v in some]
        return update, targets, [v for _, _, some in plans for v in some]

    def _plan(self, variable: engine.Variable, decay: bool) -> Any:
        """Return (function, variables it assigns, variables it reads) of one variable's update."""
        rule, settings = self._rule_of(variable)
        settings.setdefault("weight_decay", self._setting("weight_decay"))
        if not (decay and self._use_weight_decay(variable)):
            settings["weight_decay"] = None
        late = {k: v for k, v in settings.items() if isinstance(v, engine.Variable | Tensor)}
        late = {k: v if isinstance(v, engine.Variable) else Variable(v) for k, v in late.items()}
        settings = {k: v for k, v in settings.items() if k not in late}
        slots = self._slots_of(variable)
        state = (*slots, *self._shared_state())
        update = optim.bound(rule, len(state), tuple(late), **settings)
        return update, (variable, *slots), (variable, *state, *late.values())

    def _rule_of(self, variable: engine.Variable) -> tuple[Callable[..., Any], dict[str, Any]]:
        """Return the update rule of a variable and its settings."""
        return type(self).rule, {name: self._setting(name) for name in self.settings}

    def _shared_state(self) -> tuple[Variable, ...]:
        """Return state that all variables' rules read after their slots."""
        return ()

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[engine.Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ):
        """Leave variables out of weight decay; replaces what an earlier call said.

        Args:
            var_list: These variables.
            var_names: Variables in whose name one of these regular expressions is found, such as
                ``["bias", "gamma"]``.
        """
        pattern = re.compile("|".join(set(var_names))) if var_names else None
        self._excluded = frozenset(identity(v) for v in var_list or ()), pattern
        self._forget_plans()

    def _use_weight_decay(self, variable: engine.Variable) -> bool:
        ids, pattern = self._excluded
        if identity(variable) in ids:
            return False
        return pattern is None or pattern.search(variable.name) is None

    def _average(self):
        """Move the averages towards the variables, which they replace if it is time."""
        self._add_missing_sums()
        step = self._step_count()
        every = self.ema_overwrite_frequency or None
        pairs = zip(self._trainable_variables, self._model_variables_moving_average, strict=True)
        for variable, average in pairs:
            mean, value = optim.averaged(
                variable._read(), average._read(), step, momentum=self.ema_momentum, frequency=every
            )
            average._set(mean)
            if every:
                variable._set(value)

    def finalize_variable_values(self, var_list: Iterable[engine.Variable]):
        """Set variables to their moving averages, if `use_ema`; `fit` calls this at its end.

        Args:
            var_list: The variables.
        """
        if self.use_ema and self.built:
            for v in var_list:
                if identity(v) in self._trainable_variables_indices:
                    average = self._model_variables_moving_average[self._get_variable_index(v)]
                    v.assign(average._read())

    def assign(self, variable: engine.Variable, value: Any):
        """Assign `value`, cast to the variable's dtype; for use in `update_step`."""
        variable.assign(ops.cast(value, variable.dtype))

    def assign_add(self, variable: engine.Variable, value: Any):
        """Add `value`, cast to the variable's dtype; for use in `update_step`."""
        variable.assign_add(ops.cast(value, variable.dtype))

    def assign_sub(self, variable: engine.Variable, value: Any):
        """Subtract `value`, cast to the variable's dtype; for use in `update_step`."""
        variable.assign_sub(ops.cast(value, variable.dtype))

    def _get_variable_index(self, variable: engine.Variable) -> int:
        return self._trainable_variables_indices[identity(variable)]


_MSG_NO_UPDATE = """{name}: an optimizer must say how it updates a variable.
  Fix: define its state and its update,

    class {name}(tf.keras.optimizers.Optimizer):
        slots = ("momentum",)
        def update(self, grad, value, momentum, *, step, lr):
            momentum = 0.9 * momentum + grad
            return value - lr * momentum, momentum

  or `build` and `update_step(gradient, variable, learning_rate)` as in Keras."""


def as_gradient(grad: Any) -> Any:
    """Return a Tensor, or the rows of `tf.IndexedSlices` as they are."""
    if type(grad) is not Tensor and hasattr(grad, "indices"):
        return grad
    return convert_to_tensor(grad)


def dense_gradient(grad: Any, variable: engine.Variable) -> Tensor:
    """Return a gradient of a variable as one Tensor of its shape."""
    if isinstance(grad, Tensor):
        return grad
    if hasattr(grad, "indices"):
        return optim.densified(grad.values, grad.indices, variable._read())
    return convert_to_tensor(grad)
