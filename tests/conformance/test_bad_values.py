"""What a constructor or a call must refuse: the error names the class and the argument."""

import inspect

import numpy as np
import pytest

import lamina as tf
from tests.conformance.bad_values import ANYTHING, KINDS, PARTS, bad_values
from tests.conformance.rows import rows_of
from tests.conformance.table import arrays, run

_REFUSALS = (ValueError, TypeError, tf.errors.InvalidArgumentError)
_ROWS = [case for case in rows_of("bad_values") if case.room != "activations"]
every_row = pytest.mark.parametrize("case", _ROWS, ids=[case.id for case in _ROWS])


@every_row
def test_constructor_refuses_bad_values(case):
    kept = []
    for argument, value in bad_values(case):
        try:
            case.make(**{argument: value})
        except _REFUSALS as error:
            text = str(error)
            named = case.kind.__name__ in text or PARTS.get(case.name, "no part") in text
            if not named or f"`{argument}`" not in text:
                kept.append(f"{argument}={value!r} is refused with: {text}")
        else:
            kept.append(f"{argument}={value!r} is taken")
    assert not kept, "\n".join(kept)


@every_row
def test_every_argument_is_in_the_table(case):
    unknown = {
        name
        for name in inspect.signature(case.kind).parameters
        if name not in KINDS and name not in ANYTHING
    }
    unknown = {n for n in unknown if not n.endswith(("initializer", "regularizer", "constraint"))}
    assert not unknown, f"{case.id}: say in bad_values.py what {sorted(unknown)} refuse"


@pytest.mark.parametrize("case", rows_of("bad_values", "layers"), ids=lambda case: case.id)
def test_layer_refuses_unknown_arguments_and_calls_without_input(case):
    with pytest.raises(_REFUSALS, match="unknown_argument"):
        case.make(unknown_argument=1)
    layer = case.make()
    with pytest.raises(TypeError) as raised:
        layer()
    assert "missing" in str(raised.value)


# Layers that take inputs of any rank say so by having no row here: rank → a shape of another rank.
_RANKED = [
    case
    for case in rows_of("bad_values", "layers")
    if len(case.inputs) == 1 and case.make().input_spec is not None
]


@pytest.mark.parametrize("case", _RANKED, ids=lambda case: case.id)
def test_layer_with_a_rank_refuses_another(case):
    layer = case.make()
    spec = layer.input_spec
    spec = spec[0] if isinstance(spec, list | tuple) else spec
    wrong = None
    if spec.ndim is not None:
        wrong = tf.zeros((2,) * (spec.ndim + 1))
    elif spec.min_ndim:
        wrong = tf.zeros((2,) * (spec.min_ndim - 1))
    if wrong is None:
        return
    with pytest.raises(_REFUSALS) as raised:
        layer(wrong)
    text = str(raised.value)
    assert type(layer).__name__ in text or PARTS.get(case.name, "no part") in text
    assert "axes" in str(raised.value)
    run(case, case.make(), arrays(case))


@pytest.mark.parametrize("case", rows_of("bad_values", "losses"), ids=lambda case: case.id)
def test_loss_refuses_shapes_that_do_not_fit(case):
    with pytest.raises(_REFUSALS):
        case.make()(tf.zeros((3, 4, 7, 2)), tf.zeros((2, 5, 3)))


# Layers that give numbers for strings.
_OF_STRINGS = {"Discretization", "HashedCrossing", "Hashing", "StringLookup", "TextVectorization"}


def _filled(fed, dtype):
    values = fed.array()
    if dtype == "string":
        return tf.constant(np.full(values.shape, b"x", object))
    real = np.zeros(values.shape, "float32") if values.dtype.kind == "U" else values
    return tf.cast(tf.constant(real), dtype)


@pytest.mark.parametrize("dtype", ["string", "complex64"])
@pytest.mark.parametrize("case", rows_of("bad_values", "layers"), ids=lambda case: case.id)
def test_layer_keeps_or_refuses_what_is_no_real_number(case, dtype):
    layer = case.make()
    try:
        result = run(case, layer, [_filled(fed, dtype) for fed in case.inputs])
    except (*_REFUSALS, tf.errors.UnimplementedError) as error:
        text = "\n".join([str(error), *getattr(error, "__notes__", ())])
        assert f" ({type(layer).__name__} " in text or '" (' in text or layer.name in text, text
        return
    if dtype == "string" and case.name in _OF_STRINGS:
        return
    lost = [t for t in tf.nest.flatten(result) if t.dtype.is_floating or t.dtype.is_integer]
    assert not lost, f"{case.id} makes {lost[0].dtype.name} of {dtype}"
