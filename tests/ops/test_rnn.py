"""Recurrent kernels against loops over examples and steps."""

import jax
import numpy as np
import pytest
from jax import export

from lamina import ops
from lamina.engine import GradientTape, convert_to_tensor
from lamina.ops import rnn
from tests.tolerances import assert_close

RNG = np.random.RandomState(0)
B, T, F, U = 3, 5, 4, 2
X = RNG.randn(B, T, F)
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
GATES = {"lstm": 4, "gru": 3, "gru_before": 3, "simple_rnn": 1}
STATES = {"lstm": 2, "gru": 1, "gru_before": 1, "simple_rnn": 1}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights(kind):
    g = GATES[kind]
    bias = RNG.randn(2, g * U) if kind == "gru" else RNG.randn(g * U)
    return RNG.randn(F, g * U), RNG.randn(U, g * U), bias


def cell(kind, x, states, kernel, recurrent, bias):
    """Run one step of one example."""
    h = states[0]
    if kind == "simple_rnn":
        return (np.tanh(x @ kernel + h @ recurrent + bias),)
    if kind == "lstm":
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    inner, outer = (bias[1], bias[0]) if kind == "gru" else (np.zeros_like(bias), bias)
    xz, xr, xh = np.split(x @ kernel + outer, 3)
    hz, hr, hh = np.split(h @ recurrent + inner, 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    hh = r * hh if kind == "gru" else (r * h) @ recurrent[:, 2 * U :]
    return (z * h + (1 - z) * np.tanh(xh + hh),)


def looped(kind, parameters, initial, mask, sequences, backwards, zero):
    outputs, finals = [], []
    for b in range(B):
        states = tuple(s[b] for s in initial)
        last, row = np.zeros(U), []
        for t in reversed(range(T)) if backwards else range(T):
            if mask is None or mask[b, t]:
                states = cell(kind, X[b, t], states, *parameters)
                last = states[0]
            elif zero:
                last = np.zeros(U)
            row.append(last)
        outputs.append(row if sequences else last)
        finals.append(states)
    return np.array(outputs), *[np.array(s) for s in zip(*finals, strict=True)]


def run(kind, states, parameters, mask=None, x=X, input_mask=None, recurrent_mask=None, **kwargs):
    fn = getattr(ops, kind.removesuffix("_before"))
    if kind.startswith("gru"):
        kwargs["reset_after"] = kind == "gru"
    return fn(x, *states, *parameters, mask, input_mask, recurrent_mask, **kwargs)


SETTINGS = ["", "sequences backwards", "masked", "masked sequences zero", "masked backwards zero"]


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("words", [*SETTINGS, "masked sequences backwards unroll"])
def test_kernel_is_the_loop(kind, words):
    masked, sequences, backwards, zero, unroll = (
        word in words for word in ("masked", "sequences", "backwards", "zero", "unroll")
    )
    parameters = weights(kind)
    initial = [RNG.randn(B, U) for _ in range(STATES[kind])]
    mask = MASK if masked else None
    expected = looped(kind, parameters, initial, mask, sequences, backwards, zero)
    found = run(
        kind,
        initial,
        parameters,
        mask,
        return_sequences=sequences,
        go_backwards=backwards,
        zero_output_for_mask=zero,
        unroll=unroll,
    )
    for a, b in zip(found, expected, strict=True):
        assert_close(a.numpy(), b)


@pytest.mark.parametrize("kind", GATES)
def test_no_initial_state_is_zeros_and_no_bias_adds_nothing(kind):
    kernel, recurrent, bias = weights(kind)
    zeros = [np.zeros((B, U))] * STATES[kind]
    expected = run(kind, zeros, (kernel, recurrent, bias * 0))
    found = run(kind, [None] * STATES[kind], (kernel, recurrent, None))
    assert_close(found[0].numpy(), expected[0].numpy())


@pytest.mark.parametrize("kind", GATES)
def test_time_major_swaps_the_axes(kind):
    parameters, states = weights(kind), [None] * STATES[kind]
    expected = run(kind, states, parameters, MASK, return_sequences=True)
    found = run(
        kind,
        states,
        parameters,
        MASK.T,
        x=X.swapaxes(0, 1),
        return_sequences=True,
        time_major=True,
    )
    assert_close(found[0].numpy().swapaxes(0, 1), expected[0].numpy())
    assert_close(found[1].numpy(), expected[1].numpy())


@pytest.mark.parametrize("kind", GATES)
def test_gradients_are_slopes(kind):
    values = [X, *weights(kind)]
    states = [None] * STATES[kind]

    def fn(x, *parameters):
        return ops.reduce_sum(ops.sin(run(kind, states, parameters, MASK, x=x)[0]))

    tensors = [convert_to_tensor(v) for v in values]
    with GradientTape() as tape:
        for t in tensors:
            tape.watch(t)
        y = fn(*tensors)
    step = 1e-6
    for i, found in enumerate(tape.gradient(y, tensors)):
        place = tuple(n - 1 for n in values[i].shape)
        sides = []
        for sign in (1, -1):
            moved = [v.copy() for v in values]
            moved[i][place] += sign * step
            sides.append(float(fn(*moved)))
        assert_close(found.numpy()[place], (sides[0] - sides[1]) / (2 * step), "float32")


@pytest.mark.parametrize("kind", GATES)
def test_equal_dropout_for_each_gate_is_dropout_for_all(kind):
    parameters, states = weights(kind), [None] * STATES[kind]
    drop_x = RNG.randint(0, 2, (1, B, F)) * 2.0
    drop_h = RNG.randint(0, 2, (1, B, U)) * 2.0
    gates = GATES[kind]
    one = run(kind, states, parameters, input_mask=drop_x, recurrent_mask=drop_h)
    each = run(
        kind,
        states,
        parameters,
        input_mask=np.repeat(drop_x, gates, 0),
        recurrent_mask=np.repeat(drop_h, gates, 0),
    )
    assert_close(each[0].numpy(), one[0].numpy())
    dropped = run(kind, states, parameters, x=X * drop_x[0][:, None])
    no_state = run(kind, states, parameters, input_mask=drop_x)
    assert_close(no_state[0].numpy(), dropped[0].numpy())


def test_activations_by_name():
    parameters = weights("simple_rnn")
    y, _ = run("simple_rnn", [None], parameters, activation="relu")
    assert (y.numpy() >= 0).all()
    with pytest.raises(ValueError, match=r"must be one of .*relu.*; got 'nope'"):
        run("simple_rnn", [None], parameters, activation="nope")


def test_a_kernel_of_other_features_is_named():
    kernel, recurrent, bias = weights("lstm")
    with pytest.raises(ValueError, match=r"\(batch, time, features\)"):
        run("lstm", [None, None], (kernel[:2], recurrent, bias))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("kind", GATES)
def test_dtype_is_kept(kind, dtype):
    parameters = [ops.cast(w, dtype) for w in weights(kind)]
    out = run(kind, [None] * STATES[kind], parameters, x=ops.cast(X, dtype))
    assert {o.dtype.name for o in out} == {dtype}


@pytest.mark.parametrize("kind", GATES)
def test_unknown_batch_and_time(kind):
    b, t = export.symbolic_shape("b, t")
    shapes = [(b, t, F), *[w.shape for w in weights(kind)]]
    structs = [jax.ShapeDtypeStruct(s, np.float32) for s in shapes]
    mask = jax.ShapeDtypeStruct((b, t), np.bool_)
    fn = getattr(ops, kind.removesuffix("_before")).body
    kwargs = {"reset_after": kind == "gru"} if kind.startswith("gru") else {}

    def call(x, kernel, recurrent, bias, mask):
        states = [None] * STATES[kind]
        return fn(
            x, *states, kernel, recurrent, bias, mask, None, None, return_sequences=True, **kwargs
        )

    with jax.enable_x64(True):
        out = jax.eval_shape(call, *structs, mask)
    assert out[0].shape == (b, t, U)
    assert out[1].shape == (b, U)


def test_unroll_writes_out_a_few_steps_of_a_long_sequence():
    settings = {
        "zero_output_for_mask": False,
        "return_sequences": False,
        "go_backwards": False,
        "time_major": True,
        "unroll": True,
    }

    def total(steps):
        add = rnn._run(lambda x, s: (x + s[0],), (steps, lambda x: x), [steps[0]], None, settings)
        return add[0]

    equations = jax.make_jaxpr(total)(np.zeros((80, 2, 3), np.float32)).eqns
    (loop,) = [each for each in equations if each.primitive.name == "scan"]
    assert loop.params["length"] == 80
    assert 1 < loop.params["unroll"] < 10
