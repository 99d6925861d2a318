"""Cells, RNN, SimpleRNN, GRU, LSTM, StackedRNNCells, Bidirectional, TimeDistributed."""

import json
from collections import namedtuple

import numpy as np
import pytest

import lamina as tf
from lamina import ops
from lamina.engine import flush, local, nest
from lamina.keras import layers as L
from lamina.keras import registry
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)  # B 3, T 5
CELLS = {"simple": L.SimpleRNNCell, "gru": L.GRUCell, "lstm": L.LSTMCell}
LAYERS = {"simple": L.SimpleRNN, "gru": L.GRU, "lstm": L.LSTM}
each_kind = pytest.mark.parametrize("kind", CELLS)


def array(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_step(kind, weights, x, states, reset_after=True):
    """Return the next states of a cell; the first is the output."""
    w, r, *b = [v.astype(np.float64) for v in weights]
    h = states[0]
    if kind == "simple":
        return [np.tanh(x @ w + h @ r + b[0])]
    if kind == "lstm":
        i, f, g, o = np.split(x @ w + h @ r + b[0], 4, axis=-1)
        c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
        return [sigmoid(o) * np.tanh(c), c]
    outer, inner = b[0] if reset_after else (b[0], 0.0)
    xz, xr, xg = np.split(x @ w + outer, 3, axis=-1)
    hz, hr, hg = np.split(h @ r + inner, 3, axis=-1)
    reset, z = sigmoid(xr + hr), sigmoid(xz + hz)
    hg = reset * hg if reset_after else (reset * h) @ np.split(r, 3, axis=-1)[2]
    return [z * h + (1 - z) * np.tanh(xg + hg)]


def numpy_rnn(kind, weights, x, mask=None, backwards=False, zero=False, states=None, **settings):
    """Return (outputs of all steps, final states) of a loop over time."""
    units = weights[1].shape[0]
    states = states or [np.zeros((len(x), units))] * (2 if kind == "lstm" else 1)
    outputs, last = [], np.zeros((len(x), units))
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        new = numpy_step(kind, weights, x[:, t].astype(np.float64), states, **settings)
        keep = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        states = [np.where(keep, n, s) for n, s in zip(new, states, strict=True)]
        last = np.where(keep, new[0], 0 if zero else last)
        outputs.append(last)
    return np.stack(outputs, 1), states


class Cell(L.Layer):
    """The user's cell of the documentation, h' = tanh(x w + h u)."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units))
        self.u = self.add_weight(shape=(self.units, self.units))

    def call(self, inputs, states):
        out = tf.tanh(inputs @ self.w + states[0] @ self.u)
        return out, [out]


Pair = namedtuple("Pair", ["total", "table"])


class NestedCell(L.Layer):
    """Two states of different ranks, and an output that is no state."""

    state_size = Pair(2, tf.TensorShape([2, 3]))
    output_size = 1

    def call(self, inputs, states):
        total = states.total + inputs
        table = states.table + total[:, :, None]
        return tf.reduce_sum(table, axis=[1, 2])[:, None], Pair(total, table)


# ---- built-in cells ---


@each_kind
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [None, "hold", "zero"])
def test_layer_cell_and_numpy_agree(kind, backwards, masked):
    x = array(3, 5, 4)
    mask = None if masked is None else tf.constant(MASK)
    settings = {
        "return_sequences": True,
        "return_state": True,
        "go_backwards": backwards,
        "zero_output_for_mask": masked == "zero",
    }
    fused = LAYERS[kind](2, bias_initializer="ones", **settings)
    got = fused(x, mask=mask)
    weights = fused.get_weights()
    y, states = numpy_rnn(
        kind, weights, x, None if mask is None else MASK, backwards, masked == "zero"
    )
    for other in (
        fused,
        L.RNN(CELLS[kind](2), **settings),
        L.RNN(CELLS[kind](2, activation=lambda v: tf.tanh(v)), **settings),
        L.RNN(CELLS[kind](2, activation=lambda v: tf.tanh(v)), unroll=True, **settings),
    ):
        other.build(x.shape)
        other.set_weights(weights)
        got = other(x, mask=mask)
        for a, b in zip(got, [y, *states], strict=True):
            assert_close(a, b, "float32")
        other.return_sequences = False
        assert_close(other(x, mask=mask)[0], y[:, -1], "float32")
        other.return_sequences = True


@pytest.mark.parametrize("reset_after", [False, True])
def test_gru_resets_before_or_after_the_product(reset_after):
    layer, x = L.GRU(3, reset_after=reset_after, bias_initializer="ones"), array(2, 4, 3)
    y = layer(x)
    expected = numpy_rnn("gru", layer.get_weights(), x, reset_after=reset_after)[0][:, -1]
    assert_close(y, expected, "float32")
    assert layer.cell.bias.shape == ((2, 9) if reset_after else (9,))


KERNEL_ACTIVATIONS = sorted(
    name
    for name in tf.keras.activations.__dict__
    if registry.is_public_function(getattr(tf.keras.activations, name))
    and registry.function_name(getattr(tf.keras.activations, name)) in ops.ACTIVATIONS
)


@pytest.mark.parametrize("name", KERNEL_ACTIVATIONS)
def test_kernel_and_steps_mean_the_same_by_each_activation(name):
    x = array(2, 3, 3)
    function = tf.keras.activations.get(name)
    fused = L.GRU(4, activation=name, recurrent_activation=name)
    y = fused(x)
    steps = L.RNN(L.GRUCell(4, lambda v: function(v), lambda v: function(v)))
    steps.build(x.shape)
    steps.set_weights(fused.get_weights())
    assert fused.cell.has_kernel()
    assert not steps.cell.has_kernel()
    assert_close(steps(x), y)


@pytest.mark.parametrize("time", [2, 9])
@each_kind
def test_a_sequence_is_few_operations_however_long(kind, time):
    layer, x = LAYERS[kind](3), tf.constant(array(2, time, 4))
    layer(x)
    flush()
    y = layer(x)
    states = 2 if kind == "lstm" else 1
    assert len(local.trace.equations) <= states + 1  # zeros, and the kernel
    assert y.shape == (2, 3)


@each_kind
def test_gradients_of_kernel_scan_and_unrolled_steps_agree(kind):
    x = tf.constant(array(2, 4, 3))
    custom = {"activation": lambda v: tf.tanh(v)}
    layers = [
        LAYERS[kind](2),
        L.RNN(CELLS[kind](2, **custom)),
        L.RNN(CELLS[kind](2, **custom), unroll=True),
    ]
    results = []
    for layer in layers:
        layer.build(x.shape)
        layer.set_weights(layers[0].get_weights())
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, mask=tf.constant(MASK[:2, :4])) ** 2)
        results.append(tape.gradient(loss, [x, *layer.trainable_variables]))
    for other in results[1:]:
        for a, b in zip(other, results[0], strict=True):
            assert_close(a, b)


@each_kind
def test_shapes_with_unknown_batch_and_time(kind):
    layer = LAYERS[kind](4, return_sequences=True, return_state=True)
    out = layer(tf.keras.Input((None, 3)), mask=tf.keras.Input((None,), dtype="bool"))
    assert [tuple(t.shape) for t in out] == [(None, None, 4)] + [(None, 4)] * (len(out) - 1)
    assert layer.compute_output_shape((None, 7, 3))[0] == (None, 7, 4)
    assert layer(array(2, 3, 3))[0].shape == (2, 3, 4)
    steps = L.RNN(Cell(4), return_sequences=True)
    assert steps(tf.keras.Input((None, 3))).shape == (None, None, 4)


@each_kind
def test_config_round_trip_and_names(kind):
    layer = LAYERS[kind](
        3, activation="relu", dropout=0.1, return_state=True, unroll=True, dtype="float64"
    )
    config = json.loads(json.dumps(layer.get_config()))
    assert (config["units"], config["activation"], config["dropout"]) == (3, "relu", 0.1)
    assert type(layer).from_config(config).get_config() == layer.get_config()
    layer(array(1, 2, 2))
    name = {"simple": "simple_rnn", "gru": "gru", "lstm": "lstm"}[kind]
    parts = ["kernel", "recurrent_kernel", "bias"]
    assert [w.path for w in layer.weights] == [f"{name}/{name}_cell/{p}" for p in parts]
    assert {tf.as_dtype(w.dtype) for w in layer.weights} == {tf.float64}
    layer.dropout = 0.2
    assert layer.cell.dropout == 0.2


def test_lstm_forget_bias_starts_at_one():
    layer = L.LSTM(2, bias_initializer="zeros")
    layer.build((None, None, 3))
    assert layer.get_weights()[2].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_policy_decides_dtypes(policy):
    layer = L.LSTM(2, return_state=True, dtype=policy)
    steps = L.RNN(Cell(2), dtype=policy)
    for y in [*layer(array(1, 3, 2)), steps(array(1, 3, 2))]:
        assert y.dtype.name in (layer.compute_dtype, "float32")
    assert layer(array(1, 3, 2))[0].dtype.name == layer.compute_dtype


# ---- dropout ---


@each_kind
@pytest.mark.parametrize("activation", ["tanh", lambda v: tf.tanh(v)], ids=["kernel", "steps"])
def test_dropout_masks_stay_over_the_steps_of_a_sequence(kind, activation):
    layer = L.RNN(
        CELLS[kind](6, activation, dropout=0.5, recurrent_dropout=0.5, seed=1),
        return_sequences=True,
    )
    x = np.ones((4, 3, 5), np.float32)
    calm, again = layer(x), layer(x)
    assert_close(calm, again)
    first, second = layer(x, training=True), layer(x, training=True)
    assert not np.allclose(first, calm)
    assert not np.allclose(first, second)
    # With the masks of the layer, steps by hand give the same.
    cell, states = layer.cell, layer.cell.get_initial_state(4)
    start = cell.seed_generator.state.numpy()
    expected = layer(x, training=True)
    cell.seed_generator.state.assign(start)
    outputs = []
    for t in range(3):
        y, states = cell(tf.constant(x[:, t]), states, training=True)
        outputs.append(y)
    assert_close(np.stack(outputs, 1), expected)


def test_dropout_masks_are_kept_until_reset():
    cell = L.LSTMCell(3, dropout=0.5, seed=1)
    x = tf.ones((2, 8))
    first = cell.get_dropout_mask(x)
    assert len(first) == 4
    assert_close(cell.get_dropout_mask(x)[0], first[0])
    cell.reset_dropout_mask()
    assert not np.allclose(cell.get_dropout_mask(x)[0], first[0])
    assert cell.get_recurrent_dropout_mask(x) is None
    assert tf.function(lambda: cell.get_dropout_mask(x)[0])().shape == (2, 8)
    cell.reset_dropout_mask()
    tf.function(lambda: cell.get_dropout_mask(x)[0])()
    assert np.isfinite(cell.get_dropout_mask(x)[0].numpy()).all()  # drawn anew: no leak


# ---- states ---


@each_kind
@pytest.mark.parametrize("form", [list, tuple])
def test_initial_state_starts_the_sequence(kind, form):
    layer, x = LAYERS[kind](2, return_state=True), array(3, 6, 4)
    whole = layer(x)
    _, *states = layer(x[:, :2])
    for a, b in zip(layer(x[:, 2:], initial_state=form(states)), whole, strict=True):
        assert_close(a, b)
    symbols = [tf.keras.Input((2,)) for _ in states]
    assert layer(tf.keras.Input((None, 4)), initial_state=symbols)[0].shape == (None, 2)


def test_a_single_initial_state_needs_no_list():
    layer, x, h = L.GRU(2), array(3, 4, 2), array(3, 2)
    assert_close(layer(x, initial_state=h), layer(x, initial_state=[tf.constant(h)]))


@pytest.mark.parametrize("make", [lambda **k: L.LSTM(2, **k), lambda **k: L.RNN(Cell(2), **k)])
def test_stateful_layers_go_on_where_they_stopped(make):
    layer, x = make(stateful=True), array(3, 6, 4)
    layer(x)
    plain = make()
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    layer.reset_states()
    layer(x[:, :2])
    compiled = tf.function(layer)
    assert_close(compiled(tf.constant(x[:, 2:])), plain(x))
    layer.reset_state()
    assert_close(layer(x), plain(x))
    values = [np.ones(v.shape, np.float32) for v in nest.flatten(layer.states)]
    layer.reset_states(values)
    assert_close(layer(x), plain(x, initial_state=values))
    assert len(layer.weights) == len(plain.weights)


def test_users_cells_with_nested_states():
    x = array(2, 4, 2)
    layer = L.RNN(NestedCell(), return_sequences=True, return_state=True)
    y, total, table = layer(x)
    sums = np.cumsum(x, 1)
    tables = np.cumsum(np.repeat(sums[..., None], 3, -1), 1)
    assert_close(y, tables.sum((2, 3))[..., None])
    assert_close(total, sums[:, -1])
    assert_close(table, tables[:, -1])
    y, total, _ = layer(x, mask=tf.constant(MASK[:2, :4]))
    assert_close(total, (x * MASK[:2, :4, None]).sum(1))
    again = layer(x, initial_state=Pair(total, table))
    assert_close(again[1], total + sums[:, -1])


class Older(Cell):
    """A cell with the `get_initial_state` of tf.keras, and a layer inside that builds itself."""

    def __init__(self, units):
        super().__init__(units)
        self.inner = L.Dense(units)

    def build(self, input_shape):
        pass

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        return tf.ones([batch_size, self.units], dtype)

    def call(self, inputs, states, training=None):
        y = self.inner(inputs) + states[0]
        return (y if training else -y), y


def test_a_cell_may_choose_its_initial_state_and_hold_layers():
    layer, x = L.RNN(Older(2)), array(2, 3, 4)
    y = layer(x)
    assert [w.path for w in layer.weights] == ["rnn/older/dense/kernel", "rnn/older/dense/bias"]
    expected = 1 + (x @ layer.get_weights()[0]).sum(1)
    assert_close(y, -expected)
    assert_close(layer(x, training=True), expected)
    assert layer(tf.keras.Input((None, 4))).shape == (None, 2)


class Counting(L.Layer):
    """A cell that assigns a variable in each step."""

    state_size = 1

    def __init__(self):
        super().__init__()
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, states):
        self.steps.assign_add(1.0)
        return inputs + self.steps, [states[0]]


def test_a_cell_may_assign_variables():
    layer = L.RNN(Counting(), return_sequences=True)
    y = layer(tf.zeros((1, 3, 1)))
    assert y.numpy().ravel().tolist() == [1, 2, 3]
    assert float(layer.cell.steps) == 3


def test_stacked_cells_are_layers_on_each_other():
    x = array(3, 5, 4)
    cells = [L.LSTMCell(3, dropout=0.2), L.GRUCell(2, recurrent_dropout=0.2), Cell(2)]
    layer = L.RNN(cells, return_sequences=True, return_state=True)
    y, *states = layer(x, mask=tf.constant(MASK))
    assert [len(s) for s in states[:2]] == [2, 1]
    assert states[2].shape == (3, 2)
    assert layer.cell.state_size == [[3, 3], 2, 2]
    below = L.RNN(cells[0], return_sequences=True)(x, mask=tf.constant(MASK))
    below = L.RNN(cells[1], return_sequences=True)(below, mask=tf.constant(MASK))
    assert_close(L.RNN(cells[2], return_sequences=True)(below, mask=tf.constant(MASK)), y)
    assert layer(x, training=True)[0].shape == y.shape
    again = layer(x, initial_state=states)
    assert_close(again[0], layer(x, initial_state=nest.flatten(states))[0])
    copy = L.RNN.from_config(json.loads(json.dumps(layer.get_config())))
    assert type(copy.cell.cells[1]) is L.GRUCell


def test_masks_pass_with_sequences_only():
    x = L.Masking(9.0)(np.where(MASK[:, :, None], array(3, 5, 2), np.float32(9)))
    assert L.LSTM(2)(x)._keras_mask is None
    y, h, _ = L.LSTM(2, return_sequences=True, return_state=True)(x)
    assert (y._keras_mask.numpy() == MASK).all()
    assert h._keras_mask is None
    layer = L.GRU(2)
    assert_close(layer(x), layer(np.asarray(x), mask=tf.constant(MASK)))


# ---- Bidirectional, TimeDistributed ---


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(
    ("mode", "merge"),
    [
        ("concat", lambda y, z: np.concatenate([y, z], -1)),
        ("sum", lambda y, z: y + z),
        ("ave", lambda y, z: (y + z) / 2),
        ("mul", lambda y, z: y * z),
        (None, lambda y, z: (y, z)),
    ],
)
def test_bidirectional_merges_both_directions(mode, merge, sequences):
    layer = L.Bidirectional(L.GRU(2, return_sequences=sequences, name="it"), mode)
    x = array(3, 5, 4)
    got = layer(x, mask=tf.constant(MASK))
    y = numpy_rnn("gru", layer.forward_layer.get_weights(), x, MASK, zero=sequences)[0]
    z = numpy_rnn("gru", layer.backward_layer.get_weights(), x, MASK, True, sequences)[0]
    expected = merge(y, z[:, ::-1]) if sequences else merge(y[:, -1], z[:, -1])
    for a, b in zip(nest.flatten(got), nest.flatten(expected), strict=True):
        assert_close(a, b, "float32")
    assert [one.name for one in (layer.forward_layer, layer.backward_layer)] == [
        "forward_it",
        "backward_it",
    ]
    config = json.loads(json.dumps(layer.get_config()))
    copy = L.Bidirectional.from_config(config)
    copy(x)  # what is built notes the shape it was built for
    assert copy.get_config() == layer.get_config()


def test_bidirectional_states_in_and_out():
    layer, x = L.Bidirectional(L.LSTM(2, return_state=True, stateful=True)), array(3, 4, 2)
    y, *states = layer(x)
    assert len(states) == 4
    second = layer(x)[0]
    assert_close(layer(x, initial_state=states)[0], second)
    assert len(layer.states) == 4
    layer.reset_states()
    assert_close(layer(x)[0], y)
    assert L.Bidirectional(L.RNN(Cell(3)))(x).shape == (3, 6)
    starts = layer.get_weights()
    again = L.Bidirectional(L.LSTM(2), weights=starts)
    assert_close(again(x), y)


@pytest.mark.parametrize("known", [True, False])
def test_time_distributed_applies_the_layer_to_each_step(known):
    x = array(2, 3, 4)
    for inner in (L.Dense(5), L.BatchNormalization(momentum=0.5)):
        layer = L.TimeDistributed(inner)
        apply = tf.function(
            lambda t, layer=layer: layer(t, training=True),
            input_signature=[tf.TensorSpec([2, 3 if known else None, 4])],
        )
        y = apply(tf.constant(x))
        reference = type(inner).from_config(inner.get_config())
        reference(x[:, 0])
        if not isinstance(inner, L.BatchNormalization):
            reference.set_weights(inner.get_weights())
        steps = [reference(x[:, t], training=True) for t in range(3)]
        assert_close(y, np.stack(steps, 1))
        for a, b in zip(inner.get_weights(), reference.get_weights(), strict=True):
            assert_close(a, b)
    assert L.TimeDistributed(L.Conv2D(2, 3))(tf.keras.Input((None, 8, 8, 1))).shape == (
        (None, None, 6, 6, 2)
    )


# ---- errors ---

X = np.zeros((2, 3, 4), np.float32)
ERRORS = [
    (lambda: L.LSTM(0), ValueError, "`units` must be a positive integer; got 0"),
    (lambda: L.GRU(2, dropout=1.5), ValueError, r"`dropout` must be a number in \[0, 1\)"),
    (lambda: L.RNN(3), ValueError, "`cell` must have a `call`; got 3"),
    (lambda: L.RNN([Cell(2), 3]), ValueError, "`cells` must have a `call`; got 3"),
    (lambda: L.StackedRNNCells([]), ValueError, "`cells` must be a list of cells"),
    (lambda: L.LSTM(2)(X[0]), ValueError, "must have 3 axes; got 2"),
    (lambda: L.LSTM(2)(X, initial_state=[X[:, 0]]), ValueError, "the 2 states of the cell; got 1"),
    (lambda: L.LSTM(2)(X, mask=np.ones((2, 4), bool)), ValueError, r"\(2, 3\); got \(2, 4\)"),
    (
        lambda: L.GRU(2, stateful=True)(tf.keras.Input((3, 4))),
        ValueError,
        "the batch size must be known",
    ),
    (lambda: L.RNN(Wrong())(X), ValueError, "the 1 states it was given; got 2"),
    (lambda: L.Bidirectional(3), ValueError, "`layer` must be a layer; got 3"),
    (lambda: L.Bidirectional(L.Dense(2)), TypeError, "must be a recurrent layer"),
    (lambda: L.Bidirectional(L.GRU(2), "max"), ValueError, "`merge_mode` must be one of"),
    (
        lambda: L.Bidirectional(L.GRU(2), backward_layer=L.GRU(2)),
        ValueError,
        "must differ in `go_backwards`",
    ),
    (
        lambda: L.Bidirectional(
            L.GRU(2), backward_layer=L.GRU(2, go_backwards=True, return_state=True)
        ),
        ValueError,
        "must agree in `return_state`; got False and True",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(2))(X, initial_state=[X[:, 0, :2]]),
        ValueError,
        "as many of the backward layer; got 1",
    ),
    (lambda: L.TimeDistributed(3), ValueError, "`layer` must be a layer; got 3"),
    (lambda: L.TimeDistributed(L.Dense(2))(X[0]), ValueError, "at least 3 axes; got 2"),
]


class Wrong(L.Layer):
    """A cell that returns too many states."""

    state_size = 4

    def call(self, inputs, states):
        return inputs, [inputs, inputs]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS, ids=[row[2] for row in ERRORS])
def test_messages(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_stateful_layer_names_both_batch_sizes():
    layer = L.LSTM(2, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match="the size of the first, 2; got 1"):
        layer(X[:1])


def test_simple_rnn_drops_the_penalty_on_its_output_as_keras_does():
    layer = L.SimpleRNN(2, activity_regularizer="l2")
    layer(X)
    assert layer.losses == []
    assert layer.get_config()["activity_regularizer"] is None


@pytest.mark.parametrize("kind", [ValueError, IndexError])
def test_too_few_states_are_a_wrong_value_and_a_wrong_index(kind):
    with pytest.raises(kind, match=r"`initial_state` must hold the 2 states of the cell; got 1"):
        L.LSTM(4)(X, initial_state=[np.zeros((2, 4), np.float32)])


class Nested(tf.keras.layers.Layer):
    """A cell of two inputs, with a state each."""

    def __init__(self, units, rows, columns, **kwargs):
        self.units, self.rows, self.columns = units, rows, columns
        self.state_size = [tf.TensorShape([units]), tf.TensorShape([rows, columns])]
        super().__init__(**kwargs)

    def build(self, input_shapes):
        first, second = input_shapes
        self.one = self.add_weight(shape=(first[1], self.units), name="one")
        self.two = self.add_weight(
            shape=(second[1], second[2], self.rows, self.columns), name="two"
        )

    def call(self, inputs, states):
        first, second = tf.nest.flatten(inputs)
        out = tf.matmul(first, self.one), tf.einsum("bij,ijkl->bkl", second, self.two)
        return out, (states[0] + out[0], states[1] + out[1])


@pytest.mark.parametrize("make", [tuple, list])
def test_sequences_may_be_a_structure(make):
    rnn = tf.keras.layers.RNN(Nested(3, 2, 4), return_state=True)
    one, two = tf.keras.Input((None, 5)), tf.keras.Input((None, 6, 7))
    model = tf.keras.Model([one, two], rnn(make([one, two])))
    x, y = tf.ones((8, 9, 5)), tf.ones((8, 9, 6, 7))
    (last, other), *states = model([x, y])
    assert (last.shape, other.shape) == ((8, 3), (8, 2, 4))
    assert_close(states[0], 9 * last)
    assert_close(states[1], 9 * other)


def test_bidirectional_gives_its_own_dtype_and_keeps_use_cudnn():
    layer = L.Bidirectional(L.GRU(2, use_cudnn=False), dtype="mixed_float16")
    assert layer(np.ones((1, 3, 2), "float32")).dtype == "float16"
    assert layer.forward_layer.use_cudnn is layer.backward_layer.use_cudnn is False
    with pytest.raises(ValueError, match="`use_cudnn` must be one of"):
        L.LSTM(2, use_cudnn="no")


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.RNN(L.SimpleRNNCell(2, dtype="float32"), dtype="mixed_float16"),
        lambda: L.TimeDistributed(L.Dense(2, dtype="float32"), dtype="mixed_float16"),
    ],
)
def test_what_wraps_gives_its_own_dtype(layer):
    assert layer()(np.ones((1, 3, 2), "float32")).dtype == "float16"
    assert layer()(tf.keras.Input((3, 2))).dtype == "float16"


def test_time_distributed_passes_a_step_of_the_mask_to_a_layer_that_takes_it():
    class Kept(L.Layer):
        def call(self, inputs, mask=None):
            return inputs if mask is None else inputs * tf.cast(mask, "float32")[:, None]

    mask = np.array([[True, False, True], [False, True, True]])
    y = L.TimeDistributed(Kept())(np.ones((2, 3, 1), "float32"), mask=mask)
    assert np.array_equal(y[..., 0], mask)


class _Adding(tf.keras.layers.Layer):
    """A cell of one state, which says one size and returns the state as `form` makes it."""

    def __init__(self, units, form):
        super().__init__()
        self.units = self.state_size = units
        self.form = form

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer="ones")

    def call(self, x, states):
        y = tf.matmul(x, self.w) + states[0]
        return y, self.form(y)


@pytest.mark.parametrize("form", [lambda y: y, lambda y: [y], lambda y: (y,)])
def test_stacked_cells_of_one_state_give_it_bare(form):
    layer = tf.keras.layers.RNN([_Adding(2, form), _Adding(3, form)], return_state=True)
    y, first, second = layer(tf.ones((2, 2, 3)))
    assert first.numpy().tolist() == [[6, 6]] * 2
    assert second.numpy().tolist() == y.numpy().tolist() == [[18, 18, 18]] * 2
    again = layer(tf.ones((2, 2, 3)), initial_state=[first, second])
    assert again[1].numpy().tolist() == [[12, 12]] * 2
