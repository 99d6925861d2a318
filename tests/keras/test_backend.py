"""tf.keras.backend, config, scopes, Operation and Function."""

import numpy as np
import pytest

import lamina as tf

keras = tf.keras
K = keras.backend
X = np.float32([[1, -2, 3], [-4, 5, -6]])
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
P = np.float32([[0.2, 0.8], [0.6, 0.4]])
ONE = np.ones((1, 1, 1, 1, 1), np.float32)


# ---- the functions of Keras 2 -----------------------------------------------------------------

SAME_AS = [
    ("abs", (X,), np.abs(X)),
    ("all", (X > 0, 1), [False, False]),
    ("any", (X > 4, 1), [False, True]),
    ("argmax", (X,), [2, 1]),
    ("arange", (3,), [0, 1, 2]),
    ("arange", (1, 4, 2, "float32"), [1, 3]),
    ("batch_flatten", (CUBE,), CUBE.reshape(2, 12)),
    ("batch_normalization", (X, 1.0, 4.0, 2.0, 3.0, -1, 0.0), (X - 1) / 2 * 3 + 2),
    ("bias_add", (X, np.float32([1, 2, 3])), X + np.float32([1, 2, 3])),
    ("bias_add", (CUBE, np.float32([1, 2, 3]), "channels_first"), np.add(CUBE, [[[1], [2], [3]]])),
    ("clip", (X, -1, None), np.maximum(X, -1)),
    ("clip", (X, 2, 1), np.clip(X, 2, 2)),
    ("concatenate", ([X, X],), np.concatenate([X, X], -1)),
    ("constant", (1, "int32", (2,)), [1, 1]),
    ("cumsum", (X,), np.cumsum(X, 0)),
    ("dot", (CUBE, CUBE[0].T), CUBE @ CUBE[0].T),
    ("batch_dot", (CUBE, CUBE, 2), CUBE @ CUBE.transpose(0, 2, 1)),
    ("batch_dot", (X, X), (X * X).sum(1, keepdims=True)),
    ("equal", (X, X), X == X),
    ("eval", (tf.constant(X),), X),
    ("eye", (2,), np.eye(2)),
    ("gather", (X, [1]), X[1:]),
    ("hard_sigmoid", (X,), np.clip(X * 0.2 + 0.5, 0, 1)),
    ("in_top_k", (X, [2, 0], 1), [True, False]),
    ("less", (X, 0.0), X < 0),
    ("max", (X, 0), X.max(0)),
    ("mean", (np.array([True, False]),), 0.5),
    ("ones_like", (X,), np.ones_like(X)),
    ("one_hot", ([1], 3), [[0, 1, 0]]),
    ("permute_dimensions", (X, (1, 0)), X.T),
    ("pow", (X, 2.0), X**2),
    ("relu", (X, 0.1, 4.0), np.where(X > 0, np.minimum(X, 4), 0.1 * X)),
    ("repeat", (X, 2), np.repeat(X[:, None], 2, 1)),
    ("repeat_elements", (X, 2, 1), np.repeat(X, 2, 1)),
    ("resize_volumes", (ONE, 2, 2, 1, "channels_last"), np.ones((1, 2, 2, 1, 1))),
    ("reverse", (X, 1), X[:, ::-1]),
    ("shape", (X,), [2, 3]),
    ("spatial_2d_padding", (ONE[0], ((1, 0), (0, 1))), [[[[0], [0]], [[1], [0]]]]),
    ("sqrt", (X,), np.sqrt(np.maximum(X, 0))),
    ("squeeze", (X[:, None], 1), X),
    ("std", (X, 0), X.std(0)),
    ("switch", (np.array([True, False]), X, -X), X * [[1], [-1]]),
    ("temporal_padding", (CUBE, (1, 0)), np.pad(CUBE, ((0, 0), (1, 0), (0, 0)))),
    ("tile", (X[0], 2), np.tile(X[0], 2)),
    ("to_dense", (X,), X),
    ("var", (X, 0), X.var(0)),
    ("zeros", ((2,),), [0, 0]),
    ("binary_crossentropy", (np.round(P), P), -np.log(np.where(P > 0.5, P, 1 - P))),
    ("categorical_crossentropy", (np.round(P), P), -np.log([0.8, 0.6])),
    ("sparse_categorical_crossentropy", ([1, 0], P), -np.log([0.8, 0.6])),
    ("sparse_categorical_crossentropy", ([1, 0], P, False, -1, 0), [-np.log(0.8), 0]),
    ("categorical_focal_crossentropy", (np.round(P), P, 1.0, 0.0), -np.log([0.8, 0.6])),
    ("count_params", (X,), 6),
    ("int_shape", (X,), (2, 3)),
    ("ndim", (X,), 2),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "want"), SAME_AS)
def test_functions(name, arguments, want):
    found = getattr(K, name)(*arguments)
    np.testing.assert_allclose(K.get_value(found), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("conv1d", (CUBE, np.ones((2, 4, 5), np.float32), 1, "causal"), (2, 3, 5)),
        ("conv2d", (np.ones((1, 4, 4, 2)), np.ones((2, 2, 2, 3))), (1, 3, 3, 3)),
        ("conv3d", (np.ones((1, 4, 4, 4, 2)), np.ones((2, 2, 2, 2, 3))), (1, 3, 3, 3, 3)),
        (
            "conv2d_transpose",
            (np.ones((1, 2, 2, 2)), np.ones((2, 2, 3, 2)), (None, 4, 4, 3), (2, 2)),
            (1, 4, 4, 3),
        ),
        ("depthwise_conv2d", (np.ones((1, 4, 4, 2)), np.ones((2, 2, 2, 1))), (1, 3, 3, 2)),
        (
            "separable_conv2d",
            (np.ones((1, 4, 4, 2)), np.ones((2, 2, 2, 1)), np.ones((1, 1, 2, 5))),
            (1, 3, 3, 5),
        ),
        ("pool2d", (np.ones((1, 4, 4, 2)), (2, 2), (2, 2), "same", None, "avg"), (1, 2, 2, 2)),
        ("pool3d", (np.ones((1, 4, 4, 4, 2)), (2, 2, 2)), (1, 3, 3, 3, 2)),
        ("resize_images", (np.ones((1, 2, 3, 1)), 2, 3, "channels_last"), (1, 4, 9, 1)),
        ("random_normal", ((2, 3),), (2, 3)),
        ("random_uniform_variable", ((2, 3), 0.0, 1.0), (2, 3)),
        ("truncated_normal", ((4,),), (4,)),
        ("random_bernoulli", ((4,), 0.5), (4,)),
        ("dropout", (X, 0.5), (2, 3)),
    ],
)
def test_shapes(name, arguments, shape):
    assert tuple(getattr(K, name)(*arguments).shape) == shape


def test_variables_are_set_and_moved():
    v = K.variable([1, 2])
    assert (K.dtype(v), isinstance(v, tf.Variable)) == ("float32", True)
    K.set_value(v, [3, 4])
    K.batch_set_value([(v, np.array([5, 6]))])
    np.testing.assert_array_equal(K.batch_get_value([v])[0], [5, 6])
    K.update_add(v, [1.0, 1.0])
    K.update_sub(v, [0.0, 1.0])
    np.testing.assert_array_equal(K.moving_average_update(v, [0.0, 0.0], 0.5).numpy(), [3, 3])


@pytest.mark.parametrize("backwards", [False, True])
def test_rnn_holds_states_where_masked(backwards):
    mask = np.array([[True, False, True], [True, True, True]])
    last, outputs, states = K.rnn(
        lambda x, s: (s[0] + x, [s[0] + x]), CUBE, [np.zeros((2, 4), np.float32)],
        go_backwards=backwards, mask=mask,
    )  # fmt: skip
    order = CUBE[:, ::-1] if backwards else CUBE
    kept = order * (mask[:, ::-1] if backwards else mask)[..., None]
    np.testing.assert_array_equal(outputs.numpy(), np.cumsum(kept, 1))
    np.testing.assert_array_equal(last.numpy(), kept.sum(1))
    np.testing.assert_array_equal(states[0].numpy(), kept.sum(1))


def test_ctc_has_its_blank_last():
    y = np.float32([[[0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1]]])
    cost = K.ctc_batch_cost(np.array([[0, 1]]), y, [[3]], [[2]]).numpy()
    chances = (
        0.6 * 0.1 * 0.7 + 0.6 * 0.1 * 0.7 + 0.6 * 0.8 * 0.7 + 0.6 * 0.1 * 0.1 + 0.1 * 0.1 * 0.7
    )
    np.testing.assert_allclose(cost, [[-np.log(chances)]], rtol=1e-4)
    (labels,), _ = K.ctc_decode(y, [3])
    np.testing.assert_array_equal(labels.numpy(), [[0, 1, -1]])
    found, _ = K.ctc_decode(y, [3], greedy=False, beam_width=4, top_paths=2)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: K.batch_dot(X[0], X), ValueError, "must have rank 2 or more"),
        (lambda: K.batch_dot(X, CUBE, (1, 2)), ValueError, "must have equal sizes"),
        (lambda: K.bias_add(CUBE, X[None, None]), ValueError, "`bias` must have rank 1 or 2"),
        (lambda: K.softmax(X[0]), ValueError, "must have rank 2 or more"),
        (lambda: K.repeat(CUBE, 2), ValueError, "must have rank 2"),
        (lambda: K.conv2d(X, X, padding="full"), ValueError, "`padding` must be 'same'"),
        (lambda: K.pool2d(X, (2, 2), pool_mode="sum"), ValueError, "`pool_mode` must be 'max'"),
        (lambda: K.gradients(X, [X]), RuntimeError, "GradientTape"),
        (lambda: K.switch(CUBE > 0, X, X), ValueError, "`condition` must not have more axes"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("dtypes", "want"),
    [
        ((), "float32"),
        ((int,), "int32"),
        (("bool", int), "int32"),
        (("uint8", "int8"), "int16"),
        (("int64", "float16"), "float16"),
        (("float16", "bfloat16"), "float32"),
        (("int8", float), "float32"),
        (("uint64", "int8"), "float32"),
        (("uint64",), "uint32"),
        (("complex64", "float64"), "complex64"),
        ((None, "float64"), "float64"),
    ],
)
def test_result_type(dtypes, want):
    assert K.result_type(*dtypes) == want


def test_result_type_refuses_strings():
    with pytest.raises(ValueError, match="dtypes of numbers were expected"):
        K.result_type("string", "int32")


# ---- Operation and Function -------------------------------------------------------------------


class Scale(keras.Operation):
    def __init__(self, factor, name=None):
        super().__init__(name=name)
        self.factor = factor

    def call(self, x):
        return x * self.factor


def test_an_operation_runs_on_values_and_is_a_node_on_symbols():
    scale = Scale(3.0)
    np.testing.assert_array_equal(scale(tf.constant(X)).numpy(), X * 3)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, scale(inputs))
    np.testing.assert_array_equal(model(X).numpy(), X * 3)
    assert scale.get_config()["factor"] == 3.0
    assert isinstance(keras.layers.Dense(1), keras.Operation)
    assert issubclass(keras.Model, keras.Operation)
    assert not isinstance(1, keras.Operation)


def test_function_computes_between_symbols():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    f = keras.Function([a, b], {"sum": a + b, "scaled": Scale(2.0)(a)})
    found = f([tf.constant(X), tf.constant(X)])
    np.testing.assert_array_equal(found["sum"].numpy(), X * 2)
    np.testing.assert_array_equal(found["scaled"].numpy(), X * 2)
    assert (len(f.inputs), len(f.outputs)) == (2, 2)
    assert any(isinstance(o, Scale) for o in f.operations)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: keras.Function([], x), "`inputs` must hold at least one"),
        (lambda x: keras.Function(x, []), "`outputs` must hold at least one"),
        (lambda x: keras.Function(x, x + 1)([X, X]), "the inputs must have the structure"),
        (lambda x: keras.Function(x, x + 1)(CUBE), r"must have shape \(None, 3\)"),
        (lambda x: keras.Function(keras.Input((3,)), x + 1), "not among the `inputs`"),
    ],
)
def test_function_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(keras.Input((3,)))


# ---- scopes -----------------------------------------------------------------------------------


def test_a_stateless_scope_keeps_variables_as_they_are():
    v, w = keras.Variable(1.0), keras.Variable(2.0)
    with keras.StatelessScope([(v, 5.0)]) as scope:
        v.assign_add(1.0)
        w.assign(v + 1.0)
        assert float(w.value) == 7.0
    assert (v.numpy(), w.numpy()) == (1.0, 2.0)
    assert float(scope.get_current_value(v)) == 6.0
    assert float(scope.get_current_value(w)) == 7.0
    assert scope.get_current_value(keras.Variable(0.0)) is None


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ([(1, 2)], "must be a tf.keras.Variable"),
        (lambda: [(keras.Variable([1.0, 2.0]), [1.0])], r"must have shape \(2,\)"),
    ],
)
def test_stateless_scope_errors(mapping, message):
    with pytest.raises(ValueError, match=message):
        keras.StatelessScope(mapping() if callable(mapping) else mapping)


def test_stateless_call_returns_the_new_state():
    layer = keras.layers.BatchNormalization(momentum=0.5)
    with pytest.raises(ValueError, match="`stateless_call` needs a layer whose weights exist"):
        layer.stateless_call([], [], X)
    layer.build((None, 3))
    trained = [v.value for v in layer.trainable_variables]
    kept = [v.value for v in layer.non_trainable_variables]
    _, state = layer.stateless_call(trained, kept, tf.constant(X), training=True)
    np.testing.assert_allclose(state[0].numpy(), X.mean(0) / 2, rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), [0, 0, 0])
    with pytest.raises(ValueError, match="`trainable_variables` must hold one value for each"):
        layer.stateless_call([], kept, X)


def test_stateless_call_is_differentiable_in_the_values_and_gives_losses():
    layer = keras.layers.Dense(1, kernel_regularizer="l2", use_bias=False)
    layer.build((None, 3))
    kernel = tf.constant([[1.0], [2.0], [3.0]])
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        y, _, losses = layer.stateless_call([kernel], [], tf.constant(X), return_losses=True)
    np.testing.assert_allclose(tape.gradient(y, kernel).numpy()[:, 0], X.sum(0))
    np.testing.assert_allclose(float(losses[0]), 0.01 * 14, rtol=1e-5)


def test_layers_are_built_from_their_build_config():
    layer = keras.layers.Dense(2)
    assert layer.get_build_config() is None
    layer.build((None, 3))
    again = keras.layers.Dense(2)
    again.build_from_config(layer.get_build_config())
    assert tuple(again.kernel.shape) == (3, 2)


@pytest.mark.parametrize("mode", ["full", "larger_than", "activations", "list_of_layers", None])
def test_remat_changes_no_value_and_no_gradient(mode):
    plain = keras.layers.Dense(4, activation="tanh", name="chosen")
    plain.build((None, 3))
    with keras.RematScope(mode, output_size_threshold=2, layer_names=["chosen"]):
        layer = keras.layers.Dense(4, activation="tanh", name="chosen")
    layer.build((None, 3))
    layer.set_weights(plain.get_weights())
    found = []
    for each in (plain, layer):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(each(tf.constant(X)) ** 2)
        found.append((y.numpy(), tape.gradient(y, each.kernel).numpy()))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-6)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-5)


def test_layers_that_assign_are_recomputed_and_assign_once():
    plain = keras.layers.BatchNormalization()
    with keras.RematScope():
        layer = keras.layers.BatchNormalization()
    found = []
    for each in (plain, layer):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(each(tf.constant(X), training=True) ** 3)
        gradient = tape.gradient(y, each.gamma)
        found.append((gradient.numpy(), each.moving_mean.numpy(), each.moving_variance.numpy()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-7)


def test_a_hook_leaves_recomputation_in_place():
    with keras.RematScope():
        layer = keras.layers.Dense(4, activation="tanh")
    model = keras.Sequential([layer])
    model(tf.constant(X))
    installed = list(layer._lm_interceptors)
    seen = []
    with model.hook("layers[0]", lambda layer, inputs, outputs: seen.append(outputs.shape)):
        model(tf.constant(X))
        assert layer._lm_interceptors[: len(installed)] == installed
    assert seen == [(2, 4)]
    assert layer._lm_interceptors == installed
    assert "call" in vars(layer)


def test_remat_scope_refuses_other_modes():
    with pytest.raises(ValueError, match="`mode` must be one of"):
        keras.RematScope("some")


def test_name_scope_and_device():
    with keras.name_scope("outer"), keras.device("cpu:0"):
        assert keras.Variable(1.0, name="v", layout=None).path == "outer/v"
    with pytest.raises(ValueError, match='must be a string without "/"'):
        keras.name_scope("a/b")


# ---- config -----------------------------------------------------------------------------------


def test_fit_stays_within_the_limits():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(1)
    try:
        history = model.fit(np.ones((6, 3)), np.ones((6, 1)), batch_size=2, epochs=5, verbose=0)
        assert len(history.epoch) == 2
        assert model.optimizer.iterations.numpy() == 2
        assert len(model.predict(np.ones((6, 3)), batch_size=2, verbose=0)) == 2
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: keras.config.set_max_epochs(0), "`max_epochs` must be a positive int"),
        (lambda: keras.config.set_backend("torch"), "`backend` must be 'tensorflow'"),
        (
            lambda: keras.dtype_policies.QuantizedDTypePolicy("int2"),
            "`mode` must be one of",
        ),
        (
            lambda: keras.dtype_policies.GPTQDTypePolicy("gptq/4"),
            "`mode` must be 'gptq/<weight_bits>/<group_size>'",
        ),
    ],
)
def test_config_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "policy",
    [
        keras.dtype_policies.QuantizedDTypePolicy("int8", "mixed_bfloat16"),
        keras.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32", 16),
        keras.dtype_policies.Int4DTypePolicy("int4/64", "float32"),
        keras.dtype_policies.GPTQDTypePolicy("gptq/4/128", "float32"),
        keras.dtype_policies.AWQDTypePolicy("awq/4/128", "float32"),
    ],
    ids=lambda p: p.quantization_mode,
)
def test_quantized_policies_go_through_configs(policy):
    config = keras.dtype_policies.serialize(policy)
    assert keras.dtype_policies.deserialize(config) == policy


def test_versions():
    assert keras.version() == keras.__version__ == "3.15.0"


def test_labels_that_count_as_a_sparse_tensor():
    labels = tf.constant([[3, 4, 0], [5, 0, 0]])
    sparse = keras.backend.ctc_label_dense_to_sparse(labels, tf.constant([2, 1]))
    assert sparse.dense_shape.numpy().tolist() == [2, 3]
    np.testing.assert_array_equal(tf.sparse.to_dense(sparse).numpy(), labels.numpy())
    assert sparse.values.numpy().tolist() == [3, 4, 5]
