import pytest

import lamina as tf


def test_names_and_parts():
    spec = tf.DeviceSpec.from_string("/job:ps/task:1/gpu:2")
    assert (spec.job, spec.replica, spec.task, spec.device_type, spec.device_index) == (
        "ps",
        None,
        1,
        "GPU",
        2,
    )
    assert spec.to_string() == "/job:ps/task:1/device:GPU:2"
    assert spec.replace(task=3).to_string() == "/job:ps/task:3/device:GPU:2"
    assert spec.make_merged_spec(tf.DeviceSpec(job="a")).job == "a"
    assert spec == tf.DeviceSpec("ps", None, 1, "gpu", 2)


def test_other_names_are_refused():
    with pytest.raises(ValueError, match="Unknown attribute 'foo'"):
        tf.DeviceSpec.from_string("/job:a/foo")


def test_a_device_may_be_a_spec():
    with tf.device(tf.DeviceSpec(device_type="CPU", device_index=0)):
        assert "CPU:0" in tf.constant(1.0).device
