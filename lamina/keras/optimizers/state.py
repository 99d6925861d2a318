"""The state of an optimizer: variables for each trained one, how they are made and saved."""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lamina import engine
from lamina.engine.identity import identity
from lamina.keras.core.module import watchers
from lamina.keras.optimizers.arguments import _Arguments, check
from lamina.keras.variable import Variable

__all__: list[str] = []


class _State(_Arguments):
    """What an optimizer remembers from step to step."""

    @property
    def variables(self) -> list[Any]:
        """All state: iterations, learning rate, then what `build` made, in Keras' order."""
        listed: list[Any] = self._variables[:]
        seen = {identity(v) for v in listed} | self._trainable_variables_indices.keys()
        others = [v for k, v in self.__dict__.items() if k not in _OWN_ATTRIBUTES]
        for v in _variables_in(others):
            if identity(v) not in seen:
                seen.add(identity(v))
                listed.append(v)
        return listed

    def build(self, variables: Iterable[engine.Variable]):
        """Make the state for `variables`; those that have it already are left alone.

        Args:
            variables: The variables to train.
        """
        indices = self._trainable_variables_indices
        fresh = [v for v in variables if identity(v) not in indices]
        for v in fresh:
            indices[identity(v)] = len(self._trainable_variables)
            self._trainable_variables.append(v)
        self._add_missing_sums()
        self._add_slots(fresh)
        self.built = True
        if self._waiting_state:
            self._load(self._waiting_state)
        for watch in watchers:
            watch(self)

    def _add_missing_sums(self):
        """Make averages and gradient sums, if they are used, for variables without them."""
        for is_used, listed, name in (
            (self.use_ema, self._model_variables_moving_average, "average"),
            (self.gradient_accumulation_steps, self._accumulated_gradients, "gradient_accumulator"),
        ):
            if is_used and len(listed) < len(self._trainable_variables):
                missing = self._trainable_variables[len(listed) :]
                listed += self.add_optimizer_variables(missing, name)

    def _slot_groups(self) -> Iterable[tuple[str, ...]]:
        """Return slot names in groups: a group is made for all variables before the next one."""
        return (self.slots,)

    def _add_slots(self, variables: Sequence[engine.Variable]):
        """Make the slots that are missing."""
        for names in self._slot_groups():
            for v in variables:
                if getattr(v, "overwrite_with_gradient", False):
                    continue  # its gradient is its next value
                slots = self._slots.setdefault(identity(v), {})
                for name in (n for n in names if n not in slots):
                    start = self._slot_start(name, v)
                    slots[name] = self.add_variable_from_reference(v, name, start)

    def _slots_of(self, variable: engine.Variable) -> tuple[Variable, ...]:
        """Return the slots of a variable in the order that its rule takes them."""
        names = [name for group in self._slot_groups() for name in group]
        slots = self._slots.get(identity(variable), {})
        if any(name not in slots for name in names):  # a setting that needs them came later
            self._add_slots([variable])
        return tuple(self._slots[identity(variable)][name] for name in names)

    def _forget(self, gone: Iterable[engine.Variable]):
        """Drop the state of variables that are trained no more."""
        ids = {identity(v) for v in gone}
        kept = [i for i, v in enumerate(self._trainable_variables) if identity(v) not in ids]
        dropped = {identity(s) for v in ids for s in self._slots.pop(v, {}).values()}
        for listed in (self._model_variables_moving_average, self._accumulated_gradients):
            if listed:
                dropped |= {identity(v) for i, v in enumerate(listed) if i not in kept}
                listed[:] = [listed[i] for i in kept]
        self._variables[:] = [v for v in self._variables if identity(v) not in dropped]
        self._trainable_variables[:] = [self._trainable_variables[i] for i in kept]
        self._number_variables()

    def _reorder(self, variables: Sequence[engine.Variable]):
        """Put the state in the order of all variables, as if it had been built for them now."""
        before = self._trainable_variables_indices
        if {identity(v) for v in variables} != before.keys():
            return
        order = [before[identity(v)] for v in variables]
        state: list[Any] = []
        for listed in (self._model_variables_moving_average, self._accumulated_gradients):
            if listed:
                listed[:] = [listed[i] for i in order]
                state += listed
        for names in self._slot_groups():
            slots = [self._slots.get(identity(v), {}) for v in variables]
            state += [some[n] for some in slots for n in names if n in some]
        ids = {identity(v) for v in state}
        self._variables[:] = [v for v in self._variables if identity(v) not in ids] + state
        self._trainable_variables[:] = variables
        self._number_variables()

    def _number_variables(self):
        indices = self._trainable_variables_indices
        indices.clear()
        indices.update({identity(v): i for i, v in enumerate(self._trainable_variables)})
        self._forget_plans()

    def _slot_start(self, name: str, variable: engine.Variable) -> Any:
        """Return the initializer of a slot."""
        return "zeros"

    def add_variable_from_reference(
        self,
        reference_variable: engine.Variable,
        name: str | None = None,
        initializer: Any = "zeros",
    ) -> Variable:
        """Make a state variable of the shape and dtype of another variable.

        Args:
            reference_variable: The variable.
            name: What follows the variable's path in the name.
            initializer: As for `add_variable`.
        """
        path = getattr(reference_variable, "path", None) or reference_variable.name
        return self.add_variable(
            reference_variable.shape,
            initializer,
            reference_variable.dtype,
            name=f"{re.sub('[/:]', '_', path)}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Iterable[engine.Variable], name: Any, initializer: Any = "zeros"
    ) -> Any:
        """Make state variables for each of several variables.

        Args:
            trainable_variables: The variables.
            name: One name, or several.
            initializer: One initializer for all names, or one for each.

        Returns:
            A list with one variable for each of `trainable_variables`; for several names a tuple
            of such lists.

        Raises:
            ValueError: there are more or fewer initializers than names.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, list | tuple)
        starts = list(initializer) if several else [initializer] * len(names)
        check(
            f'{type(self).__name__} "{self.name}"',
            "initializer",
            initializer,
            f"one initializer, or one for each of the names {names}",
            len(names) == len(starts),
        )
        rows = [
            [self.add_variable_from_reference(v, *pair) for pair in zip(names, starts, strict=True)]
            for v in trainable_variables
        ]
        columns = tuple([row[i] for row in rows] for i in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def set_weights(self, weights: Sequence[Any]):
        """Assign all state.

        Args:
            weights: One array for each of `variables`.

        Raises:
            ValueError: the optimizer is not built, or a shape differs.
        """
        who = f'{type(self).__name__} "{self.name}"'
        if not self.built:
            raise ValueError(
                f"{who}: set_weights needs an optimizer that is built; it has no state yet.\n"
                f"  Fix: call optimizer.build(model.trainable_variables) first."
            )
        for i, (variable, weight) in enumerate(zip(self.variables, weights, strict=False)):
            fits = tuple(np.shape(weight)) == tuple(variable.shape)
            check(who, f"weights[{i}]", np.shape(weight), f"of shape {variable.shape}", fits)
            variable.assign(weight)

    def save_own_variables(self, store: Any):
        """Write the state into a mapping, under "0", "1", … in the order of `variables`."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]):
        """Read the state from a mapping that `save_own_variables` wrote.

        Where the optimizer is not built yet, slots get their values when it is. If the numbers of
        variables differ, nothing is read, with a warning, as in Keras.
        """
        state = [np.asarray(store[str(i)]) for i in range(len(store.keys()))]
        if self.built or len(state) <= len(self.variables):
            self._load(state)
        else:
            self._waiting_state = state
            # Its own come first; those of an optimizer inside move on when state is made.
            for variable, value in zip(self._variables, state, strict=False):
                if value.shape == tuple(variable.shape):
                    variable.assign(value)

    def _load(self, state: list[Any]):
        self._waiting_state = []
        variables = self.variables
        if len(state) != len(variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has "
                f"{len(variables)} variables whereas the saved optimizer has {len(state)} "
                f"variables.\n  Fix: build it for the same trainable variables as when it was "
                f"saved.",
                stacklevel=4,
            )
            return
        for variable, value in zip(variables, state, strict=True):
            variable.assign(value)

    def __deepcopy__(self, memo: dict[int, Any]) -> "_State":
        """Copy the optimizer for copies of its variables, where those are copied too."""
        made = memo[identity(self)] = type(self).from_config(self.get_config())
        if self.built:
            made.build([memo.get(identity(v), v) for v in self._trainable_variables])
        made._load([v.numpy() for v in self.variables])
        return made

    def __reduce__(self) -> Any:
        state = [v.numpy() for v in self.variables]
        return _restored, (type(self), self.get_config(), state)


_OWN_ATTRIBUTES = frozenset(
    [
        "_accumulated_gradients",
        "_captured",
        "_excluded",
        "_iterations",
        "_late",
        "_learning_rate",
        "_model_variables_moving_average",
        "_plans",
        "_slots",
        "_trainable_variables",
        "_trainable_variables_indices",
        "_variables",
        "_waiting_state",
        "_warned",
    ]
)


def _restored(cls: type[_State], config: dict[str, Any], state: list[Any]) -> _State:
    made = cls.from_config(config)
    made.load_own_variables({str(i): value for i, value in enumerate(state)})
    return made


def _variables_in(value: Any) -> Iterator[engine.Variable]:
    if isinstance(value, engine.Variable):
        yield value
    elif isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _variables_in(each)
