"""tf.experimental.dispatch_for_*: what TF's functions do with values of one's own classes."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, Variable, convert_to_tensor, dispatching

__all__ = [
    "UNARY_NAMES",
    "dispatch_for_api",
    "dispatch_for_binary_elementwise_apis",
    "dispatch_for_binary_elementwise_assert_apis",
    "dispatch_for_unary_elementwise_apis",
    "functions_named",
    "names_in",
    "unregister_dispatch_for",
]


def names_in(words: str) -> list[str]:
    """Return the words of a text, for tables of names."""
    return words.split()


UNARY_NAMES = names_in(
    "abs acos acosh adjust_brightness adjust_gamma angle as_string asin asinh atan atanh "
    "bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 bessel_k0 bessel_k0e "
    "bessel_k1 bessel_k1e bessel_y0 bessel_y1 cast ceil check_numerics clip_by_value conj "
    "convert_image_dtype cos cosh dawsn decode_base64 decode_compressed digamma elu "
    "encode_base64 erf erfc erfcinv erfinv exp expint expm1 floor fresnel_cos fresnel_sin "
    "gelu imag invert is_finite is_inf is_nan leaky_relu lgamma log log1p log_sigmoid "
    "log_softmax logical_not ndtri negative nextafter ones_like random_brightness real "
    "reciprocal reciprocal_no_nan regex_full_match regex_replace relu relu6 rint round rsqrt "
    "saturate_cast selu sigmoid sign silu sin sinh softplus softsign spence sqrt square "
    "stateless_random_brightness substr swish tan tanh to_hash_bucket to_hash_bucket_fast "
    "to_hash_bucket_strong to_number unicode_script unicode_transcode zeros_like"
)
_BINARY = names_in(
    "add atan2 bitwise_and bitwise_or bitwise_xor complex div_no_nan divide divide_no_nan "
    "equal floordiv floormod greater greater_equal left_shift less less_equal logical_and "
    "logical_or logical_xor maximum minimum multiply multiply_no_nan not_equal pow realdiv "
    "right_shift scalar_mul sigmoid_cross_entropy_with_logits squared_difference subtract "
    "truediv truncatediv truncatemod xdivy xlog1py xlogy zeta"
)
_ASSERTS = names_in(
    "assert_equal assert_greater assert_greater_equal assert_less assert_less_equal "
    "assert_near assert_none_equal"
)

_added: dict[Any, list[dispatching.Handler]] = {}  # by what the user registered


def dispatch_for_api(api: Callable[..., Any], *signatures: Any) -> Callable[..., Any]:
    """Return a decorator that makes a function the implementation of `api` for some classes.

    Args:
        api: A function such as `tf.concat`.
        *signatures: Dicts of parameter names (or positions) to the classes that arguments must
            have; without any, the decorated function's annotations say it. `List[X]` is a list
            with at least one X among items that are all X, `Union` one of several classes. The
            function is called if the arguments of one signature match.

    Returns:
        A decorator, which returns the function as it is. Its parameters must be those of `api`.

    Raises:
        ValueError: there are neither signatures nor annotations, or a parameter is not `api`'s.

    State:
        `api` asks the function before each call, until `unregister_dispatch_for`.

    Example:
        >>> class Masked(tf.experimental.ExtensionType):
        ...     values: tf.Tensor
        ...     mask: tf.Tensor
        >>> @tf.experimental.dispatch_for_api(tf.reduce_sum)
        ... def masked_sum(input_tensor: Masked, axis=None, keepdims=False):
        ...     return tf.reduce_sum(tf.where(input_tensor.mask, input_tensor.values, 0), axis)
        >>> tf.reduce_sum(Masked([1, 2, 4], [True, False, True])).numpy()
        np.int32(5)
        >>> tf.experimental.unregister_dispatch_for(masked_sum)
    """
    parameters = inspect.signature(api).parameters
    checks = [_resolved(api, s, parameters) for s in signatures]

    def decorator(target: Callable[..., Any]) -> Callable[..., Any]:
        wanted = checks or [_annotated(api, target, parameters)]
        own = inspect.signature(target)

        def handler(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            given = _by_name(parameters, args, kwargs)
            if given is None or not any(_matches(w, given) for w in wanted):
                return NotImplemented
            return target(**_accepted(own, given))

        _register(target, api, handler)
        return target

    return decorator


def dispatch_for_unary_elementwise_apis(x_type: Any) -> Callable[..., Any]:
    """Return a decorator that makes a function handle all elementwise functions of one argument.

    Args:
        x_type: The class of the first argument.

    Returns:
        A decorator. The function is called as `handler(api, x)`, where `api` takes one value:
        other arguments of the call are bound to it.

    Raises:
        AssertionError: `x_type` has a handler already.

    Example:
        >>> class Celsius(tf.experimental.ExtensionType):
        ...     degrees: tf.Tensor
        >>> @tf.experimental.dispatch_for_unary_elementwise_apis(Celsius)
        ... def handle(api, x):
        ...     return Celsius(api(x.degrees))
        >>> tf.abs(Celsius([-3.0])).degrees.numpy()
        array([3.], dtype=float32)
        >>> tf.experimental.unregister_dispatch_for(handle)
    """

    def decorator(target: Callable[..., Any]) -> Callable[..., Any]:
        _refuse_second("unary", x_type)

        def handler(api: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            args, kwargs = _leading(api, 1, args, kwargs)
            if not args or not _is_a(args[0], x_type):
                return NotImplemented
            rest = args[1:]
            return target(lambda x: api(x, *rest, **kwargs), args[0])

        for api in functions_named(UNARY_NAMES):
            _register(target, api, handler)
        _taken[target] = ("unary", x_type)
        return target

    return decorator


def dispatch_for_binary_elementwise_apis(x_type: Any, y_type: Any) -> Callable[..., Any]:
    """Return a decorator that makes a function handle all elementwise functions of two arguments.

    Args:
        x_type: The class of the first argument.
        y_type: The class of the second.

    Returns:
        A decorator. The function is called as `handler(api, x, y)`, where `api` takes two values.

    Raises:
        AssertionError: the two classes have a handler already.

    Example:
        >>> class Celsius(tf.experimental.ExtensionType):
        ...     degrees: tf.Tensor
        >>> @tf.experimental.dispatch_for_binary_elementwise_apis(Celsius, Celsius)
        ... def handle(api, x, y):
        ...     return Celsius(api(x.degrees, y.degrees))
        >>> tf.add(Celsius([1.0]), Celsius([2.0])).degrees.numpy()
        array([3.], dtype=float32)
        >>> tf.experimental.unregister_dispatch_for(handle)
    """
    return _of_two("binary", _BINARY, x_type, y_type)


def dispatch_for_binary_elementwise_assert_apis(x_type: Any, y_type: Any) -> Callable[..., Any]:
    """Return a decorator that makes a function handle the assertions that compare two arguments.

    Args:
        x_type: The class of the first argument.
        y_type: The class of the second.

    Returns:
        A decorator. The function is called as `handler(assert_api, x, y)`.

    Raises:
        AssertionError: the two classes have a handler already.

    Example:
        >>> class Celsius(tf.experimental.ExtensionType):
        ...     degrees: tf.Tensor
        >>> @tf.experimental.dispatch_for_binary_elementwise_assert_apis(Celsius, Celsius)
        ... def handle(api, x, y):
        ...     return api(x.degrees, y.degrees)
        >>> tf.debugging.assert_less(Celsius([1.0]), Celsius([2.0]))
        >>> tf.experimental.unregister_dispatch_for(handle)
    """
    return _of_two("assert", _ASSERTS, x_type, y_type)


def unregister_dispatch_for(dispatch_target: Callable[..., Any]) -> None:
    """Undo what a `dispatch_for_*` decorator did.

    Args:
        dispatch_target: The decorated function.

    Raises:
        ValueError: it is not registered.
    """
    handlers = _added.pop(dispatch_target, None)
    if handlers is None:
        raise ValueError(
            f"Function {dispatch_target} was not registered using a `@dispatch_for` decorator."
        )
    _taken.pop(dispatch_target, None)
    for handler in handlers:
        dispatching.remove_handler(handler)


# ---- registration --------------------------------------------------------------------------------

_taken: dict[Any, tuple[Any, ...]] = {}  # elementwise handlers and the classes they are for


def _register(target: Any, api: Any, handler: dispatching.Handler) -> None:
    dispatching.add_handler(api, handler)
    _added.setdefault(target, []).append(handler)


def _refuse_second(*wanted: Any) -> None:
    if wanted in _taken.values():
        kind, *types_ = wanted
        raise AssertionError(
            f"A {kind} elementwise dispatch handler has already been registered for "
            f"{', '.join(map(str, types_))}.\n  Fix: tf.experimental.unregister_dispatch_for it."
        )


def _of_two(kind: str, names: Sequence[str], x_type: Any, y_type: Any) -> Callable[..., Any]:
    def decorator(target: Callable[..., Any]) -> Callable[..., Any]:
        _refuse_second(kind, x_type, y_type)

        def handler(api: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            args, kwargs = _leading(api, 2, args, kwargs)
            if len(args) < 2 or not _fit_two(args, x_type, y_type):
                return NotImplemented
            rest = args[2:]
            return target(lambda x, y: api(x, y, *rest, **kwargs), args[0], args[1])

        for api in functions_named(names):
            _register(target, api, handler)
        _taken[target] = (kind, x_type, y_type)
        return target

    return decorator


def _fit_two(args: tuple[Any, ...], x_type: Any, y_type: Any) -> bool:
    """Return whether two arguments have the classes, and are not both plain Tensors."""
    if _is_plain(args[0]) and _is_plain(args[1]):
        return False
    return _is_a(args[0], x_type) and _is_a(args[1], y_type)


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor | Variable | bool | int | float | str | bytes | list)


def functions_named(names: Sequence[str]) -> list[Any]:
    """Return the functions of TF's namespaces that have one of the names."""
    from lamina import debugging, math, nn  # here: they are facades, imported after this room

    found: dict[int, Any] = {}
    for space in (ops, math, nn, debugging):
        for name in names:
            function = getattr(space, name, None)
            if function is not None:
                found[id(function)] = function
    return list(found.values())


# ---- matching ------------------------------------------------------------------------------------


def _leading(api: Any, count: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return args and kwargs with the first parameters moved among the args."""
    if len(args) >= count or not kwargs:
        return args, kwargs
    kwargs = dict(kwargs)
    names = list(inspect.signature(api).parameters)[len(args) : count]
    for name in names:
        if name not in kwargs:
            break
        args = (*args, kwargs.pop(name))
    return args, kwargs


def _by_name(parameters: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    names = list(parameters)
    rest = next((p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL), None)
    if rest is not None:
        return {rest: args} | kwargs
    if len(args) > len(names):
        return None
    return dict(zip(names, args, strict=False)) | kwargs


def _accepted(own: inspect.Signature, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments without a `name` of None that the target does not take."""
    if "name" in given and "name" not in own.parameters and given["name"] is None:
        return {k: v for k, v in given.items() if k != "name"}
    return given


def _resolved(api: Any, signature: Any, parameters: Any) -> dict[str, Any]:
    if not isinstance(signature, dict):
        raise TypeError(
            f"tf.experimental.dispatch_for_api: a signature must be a dict of parameter names to "
            f"classes; got {signature!r}."
        )
    names = list(parameters)
    found = {names[k] if isinstance(k, int) else k: v for k, v in signature.items()}
    _refuse_unknown(api, found, parameters)
    return found


def _annotated(api: Any, target: Any, parameters: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(target)
    found = {k: v for k, v in hints.items() if k != "return"}
    own = list(inspect.signature(target).parameters)
    _refuse_unknown(api, own, parameters)
    if not found:
        raise ValueError(
            f"The dispatch_for_api decorator for {getattr(api, '__name__', api)} must be called "
            f"with at least one signature, or applied to a function that has type annotations on "
            f"its parameters."
        )
    return found


def _refuse_unknown(api: Any, names: Any, parameters: Any) -> None:
    own = {"name", *parameters}
    wrong = [n for n in names if n not in own]
    if wrong:
        raise ValueError(
            f"Dispatch function's signature does not match API's signature: "
            f"{getattr(api, '__name__', api)} has no parameters {wrong}; it has "
            f"{list(parameters)}.\n  Fix: give the function the parameters of the API."
        )


def _matches(wanted: dict[str, Any], given: dict[str, Any]) -> bool:
    """Return whether all arguments have their classes, and one is not a plain Tensor."""
    seen = False
    for name, kind in wanted.items():
        if name not in given:
            continue
        value = given[name]
        if not _is_a(value, kind):
            return False
        seen = seen or _holds_special(value)
    return seen


def _holds_special(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_special, value))
    return not _is_plain(value)


def _is_a(value: Any, kind: Any) -> bool:
    """Return whether a value is of a class, of one of a Union, or a list of such."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if origin is typing.Union or origin is types.UnionType:
        return any(_is_a(value, part) for part in args)
    if origin in (list, Sequence, tuple):
        items = isinstance(value, list | tuple)
        return items and all(_is_a(v, args[0]) for v in value) if args else items
    if kind is Tensor:
        return isinstance(value, Tensor | Variable) or _converts(value)
    return isinstance(kind, type) and isinstance(value, kind)


def _converts(value: Any) -> bool:
    if not isinstance(value, bool | int | float | str | bytes | list) and not hasattr(
        value, "__array__"
    ):
        return False
    try:
        convert_to_tensor(value)
    except (TypeError, ValueError):
        return False
    return True
