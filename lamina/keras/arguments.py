"""What constructor arguments must be, whatever the class: by annotation, and one table by name.

A class says in its annotations that an argument is a number; the table says what names mean that
several classes share. Checks that depend on other arguments, or on one class, are in the classes.
"""

import codecs
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lamina.keras import registry

__all__ = ["WrongKindError", "check"]


class WrongKindError(TypeError, ValueError):
    """An argument of a wrong kind; Keras raises TypeError for some and ValueError for others."""


_Rule = Callable[[type, str, Any], None]


def check(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Check the arguments of a constructor, as given.

    Args:
        cls: The class that is made; only lamina's own constructors are looked at.
        args: Positional arguments, without self.
        kwargs: Keyword arguments.

    Raises:
        TypeError: an argument is of a wrong kind; it is a ValueError too.
        ValueError: an argument has a wrong value.
    """
    found = _rules.get(cls)
    if found is None:
        found = _rules[cls] = _rules_of(cls)
    names, rules = found
    if not rules:
        return
    for name, value in zip(names, args, strict=False):
        if value is not None and (rule := rules.get(name)) is not None:
            rule(cls, name, value)
    for name, value in kwargs.items():
        if value is not None and (rule := rules.get(name)) is not None:
            rule(cls, name, value)


_rules: dict[type, tuple[tuple[str, ...], Mapping[str, _Rule]]] = {}


def _rules_of(cls: type) -> tuple[tuple[str, ...], Mapping[str, _Rule]]:
    owner = next((c for c in cls.__mro__ if "__init__" in c.__dict__), object)
    if owner is object or not registry.is_own(owner):
        return (), {}
    parameters = list(inspect.signature(owner.__init__).parameters.values())[1:]  # type: ignore[misc]
    by_annotation = {p.name: rule for p in parameters if (rule := _by_annotation(p))}
    names = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
    return names, {**by_annotation, **_BY_NAME}


# Whose own checks say more.
_CHECKED_BY_CLASSES = frozenset(["input_dim", "output_dim", "rate", "seed"])


def _by_annotation(parameter: inspect.Parameter) -> _Rule | None:
    annotation = parameter.annotation
    if parameter.name in _CHECKED_BY_CLASSES:
        return None
    union = isinstance(annotation, types.UnionType)
    kinds = set(typing.get_args(annotation) if union else (annotation,)) - {types.NoneType}
    return {frozenset({float}): _number, frozenset({int}): _whole}.get(frozenset(kinds))


# ---- rules --------------------------------------------------------------------------------------


def _refuse(cls: type, name: str, wanted: str, value: Any, kind: type = WrongKindError) -> None:
    raise kind(
        f"{cls.__name__}: `{name}` must be {wanted}; got {value!r} ({type(value).__name__})."
    )


def _number(cls: type, name: str, value: Any) -> None:
    if isinstance(value, str | bytes):
        _refuse(cls, name, "a number", value)


def _whole(cls: type, name: str, value: Any) -> None:
    if isinstance(value, str | bytes) or (isinstance(value, float) and not value.is_integer()):
        _refuse(cls, name, "an integer", value)


def _at_least(least: int) -> _Rule:
    wanted = "a positive integer" if least == 1 else f"an integer of at least {least}"

    def rule(cls: type, name: str, value: Any) -> None:
        if isinstance(value, str | bytes | float):
            _refuse(cls, name, wanted, value)
        if isinstance(value, int) and value < least:
            _refuse(cls, name, wanted, value, ValueError)

    return rule


def _fraction(cls: type, name: str, value: Any) -> None:
    if isinstance(value, str | bytes):
        _refuse(cls, name, "a number in [0, 1]", value)
    if isinstance(value, int | float) and not 0 <= value <= 1:
        _refuse(cls, name, "a number in [0, 1]", value, ValueError)


def _text(cls: type, name: str, value: Any) -> None:
    if not isinstance(value, str) and not hasattr(value, "name"):  # a dtype says its name
        _refuse(cls, name, "a string", value)


def _function(cls: type, name: str, value: Any) -> None:
    if not callable(value):
        _refuse(cls, name, "a function", value)


def _axes(cls: type, name: str, value: Any) -> None:
    entries = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    if isinstance(value, str) or any(isinstance(entry, str | float) for entry in entries):
        _refuse(cls, name, "integers", value)


def _sizes(cls: type, name: str, value: Any) -> None:
    if isinstance(value, str | float):
        _refuse(cls, name, "an integer, or several", value)


def _encoding(cls: type, name: str, value: Any) -> None:
    _text(cls, name, value)
    try:
        codecs.lookup(value)
    except LookupError:
        _refuse(cls, name, 'the name of a codec, such as "utf-8"', value, ValueError)


def _window(cls: type, name: str, value: Any) -> None:
    if isinstance(value, str) and value not in _WINDOWS:
        _refuse(cls, name, f"one of {sorted(_WINDOWS)}, or values", value, ValueError)


def _vocabulary_dtype(cls: type, name: str, value: Any) -> None:
    if getattr(value, "name", value) not in ("int32", "int64", "string"):
        _refuse(cls, name, '"int64", "int32" or "string"', value, ValueError)


# Those of scipy.signal.get_window that need no further number.
_WINDOWS = frozenset(
    [
        "barthann",
        "bartlett",
        "blackman",
        "blackmanharris",
        "bohman",
        "boxcar",
        "cosine",
        "exponential",
        "flattop",
        "hamming",
        "hann",
        "lanczos",
        "nuttall",
        "parzen",
        "taylor",
        "triang",
        "tukey",
        "hanning",
        "rectangular",
    ]
)

_NAMES: list[tuple[_Rule, str]] = [
    (_text, "name"),
    (_function, "fn"),
    (_axes, "axis"),
    (_sizes, "cropping"),
    (_encoding, "encoding"),
    (_window, "window"),
    (_vocabulary_dtype, "vocabulary_dtype"),
    (_fraction, "label_smoothing ema_momentum"),
    (_at_least(0), "class_id num_regressors"),
    (
        _at_least(1),
        "dynamic_growth_steps ema_overwrite_frequency fft_length first_decay_steps frame_length "
        "frame_step k lora_rank max_tokens num_classes num_mel_bins output_sequence_length "
        "sequence_stride top_k",
    ),
    (
        _number,
        "alpha beta brightness_factor clipnorm clipvalue contrast_factor decay_rate decay_steps "
        "delta end_learning_rate factor gamma global_clipnorm "
        "gradient_accumulation_steps hue_factor initial_learning_rate initial_scale l1 l2 "
        "loss_scale_factor m_mul "
        "margin max_value num_labels num_thresholds power precision q recall saturation_factor "
        "sensitivity specificity t_mul target_class_ids threshold thresholds "
        "value_range warmup_steps weight_decay",
    ),
]
_BY_NAME: dict[str, _Rule] = {name: rule for rule, names in _NAMES for name in names.split()}
