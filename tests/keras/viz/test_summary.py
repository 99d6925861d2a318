import subprocess
import sys

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers


class TwoDense(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = layers.Dense(64, activation="relu")
        self.dense2 = layers.Dense(10, activation="softmax")

    def call(self, inputs):
        return self.dense2(self.dense1(inputs))


def lines_of(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    assert len(texts) == 1
    return texts[0].splitlines()


def rows_of(model, **options):
    """Return the cells of each row, header first."""
    lines = [line for line in lines_of(model, **options) if line[0] in "│┃"]
    return [
        [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in lines
    ]


def test_rows_in_call_order_with_shapes_and_totals():
    model = TwoDense()
    model.build((None, 32))
    rows = rows_of(model)
    assert rows == [
        ["Layer (type)", "Output Shape", "Param #"],
        ["dense (Dense)", "(None, 64)", "2,112"],
        ["dense_1 (Dense)", "(None, 10)", "650"],
    ]
    lines = lines_of(model)
    assert lines[0] == 'Model: "two_dense"'
    assert lines[-3:] == [
        " Total params: 2,762 (10.79 KB)",
        " Trainable params: 2,762 (10.79 KB)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_batch_size_is_that_of_the_call_which_built_the_model():
    model = TwoDense()
    model(tf.ones((5, 32)))
    model(tf.ones((7, 32)))
    assert [row[1] for row in rows_of(model)[1:]] == ["(5, 64)", "(5, 10)"]


def test_batch_size_is_kept_where_call_needs_it():
    class Fixed(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(tf.reshape(x, (6, 4))) if x.shape[0] == 3 else 1 / 0

    model = Fixed()
    model(tf.ones((3, 8)))
    assert rows_of(model)[1][1] == "(6, 2)"


def test_call_order_not_attribute_order():
    class Backwards(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(1, name="last")
            self.first = layers.Dense(3, name="first")

        def call(self, x):
            return self.last(self.first(x))

    model = Backwards()
    model.build((None, 4))
    assert [row[0] for row in rows_of(model)[1:]] == ["first (Dense)", "last (Dense)"]


@pytest.mark.parametrize(
    "make", [TwoDense, lambda: tf.keras.Sequential([layers.Dense(3), layers.Dense(2)])]
)
def test_unbuilt_model_lists_its_layers_and_says_how_to_build_it(make):
    model, text = make(), []
    assert [row[1:] for row in rows_of(model)[1:]] == [["not called", "0 (unbuilt)"]] * 2
    model.summary(print_fn=text.append)
    how = "Not built: shapes and parameters come with model.build(input_shape) or a call."
    assert how in text[0]
    model.build((None, 4))
    text.clear()
    model.summary(print_fn=text.append)
    assert "Not built" not in text[0]


def test_reused_layer_has_a_row_for_each_call_and_counts_once():
    class Twice(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(4)
            self.relu = layers.ReLU()

        def call(self, x):
            return self.relu(self.dense(self.relu(self.dense(x))))

    model = Twice()
    model.build((None, 4))
    assert [row[2] for row in rows_of(model)[1:]] == ["20", "0", "shared", "0"]
    assert lines_of(model)[-3].startswith(" Total params: 20 ")


def test_layers_that_call_does_not_reach_are_listed_last():
    class Spare(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.spare = layers.Dense(4)
            self.used = layers.Dense(2)

        def call(self, x):
            return self.used(x)

    model = Spare()
    model.build((None, 4))
    assert rows_of(model)[1:] == [
        ["dense_1 (Dense)", "(None, 2)", "10"],
        ["dense (Dense)", "not called", "0 (unbuilt)"],
    ]


def test_several_inputs_of_several_dtypes():
    class Both(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(7, 3)
            self.dense = layers.Dense(3)

        def call(self, image, tokens):
            return self.dense(image) + tf.reduce_sum(self.embedding(tokens), axis=1)

    model = Both()
    model(tf.ones((2, 5)), tf.zeros((2, 6), tf.int32))
    assert [row[1] for row in rows_of(model)[1:]] == ["(2, 3)", "(2, 6, 3)"]


def test_own_weights_of_the_model_have_rows():
    class Own(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.offset = self.add_weight(shape=(3,), name="offset")
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x) + self.offset

    model = Own()
    model.build((None, 2))
    assert rows_of(model)[-1] == ["offset (Variable)", "(3,)", "3"]


def test_nested_layers_are_shown_on_request():
    class Outer(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = TwoDense()

        def call(self, x):
            return self.inner(x)

    model = Outer()
    model.build((None, 32))
    assert len(rows_of(model)) == 2
    assert [row[0] for row in rows_of(model, expand_nested=True)[1:]] == [
        "two_dense (TwoDense)",
        "└ dense (Dense)",
        "└ dense_1 (Dense)",
    ]


def test_functional_model_with_branches_says_what_is_connected():
    x = tf.keras.Input((4,), name="x")
    shared = layers.Dense(4, name="shared")
    a, b = shared(x), shared(shared(x))
    model = tf.keras.Model(x, layers.Add(name="sum")([a, b]))
    rows = rows_of(model, line_length=120)
    assert rows[0][-1] == "Connected to"
    assert rows[1] == ["x (InputLayer)", "(None, 4)", "0", "-"]
    assert rows[2] == ["shared (Dense)", "(None, 4)", "20", "x[0][0]"]
    assert [row[2] for row in rows[3:5]] == ["shared", "shared"]
    assert rows[-1] == ["sum (Add)", "(None, 4)", "0", "shared[0][0], shared[2][0]"]


def test_functional_chain_has_no_column_for_connections():
    x = tf.keras.Input((4,))
    model = tf.keras.Model(x, layers.Dense(2)(x))
    assert rows_of(model)[0] == ["Layer (type)", "Output Shape", "Param #"]


def test_sequential_leaves_its_input_out():
    model = tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(2), layers.ReLU()])
    assert [row[1] for row in rows_of(model)[1:]] == ["(None, 2)", "(None, 2)"]


def test_frozen_layers_and_the_trainable_column():
    model = TwoDense()
    model.build((None, 32))
    model.dense1.trainable = False
    rows = rows_of(model, show_trainable=True)
    assert [row[3] for row in rows] == ["Trai…", "N", "Y"]  # as Keras cuts it
    assert lines_of(model)[-2:] == [
        " Trainable params: 650 (2.54 KB)",
        " Non-trainable params: 2,112 (8.25 KB)",
    ]


def test_optimizer_state_is_counted_once_compiled():
    model = TwoDense()
    model.build((None, 32))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(np.ones((4, 32), "float32"), np.zeros(4, "int32"), verbose=0)
    lines = lines_of(model)
    assert lines[-1] == " Optimizer params: 5,526 (21.59 KB)"
    assert lines[-4] == " Total params: 8,288 (32.38 KB)"


def test_layer_range_and_positions_choose_what_is_shown():
    model = TwoDense()
    model.build((None, 32))
    assert len(rows_of(model, layer_range=["dense_1", "dense_1"])) == 2
    with pytest.raises(
        ValueError, match=r"`layer_range` must be two names.*\['dense', 'dense_1'\]"
    ):
        model.summary(layer_range=["nothing", "dense"])
    first = lines_of(model, positions=[0.5, 0.8, 1.0], line_length=90)[1]
    assert [len(part) for part in first.strip("┏┓").split("┳")] == [44, 25, 17]
    with pytest.raises(ValueError, match="`positions` must be 3 growing numbers"):
        model.summary(positions=[0.5, 0.2, 1.0])


class Restless(tf.keras.Model):
    """Changes all it can during a call."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, activity_regularizer="l2")
        self.norm = layers.BatchNormalization()
        self.dropout = layers.Dropout(0.5)
        self.count = tf.Variable(0)
        self.last = None
        self.history = []

    def call(self, x):
        self.count.assign_add(1)
        self.last = self.dropout(self.norm(self.dense(x), training=True), training=True)
        self.history.append("called")
        return self.last


def test_nothing_of_the_model_changes():
    model = Restless()
    model(tf.ones((4, 2)))
    before = [v.numpy() for v in model.variables]
    last, losses = model.last, [float(x) for x in model.losses]
    lines_of(model)
    assert model.last is last
    assert model.history == ["called"]
    assert [float(x) for x in model.losses] == losses
    for v, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), value)
    model(tf.ones((4, 2)))
    assert int(model.count) == 2


def test_layers_inside_a_decorated_call_are_seen_again():
    class Decorated(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        @tf.function
        def call(self, x):
            return self.dense(x)

    model = Decorated()
    model.build((None, 2))
    for _ in range(2):
        assert rows_of(model)[1] == ["dense (Dense)", "(None, 3)", "9"]


def test_model_that_only_has_a_train_step_lists_its_parts():
    class Parts(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.one = TwoDense()
            self.two = layers.Dense(2)

    model = Parts()
    model.one(tf.ones((2, 32)))
    assert rows_of(model)[1:] == [
        ["two_dense (TwoDense)", "(2, 10)", "2,762"],
        ["dense_2 (Dense)", "not called", "0 (unbuilt)"],
    ]


def test_table_is_plain_and_whole_where_there_is_no_terminal():
    code = (
        "import lamina as tf\n"
        "m = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2, name='x' * 70)])\n"
        "m.summary()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout
    table = [line for line in done.stdout.splitlines() if line[0] in "┏┃┡│├└"]
    assert {len(line) for line in table} == {76}
    assert "".join(done.stdout.split()).count("x") == 70


@pytest.mark.parametrize(
    ("terminal", "chain", "branched", "chain_trainable", "branched_trainable"),
    [  # Keras 3.15.1's widths
        (40, [15, 10, 7], [9, 9, 4, 9], [13, 10, 5, 3], [8, 8, 4, 7, 3]),
        (60, [24, 17, 11], [15, 14, 8, 14], [21, 17, 8, 5], [14, 12, 8, 11, 5]),
        (80, [33, 24, 15], [21, 19, 12, 19], [29, 23, 12, 7], [19, 17, 11, 16, 7]),
        (90, [37, 28, 17], [24, 22, 13, 22], [33, 26, 14, 8], [22, 19, 13, 18, 8]),
        (110, [38, 29, 17], [30, 27, 17, 27], [39, 31, 16, 9], [27, 24, 16, 23, 10]),
        (200, [38, 29, 17], [31, 27, 17, 28], [39, 31, 16, 9], [31, 27, 18, 27, 11]),
    ],
)
def test_columns_are_as_wide_as_those_of_keras(
    monkeypatch, terminal, chain, branched, chain_trainable, branched_trainable
):
    monkeypatch.setenv("COLUMNS", str(terminal))
    one = tf.keras.Input((8,))
    line = tf.keras.Model(one, layers.Dense(8)(one))
    fork = tf.keras.Model(one, layers.Add()([layers.Dense(8)(one), one]))

    def widths(model, **how):
        return [len(part) for part in lines_of(model, **how)[1].strip("┏┓").split("┳")]

    assert widths(line) == chain
    assert widths(fork) == branched
    assert widths(line, show_trainable=True) == chain_trainable
    assert widths(fork, show_trainable=True) == branched_trainable


def test_operations_on_symbols_have_rows():
    x = tf.keras.Input((8,), name="x")
    model = tf.keras.Model(x, layers.Dense(2, name="d")(x) * 2 + 1)
    rows = rows_of(model)[2:]
    assert [row[1:] for row in rows] == [["(None, 2)", n] for n in ("18", "0", "0")]
    assert [row[0].partition("(")[2] for row in rows] == ["Dense)", "Multiply)", "Add)"]


def test_an_optimizer_that_is_not_built_is_not_counted():
    model = tf.keras.Sequential([tf.keras.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    assert lines_of(model)[-3:] == [
        " Total params: 8 (32.00 B)",
        " Trainable params: 8 (32.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]
