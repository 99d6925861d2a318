"""Layers around models of other JAX libraries: functions of parameters, and Flax modules."""

import inspect
from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor, as_dtype, nest
from lamina.keras import random
from lamina.keras.core import Layer, checks

__all__ = ["FlaxLayer", "JaxLayer"]

_CALL = ("params", "state", "rng", "inputs", "training")
_INIT = ("rng", "inputs", "training")


class JaxLayer(Layer):
    """A model written in plain JAX: a function of its parameters and inputs.

    The parameters become weights: they are trained, saved and counted like any others.

    Args:
        call_fn: The model. It takes `inputs`, an array or pytree of arrays, and any of `params`,
            `state`, `rng` and `training`, by these names, in any order. It returns the outputs,
            or ``(outputs, new_state)`` if it takes `state`.
        init_fn: What makes the parameters: it takes `inputs`, and `rng` and `training` if it
            likes, and returns params, or ``(params, state)`` if `call_fn` takes `state`.
        params: A pytree of arrays to train, in place of those that `init_fn` makes.
        state: A pytree of arrays that are not trained.
        seed: An int, from which the keys for `rng` are made; or None.
        native_serialization_platforms: Accepted for Keras' signature, unused.
        **kwargs: See `Layer`.

    Call:
        inputs: What `call_fn` takes, Tensors in place of arrays.
        training: Passed to `call_fn`, if it takes it. `rng` is None unless it is True.

    Returns:
        What `call_fn` returns, as Tensors.
    Weights:
        One for each array of `params` and `state`.
    State:
        A call assigns the new state.

    Raises:
        ValueError: a function takes other arguments, or nothing says how to make the parameters;
            or the returned state has another structure.

    Example:
        >>> def call_fn(params, inputs):
        ...     return inputs @ params["w"]
        >>> layer = tf.keras.layers.JaxLayer(call_fn, params={"w": np.ones((3, 2), "float32")})
        >>> layer(tf.ones((1, 3))).numpy()
        array([[3., 3.]], dtype=float32)

    Differs from TF: `rng` is a raw uint32 key, drawn from the layer's own stream.
    """

    _config_omit = ("params", "state", "seed")

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.call_fn = call_fn
        self.init_fn = init_fn
        self.native_serialization_platforms = native_serialization_platforms
        self._lm_call_names = self._names_of("call_fn", call_fn, _CALL)
        self._lm_init_names = self._names_of("init_fn", init_fn, _INIT) if init_fn else ()
        stateful = {"params", "state"} & set(self._lm_call_names)
        if init_fn is None and params is None and state is None and stateful:
            raise ValueError(
                f"{checks.label(self)}: `init_fn`, `params` or `state` must be given, because "
                f"`call_fn` takes {' and '.join(sorted(stateful))}; got None for all.\n"
                f"  Fix: init_fn=lambda rng, inputs: ..., which returns the parameters."
            )
        takes_rng = "rng" in self._lm_call_names
        self.seed_generator = random.SeedGenerator(seed) if takes_rng else None
        self._lm_function = ops.foreign_op(call_fn)
        self._set_variables(params, state)
        self.built = params is not None or state is not None

    def build(self, input_shape: Shape):
        if self.params is None and self.state is None and self._lm_init_names:
            params = self._initial(input_shape)
            state = None
            if "state" in self._lm_call_names:
                params, state = params
            self._set_variables(params, state)

    def call(self, inputs: Any, training: bool = False) -> Any:
        given = {"params": self.params, "state": self.state, "inputs": inputs}
        given["training"] = bool(training)
        if self.seed_generator is not None:
            given["rng"] = ops.map_pytree(ops.jax_key, self._get_call_rng(training))
        outputs = self._lm_function(*[given[name] for name in self._lm_call_names])
        if "state" not in self._lm_call_names:
            return outputs
        outputs, state = outputs
        self._assign_state(state)
        return outputs

    # -- keys; a subclass may give a structure of them

    def _get_init_seed(self) -> Tensor:
        """Return a seed for the initial values, two integers."""
        return ops.convert_to_tensor(random.SeedGenerator().next())

    def _get_init_rng(self) -> Any:
        """Return the seed, or structure of seeds, that `init_fn` gets as keys."""
        return self._get_init_seed()

    def _get_call_seed(self) -> Tensor:
        """Return a seed for one call, two integers."""
        assert self.seed_generator is not None  # `call` asks only where `rng` is taken
        return self.seed_generator.next()

    def _get_call_rng(self, training: bool | None) -> Any:
        """Return the seed, or structure of seeds, that `call_fn` gets as keys."""
        return self._get_call_seed() if training else None

    # -- weights

    def _initial(self, input_shape: Any) -> Any:
        """Run `init_fn` on ones, with 1 in place of unknown sizes."""
        given = {
            "rng": ops.map_pytree(ops.jax_key, self._get_init_rng()),
            "inputs": _ones(input_shape),
            "training": True,
        }
        assert self.init_fn is not None  # `build` asks only where there is one
        return ops.run_foreign(self.init_fn, *[given[name] for name in self._lm_init_names])

    def _set_variables(self, params: Any, state: Any) -> None:
        self.params = ops.map_pytree(lambda leaf: self._variable(leaf, True), params)
        self.state = ops.map_pytree(lambda leaf: self._variable(leaf, False), state)

    def _variable(self, value: Any, trainable: bool) -> Any:
        """Return a weight that starts as an array; other leaves are settings, and stay."""
        if not ops.is_array(value) and not isinstance(value, bool | int | float):
            return value
        start = ops.convert_to_tensor(value)
        return self.add_weight(
            shape=tuple(start.shape),
            initializer=lambda shape, dtype=None: ops.cast(start, dtype or start.dtype),
            dtype=None if start.dtype.is_floating else start.dtype,
            trainable=trainable,
        )

    def _assign_state(self, new: Any) -> None:
        try:
            ops.map_pytree(lambda value, variable: variable.assign(value), new, self.state)
        except (AttributeError, ValueError) as error:
            raise ValueError(
                f"{checks.label(self)}: the state that `call_fn` returns must have the structure "
                f"that it had at the start, {nest.map_structure(_shown, self.state)}; got "
                f"{nest.map_structure(_shown, new)}.\n  Fix: return all of the state."
            ) from error

    def _names_of(self, argument: str, fn: Any, allowed: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(inspect.signature(fn).parameters)
        unknown = [name for name in names if name not in allowed]
        if "inputs" not in names or unknown:
            raise ValueError(
                f"{checks.label(self)}: `{argument}` must take `inputs`, and of the others only "
                f"{', '.join(name for name in allowed if name != 'inputs')}; got {names}.\n"
                f"  Fix: wrap it: def {argument}({', '.join(allowed)}): ..."
            )
        return names


def _ones(shapes: Any) -> Any:
    if isinstance(shapes, dict):
        return {name: _ones(shape) for name, shape in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return ops.ones([1 if size is None else size for size in shapes], as_dtype("float32"))
    return type(shapes)(_ones(shape) for shape in shapes)


def _shown(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else str(tuple(shape))


class FlaxLayer(JaxLayer):
    """A `flax.linen` module: its "params" are trained, its other collections are state.

    Args:
        module: The module.
        method: The method to call, or a function of module and inputs; None is `__call__`. It
            takes `inputs`, one argument, and `training` if it likes.
        variables: The module's variables, as from ``module.init``; None makes them at the first
            call.
        **kwargs: `seed`, for dropout; and see `Layer`.

    Call:
        inputs: What the method takes, Tensors in place of arrays.
        training: Passed to the method, if it takes it. Training gives a "dropout" key.

    Returns:
        What the method returns, as Tensors.
    Weights:
        One for each array of the module's variables.
    State:
        A call assigns the collections other than "params".

    Raises:
        ImportError: Flax is not installed.
        ValueError: the method takes no `inputs`.

    Example:
        >>> from flax import linen  # doctest: +SKIP
        >>> layer = tf.keras.layers.FlaxLayer(linen.Dense(4))  # doctest: +SKIP
        >>> layer(tf.ones((2, 3))).shape  # doctest: +SKIP
        TensorShape([2, 4])
    """

    _config_omit = ("variables",)

    def __init__(self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any):
        method = getattr(module, method) if isinstance(method, str) else method
        call_fn, init_fn = _flax_functions(module, method)
        params, state = _split(variables)
        super().__init__(call_fn, init_fn, params, state, **kwargs)
        self.module = module
        # A method of the module is saved by name.
        bound = getattr(method, "__self__", None) is module
        self.method = method.__name__ if bound else method

    def _get_init_rng(self) -> Any:
        return {"params": self._get_init_seed(), "dropout": self._get_init_seed()}

    def _get_call_rng(self, training: bool | None) -> Any:
        return {"dropout": self._get_call_seed()} if training else {}


def _flax_functions(module: Any, method: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the `call_fn` and `init_fn` of a Flax module."""
    try:
        from flax import linen  # pyright: ignore[reportMissingImports]  # optional
    except ImportError as error:
        raise ImportError(
            "FlaxLayer: the package flax must be installed; it is not.\n  Fix: pip install flax."
        ) from error
    mutable = linen.DenyList(["params"])

    def call(params: Any, state: Any, rng: Any, inputs: Any, **training: bool) -> Any:
        variables = {**(params or {}), **(state or {})}
        return module.apply(variables, inputs, rngs=rng, method=method, mutable=mutable, **training)

    def init(rng: Any, inputs: Any, **training: bool) -> Any:
        return _split(module.init(rng, inputs, method=method, **training))

    if "training" not in inspect.signature(method or module.__call__).parameters:
        return (
            lambda params, state, rng, inputs: call(params, state, rng, inputs),
            lambda rng, inputs: init(rng, inputs),
        )
    return (
        lambda params, state, rng, inputs, training: call(
            params, state, rng, inputs, training=training
        ),
        lambda rng, inputs, training: init(rng, inputs, training=training),
    )


def _split(variables: Any) -> tuple[Any, Any]:
    """Return a module's variables as (params, state), each with its collections' names."""
    if variables is None:
        return None, None
    params = {name: value for name, value in variables.items() if name == "params"}
    return params, {name: value for name, value in variables.items() if name != "params"}
