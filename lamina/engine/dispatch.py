# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""@op: what turns a function on jax arrays into a recorded operation on Tensors."""

from __future__ import annotations

import functools
import inspect
import operator
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Literal, ParamSpec, overload

import jax
import numpy as np

from lamina.engine import dtypes, errors, masks
from lamina.engine.composite import CompositeOperand
from lamina.engine.context import local
from lamina.engine.convert import (
    HOST_LIMIT,
    convert_plain,
    dtype_of,
    holds_tensor,
    host_value,
    joint_dtype,
    leaves,
    scalar_tensor,
)
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import Signature, TensorType, infer, is_symbolic
from lamina.engine.static import static_value
from lamina.engine.strings import BY_VALUE, types_by_value
from lamina.engine.tensor import Tensor

__all__ = ["Op", "convert_to_tensor", "emit", "op"]

P = ParamSpec("P")

# (name, value, type): 1, 1.0 and True are equal, and must not share a signature.
Attributes = tuple[tuple[str, Any, type], ...]
_KNOWN_LIMIT = 1024

# ---- values in ------------------------------------------------------------------------------


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """Return `value` as a Tensor.

    NumPy arrays and lists are copied: what happens to them later changes nothing.

    Args:
        value: A Tensor, Variable, number, string, NumPy or jax array, or nested lists of these.
        dtype: The dtype wanted; None infers it (int32 for int, float32 for float).
        dtype_hint: The dtype wanted if `value` can have it.
        name: Accepted, unused.

    Raises:
        ValueError: a Tensor of another dtype than `dtype`, or lists that are not rectangular.
        TypeError: a Python or NumPy value that does not convert to `dtype`.

    Example:
        >>> tf.convert_to_tensor([1, 2.5]).dtype
        tf.float32
    """
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(value, Tensor):
        if wanted is not None and value.dtype is not wanted:
            raise _dtype_conflict(value, wanted)
        return value
    as_tensor = getattr(type(value), "_as_tensor", None)
    if as_tensor is not None:
        return convert_to_tensor(as_tensor(value), dtype)
    if wanted is None and dtype_hint is not None:
        hint = as_dtype(dtype_hint)
        if dtypes.is_compatible(hint, dtype_of(value)):
            wanted = hint
    return _convert_value(value, wanted)


def _dtype_conflict(value: Tensor, wanted: DType) -> ValueError:
    return ValueError(
        f"tf.convert_to_tensor: `value` must have dtype {wanted.name}; got a Tensor of dtype "
        f"{value.dtype.name}, shape {value.shape}.\n  Fix: tf.cast(value, tf.{wanted.name})."
    )


def _convert_value(value: Any, wanted: DType | None) -> Tensor:
    if type(value) in (int, float, bool):
        return scalar_tensor(value, wanted)
    if (weakly := getattr(type(value), "_weakly", None)) is not None:
        return weakly(value, wanted)
    if isinstance(value, TensorShape):
        value = value.as_list()
    if isinstance(value, list | tuple) and any(map(holds_tensor, value)):
        return _stack(value, wanted)
    return convert_plain(value, wanted)


def _stack(values: Sequence[Any], wanted: DType | None) -> Tensor:
    """Return a list with Tensors in it as one Tensor, recorded."""
    if wanted is None:
        wanted = next((t.dtype for t in leaves(values) if isinstance(t, Tensor)), None)
        wanted = wanted or next(dtype_of(t) for t in leaves(values) if holds_tensor(t))
    return _pack(*[convert_to_tensor(v, wanted) for v in values])


# ---- recording ------------------------------------------------------------------------------


def emit(signature: Signature, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Record one equation and return the Tensors of its outputs."""
    here = local
    outputs = here.trace.emit(signature, tensors)
    if here.tapes and signature.differentiable:
        for tape in here.tapes:
            tape.log.append((signature, tensors, outputs))
    return outputs


_MANY = 8  # operands; so many are looked at by one call in C
_ONLY_TENSORS = {Tensor}
# What only moves values, and up to how many elements NumPy may do it where nothing is compiled.
_MOVES = frozenset({"concat", "expand_dims", "pack", "reshape", "squeeze", "stack"})
_FEW = 1 << 14
_type_of = operator.attrgetter("_type")


class Op(Generic[P]):
    """A recorded operation; made by `@op`, called like the function it came from."""

    __name__: str
    __qualname__: str
    is_hosted = False  # engine/hosted.py has those that run on the host only
    asserts = False  # lamina/asserting.py has those that may stop their program
    unregistered: str | None = None  # see Signature

    def __init__(
        self,
        body: Callable[P, Any],
        *,
        mixed: bool = False,
        differentiable: bool = True,
        host: Callable[..., Any] | Literal["reshape"] | None = None,
        infer: Callable[..., Any] | None = None,
        needs: Callable[..., tuple[int, ...]] | None = None,
        calls_host: bool = False,
    ) -> None:
        functools.update_wrapper(self, body)
        self.body = body
        self.mixed = mixed
        self.differentiable = differentiable
        self.host = host
        self.infer = infer
        self.needs = needs
        self.calls_host = calls_host
        self.signatures: dict[Any, Signature] = {}
        self._known_attributes: dict[Any, Attributes] = {}
        given = inspect.signature(body)
        parameters = list(given.parameters.values())
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.operands = tuple(
            p.name
            for p in parameters
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        )
        self.arity = -1 if self.variadic else len(self.operands)
        self.positional = tuple(
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        )
        self.attributes = tuple(
            p.name
            for p in parameters
            if p.name not in self.operands and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        )
        self.defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self.plain = _attributes(self.defaults, self.defaults)
        self.required = tuple(n for n in self.attributes if n not in self.defaults)
        if self.required:
            self.arity = -1
        name = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, default=None)
        if not self.variadic and parameters and parameters[-1].kind is not name.kind:
            name = name.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.__signature__ = given.replace(parameters=[*parameters, name])
        self.__doc__ = body.__doc__
        self.label = body.__name__.strip("_")  # in messages: `_pow` stands behind `tf.pow`
        self.keeps_masks = self.label in masks.KEEPING

    # For editors: the first shows the parameters, the second lets `name=` pass.
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Record the operation on the operands, and return its outputs."""
        if kwargs or len(args) != self.arity:
            args, attributes = self._bind(args, kwargs)
        else:
            attributes = self.plain
        if len(args) > _MANY:
            if set(map(type, args)) != _ONLY_TENSORS:
                return self._call_converting(args, attributes)
        else:
            for a in args:
                if type(a) is not Tensor:
                    return self._call_converting(args, attributes)
        key = (attributes, *map(_type_of, args))
        signature = self.signatures.get(key)
        if signature is None:
            signature = self._signature(key)
        return self._record(signature, args, attributes)

    def _record(self, signature: Signature, tensors: Any, attributes: Attributes) -> Any:
        here = local
        outputs = here.trace.emit(signature, tensors)
        if here.tapes and signature.differentiable:
            for tape in here.tapes:
                tape.log.append((signature, tensors, outputs))
        if self.host is not None and tensors and tensors[0]._host is not None:
            self._on_host(tensors, attributes, outputs)
        if here.masks and self.keeps_masks:
            masks.carry(self.label, tensors, outputs, _either)
        container = signature.container
        if container is None:
            return outputs[0]
        return outputs if container is list else tuple(outputs)

    def _call_converting(self, args: Sequence[Any], attributes: Attributes) -> Any:
        """The same for operands that are not all plain Tensors."""
        for a in args:
            if type(a) is not Tensor and not hasattr(type(a), "_as_tensor"):
                return self._call_with_values(args, attributes)
        # Tensors and Variables only: what they are needs no conversion.
        try:
            tensors = [a if type(a) is Tensor else a._as_tensor() for a in args]
        except CompositeOperand as error:
            return self._call_composite(error, args, attributes)
        key = (attributes, *map(_type_of, tensors))
        signature = self.signatures.get(key)
        if signature is None:
            signature = self._signature(key)
        return self._record(signature, tensors, attributes)

    def _call_with_values(self, args: Sequence[Any], attributes: Attributes) -> Any:
        """The same for operands with numbers, arrays, None or symbols among them."""
        try:
            tensors = self._convert(args)
        except CompositeOperand as error:
            return self._call_composite(error, args, attributes)
        for a in tensors:
            if type(a) is not Tensor and a is not None:
                return a._apply(self, tensors, attributes)
        key = (attributes, *[None if a is None else a._type for a in tensors])
        signature = self.signatures.get(key)
        if signature is None:
            signature = self._signature(key)
        present = [a for a in tensors if a is not None]
        return self._record(signature, present, attributes)

    def _call_composite(self, error: Any, args: Sequence[Any], attributes: Attributes) -> Any:
        """The same after an operand turned out to be ragged or sparse."""
        found = error.value._run(self, args, attributes)
        if found is NotImplemented:
            raise type(error)(error.value, f"tf.{self.label}") from None
        return found

    def on_arrays(
        self, outputs: Sequence[TensorType], attributes: dict[str, Any]
    ) -> Callable[..., Any]:
        """Return what an operation with `host=` does, as a function of NumPy arrays.

        Args:
            outputs: The types of its results.
            attributes: Its static arguments.
        """
        assert self.host is not None
        if isinstance(self.host, str):  # "reshape"
            return lambda x: np.reshape(x, outputs[0].dims)
        return functools.partial(self.host, **attributes) if attributes else self.host

    def _on_host(self, tensors: Any, attributes: Attributes, outputs: list[Tensor]) -> None:
        known = [host_value(t) for t in tensors]
        if any(k is None for k in known) or sum(k.size for k in known) > HOST_LIMIT:  # type: ignore[union-attr]
            return
        kinds = [t._type for t in outputs]
        try:
            found = self.on_arrays(kinds, {k: v for k, v, _ in attributes})(*known)
        except errors.InvalidArgumentError:
            raise  # what a compiled operation cannot report: an integer divided by 0
        except Exception:
            return  # the recorded operation itself reports what is wrong
        several = isinstance(found, list | tuple)
        for tensor, value in zip(outputs, found if several else [found], strict=True):
            value = np.asarray(value)
            if value.dtype != object:
                value = value.astype(tensor.dtype.np)
            tensor._host = value

    # -- operands

    def _bind(self, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Attributes]:
        kwargs.pop("name", None)
        if self.variadic:
            operands: Sequence[Any] = args
            given = kwargs
        else:
            operands, given = self._split(args, kwargs)
        if not given and not self.required:
            return operands, self.plain
        key: Any = (tuple(given.items()), *map(type, given.values()))
        try:
            known = self._known_attributes.get(key)
        except TypeError:  # a list: it is frozen anew at each call
            known = key = None
        if known is not None:
            return operands, known
        attributes = self._attributes_of(args, given)
        if key is not None and len(self._known_attributes) < _KNOWN_LIMIT:
            self._known_attributes[key] = attributes
        return operands, attributes

    def _attributes_of(self, args: Any, given: dict[str, Any]) -> Attributes:
        values = self.defaults | given
        if len(values) != len(self.attributes) or any(k not in values for k in self.attributes):
            raise self._bad_call(args, values)
        found = _attributes(self.attributes, values)
        for name, value, kind in found:
            if kind.__hash__ is None:
                raise TypeError(
                    f"tf.{self.label}: `{name}` must be a value that can be hashed, since programs "
                    f"are kept by it; got {value!r} ({kind.__name__}).\n"
                    f"  Fix: pass a number, a string or a tuple."
                )
        return found

    def _split(self, args: Any, kwargs: dict[str, Any]) -> tuple[Sequence[Any], dict[str, Any]]:
        names = self.positional
        if len(args) > len(names):
            if len(args) == len(names) + 1 and (args[-1] is None or isinstance(args[-1], str)):
                args = args[:-1]  # TF's `name`, given by position
            else:
                raise self._bad_call(args, kwargs)
        given = dict(zip(names, args, strict=False))
        if given.keys() & kwargs.keys():
            raise self._bad_call(args, kwargs)
        given |= kwargs
        try:
            operands = [given.pop(name) for name in self.operands]
        except KeyError:
            raise self._bad_call(args, kwargs) from None
        return operands, given

    def _bad_call(self, args: Any, given: dict[str, Any]) -> TypeError:
        names = ", ".join(map(str, self.__signature__.parameters.values()))
        extra = [k for k in given if k not in self.__signature__.parameters]
        got = f"unexpected arguments {extra}" if extra else f"{len(args)} positional, {list(given)}"
        return TypeError(f"tf.{self.label}: expected arguments ({names}); got {got}.")

    def _convert(self, args: Sequence[Any]) -> list[Any]:
        if self.mixed:
            return [a if a is None or isinstance(a, Tensor) else convert_to_tensor(a) for a in args]
        dtype: DType | None = None
        for a in args:
            if isinstance(a, Tensor) or hasattr(type(a), "_as_tensor"):
                dtype = as_dtype(a.dtype)
                break
        else:
            if len(args) > 1:
                dtype = joint_dtype(args)
        out: list[Any] = []
        for a in args:
            if a is None or isinstance(a, Tensor):
                out.append(a)
            elif (as_tensor := getattr(type(a), "_as_tensor", None)) is not None:
                out.append(as_tensor(a))
            else:
                out.append(self._convert_one(a, dtype))
        return out

    def _convert_one(self, value: Any, dtype: DType | None) -> Tensor:
        try:
            return convert_to_tensor(value, dtype)
        except CompositeOperand:
            raise
        except TypeError as error:
            raise errors.OperandError(f"tf.{self.label}: {error}") from None

    def _signature(self, key: tuple[Any, ...]) -> Signature:
        attributes, *kinds = key
        present = tuple(k for k in kinds if k is not None)
        if not self.mixed and len({k.dtype for k in present}) > 1:
            raise self._dtype_error(present)
        values = {k: v for k, v, _ in attributes}
        body = functools.partial(self.body, **values) if values else self.body
        if len(present) != len(kinds):
            body = _with_nones(body, tuple(k is not None for k in kinds))
        body = _named_errors(self.label, body)
        if self.infer is not None and (found := self.infer(present, **values)) is not None:
            outputs, container = found
        elif self.label in BY_VALUE and all(k.dtype is dtypes.string for k in present):
            outputs, container = types_by_value(self.label, present)
        else:
            outputs, container = infer(self.label, body, present)
        fn = (lambda *a: list(body(*a))) if container is not None else (lambda *a: [body(*a)])
        made = Signature(self.__name__, fn, present, outputs, container, self.differentiable)
        inner = [v for value in values.values() for v in _each(value)]  # programs among them
        made.calls_host = self.calls_host or any(getattr(v, "calls_host", False) for v in inner)
        made.asserts = self.asserts or any(getattr(v, "asserts", False) for v in inner)
        made.weight = sum(getattr(v, "weight", 0) for v in inner)
        made.weight = made.weight or int(made.calls_host or made.asserts)
        made.unregistered = self.unregistered
        if self.host is not None and self.label in _MOVES and len(present) == len(kinds):
            sizes = [k.size for k in outputs if not is_symbolic(k.dims)]
            if len(sizes) == len(outputs) and sum(sizes) <= _FEW:
                made.move = self.on_arrays(outputs, values)
        if self.needs is not None:
            made.needs = tuple(i for i in self.needs(**values) if i < len(present))
        if self.is_hosted or any(k.dtype is dtypes.string for k in (*present, *outputs)):
            made.origin = weakref.ref(self), values, tuple(k is not None for k in kinds)
        return self.signatures.setdefault(key, made)

    def _dtype_error(self, kinds: Sequence[TensorType]) -> errors.InvalidArgumentError:
        wrong = next(k for k in kinds if k.dtype is not kinds[0].dtype)
        # TF raises TypeError where a function is recorded, and in `tf.divide`.
        return errors.OperandError(
            f"tf.{self.label}: all inputs must have one dtype; got "
            f"{', '.join(map(repr, kinds))}.\n"
            f"  Fix: tf.cast(x, tf.{kinds[0].dtype.name}) for the {wrong.dtype.name} input."
        )

    def __get__(self, instance: Any, owner: Any = None) -> Op[P]:
        return self  # an op kept as a class attribute does not become a method

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<op {self.__name__}>"


def _each(value: Any) -> tuple[Any, ...]:
    return value if type(value) is tuple else (value,)


def _with_nones(body: Callable[..., Any], present: tuple[bool, ...]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        given = iter(values)
        return body(*[next(given) if p else None for p in present])

    return call


def _named_errors(name: str, body: Callable[..., Any]) -> Callable[..., Any]:
    """Put the op's name before errors that a body raises without it."""

    def call(*values: Any) -> Any:
        try:
            return body(*values)
        except (ValueError, IndexError, errors.InvalidArgumentError) as error:
            message = str(error)
            if message.startswith(("tf.", "`tf.")) or type(error).__module__.startswith("jax"):
                raise
            shapes = ", ".join(str(tuple(getattr(v, "shape", ()))) for v in values)
            raise type(error)(f"tf.{name}: {message}\n  Inputs: shapes {shapes}.") from None

    return call


def _attributes(names: Iterable[str], values: dict[str, Any]) -> Attributes:
    frozen = [(k, _freeze(k, values[k])) for k in names]
    return tuple((k, v, v.__class__) for k, v in frozen)


def _freeze(name: str, value: Any) -> Any:
    """Return an attribute in its hashable, canonical form."""
    if (as_number := getattr(type(value), "_as_number", None)) is not None:
        return as_number(value)
    if value is None or type(value) in (int, float, bool, str):
        return as_dtype(value) if name.endswith("dtype") and value is not None else value
    if name.endswith("dtype"):
        return as_dtype(value)
    if isinstance(value, list | tuple):
        return tuple(_freeze("", v) for v in value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return tuple(_freeze("", v) for v in value.tolist()) if value.ndim else value.item()
    if isinstance(value, Tensor) or hasattr(type(value), "_as_tensor"):
        known = static_value(value, name or "attribute")
        return _freeze("", known if not isinstance(known, np.ndarray) else known.tolist())
    if isinstance(value, TensorShape):
        return tuple(value.as_list())
    return value


@overload
def op(body: Callable[P, Any], /) -> Op[P]: ...


@overload
def op(
    *,
    mixed: bool = ...,
    differentiable: bool = ...,
    host: Callable[..., Any] | Literal["reshape"] | None = ...,
    infer: Callable[..., Any] | None = ...,
    needs: Callable[..., tuple[int, ...]] | None = ...,
    calls_host: bool = ...,
) -> Callable[[Callable[P, Any]], Op[P]]: ...


def op(
    body: Callable[..., Any] | None = None,
    /,
    *,
    mixed: bool = False,
    differentiable: bool = True,
    host: Callable[..., Any] | Literal["reshape"] | None = None,
    infer: Callable[..., Any] | None = None,
    needs: Callable[..., tuple[int, ...]] | None = None,
    calls_host: bool = False,
) -> Any:
    """Make a recorded operation of a function on jax arrays: lamina's one bridge to JAX.

    Parameters without a default, and `*args`, are operands: Tensors, or what converts to them;
    None stays None. All other parameters are static attributes. The operation also takes
    `name=`, and is never run when it is called: shapes and dtypes come from `jax.eval_shape`.

    Args:
        body: The function. It must be pure and differentiable by `jax.vjp`; x64 is enabled.
        mixed: Whether operands may differ in dtype; else they must agree, as in TF.
        differentiable: Whether gradients flow through; if not, the tape gives None.
        host: The same function on NumPy arrays, for shape arithmetic on known values; "reshape"
            where only the shape changes, so that it follows from the type of the result.
        infer: (input types, **attributes) -> (output types, container), in place of eval_shape;
            None leaves it to eval_shape, which takes a millisecond or two.
        needs: (**attributes) -> the inputs that get gradients, where not all of them do.
        calls_host: Whether running it may call Python code.

    Example:
        >>> from lamina.engine import op
        >>> @op
        ... def smooth_step(x):
        ...     return x * x * (3 - 2 * x)
        >>> smooth_step(tf.constant(0.5)).numpy()
        np.float32(0.5)
    """

    def make(function: Callable[..., Any]) -> Op[...]:
        return Op(
            function,
            mixed=mixed,
            differentiable=differentiable,
            host=host,
            infer=infer,
            needs=needs,
            calls_host=calls_host,
        )

    return make if body is None else make(body)


@op(mixed=False, host=lambda *v: np.stack(v) if v else np.zeros(0))
def _pack(*values: Any) -> Any:
    return jax.numpy.stack(values)


@op(differentiable=False)
def _either(x: Any, y: Any) -> Any:
    return jax.numpy.logical_or(x, y)
