import glob
import struct
from pathlib import Path

import numpy as np
import pytest

import lamina as tf

pytest.importorskip("tensorboardX")


def _events(folder):
    from tensorboardX.proto.event_pb2 import Event

    data, at, found = Path(glob.glob(f"{folder}/*")[0]).read_bytes(), 0, []
    while at < len(data):
        (size,) = struct.unpack("<Q", data[at : at + 8])
        event = Event.FromString(data[at + 12 : at + 12 + size])
        found.extend((v.tag, event.step, v) for v in event.summary.value)
        at += 16 + size
    return found


def test_scalars_have_their_name_scope_and_step(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default(step=7), tf.name_scope("train"):
        assert tf.summary.scalar("loss", 0.5)
    writer.close()
    ((tag, step, value),) = _events(tmp_path)
    assert (tag, step, value.simple_value) == ("train/loss", 7, 0.5)


def test_a_function_writes_each_time_it_runs(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))

    @tf.function
    def step(x, at):
        tf.summary.scalar("twice", 2 * x, step=at)
        return x

    with writer.as_default():
        for i in range(3):
            step(tf.constant(float(i)), tf.constant(i))
    writer.close()
    assert sorted((s, v.simple_value) for _, s, v in _events(tmp_path)) == [(0, 0), (1, 2), (2, 4)]


def test_without_a_step_it_says_how_to_give_one(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default(), pytest.raises(ValueError, match="No step set"):
        tf.summary.scalar("x", 1.0)
    writer.close()


def test_record_if_leaves_out(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default(), tf.summary.record_if(False):
        assert not tf.summary.scalar("x", 1.0, step=0)
    writer.close()
    assert _events(tmp_path) == []


def test_pictures_histograms_texts_and_sound(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with writer.as_default(step=0):
        tf.summary.image("i", np.zeros((2, 4, 4, 3)))
        tf.summary.histogram("h", [1.0, 2.0])
        tf.summary.text("t", "hello")
        tf.summary.audio("s", np.zeros((1, 8, 1)), 8000)
    writer.close()
    tags = [t for t, _, _ in _events(tmp_path)]
    assert tags == ["i/0", "i/1", "h", "t/text_summary", "s/audio/0"]


def test_without_a_writer_nothing_is_written():
    assert not tf.summary.should_record_summaries()
    assert not tf.summary.scalar("x", 1.0, step=0)


def test_summaries_refuse_what_they_cannot_hold(tmp_path):
    with tf.summary.create_file_writer(str(tmp_path)).as_default(step=0):
        for write in (tf.summary.scalar, tf.summary.histogram):
            with pytest.raises(TypeError, match="`data` must be numbers; got dtype string"):
                write("x", "a")
        with pytest.raises(ValueError, match=r"C from 1 to 4; got \(1, 4, 4, 7\)"):
            tf.summary.image("i", np.zeros((1, 4, 4, 7)))
        with pytest.raises(tf.errors.InvalidArgumentError, match="`max_outputs` must be at least"):
            tf.summary.image("i", np.zeros((1, 4, 4, 3)), max_outputs=-1)
        with pytest.raises(TypeError, match="`step` must be an integer; got 'x'"):
            tf.summary.scalar("x", 1.0, step="x")


def test_a_profile_goes_to_the_folder_that_trace_export_names(tmp_path):
    squared = tf.function(lambda x: x * x)
    tf.summary.trace_on(graph=True, profiler=True)
    squared(tf.constant(2.0))
    with tf.summary.create_file_writer(str(tmp_path / "logs")).as_default():
        with pytest.raises(ValueError, match="`profiler_outdir` must be given with a profile"):
            tf.summary.trace_export("trace", step=0)
        tf.summary.trace_export("trace", step=0, profiler_outdir=tmp_path / "profile")
    assert list((tmp_path / "profile").glob("plugins/profile/*/*"))
    with pytest.raises(ValueError, match="Must enable trace"):
        tf.summary.trace_export("trace", step=0)


def test_trace_off_drops_a_profile_without_folder():
    tf.summary.trace_on(graph=False, profiler=True)
    tf.summary.trace_off()
    tf.summary.trace_on(graph=False, profiler=True)
    tf.summary.trace_off()
