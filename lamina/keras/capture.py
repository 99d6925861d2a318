"""Configs by capture: the constructor's arguments are kept, and everything else follows."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from lamina.engine import versions
from lamina.keras import arguments, registry

__all__ = ["Captured", "describes_own"]

_MISSING = object()
# Attributes that say nothing about what a program computes.
_UNREAD = frozenset({"built", "name"})


class Captured:
    """Keep the arguments of the constructor, and derive `get_config` and `from_config` from them.

    `__new__` notes the arguments as given, whatever the signature, and whether or not `__init__`
    calls `super().__init__()`; nothing is bound or copied until a config is asked for. Each
    subclass is noted in the registry when it is defined, so that a file may name it.

    A config has one entry per parameter of the constructor. For lamina's own classes it is the
    attribute of that name, which holds the normalised value, else the argument as given, else the
    default. For a user's class it is the argument as given. A `get_config` written by the user
    wins; what its `super().get_config()` returns then describes the base class's constructor.

    Class attributes, for lamina's own classes:
        _keras_module: Path in Keras, if the directory does not say it.
        _config_as_given: Parameters whose argument counts, not the attribute of that name.
        _config_omit: Parameters that Keras' config leaves out.
        _config_omit_none: Parameters left out when they are None.
        _config_bare: Not inherited: the parameters that `super().get_config()` in a class of the
            user's has beside the head, where they are not None; undefined for all parameters.
        _config_extras: Further keywords, not parameters, that are kept; None keeps all.
        _config_head_keys: Keys that `_config_head` adds for all subclasses; `from_config` hands
            those that a constructor does not take to `_config_restore`.

    Example:
        >>> class Scale(tf.keras.initializers.Initializer):
        ...     def __init__(self, factor, offset=0.0):
        ...         self.factor, self.offset = factor, offset
        >>> Scale(2.0).get_config()
        {'factor': 2.0, 'offset': 0.0}
        >>> Scale.from_config({"factor": 3.0}).factor
        3.0
    """

    _captured: tuple[tuple[Any, ...], dict[str, Any]]
    _config_as_given: ClassVar[tuple[str, ...]] = ()
    _config_omit: ClassVar[tuple[str, ...]] = ()
    _config_omit_none: ClassVar[tuple[str, ...]] = ()
    _config_extras: ClassVar[tuple[str, ...] | None] = None
    _config_head_keys: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        if args or kwargs:
            arguments.check(cls, args, kwargs)
        # Not by setattr: a subclass may watch its attributes, and has no state yet.
        self.__dict__["_captured"] = (args, kwargs)
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        registry.define(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; programs that were traced with its value of before are traced anew."""
        own = self.__dict__
        if name[0] != "_" and name in own and own[name] is not value and name not in _UNREAD:
            versions.structure += 1
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        arguments = _given(type(self).__init__, *self.__dict__.get("_captured", ((), {})))
        shown = ", ".join(f"{name}={_brief(value)}" for name, value in arguments.items())
        return f"<{type(self).__name__} {shown}>" if shown else f"<{type(self).__name__}>"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments by name, as plain values that JSON can hold.

        Returns:
            A dict that `from_config` makes an equal object from.

        Raises:
            TypeError: an argument can neither be stored as a value nor by name.
        """
        cls = type(self)
        owner = _described(cls)
        own = describes_own(cls)
        given = self._given(owner)
        bare = vars(owner).get("_config_bare") if owner is not cls else None
        head = dict(self._config_head())
        config = dict(head) if own else {}
        for name, parameter in _parameters(owner.__init__).items():
            if parameter.kind is parameter.VAR_KEYWORD or (own and name in self._config_omit):
                continue
            if own and parameter.kind is parameter.VAR_POSITIONAL:
                continue  # Model(inputs, outputs): `graph_config` describes them
            if bare is not None and (name not in bare or getattr(self, name, None) is None):
                continue
            value = self._config_source(name, parameter, given, own)
            if value is _MISSING or (own and value is None and name in self._config_omit_none):
                continue
            if name in head and (own or value is None):
                continue  # the head has it; `name=None` asks for the generated name there
            config[name] = self._config_value(name, value, own)
        config |= {name: value for name, value in head.items() if name not in config}
        kept = self._config_extras if own else None
        for name, value in given.get(_MISSING, {}).items():
            wanted = name not in self._config_head_keys if kept is None else name in kept
            if name not in config and wanted:
                value = value if kept is None else getattr(self, name, value)
                config[name] = self._config_value(name, value, own)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new object from a config, with the objects nested in it made first.

        Args:
            config: What `get_config` returned.

        Raises:
            TypeError: the constructor does not take an entry that has a value.
        """
        args, kwargs, rest = _arguments(cls, registry.revive(dict(config)))
        made = cls(*args, **kwargs)
        if rest:
            made._config_restore(rest)
        return made

    def _config_head(self) -> dict[str, Any]:
        """Return the entries that do not come from the constructor's own parameters."""
        return {}

    def _config_restore(self, entries: dict[str, Any]) -> None:
        """Take the head's entries that the constructor does not: nothing to do here."""

    def _given(self, owner: type) -> dict[Any, Any]:
        """Return the captured arguments by parameter; extra keywords under `_MISSING`."""
        if owner.__init__ is not type(self).__init__:
            return {}
        return _bind(owner.__init__, *self.__dict__.get("_captured", ((), {})))

    def _config_source(
        self, name: str, parameter: inspect.Parameter, given: dict[Any, Any], own: bool
    ) -> Any:
        if (own or not given) and name not in self._config_as_given:
            value = getattr(self, name, _MISSING)
            if value is not _MISSING:
                return value
        if name in given:
            return given[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            return ()
        return _MISSING if parameter.default is parameter.empty else parameter.default

    def _config_value(self, name: str, value: Any, own: bool) -> Any:
        if own and callable(value) and registry.is_public_function(value):
            return registry.function_name(value)  # activation="relu", as Keras writes it
        try:
            return registry.serialize_keras_object(value)
        except TypeError as error:
            error.add_note(f"It is the argument `{name}` of {type(self).__name__}.")
            raise


def _definer(cls: type, name: str) -> type:
    """Return the class that defines an attribute, nearest first."""
    return next((klass for klass in cls.__mro__ if name in klass.__dict__), object)


def _described(cls: type) -> type:
    """Return the class whose constructor `Captured.get_config` describes.

    It is the class itself, or, below a `get_config` written by the user, the next class up: the
    user's method adds the entries of its own class to what `super().get_config()` returns.
    """
    described = cls
    for klass, above in zip(cls.__mro__, cls.__mro__[1:], strict=False):
        if klass is Captured:
            break
        if "get_config" in klass.__dict__ and not registry.is_own(klass):
            described = above
    return described


def describes_own(cls: type) -> bool:
    """Return whether `Captured.get_config` describes a constructor of lamina's in this class."""
    return registry.is_own(_definer(_described(cls), "__init__"))


def _parameters(init: Callable[..., None]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a constructor, without self."""
    if init is object.__init__:
        return {}
    return dict(list(inspect.signature(init).parameters.items())[1:])


def _bind(
    init: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[Any, Any]:
    """Return the arguments by parameter name; extra keywords as a dict under `_MISSING`."""
    if init is object.__init__:
        return {}
    signature = inspect.signature(init)
    try:
        bound: dict[Any, Any] = dict(signature.bind(None, *args, **kwargs).arguments)
    except TypeError:  # made without its constructor, as copy and pickle do
        return {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            bound[_MISSING] = bound.pop(name, {})
    bound.pop(next(iter(signature.parameters)))
    return bound


def _given(
    init: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    bound = _bind(init, args, kwargs)
    return {**{k: v for k, v in bound.items() if k is not _MISSING}, **bound.get(_MISSING, {})}


def _arguments(
    cls: type[Captured], values: dict[str, Any]
) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Split a config into positional and keyword arguments, and what the constructor leaves."""
    parameters = _parameters(cls.__init__)
    args: list[Any] = []
    variadic = next((p.name for p in parameters.values() if p.kind is p.VAR_POSITIONAL), None)
    extra = variadic is not None and bool(values.get(variadic))
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(values.pop(name, ()))
        elif parameter.kind is parameter.POSITIONAL_ONLY or (
            parameter.kind is parameter.POSITIONAL_OR_KEYWORD and extra
        ):
            if name not in values and parameter.default is parameter.empty:
                break
            args.append(values.pop(name, parameter.default))
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = {} if takes_any else {k: v for k, v in values.items() if k not in parameters}
    refused = [k for k, v in unknown.items() if v is not None and k not in cls._config_head_keys]
    if refused:
        raise TypeError(_msg_refused(cls, refused, list(parameters)))
    taken = {name: value for name, value in values.items() if name not in unknown}
    return args, taken, {k: v for k, v in unknown.items() if k in cls._config_head_keys}


def _msg_refused(cls: type, refused: list[str], parameters: list[str]) -> str:
    names = ", ".join(f"`{name}`" for name in refused)
    return (
        f"{cls.__name__}: a config with the entries {parameters} was expected; got {names} too.\n"
        f"  Fix: remove {'it' if len(refused) == 1 else 'them'} from the config, or let "
        f"`__init__` take {'it' if len(refused) == 1 else 'them'}."
    )


def _brief(value: Any) -> str:
    text = getattr(value, "__name__", None) or repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
