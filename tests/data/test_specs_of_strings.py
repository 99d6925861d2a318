"""The specs of datasets whose functions work on strings, found with nothing run."""

import lamina as tf


def texts():
    return tf.data.Dataset.from_tensor_slices((["a b", "c"] * 4, [0, 1] * 4))


def shapes(dataset):
    return [tuple(spec.shape) for spec in tf.nest.flatten(dataset.element_spec)]


def test_a_lookup_in_a_map_has_the_sizes_of_tensorflow():
    text = tf.keras.layers.TextVectorization(output_sequence_length=7)
    text.adapt(["a b", "c d e"])
    batches = texts().batch(3)
    assert shapes(batches.map(lambda x, y: (text(x), y))) == [(None, 7), (None,)]
    assert shapes(texts().map(lambda x, y: (text(x), y))) == [(7,), ()]
    counts = tf.keras.layers.TextVectorization(output_mode="multi_hot", vocabulary=["a", "b"])
    assert shapes(batches.map(lambda x, y: (counts(x), y))) == [(None, 3), (None,)]


def test_files_that_are_not_there_have_a_spec():
    def image(path):
        return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(path), channels=3), (4, 5))

    spec = tf.data.Dataset.from_tensor_slices(["nowhere"]).map(image).element_spec
    assert spec == tf.TensorSpec((4, 5, 3), tf.float32)


def test_what_needs_values_is_run_for_its_spec():
    def first(x, y):
        return tf.constant([len(x.numpy())]), y

    dataset = texts().map(lambda x, y: tf.py_function(first, [x, y], [tf.int32, tf.int32]))
    assert [spec.dtype for spec in dataset.element_spec] == [tf.int32, tf.int32]


def test_one_element_tells_the_specs_of_all_stages_that_only_a_run_can_tell():
    started = []

    def generate():
        started.append(1)
        for i in range(6):
            yield [b"a"], [float(i)]

    def through_python(words, numbers):
        return tf.py_function(lambda w, n: (w, n + 1.0), (words, numbers), (tf.string, tf.float32))

    spec = (tf.TensorSpec([1], tf.string), tf.TensorSpec([1], tf.float32))
    data = tf.data.Dataset.from_generator(generate, output_signature=spec).batch(3)
    data = data.map(through_python).cache().map(through_python).prefetch(1).map(through_python)
    assert data.element_spec[1] == tf.TensorSpec([None, None], tf.float32)
    assert len(started) == 1
    numbers = [n.numpy().ravel().tolist() for _, n in data]
    assert numbers == [[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]
    assert len(started) == 2
