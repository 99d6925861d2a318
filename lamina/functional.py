"""functional(model): a model as a pure function on jax arrays, for any JAX tool."""

from collections.abc import Callable
from typing import Any

from lamina.engine import Tensor, Variable, close, nest, ready, recording
from lamina.engine.assertions import without_assertions
from lamina.engine.pending import Pending

__all__ = ["functional"]


def functional(model: Any) -> tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]:
    """Return a model as `(fn, params, state)`: a pure function, and its variables as jax arrays.

    Args:
        model: A built Layer, Model or Module.

    Returns:
        fn: `fn(params, state, *args, **kwargs) -> (outputs, new_state)`, pure and traceable by
            `jax.jit`, `jax.grad`, `jax.vmap`; arguments are jax arrays, outputs too. Assertions
            on values are not in it.
        params: The trainable variables by path.
        state: The others by path: statistics, random states.

    Raises:
        ValueError: the model has no variables yet, because it was not called.

    Example:
        >>> import jax
        >>> layer = tf.keras.layers.Dense(2)
        >>> x = layer(tf.ones([1, 3]))
        >>> fn, params, state = tf.functional(layer)
        >>> loss = lambda p, x: fn(p, state, x)[0].sum()
        >>> jax.grad(loss)(params, x[:, :1] * tf.ones([1, 3]))["dense/bias"].tolist()
        [1.0, 1.0]
    """
    variables: dict[str, Any] = {}
    for i, v in enumerate(model.variables):
        path = _path(v, i)
        variables[path if path not in variables else f"{path}_{i}"] = v
    if not variables and not getattr(model, "built", True):
        raise ValueError(
            f"lamina.functional: {model!r} has no variables yet.\n  Fix: call it on data first."
        )
    trained = {id(v) for v in model.trainable_variables}

    def fn(params: dict[str, Any], state: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        return _run(model, variables, params | state, state, args, kwargs)

    params = {p: v._read()._jax() for p, v in variables.items() if id(v) in trained}
    state = {p: v._read()._jax() for p, v in variables.items() if id(v) not in trained}
    return fn, params, state


def _path(variable: Any, i: int) -> str:
    return getattr(variable, "path", None) or f"{variable.name}_{i}"


def _run(
    model: Any,
    variables: dict[str, Any],
    values: dict[str, Any],
    state: dict[str, Any],
    args: Any,
    kwargs: Any,
) -> tuple[Any, dict[str, Any]]:
    import jax

    arrays: list[Any] = []

    def to_tensor(x: Any) -> Any:
        if isinstance(x, jax.Array):
            arrays.append(x)
            return ready(x)
        if isinstance(x, Tensor):
            arrays.append(x.__jax_array__())
            return x
        return x

    tensors = nest.map_structure(to_tensor, [list(args), kwargs])
    flat = [t for t in nest.flatten(tensors) if isinstance(t, Tensor)]

    def call(*placeholders: Tensor) -> Any:
        given = iter(placeholders)
        a, k = nest.map_structure(lambda t: next(given) if isinstance(t, Tensor) else t, tensors)
        return model(*a, **k)

    with recording(Pending()):
        closed, structure = close(call, [t._type for t in flat], "lamina.functional")
    by_id = {id(v): values[p] for p, v in variables.items()}
    outer = [by_id.get(id(o)) if isinstance(o, Variable) else o._jax() for o in closed.outer]
    outer = [
        o._read()._jax() if value is None else value
        for o, value in zip(closed.outer, outer, strict=True)
    ]
    with jax.enable_x64(True), without_assertions():
        results = closed.trace.run(*arrays, *outer)
    outputs = iter(results[: closed.outputs])
    new = dict(zip(map(id, closed.written), results[closed.outputs :], strict=True))
    new_state = {p: new.get(id(variables[p]), v) for p, v in state.items()}
    return nest.map_structure(lambda t: None if t is None else next(outputs), structure), new_state
