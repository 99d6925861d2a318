"""Which functions are converted, and how converted code calls others."""

import functools
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from lamina.autograph import operators
from lamina.engine import errors, local

__all__ = ["Converter", "converted_call"]

# Libraries whose functions are called as they are, beside Python's own.
_LIBRARIES = frozenset(
    ["lamina", "jax", "jaxlib", "numpy", "malt", "optax", "flax", "scipy", "pandas", "matplotlib"]
)


class Converter:
    """Gives the AutoGraph form of functions for one recording.

    Attributes:
        reasons: Why functions that were met could not be converted.
    """

    def __init__(self) -> None:
        self.reasons: dict[str, None] = {}

    def __call__(self, fn: Any) -> Any:
        """Return the converted form of a function, method or callable; itself if it has none."""
        if isinstance(fn, functools.partial):
            return functools.partial(self(fn.func), *fn.args, **fn.keywords)
        if isinstance(fn, types.MethodType):
            inner = self._convert(fn.__func__)
            return fn if inner is fn.__func__ else types.MethodType(inner, fn.__self__)
        if isinstance(fn, types.FunctionType):
            return self._convert(fn)
        called = getattr(type(fn), "__call__", None)  # noqa: B004  # the function itself
        if isinstance(fn, type) or not isinstance(called, types.FunctionType):
            return fn
        inner = self._convert(called)
        return fn if inner is called else types.MethodType(inner, fn)

    def _convert(self, fn: Any) -> Any:
        if not isinstance(fn, types.FunctionType) or not _is_users(fn):
            return fn
        from lamina.autograph import transpiler  # with malt: only for those who need it

        if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn):
            return self._leave(fn, "generators are not supported")
        try:
            return transpiler.transformed(fn, table())
        except RecursionError:
            raise
        except Exception as error:  # whatever malt trips over, the function runs as it is
            return self._leave(fn, str(error).strip().split("\n")[0] or type(error).__name__)

    def _leave(self, fn: types.FunctionType, why: str) -> types.FunctionType:
        place = f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}"
        self.reasons[f"AutoGraph leaves `{fn.__name__}` ({place}) as it is: {why}."] = None
        return fn

    def explain(self, error: BaseException) -> None:
        """Add to an error why functions were not converted."""
        for reason in self.reasons:
            if reason not in getattr(error, "__notes__", ()):
                error.add_note(reason)


def _is_users(fn: types.FunctionType) -> bool:
    if getattr(fn, "autograph_info__", None) is not None:
        return False
    root = str(fn.__globals__.get("__name__", "")).split(".")[0]
    return root not in _LIBRARIES and root not in sys.stdlib_module_names


def _is_operation(fn: Any) -> bool:
    module = getattr(type(fn) if not hasattr(fn, "__name__") else fn, "__module__", None) or ""
    return module.startswith(("lamina.ops", "lamina.engine.nest", "lamina.keras.ops"))


def converted_call(fn: Any, args: Any, kwargs: Any, scope: Any = None, options: Any = None) -> Any:
    """Call a function from converted code, converted too if it is the user's.

    Args:
        fn: What is called.
        args: Its positional arguments.
        kwargs: Its keyword arguments, or None.
        scope: The scope object of the calling function.
        options: Unused; malt's signature.
    """
    kwargs = kwargs or {}
    convert = local.convert
    if convert is None:
        return _unconverted(fn, args, kwargs, scope)
    if isinstance(fn, types.BuiltinFunctionType | type):
        try:
            own = operators.BUILTINS.get(fn)
        except TypeError:
            own = None
        if own is not None:
            return own(*args, **kwargs)
        return _unconverted(fn, args, kwargs, scope)
    if isinstance(fn, types.FunctionType) and fn is operators.RANGE:
        return operators.range_of(fn, *args, **kwargs)
    if _is_operation(fn):
        args = [_converted_argument(a, convert) for a in args]
        kwargs = {k: _converted_argument(v, convert) for k, v in kwargs.items()}
        return fn(*args, **kwargs)
    return convert(fn)(*args, **kwargs)


def _converted_argument(value: Any, convert: Converter) -> Any:
    """Convert the functions that an operation such as `tf.map_fn` will call."""
    if isinstance(value, types.FunctionType | types.MethodType):
        return convert(value)
    return value


def _unconverted(fn: Any, args: Any, kwargs: Any, scope: Any) -> Any:
    """Call as it is; what looks at the frame it is called from gets the user's frame."""
    if fn in (super, locals, globals, eval) and not (fn is super and args):
        from malt.operators import py_builtins

        if fn is super:
            return py_builtins.super_in_original_context(fn, args, scope)
        if fn is eval:
            return py_builtins.eval_in_original_context(fn, args, scope)
        if fn is locals:
            return py_builtins.locals_in_original_context(scope)
        return py_builtins.globals_in_original_context(scope)
    return fn(*args, **kwargs)


class FunctionScope:
    """What a converted function runs in; `super()` finds its frame by it."""

    def __init__(self, function_name: str, name: str, options: Any) -> None:
        self.name = name
        self.function_name = function_name
        self.callopts = options

    def __enter__(self) -> "FunctionScope":
        return self

    def __exit__(self, *error: Any) -> None:
        return None

    def ret(self, value: Any, did_return: Any) -> Any:
        """Return what the function returns."""
        if isinstance(value, operators.UndefinedReturnValue):
            return None
        if operators.is_traced(did_return):
            raise errors.TracedValueError(
                f"`{self.function_name}`: whether it returns a value depends on a Tensor; some "
                f"ways through it end without `return`."
            )
        return value


def with_function_scope(thunk: Callable[..., Any], name: str, options: Any) -> Any:
    """Run the body of a converted lambda in a scope."""
    with FunctionScope("lambda", name, options) as scope:
        return thunk(scope)


def autograph_artifact(fn: Any, extras: Any = None) -> Any:
    """Mark a function as converted."""
    fn.autograph_info__ = extras or {}
    return fn


@functools.cache
def table() -> Any:
    """Return the operators that converted code finds as `ag__`."""
    from malt.core import converter

    names = {
        "converted_call": converted_call,
        "FunctionScope": FunctionScope,
        "with_function_scope": with_function_scope,
        "autograph_artifact": autograph_artifact,
        "ConversionOptions": converter.ConversionOptions,
        "Feature": converter.Feature,
        "STD": converter.STANDARD_OPTIONS,
        "Undefined": operators.Undefined,
        "UndefinedReturnValue": operators.UndefinedReturnValue,
    }
    for name in operators.__all__:
        names[name] = getattr(operators, name)
    return types.SimpleNamespace(**names)
