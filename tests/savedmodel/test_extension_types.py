"""Functions of extension types in a SavedModel."""

import pytest

import lamina as tf


class Marked(tf.experimental.ExtensionType):
    values: tf.Tensor
    mask: tf.Tensor
    label: str = "none"

    class Spec:
        def __init__(self, shape, label="none"):
            self.values = tf.TensorSpec(shape)
            self.mask = tf.TensorSpec(shape, tf.bool)
            self.label = label


class Scale(tf.Module):
    def __init__(self, by):
        super().__init__()
        self.by = tf.Variable(by)

    @tf.function
    def grow(self, x):
        return Marked(x.values * self.by, x.mask, x.label)

    @tf.function
    def mean(self, values, mask):
        return tf.reduce_sum(tf.where(mask, values * self.by, 0))


def test_an_extension_type_is_argument_and_result(tmp_path):
    module = Scale(100.0)
    module.grow.get_concrete_function(Marked.Spec(None))
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    made = loaded.grow(Marked([1.0, 2.0], [True, False]))
    assert isinstance(made, Marked)
    assert made.values.numpy().tolist() == [100, 200]
    assert made.mask.numpy().tolist() == [True, False]
    with pytest.raises(ValueError, match="Could not find matching concrete function"):
        loaded.grow(Marked([1.0], [True], "other"))


def test_sizes_that_a_function_of_any_rank_must_know_are_found(tmp_path):
    module = Scale([1.0, 2.0, 3.0])
    module.mean.get_concrete_function(tf.TensorSpec(None), tf.TensorSpec(None, tf.bool))
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    assert loaded.mean(tf.ones([3]), tf.constant([True, False, True])).numpy() == 4
