"""Layer: building, weights, flags, masks, losses, dtypes, copies."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf
from lamina.engine import local

layers = tf.keras.layers


class Scale(layers.Layer):
    def __init__(self, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=input_shape[-1:], initializer="ones")
        self.seen = self.add_weight(name="seen", initializer="zeros", trainable=False)

    def call(self, x):
        self.seen.assign_add(1.0)
        return x * self.scale**self.power


def test_weights_are_made_at_the_first_call():
    layer = Scale()
    assert not layer.built
    assert layer.weights == []
    assert layer(tf.ones([2, 3])).shape == (2, 3)
    assert layer.built
    assert [w.path for w in layer.weights] == [f"{layer.name}/scale", f"{layer.name}/seen"]
    assert layer.count_params() == 4
    layer(tf.ones([5, 3]))
    assert len(layer.weights) == 2
    assert layer.seen.numpy() == 2.0


def test_build_may_be_called_by_hand():
    layer = Scale()
    layer.build((None, 3))
    assert layer.built
    assert layer.scale.shape == (3,)
    assert len(layer.weights) == 2


def test_failed_build_leaves_no_weights_behind():
    class Fragile(layers.Layer):
        bad = True

        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=input_shape[-1:])
            if self.bad:
                raise ValueError("not now")

        def call(self, x):
            return x * self.w

    layer = Fragile()
    with pytest.raises(ValueError, match="not now"):
        layer(tf.ones([1, 2]))
    Fragile.bad = False
    layer(tf.ones([1, 3]))
    assert [tuple(w.shape) for w in layer.weights] == [(3,)]
    assert local.calls == []


def test_add_weight_takes_the_older_order():
    layer = layers.Layer()
    with pytest.warns(DeprecationWarning, match=r"add_weight\(name, shape\) is an older spelling"):
        w = layer.add_weight("kernel", shape=(2, 2), initializer="zeros")
    assert (w.name, tuple(w.shape), w.dtype) == ("kernel", (2, 2), "float32")
    assert layer.add_weight(shape=(1,), dtype="int32").numpy().tolist() == [0]
    with pytest.raises(ValueError, match=r'weight "k" must be known; got \(None, 2\)'):
        layer.add_weight(name="k", shape=(None, 2))


def test_trainable_reaches_layers_and_weights():
    outer = layers.Layer()
    outer.inner = [layers.Dense(2), Scale()]
    for inner in outer.inner:
        inner(tf.ones([1, 2]))
    assert len(outer.trainable_weights) == 3
    outer.trainable = False
    assert outer.trainable_weights == []
    assert len(outer.non_trainable_weights) == 4
    assert not outer.inner[0].kernel.trainable
    with tf.GradientTape() as tape:
        outer.inner[0](tf.ones([1, 2]))
    assert tape.watched_variables() == ()
    outer.trainable = True
    assert outer.inner[0].kernel.trainable
    assert not outer.inner[1].seen.trainable
    outer.inner[0].trainable = False
    assert len(outer.trainable_weights) == 1


@pytest.mark.parametrize("kind", [layers.Layer, tf.keras.Model])
def test_parts_may_be_kept_before_super_init(kind):
    class Early(kind):
        def __init__(self):
            self.dense = layers.Dense(2)
            self.scales = [tf.Variable(2.0)]
            super().__init__(name="early")

        def call(self, x):
            return self.dense(x) * self.scales[0]

    layer = Early()
    assert layer(tf.ones([1, 3])).shape == (1, 2)
    assert [tuple(w.shape) for w in layer.trainable_weights] == [(), (3, 2), (2,)]


def test_training_flag():
    class Ask(layers.Layer):
        def call(self, x, training=None):
            return x * (2.0 if training else 1.0)

    class Silent(layers.Layer):
        def __init__(self):
            super().__init__()
            self.ask = Ask()

        def call(self, x):
            return self.ask(x)

    layer = Silent()
    x = tf.constant(1.0)
    assert [layer(x, training=t).numpy() for t in (True, False, None)] == [2.0, 1.0, 1.0]
    assert layer(x).numpy() == 1.0
    assert Ask()(x, True).numpy() == 2.0
    assert local.training is None


def test_training_default_of_call():
    class Ask(layers.Layer):
        def call(self, x, training=True):
            return x * (2.0 if training else 1.0)

    assert Ask()(tf.constant(1.0)).numpy() == 2.0


def test_masks_pass_and_are_consumed():
    class Sum(layers.Layer):
        def call(self, x, mask=None):
            return tf.reduce_sum(x if mask is None else x * tf.cast(mask, x.dtype)[..., None], 1)

    x = layers.Embedding(4, 2, mask_zero=True, embeddings_initializer="ones")(
        tf.constant([[1, 0, 2]])
    )
    assert x._keras_mask.numpy().tolist() == [[True, False, True]]
    assert Sum()(x).numpy().tolist() == [[2.0, 2.0]]
    assert Sum()(x, mask=tf.constant([[True, False, False]])).numpy().tolist() == [[1.0, 1.0]]
    assert layers.Activation("relu")(x)._keras_mask is not None
    assert Sum()(x)._keras_mask is None


def test_mask_computed_by_a_layer():
    class Mark(layers.Layer):
        def call(self, x):
            return x

        def compute_mask(self, inputs, previous_mask=None):
            return tf.not_equal(inputs, 0.0)

    assert Mark()(tf.constant([1.0, 0.0]))._keras_mask.numpy().tolist() == [True, False]


def test_losses_are_those_of_the_last_call():
    class Penalty(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_regularizer="l2", kernel_initializer="ones")

        def call(self, x):
            self.add_loss(tf.reduce_sum(x))
            return self.dense(x)

    layer = Penalty()
    for value in (1.0, 2.0):
        layer(tf.fill([1, 2], value))
        assert [float(v) for v in layer.losses] == [2 * value, pytest.approx(0.02)]
    with pytest.raises(ValueError, match=r"`add_loss` takes a scalar; got shape \(2,\)"):
        layer.add_loss(tf.ones([2]))


def test_losses_of_shape_inference_are_forgotten():
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(tf.ones([1, 3]))
    before = [float(v) for v in layer.losses]
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert [float(v) for v in layer.losses] == before


def test_losses_of_a_call_of_its_own_are_forgotten():
    inner = layers.Dense(2, activity_regularizer="l2")
    outer = tf.keras.Sequential([inner])
    for _ in range(2):
        inner(tf.ones([1, 3]))
        outer(tf.ones([1, 3]))
        assert len(outer.losses) == 1


def test_losses_are_differentiated():
    layer = layers.Dense(1, kernel_regularizer="l2", use_bias=False, kernel_initializer="ones")
    with tf.GradientTape() as tape:
        layer(tf.ones([1, 2]))
        loss = tf.add_n(layer.losses)
    np.testing.assert_allclose(
        tape.gradient(loss, layer.kernel).numpy(), [[0.02], [0.02]], rtol=1e-5
    )


def test_inputs_are_converted_and_cast():
    seen = []

    class Note(layers.Layer):
        def call(self, x, other=None):
            seen.append((x.dtype.name, other.dtype.name if other is not None else None))
            return x

    Note()(np.ones((1, 2)), other=tf.ones([1], tf.int64))
    Note(dtype="float16")(tf.ones([1, 2]))
    Note(autocast=False)(tf.ones([1], tf.float64))
    assert seen == [("float32", "int64"), ("float16", None), ("float64", None)]


def test_mixed_precision():
    layer = layers.Dense(2, dtype="mixed_bfloat16")
    y = layer(tf.ones([1, 3]))
    assert (layer.kernel.dtype, layer.compute_dtype, y.dtype) == (
        "float32",
        "bfloat16",
        tf.bfloat16,
    )
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.cast(layer(tf.ones([1, 3])), tf.float32))
    assert tape.gradient(loss, layer.kernel).dtype is tf.float32


def test_dtype_policy_may_change():
    layer = layers.Dense(2)
    layer(tf.ones([1, 3]))
    layer.dtype_policy = "mixed_float16"
    assert layer(tf.ones([1, 3])).dtype is tf.float16


def test_config_is_captured():
    layer = Scale(2.0, name="mine", dtype="float64", trainable=False)
    config = layer.get_config()
    assert config["power"] == 2.0
    again = Scale.from_config(config)
    assert (again.power, again.dtype, again.trainable) == (2.0, "float64", False)


def test_compute_output_shape_runs_nothing():
    layer = Scale()
    assert layer.compute_output_shape((None, 7)) == (None, 7)
    spec = layers.Dense(3).compute_output_spec(tf.keras.Input((2,)))
    assert tuple(spec.shape) == (None, 3)
    assert layers.Concatenate().compute_output_shape([(None, 2), (None, 3)]) == (None, 5)


def test_shape_inference_changes_no_state():
    layer = Scale()
    layer(tf.ones([1, 2]))
    layer.compute_output_shape((None, 2))
    assert layer.seen.numpy() == 1.0


@pytest.mark.parametrize("how", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_are_independent(how):
    layer = layers.Dense(2)
    x = tf.ones([1, 3])
    y = layer(x).numpy()
    other = how(layer)
    layer.kernel.assign(tf.zeros([3, 2]))
    assert np.array_equal(other(x).numpy(), y)
    assert other.name == layer.name
    other.kernel.assign_add(tf.ones([3, 2]))
    assert not layer(x).numpy().any()


def test_weights_as_arrays():
    layer = layers.Dense(2)
    layer(tf.ones([1, 3]))
    layer.set_weights([np.ones((3, 2)), np.array([1.0, 2.0])])
    assert layer.get_weights()[1].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"takes 2 arrays of the weights' shapes; got 2"):
        layer.set_weights([np.zeros((2, 2)), np.zeros(2)])
    assert layer.kernel.numpy().all()


def test_weights_are_found_in_containers_that_change():
    layer = layers.Layer()
    layer.blocks = {"a": []}
    assert layer.weights == []
    layer.blocks["a"].append(layers.Dense(1))
    layer.blocks["a"][0](tf.ones([1, 1]))
    assert len(layer.weights) == 2
    layer.own = tf.Variable(1.0)
    assert len(layer.weights) == 3
    del layer.own
    layer.blocks.clear()
    assert layer.weights == []


def test_shared_layer_counts_once():
    layer = layers.Layer()
    layer.a = layer.b = layers.Dense(1)
    layer.a(tf.ones([1, 1]))
    assert len(layer.weights) == 2


@pytest.mark.parametrize("value", [np.array([1, 2]), tf.constant([1.0, 2.0]), [1], None, "a"])
def test_any_attribute_may_be_replaced_after_building(value):
    layer = Scale()
    layer.extra = value
    layer(tf.ones([1, 2]))
    layer.extra = None
    layer.extra = 3
    layer.extra = value
    assert layer.extra is value


def test_unknown_arguments_are_refused():
    with pytest.raises(ValueError, match=r"unrecognized keyword arguments \['activaton'\]"):
        layers.Dense(2, activaton="relu")
    with pytest.raises(ValueError, match="`name` must be a string without \"/\"; got 'a/b'"):
        layers.Dense(2, name="a/b")


def test_layer_without_call():
    with pytest.raises(NotImplementedError, match="does not have a `call` method"):
        layers.Layer()(tf.ones([1]))


def test_weights_take_numbers_in_the_compute_dtype():
    class Mixed(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,), initializer="ones")

        def call(self, x):
            return x * (2.0 * self.w + 1.0) ** 2.0 + tf.cast(self.w == 1.0, x.dtype)

    for dtype in ("float32", "mixed_bfloat16"):
        assert Mixed(dtype=dtype)(tf.ones([2])).numpy().tolist() == [10.0, 10.0]


def test_a_checkpoint_holds_what_a_layer_without_super_init_has(tmp_path):
    class Forgot(tf.keras.layers.Layer):
        def __init__(self):
            self.scale = tf.Variable(2.0)

    layer = Forgot()
    checkpoint = tf.train.Checkpoint(layer=layer)
    path = checkpoint.save(tmp_path / "kept")
    layer.scale.assign(3.0)
    checkpoint.restore(path).assert_consumed()
    assert layer.scale.numpy() == 2.0


HEAD = {
    "name": "own",
    "trainable": True,
    "dtype": {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "float32"},
        "registered_name": None,
    },
}


def with_config(base):
    class Own(base):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.own_units = units

        def get_config(self):
            return {**super().get_config(), "units": self.own_units}

    return Own


@pytest.mark.parametrize("base", [layers.Layer, tf.keras.Model])
def test_super_get_config_of_a_users_class_gives_the_entries_of_keras_in_their_order(base):
    own = with_config(base)(4, name="own")
    config = own.get_config()
    assert list(config.items()) == list({**HEAD, "units": 4}.items())
    again = type(own).from_config(config)
    assert (again.name, again.own_units) == ("own", 4)
    deeper = with_config(type(own))(5, name="own", trainable=False)
    assert deeper.get_config() == HEAD | {"trainable": False, "units": 5}


def test_super_get_config_has_an_activity_regularizer_that_was_given():
    config = with_config(layers.Layer)(activity_regularizer="l2").get_config()
    assert config["activity_regularizer"]["class_name"] == "L2"


def test_subclasses_of_layers_keep_their_name_in_the_config():
    class Same(layers.Dense):
        pass

    class Wide(layers.Dense):
        def __init__(self, units, extra=1, **kwargs):
            super().__init__(units, **kwargs)
            self.extra = extra

        def get_config(self):
            return {**super().get_config(), "extra": self.extra}

    for layer in (Same(2, name="d"), Wide(2, extra=3, name="d")):
        config = layer.get_config()
        assert list(config)[:4] == ["name", "trainable", "dtype", "units"]
        assert type(layer).from_config(config).name == "d"


def test_a_captured_config_has_the_arguments_first_and_no_name():
    class Scale(layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

    assert list(Scale(2.0, name="s").get_config()) == ["factor", "trainable", "dtype"]


def test_layers_list_the_metrics_they_hold():
    class Watched(layers.Layer):
        def __init__(self, inner=None):
            super().__init__()
            self.inner = inner
            self.seen = tf.keras.metrics.Mean(name="seen")

    layer = Watched(Watched(layers.Dense(1)))
    assert [m.name for m in layer.metrics] == ["seen", "seen"]
    assert len(layer.metrics_variables) == 4
    assert layer.weights == []
    assert layers.Dense(1).metrics == []


@pytest.mark.parametrize("value", ["no", 1, None])
def test_trainable_is_true_or_false(value):
    with pytest.raises(ValueError, match=r"Dense: `trainable` must be True or False; got"):
        layers.Dense(2, trainable=value)


@pytest.mark.parametrize(
    ("made", "built"),
    [
        (lambda: layers.Dropout(0.2), True),
        (lambda: layers.ReLU(), True),
        (lambda: layers.AveragePooling1D(3), True),
        (lambda: layers.GlobalMaxPooling2D(), True),
        (lambda: layers.Masking(), True),
        (lambda: layers.Dense(3), False),
        (lambda: layers.Flatten(), False),
    ],
)
def test_layers_without_weights_are_built_at_once(made, built):
    assert made().built is built


def test_a_subclass_with_a_build_is_built_when_called():
    class Scaled(layers.ReLU):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(), initializer="ones")

        def call(self, inputs):
            return super().call(inputs) * self.scale

    layer = Scaled()
    assert not layer.built
    assert layer(tf.constant([-1.0, 2.0])).numpy().tolist() == [0, 2]
    assert len(layer.weights) == 1


def test_an_empty_batch_has_no_activity():
    layer = layers.Dense(2, activity_regularizer="l2")
    layer(tf.ones([0, 3]))
    assert float(layer.losses[0]) == 0.0


def test_shapes_of_inputs_left_out_and_of_the_only_one_by_keras_name():
    layer = layers.MultiHeadAttention(2, 3)
    assert layer.compute_output_shape((2, 5, 4), (2, 6, 4), None) == (2, 5, 4)
    assert layers.Dense(3).compute_output_shape(input_shape=(2, 4)) == (2, 3)
    softmax = layers.Attention()
    assert softmax.compute_output_shape(input_shape=[(2, 3, 4), (2, 5, 4)]) == (2, 3, 4)


@pytest.mark.parametrize(
    "given",
    [
        tf.ones([1, 4, 4, 2]),
        np.ones([1, 4, 4, 2], "float32"),
        tf.keras.Variable(np.ones([1, 4, 4, 2], "float32")),
        tf.keras.Input((4, 4, 2)),
    ],
)
def test_inputs_may_be_given_by_name(given):
    for layer in (layers.Dense(3), layers.Conv2D(3, 1), layers.BatchNormalization()):
        assert layer(inputs=given).shape[1:] == (4, 4, 2 if "norm" in layer.name else 3)
    with pytest.raises(ValueError, match="must have at least 4 axes; got 2"):
        layers.Conv2D(3, 1)(inputs=tf.ones([2, 3]))
