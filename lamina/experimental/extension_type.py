"""tf.experimental.ExtensionType: classes made of Tensors and plain values, used like one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor, TensorShape, TensorSpec
from lamina.engine.composite import Composite
from lamina.engine.typespec import TypeSpec
from lamina.experimental import fields

__all__ = [
    "BatchableExtensionType",
    "ExtensionType",
    "ExtensionTypeBatchEncoder",
    "ExtensionTypeSpec",
    "as_dict",
]

_OPEN = "_lm_open"  # set on an object while its constructor runs


class _Fielded(Composite):
    """What values and their specs share: fields that are set once, in the constructor."""

    _lm_fields: ClassVar[dict[str, fields.Field]] = {}
    _lm_resolved = True  # whether the classes that annotations name are known
    _lm_batchable = False
    _is_spec = False

    def __setattr__(self, name: str, value: Any) -> None:
        if _OPEN not in vars(self) or name not in self._lm_fields:
            raise AttributeError(
                f"Cannot mutate attribute `{name}` outside the custom constructor of ExtensionType."
            )
        vars(self)[name] = value

    def __delattr__(self, name: str) -> None:
        raise AttributeError(
            f"Cannot mutate attribute `{name}` outside the custom constructor of ExtensionType."
        )

    def __repr__(self) -> str:
        parts = [f"{name}={self._shown(getattr(self, name))}" for name in self._lm_fields]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _shown(self, value: Any) -> str:
        plain = self._is_spec and isinstance(value, fields.ImmutableDict)
        return repr(dict(value)) if plain else repr(value)

    def _finish(self) -> None:
        """Convert the fields that the constructor set, and close the object."""
        given = vars(self)
        missing = {name for name in self._lm_fields if name not in given}
        if missing:
            raise ValueError(f"Missing required fields: {missing}")
        if not self._lm_resolved:
            _resolve(self._like())
        for name, field in self._lm_fields.items():
            given[name] = fields.converted(given[name], field.kind, name, self._is_spec)
        del given[_OPEN]

    # The composite protocol.

    def _values(self) -> Any:
        given = vars(self)
        return [(name, field.kind, given[name]) for name, field in self._lm_fields.items()]

    def _components(self) -> list[Any]:
        found: list[Any] = []
        for _, kind, value in self._values():
            fields.mapped(value, kind, found.append)
        return found

    def _kind(self) -> Any:
        return tuple(fields.static_key(value, kind) for _, kind, value in self._values())

    def _rebuilt(self, components: Sequence[Any]) -> Any:
        given = iter(components)
        values = {n: fields.mapped(v, k, lambda _: next(given)) for n, k, v in self._values()}
        specs = [isinstance(c, TypeSpec) for c in components]
        is_spec = all(specs) if specs else self._is_spec
        made = _made(self._like(), is_spec, values)
        return _batch_shaped(self, made) if self._like()._lm_batchable else made

    def _like(self) -> Any:
        return type(self)


def _resolve(cls: Any) -> None:
    """Find the classes that annotations name and that were not there when the class was made."""
    classes: list[Any] = []
    todo: list[Any] = [ExtensionType]
    while todo:
        found = todo.pop().__subclasses__()
        classes += found
        todo += found
    for name, field in cls._lm_fields.items():
        if not fields.is_resolved(field.kind):
            cls._lm_fields[name] = fields.resolved(field, cls, classes)
    cls._lm_resolved = cls.Spec._lm_resolved = True


def _made(cls: Any, is_spec: bool, values: dict[str, Any]) -> Any:
    """Return a value of an extension type, or its spec, without running the constructor."""
    made = object.__new__(cls.Spec if is_spec else cls)
    vars(made).update(values)
    return made


class ExtensionTypeSpec(_Fielded, TypeSpec):
    """The TypeSpec of an extension type: its `Spec`, with a TypeSpec for each Tensor field.

    Each `tf.experimental.ExtensionType` gets one of its own.

    Example:
        >>> class Pair(tf.experimental.ExtensionType):
        ...     first: tf.Tensor
        ...     label: str = "none"
        >>> Pair.Spec(tf.TensorSpec([2]), "a")
        Pair.Spec(first=TensorSpec(shape=(2,), dtype=tf.float32, name=None), label='a')
    """

    _is_spec = True
    _lm_value_type: Any = None

    @property
    def value_type(self) -> Any:
        """The extension type."""
        return self._lm_value_type

    @classmethod
    def from_value(cls, value: Any) -> Any:
        """Return the spec of a value."""
        return value._type_spec

    def _like(self) -> Any:
        return self._lm_value_type

    def _serialize(self) -> tuple[Any, ...]:
        return tuple((name, getattr(self, name)) for name in self._lm_fields)

    @classmethod
    def _deserialize(cls, serialization: Any) -> Any:
        return _made(cls._lm_value_type, True, dict(serialization))

    @property
    def _component_specs(self) -> Any:
        return tuple(self._components())

    def _to_components(self, value: Any) -> Any:
        return tuple(value._components())

    def _from_components(self, components: Any) -> Any:
        return self._rebuilt(list(components))

    def placeholder_value(self, placeholder_context: Any = None) -> Any:
        """Return a value whose Tensors have no value yet."""
        return self._rebuilt([c.placeholder_value(placeholder_context) for c in self._components()])

    __eq__ = TypeSpec.__eq__
    __hash__ = TypeSpec.__hash__
    __repr__ = _Fielded.__repr__


class ExtensionType(_Fielded):
    """The base of classes that are made of Tensors and plain values, and used as one value.

    A subclass lists its fields as a dataclass does: annotated class attributes, with or without a
    default. Annotations may be `tf.Tensor`, other extension types, `tf.TensorShape`, `tf.DType`,
    bool, int, float, str, bytes, and `Tuple`, `Mapping`, `Optional` and `Union` of these. The
    constructor takes the fields in order and converts them: lists and numbers become Tensors.

    Values cannot be changed. They are arguments and results of `tf.function`, states of
    `tf.while_loop`, results of `tf.cond`, elements of `tf.data` and inputs of Keras models; what a
    function of TF does with them is said by `tf.experimental.dispatch_for_api`.

    A subclass may define `__init__`, which sets every field; `__validate__`, called after it;
    methods, properties and a nested class `Spec` with a constructor of its own. `SubClass.Spec` is
    its `tf.TypeSpec`.

    Raises:
        TypeError: a value does not convert to its field's annotation.
        AttributeError: a field is set or deleted after construction.

    Example:
        >>> class Masked(tf.experimental.ExtensionType):
        ...     values: tf.Tensor
        ...     mask: tf.Tensor
        ...
        ...     def with_default(self, default):
        ...         return tf.where(self.mask, self.values, default)
        >>> Masked([1, 2, 3], [True, False, True]).with_default(0).numpy()
        array([1, 0, 3], dtype=int32)
    """

    Spec: Any = ExtensionTypeSpec

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._lm_fields = fields.fields_of(cls, ExtensionType)
        cls._lm_resolved = all(fields.is_resolved(f.kind) for f in cls._lm_fields.values())
        cls.__init__ = _wrapped(cls) if "__init__" in vars(cls) else _constructor(cls)
        cls.__signature__ = _without_self(cls.__init__)
        for name in cls._lm_fields:
            if name in vars(cls) and not isinstance(vars(cls)[name], property):
                delattr(cls, name)  # a default is in the signature; the value in the object
        cls.Spec = _spec_class(cls, vars(cls).get("Spec"))
        if "__eq__" in vars(cls) and vars(cls).get("__hash__") is None:
            cls.__hash__ = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise AssertionError(
            f"Cannot create an instance of {type(self).__name__} because {type(self).__name__} is "
            f"an abstract base class.\n  Fix: define a subclass with fields."
        )

    def __validate__(self) -> None:
        """Check the fields after construction; subclasses raise an error if they do not fit."""

    def __eq__(self, other: object) -> Any:
        if type(other) is not type(self) or self._type_spec != other._type_spec:
            return False
        pairs = zip(_tensors(self), _tensors(other), strict=True)
        same = [ops.reduce_all(ops.equal(a, b)) for a, b in pairs]
        return functools.reduce(ops.logical_and, same) if same else True

    def __ne__(self, other: object) -> Any:
        same = self == other
        return ops.logical_not(same) if isinstance(same, Tensor) else not same

    __hash__ = None  # type: ignore[assignment]

    @property
    def _type_spec(self) -> Any:
        values = {n: fields.mapped(v, k, _spec_of) for n, k, v in self._values()}
        return _made(type(self), True, values)

    def _as_tensor(self) -> Any:
        raise ValueError(
            f"Attempt to convert a value ({self!r}) with an unsupported type ({type(self)}) to a "
            f"Tensor.\n  Fix: pass one of its Tensors, or register what the function does with a "
            f"{type(self).__name__} by tf.experimental.dispatch_for_api."
        )


def _spec_of(leaf: Any) -> Any:
    return leaf._type_spec if isinstance(leaf, Composite) else TensorSpec.from_tensor(leaf)


def _tensors(value: Any) -> list[Any]:
    found: list[Any] = []
    for part in value._components():
        found.extend(_tensors(part) if isinstance(part, Composite) else [part])
    return found


def as_dict(value: Any) -> dict[str, Any]:
    """Return the fields of an extension type's value, by name.

    Args:
        value: An ExtensionType; those in its fields stay what they are.

    Returns:
        A new dict, in the order of the fields.

    Raises:
        ValueError: `value` is no ExtensionType.

    Example:
        >>> class Interval(tf.experimental.ExtensionType):
        ...     low: int
        ...     high: int = 9
        >>> tf.experimental.extension_type.as_dict(Interval(2))
        {'low': 2, 'high': 9}
    """
    fields = getattr(type(value), "_lm_fields", None)
    if fields is None or type(value)._is_spec:
        raise ValueError(
            f"tf.experimental.extension_type.as_dict: `value` must be an ExtensionType; got "
            f"{type(value).__name__}.\n  Fix: pass one, not its class."
        )
    return {name: getattr(value, name) for name in fields}


# ---- constructors --------------------------------------------------------------------------------


def _constructor(cls: Any) -> Any:
    """Return an `__init__` that takes the fields in order."""
    is_spec = cls._is_spec
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if is_spec else field.default,
            annotation=inspect.Parameter.empty if is_spec else field.kind,
        )
        for field in cls._lm_fields.values()
    ]
    # As in TF: from the first field without a default behind one with a default on, all need names.
    named = False
    for i, each in enumerate(parameters):
        has_default = each.default is not inspect.Parameter.empty
        before = parameters[i - 1].default if i else inspect.Parameter.empty
        named |= not has_default and before is not inspect.Parameter.empty
        if named:
            parameters[i] = each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.Signature(parameters, return_annotation=cls)

    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        vars(self).update(bound.arguments)
        if type(self) is cls:
            vars(self)[_OPEN] = True
            self._finish()
            if not is_spec:
                self.__validate__()

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    construct.__signature__ = signature.replace(parameters=[own, *parameters])  # type: ignore[attr-defined]
    construct.__name__, construct.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
    return construct


def _wrapped(cls: Any) -> Any:
    """Return the class's own `__init__` with what comes before and after it."""
    user = vars(cls)["__init__"]
    is_spec = cls._is_spec

    @functools.wraps(user)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        vars(self)[_OPEN] = True
        user(self, *args, **kwargs)
        if type(self) is cls:
            self._finish()
            if not is_spec:
                self.__validate__()

    return construct


def _without_self(function: Any) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _spec_class(cls: Any, user: Any) -> Any:
    """Return the `Spec` of an extension type, with what the user's nested class brings."""
    name = f"{cls.__name__}.Spec"
    space: dict[str, Any] = {
        "__module__": cls.__module__,
        "__doc__": f"TypeSpec of {cls.__name__}.",
    }
    if user is not None:
        if issubclass(user, ExtensionTypeSpec):
            return _finished_spec(type(name, (user,), space), cls, "__init__" in vars(user))
        if not isinstance(user, type) or user.__bases__ not in ((object,), (TypeSpec,)):
            raise ValueError(
                f"{cls.__name__}.Spec must be a nested class without base classes but tf.TypeSpec; "
                f"got {user!r}."
            )
        own = {k: v for k, v in vars(user).items() if k not in ("__dict__", "__weakref__")}
        space = own | space
    made = type(name, (ExtensionTypeSpec,), space)
    return _finished_spec(made, cls, "__init__" in space)


def _finished_spec(made: Any, cls: Any, has_own: bool) -> Any:
    made.__qualname__ = f"{cls.__qualname__}.Spec"
    made._lm_value_type, made._lm_fields = cls, cls._lm_fields
    made._lm_resolved = cls._lm_resolved
    made.__init__ = _wrapped(made) if has_own and "__init__" in vars(made) else _constructor(made)
    made.__signature__ = _without_self(made.__init__)
    return made


# ---- batches -------------------------------------------------------------------------------------


class ExtensionTypeBatchEncoder:
    """How values of a batchable type are joined to a batch and taken apart.

    `tf.map_fn` and `tf.data` ask it. The default joins and parts each Tensor along its first axis,
    and gives `tf.TensorShape` fields the batch's size as their first. A subclass may change any of
    its methods, and is put into the class as `__batch_encoder__`.

    Example:
        >>> class Point(tf.experimental.BatchableExtensionType):
        ...     shape: tf.TensorShape
        ...     x: tf.Tensor
        >>> point = Point.Spec([], tf.TensorSpec([]))
        >>> Point.__batch_encoder__.batch(point, 3)
        Point.Spec(shape=TensorShape([3]), x=TensorSpec(shape=(3,), dtype=tf.float32, name=None))
    """

    def batch(self, spec: Any, batch_size: int | None) -> Any:
        """Return the spec of a batch of values.

        Args:
            spec: The TypeSpec of one value.
            batch_size: The number of values, or None if it is unknown.
        """
        return _shapes_changed(spec, lambda s: TensorShape([batch_size]).concatenate(s))

    def unbatch(self, spec: Any) -> Any:
        """Return the spec of the values in a batch, given the batch's spec."""
        return _shapes_changed(spec, lambda s: s if s.rank is None else s[1:])

    def encode(self, spec: Any, value: Any, minimum_rank: int = 0) -> list[Any]:
        """Return a value as Tensors that can be stacked with those of other values.

        Args:
            spec: The value's TypeSpec.
            value: The value.
            minimum_rank: How many batch axes the Tensors must have at least.
        """
        return _tensors(value)

    def decode(self, spec: Any, encoded_value: Any) -> Any:
        """Return the value of a spec from its Tensors, as `encode` gives them."""
        return spec._from_components(list(encoded_value))

    def encoding_specs(self, spec: Any) -> list[Any]:
        """Return the TensorSpecs of what `encode` gives."""
        return list(spec._components())


def _shapes_changed(spec: Any, change: Any) -> Any:
    """Return a spec with the shapes of its Tensors and its TensorShape fields changed."""

    def leaf(part: Any) -> Any:
        if isinstance(part, TensorSpec):
            return TensorSpec(change(part.shape), part.dtype, part.name)
        return _shapes_changed(part, change) if isinstance(part, ExtensionTypeSpec) else part

    values = {n: fields.mapped(v, k, leaf) for n, k, v in spec._values()}
    changed = {n: change(v) if isinstance(v, TensorShape) else v for n, v in values.items()}
    return _made(spec._lm_value_type, True, changed)


class BatchableExtensionType(ExtensionType):
    """An extension type whose values can be stacked to a batch: for `tf.map_fn` and `tf.data`.

    Each Tensor has the batch axes first. A field of type `tf.TensorShape` holds the batch shape:
    it gets and loses its first size with the Tensors.

    Example:
        >>> class Point(tf.experimental.BatchableExtensionType):
        ...     x: tf.Tensor
        ...     y: tf.Tensor
        >>> points = Point([1.0, 2.0], [3.0, 4.0])
        >>> tf.map_fn(lambda p: p.x + p.y, points, fn_output_signature=tf.float32).numpy()
        array([4., 6.], dtype=float32)
    """

    __batch_encoder__ = ExtensionTypeBatchEncoder()
    _lm_batchable = True


def _batch_shaped(old: Any, new: Any) -> Any:
    """Return `new` with TensorShape fields that follow its Tensors' gain or loss of an axis."""
    holders = [n for n, _, v in old._values() if isinstance(v, TensorShape)]
    before, after = old._components(), new._components()
    if not holders or not before:
        return new
    shapes = [(_shape(a), _shape(b)) for a, b in zip(before, after, strict=True)]
    if any(a is None or b is None for a, b in shapes):
        return new
    grown = {len(b) - len(a) for a, b in shapes}  # type: ignore[arg-type]
    if grown == {1}:
        sizes = {b[0] for _, b in shapes}  # type: ignore[index]
        first = sizes.pop() if len(sizes) == 1 else None
        for name in holders:
            vars(new)[name] = TensorShape([first]).concatenate(vars(old)[name])
    elif grown == {-1}:
        for name in holders:
            shape = vars(old)[name]
            vars(new)[name] = shape if not shape.rank else shape[1:]
    return new


def _shape(leaf: Any) -> Any:
    shape = getattr(leaf, "shape", None)
    if shape is None:
        return None
    shape = TensorShape(shape)
    return None if shape.rank is None else shape.as_list()
