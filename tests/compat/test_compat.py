"""tf.compat: text and bytes, and the harmless names of tf.compat.v1."""

import numpy as np
import pytest

import lamina as tf


def test_text_and_bytes():
    assert tf.compat.as_text(b"a\xc3\xa9") == tf.compat.as_str("aé") == "aé"
    assert tf.compat.as_bytes("é") == b"\xc3\xa9"
    assert tf.compat.as_bytes(bytearray(b"x")) == b"x"
    assert tf.compat.as_text(b"\xe9", encoding="latin-1") == "é"
    assert tf.compat.as_str_any(b"a") == "a"
    assert tf.compat.as_str_any(3) == "3"


@pytest.mark.parametrize("function", [tf.compat.as_text, tf.compat.as_bytes])
@pytest.mark.parametrize("value", [3, None])
def test_neither_text_nor_bytes(function, value):
    with pytest.raises(TypeError, match=f"bytes or str were expected; got {value!r}"):
        function(value)


def test_types():
    assert isinstance(np.int32(3), tf.compat.integral_types)
    assert isinstance(np.float32(3), tf.compat.real_types)
    assert isinstance(3j, tf.compat.complex_types)
    assert isinstance("a", tf.compat.bytes_or_text_types)


def test_sizes_of_shapes():
    shape = tf.TensorShape([None, 3])
    assert tf.compat.dimension_value(shape[0]) is None
    assert tf.compat.dimension_at_index(shape, 1) == 3
    assert tf.compat.dimension_at_index(tf.TensorShape(None), 1) is None


def test_forward_compatible():
    assert tf.compat.forward_compatible(2030, 1, 1)
    with tf.compat.forward_compatibility_horizon(2030, 1, 1):
        pass


def test_version_2_is_the_package():
    assert tf.compat.v2 is tf


def test_scatter_update():
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    assert tf.compat.v1.scatter_update(v, [1], [[5.0, 6.0]]) is v
    assert v.numpy().tolist() == [[1.0, 2.0], [5.0, 6.0]]


def test_memory_growth_by_a_session():
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    session = tf.compat.v1.InteractiveSession(config=config)
    with session, pytest.raises(RuntimeError, match="graph is empty"):
        session.run(tf.constant(1))


def test_graphs_are_refused():
    tf.compat.v1.enable_eager_execution()
    with pytest.raises(RuntimeError, match=r"disable_eager_execution: out of scope"):
        tf.compat.v1.disable_eager_execution()


def test_logging():
    tf.compat.v1.logging.set_verbosity("ERROR")
    assert tf.compat.v1.logging.get_verbosity() == tf.compat.v1.logging.ERROR
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.WARN)


def test_checkpoint_exists(tmp_path):
    path = tmp_path / "w"
    assert not tf.compat.v1.train.checkpoint_exists(path)
    (tmp_path / "w.weights.h5").touch()
    assert tf.compat.v1.train.checkpoint_exists(path)
