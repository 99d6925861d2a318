"""Functional models: inputs, sharing, operations, order, what is refused."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf

layers, Input, Model = tf.keras.layers, tf.keras.Input, tf.keras.Model


def _dense(units=1, **kwargs):
    return layers.Dense(units, kernel_initializer="ones", **kwargs)


def test_input_has_shape_dtype_and_name():
    x = Input((3, None), dtype="int32", name="ids")
    assert (tuple(x.shape), x.dtype.name, x.name) == ((None, 3, None), "int32", "ids")
    assert tuple(Input(batch_shape=(4, 2)).shape) == (4, 2)
    assert tuple(Input((), batch_size=8).shape) == (8,)
    with pytest.raises(ValueError, match="`shape` or `batch_shape` must be given; got None"):
        Input()
    with pytest.raises(ValueError, match="`shape` must hold sizes and None; got"):
        Input(("a",))


def test_a_shared_layer_has_one_set_of_weights():
    a, b = Input((2,)), Input((2,))
    shared = _dense(3)
    model = Model([a, b], layers.Concatenate()([shared(a), shared(b)]))
    assert len(model.weights) == 2
    assert model([tf.ones([1, 2]), tf.zeros([1, 2])]).numpy().tolist() == [[2.0] * 3 + [0.0] * 3]
    assert model.output_shape == (None, 6)


def test_several_inputs_and_outputs_by_name():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Model({"a": a, "b": b}, {"sum": a + b, "first": layers.Identity()(a)})
    out = model({"b": tf.fill([1, 2], 5.0), "a": tf.ones([1, 2])})
    assert out["sum"].numpy().tolist() == [[6.0, 6.0]]
    assert out["first"].numpy().tolist() == [[1.0, 1.0]]


def test_operations_and_indexing_become_layers():
    x = Input((4,))
    y = tf.nn.relu(x[:, :2] * 2.0 - 1.0) + tf.reduce_mean(x, axis=-1, keepdims=True)
    model = Model(x, y)
    value = np.array([[1.0, 0.0, 2.0, 1.0]], np.float32)
    assert model(value).numpy().tolist() == [[2.0, 1.0]]
    assert model.output_shape == (None, 2)


def test_models_may_be_deeper_than_pythons_stack():
    inputs = x = tf.keras.Input((2,))
    for _ in range(1200):
        x = layers.Identity()(x)
    model = tf.keras.Model(inputs, x)
    assert len(model.layers) == 1201


def test_unknown_sizes_of_different_origin_may_be_equal():
    inputs = tf.keras.Input((None, None, 3))
    halved = layers.Conv2D(3, 1, strides=2, padding="same")(inputs)
    pooled = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(inputs))
    x = layers.Concatenate()([layers.Add()([halved, pooled]), halved])
    model = tf.keras.Model(inputs, x)
    assert model.output_shape == (None, None, None, 6)
    assert model(tf.zeros((1, 10, 7, 3))).shape == (1, 5, 4, 6)


def test_the_batch_stays_unknown_through_reshapes():
    x = Input((4, 6))
    y = tf.reshape(x, [tf.shape(x)[0], 24])
    assert tuple(y.shape) == (None, 24)
    assert Model(x, y)(tf.ones([3, 4, 6])).shape == (3, 24)
    assert tuple(layers.Flatten()(x).shape) == (None, 24)


def test_models_are_layers_of_models():
    x = Input((2,))
    inner = Model(x, _dense(3)(x), name="inner")
    y = Input((2,))
    outer = Model(y, tf.reduce_sum(inner(y), -1))
    assert outer(tf.ones([1, 2])).numpy() == [6.0]
    assert len(outer.weights) == 2
    assert outer.get_layer("inner") is inner


def test_a_model_between_inner_tensors():
    x = Input((2,))
    hidden = _dense(3)(x)
    full = Model(x, _dense(1)(hidden))
    part = Model(full.input, hidden)
    assert part(tf.ones([1, 2])).numpy().tolist() == [[2.0] * 3]
    features = Model(full.inputs, [layer.output for layer in full.layers])
    assert [tuple(t.shape) for t in features(tf.ones([1, 2]))] == [(1, 2), (1, 3), (1, 1)]


def test_calls_keep_their_arguments():
    class Add(layers.Layer):
        def call(self, x, by=0.0, other=None):
            return x + by + (0.0 if other is None else other)

    x = Input((1,))
    model = Model(x, Add()(x, by=2.0, other=x * 10.0))
    assert model(tf.ones([1, 1])).numpy().tolist() == [[13.0]]


def test_training_flag_reaches_layers():
    x = Input((100,))
    model = Model(x, layers.Dropout(0.5)(x))
    ones = tf.ones([1, 100])
    assert model(ones).numpy().all()
    assert not model(ones, training=True).numpy().all()


def test_masks_travel():
    x = Input((3,), dtype="int32")
    y = layers.LSTM(2)(layers.Embedding(5, 4, mask_zero=True)(x))
    model = Model(x, y)
    a, b = model(tf.constant([[1, 2, 0]])).numpy(), model(tf.constant([[1, 2, 3]])).numpy()
    assert not np.allclose(a, b)
    cut = model(tf.constant([[1, 2, 0]])).numpy()
    np.testing.assert_allclose(a, cut)


def test_losses_of_layers_are_those_of_the_call():
    x = Input((3,))
    model = Model(x, _dense(2, activity_regularizer="l2")(x))
    assert model.losses == []
    for _ in range(2):
        model(tf.ones([2, 3]))
        assert [float(v) for v in model.losses] == [pytest.approx(0.01 * 9 * 4 / 2)]


def test_unconnected_inputs_are_refused():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    with pytest.raises(ValueError, match=r"which is not among the `inputs` \['a'\]"):
        Model(a, a + b)
    with pytest.raises(ValueError, match=r"`outputs` must be KerasTensors, from tf.keras.Input"):
        Model(a, tf.ones([1, 2]))


def test_values_of_symbols_are_refused():
    x = Input((2,))
    for ask in (lambda: x.numpy(), lambda: float(x[0, 0]), lambda: bool(tf.reduce_all(x > 0))):
        with pytest.raises(
            TypeError, match="it stands for the input of a model that is being built"
        ):
            ask()


def test_wrong_inputs_are_refused_and_the_model_stays_usable():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Model([a, b], a + b, name="net")
    one = tf.ones([1, 2])
    with pytest.raises(ValueError, match=r"expected 2 inputs \['a', 'b'\]; got 1"):
        model([one])
    with pytest.raises(ValueError, match=r'input "b" must have shape \(None, 2\); got \(1, 3\)'):
        model([one, tf.ones([1, 3])])
    with pytest.raises(ValueError, match=r"missing \['b'\]"):
        model({"a": one})
    assert model([one, one]).numpy().tolist() == [[2.0, 2.0]]


@pytest.mark.parametrize(
    "how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), tf.keras.models.clone_model]
)
def test_copies_are_independent(how):
    x = Input((3,))
    shared = layers.Dense(3)
    model = Model(x, shared(shared(x)) * 2.0 + 1.0)
    other = how(model)
    other.set_weights(model.get_weights())
    expected = model(tf.ones([1, 3])).numpy()
    model.set_weights([w * 0 for w in model.get_weights()])
    np.testing.assert_allclose(other(tf.ones([1, 3])).numpy(), expected, rtol=1e-6)
    assert len(other.weights) == 2
    assert [la.name for la in other.layers[1:]] == [la.name for la in model.layers[1:]]


def test_input_takes_one_of_the_two_shapes():
    with pytest.raises(ValueError, match=r"`shape` or `batch_shape` must be given, not both"):
        tf.keras.Input(shape=(3,), batch_shape=(2, 3))


def test_symbols_say_as_keras_whether_they_are_sparse_or_ragged():
    x = tf.keras.Input((3,), name="x")
    assert repr(x) == (
        "<KerasTensor shape=(None, 3), dtype=float32, sparse=False, ragged=False, name=x>"
    )
    y = tf.keras.Input((3,), name="y", sparse=True)
    assert (y.sparse, y.ragged) == (True, False)
    assert "sparse=True" in repr(y)
    assert tf.keras.KerasTensor((2,), ragged=True).ragged
    assert not tf.keras.layers.Dense(2)(x).sparse


def test_symbols_are_found_in_lists_and_are_keys():
    x, y = tf.keras.Input((3,)), tf.keras.Input((3,))
    assert y in [x, y]
    assert [x, y].index(y) == 1
    assert {x: 1, y: 2}[y] == 2
    assert tuple((x == 0.0).shape) == (None, 3)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"shape": (4,)}, r"`shape` must agree with `input_tensor`, which has \(3,\)"),
        ({"batch_shape": (2, 4)}, "`batch_shape` must agree"),
        ({"batch_size": 5}, "`batch_size` must agree"),
        ({"dtype": "float16"}, "`dtype` must agree .* has float32; got float16"),
        ({"sparse": True}, "`sparse` must agree"),
    ],
)
def test_an_input_made_of_a_symbol_is_as_the_symbol(settings, text):
    symbol = tf.keras.KerasTensor((2, 3))
    layer = tf.keras.layers.InputLayer(input_tensor=symbol, shape=(3,), dtype="float32")
    assert layer.output is symbol
    assert (layer.batch_shape, layer.call()) == ((2, 3), None)
    with pytest.raises(ValueError, match=text):
        tf.keras.layers.InputLayer(input_tensor=symbol, **settings)


def test_inputs_refuse_values_and_two_batch_sizes():
    with pytest.raises(ValueError, match="`input_tensor` must be a KerasTensor"):
        tf.keras.layers.InputLayer(input_tensor=np.ones(3))
    with pytest.raises(ValueError, match="`batch_size` or `batch_shape` must be given, not both"):
        tf.keras.layers.InputLayer(batch_size=2, batch_shape=(2, 3))
    assert tf.keras.layers.InputLayer((np.int64(3),)).batch_shape == (None, 3)
