"""What symbolic calls report, where a class says it itself."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L


class Doubled(L.Layer):
    def call(self, inputs):
        return inputs * 2


class ByShape(Doubled):
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 7)


class Refusing(L.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=input_shape[-1:])

    def call(self, inputs):
        raise NotImplementedError  # as code that needs values does

    def compute_output_shape(self, input_shape):
        return {"whole": input_shape, "sizes": [(None, 2)]}


class Pair(L.Layer):
    def build(self, left_shape, right_shape):
        self.scale = self.add_weight(shape=())

    def call(self, left, right):
        return left

    def compute_output_shape(self, left_shape, right_shape):
        return (left_shape[0], left_shape[1] + right_shape[1])


class BySpec(Doubled):
    def compute_output_spec(self, inputs):
        return tf.keras.KerasTensor((None, 9), dtype="int32")


def seen(tensor):
    return tuple(tensor.shape), tensor.dtype.name


def test_compute_output_shape_has_the_last_word_in_the_compute_dtype():
    assert seen(ByShape()(tf.keras.Input((None, 3)))) == ((None, None, 7), "float32")
    half = ByShape(dtype="mixed_float16")
    assert seen(half.compute_output_spec(tf.keras.Input((3,)))) == ((None, 7), "float16")


def test_call_need_not_run_on_symbols_where_the_shape_is_said():
    layer = Refusing()
    out = layer(tf.keras.Input((3,)))
    assert seen(out["whole"]) == ((None, 3), "float32")
    assert seen(out["sizes"][0]) == ((None, 2), "float32")
    assert layer.built
    assert len(layer.weights) == 1


def test_shapes_go_by_the_names_of_arguments():
    out = Pair()(tf.keras.Input((3,)), right=tf.keras.Input((4,)))
    assert tuple(out.shape) == (None, 7)


def test_compute_output_spec_has_the_very_last_word():
    assert seen(BySpec()(tf.keras.Input((3,)))) == ((None, 9), "int32")


def test_a_model_of_such_layers_still_runs_on_what_is_computed():
    x = tf.keras.Input((3,))
    model = tf.keras.Model(x, ByShape()(x))
    assert model.output_shape == (None, 7)
    assert model(np.ones((2, 3), "float32")).shape == (2, 3)


def test_an_error_before_the_layer_is_built_is_not_hidden():
    class Broken(ByShape):
        def build(self, input_shape):
            raise KeyError("build")

    with pytest.raises(KeyError, match="build"):
        Broken()(tf.keras.Input((3,)))


def test_what_is_no_shape_is_refused():
    class Wrong(Doubled):
        def compute_output_shape(self, input_shape):
            return "shape"

    with pytest.raises(
        ValueError, match=r"`compute_output_shape` must return a shape.*got 'shape'"
    ):
        Wrong()(tf.keras.Input((3,)))


def test_integers_are_reported_in_the_compute_dtype_as_in_keras():
    x = tf.keras.Input((3,), dtype="int32")
    assert L.Add()([x, x]).dtype == "float32"
    assert L.RepeatVector(2)(x).dtype == "float32"
    assert L.Flatten()(x).dtype == "int32"
    assert L.Add()([tf.constant([[1]]), tf.constant([[2]])]).dtype == "int32"


def test_layers_report_what_keras_reports():
    x = tf.keras.Input((5, 6))
    assert L.Activation("glu")(x).shape == (None, 5, 6)
    assert L.EinsumDense("abc,cd->abd", (None, 3))(x).shape == (None, None, 3)
    back = L.LSTM(2, go_backwards=True)
    assert L.Bidirectional(L.LSTM(3), backward_layer=back)(x).shape == (None, 6)
    _, scores = L.MultiHeadAttention(2, 3)(x, tf.keras.Input((4, 6)), return_attention_scores=True)
    assert scores.shape == (None, 2, 5, 5)


def test_keras_tensors_are_made_from_shape_and_dtype():
    made = tf.keras.KerasTensor((None, 3), "int32", name="made")
    assert seen(made) == ((None, 3), "int32")
    assert made.name == "made"


class Broken(L.Layer):
    def call(self, inputs):
        raise RuntimeError("broken")


def test_places_in_functional_and_sequential_models_go_by_names():
    inner = tf.keras.Sequential([tf.keras.layers.Dense(3, name="first"), Broken(name="bad")])

    class Outer(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = inner

        def call(self, x):
            return self.encoder(x)

    for model, path in ((inner, "model.bad"), (Outer(), "model.encoder.bad")):
        with pytest.raises(RuntimeError) as caught:
            model(np.ones((2, 4), "float32"))
        assert f"In {path} (Broken" in "\n".join(caught.value.__notes__)
