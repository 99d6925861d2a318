"""tf.train.Checkpoint and CheckpointManager: what is saved, found again, and said."""

import os
import threading

import numpy as np
import pytest

import lamina as tf


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.first = tf.keras.layers.Dense(2)
        self.more = [tf.keras.layers.Dense(1)]

    def call(self, x):
        return self.more[0](self.first(x))


def trained():
    net, optimizer = Net(), tf.keras.optimizers.Adam(0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(tf.ones([3, 4])) ** 2)
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables, strict=True))
    return net, optimizer


def keys(path):
    return [key.split("/.")[0] for key, _ in tf.train.list_variables(path)]


def test_keys_are_those_of_tensorflow_and_keras_3(tmp_path):
    net, optimizer = trained()
    saved = tf.train.Checkpoint(net=net, optimizer=optimizer, step=tf.Variable(1))
    path = saved.save(tmp_path / "ckpt")
    slots = [f"optimizer/_variables/{i}" for i in range(2, 10)]
    held = ["net/first/_kernel", "net/first/bias"]
    others = ["optimizer/_trainable_variables/2", "optimizer/_trainable_variables/3"]
    learned = ["optimizer/_iterations", "optimizer/_learning_rate"]
    assert sorted(keys(path)) == sorted(
        ["_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter", "step", *held, *others, *learned, *slots]
    )


def test_weights_and_slots_made_later_get_their_values(tmp_path):
    net, optimizer = trained()
    path = tf.train.Checkpoint(net=net, optimizer=optimizer).save(tmp_path / "ckpt")
    new, fresh = Net(), tf.keras.optimizers.Adam(0.1)
    status = tf.train.Checkpoint(net=new, optimizer=fresh).restore(path)
    with pytest.raises(AssertionError, match="no object of the program takes net/first/_kernel"):
        status.assert_consumed()
    new(tf.ones([3, 4]))
    fresh.build(new.trainable_variables)
    status.assert_consumed()
    for a, b in zip(new.weights + fresh.variables, net.weights + optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_attributes_and_items_set_later_get_their_values(tmp_path):
    saved = tf.train.Checkpoint()
    saved.listed = [tf.Variable(1.0)]
    saved.listed.append(tf.Variable(2.0))
    saved.mapped = {"one": saved.listed[0]}
    saved.mapped["two"] = saved.listed[1]
    path = saved.save(tmp_path / "x")
    other = tf.train.Checkpoint()
    late = tf.Variable(0.0)
    other.mapped = {"two": late}
    other.restore(path)
    assert float(late) == 2.0
    other.listed = []
    assert repr(other.listed) == "ListWrapper([])"
    first = tf.Variable(0.0)
    other.listed.append(first)
    assert float(first) == 1.0


def test_values_are_restored_once(tmp_path):
    generator = tf.random.Generator.from_seed(1)
    saved = tf.train.Checkpoint(g=generator, late=tf.Variable(1.0))
    path = saved.write(tmp_path / "x")
    other = tf.train.Checkpoint(g=tf.random.Generator.from_seed(9))
    other.read(path)
    np.testing.assert_array_equal(other.g.state.numpy(), generator.state.numpy())
    other.g.normal([2])
    moved = other.g.state.numpy()
    other.late = tf.Variable(0.0)
    assert float(other.late) == 1.0
    np.testing.assert_array_equal(other.g.state.numpy(), moved)


def test_a_part_is_restored_along_any_of_its_names(tmp_path):
    net, _ = trained()
    path = tf.train.Checkpoint(net=net).save(tmp_path / "ckpt")
    kernel = tf.Variable(tf.zeros([4, 2]))
    fake = tf.train.Checkpoint(net=tf.train.Checkpoint(first=tf.train.Checkpoint(kernel=kernel)))
    fake.restore(path).expect_partial().assert_existing_objects_matched()
    np.testing.assert_array_equal(kernel.numpy(), net.first.kernel.numpy())
    reader = tf.train.load_checkpoint(path)
    key = "net/first/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    assert reader.get_variable_to_shape_map()[key] == [4, 2]
    assert reader.get_variable_to_dtype_map()[key] is tf.float32
    np.testing.assert_array_equal(reader.get_tensor(key), kernel.numpy())


def test_functional_and_sequential_models_have_their_operations(tmp_path):
    inputs = tf.keras.Input((3,))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(inputs))
    chain = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
    path = tf.train.Checkpoint(model=model, chain=chain).write(tmp_path / "x")
    assert "model/_operations/1/_kernel" in keys(path)
    assert "chain/_functional/_operations/1/bias" in keys(path)
    unbuilt = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    tf.train.Checkpoint(chain=unbuilt).read(path).expect_partial()
    unbuilt(tf.ones([1, 3]))
    np.testing.assert_array_equal(unbuilt.get_weights()[0], chain.get_weights()[0])


def test_python_state_and_metrics_are_saved_where_they_are_given(tmp_path):
    class Words(tf.train.experimental.PythonState):
        text = "a"

        def serialize(self):
            return self.text

        def deserialize(self, string_value):
            self.text = string_value.decode()

    words, mean = Words(), tf.keras.metrics.Mean()
    words.text = "bc"
    mean.update_state([2.0, 4.0])
    path = tf.train.Checkpoint(words=words, mean=mean).write(tmp_path / "x")
    others = tf.train.Checkpoint(words=Words(), mean=tf.keras.metrics.Mean())
    others.read(path).assert_consumed()
    assert others.words.text == "bc"
    assert float(others.mean.result()) == 3.0


@pytest.mark.parametrize(
    ("variable", "error", "text"),
    [
        (
            tf.Variable([1.0, 2.0, 3.0]),
            ValueError,
            r"VARIABLE_VALUE has shape \(2,\)",
        ),
        (tf.Variable([1, 2]), tf.errors.InvalidArgumentError, "has dtype float32"),
    ],
)
def test_another_shape_or_dtype_is_refused(variable, error, text, tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(tmp_path / "x")
    with pytest.raises(error, match=text):
        tf.train.Checkpoint(v=variable).read(path)


@pytest.mark.parametrize("value", [1, "x", None, np.ones(2)])
def test_what_cannot_be_saved_is_refused(value):
    with pytest.raises(ValueError, match="expecting a to be a trackable object"):
        tf.train.Checkpoint(a=value)


def test_a_name_of_the_root_is_refused():
    root = tf.Module()
    root.v = tf.Variable(1.0)
    with pytest.raises(ValueError, match=r"keyword argument v if root\.v"):
        tf.train.Checkpoint(root, v=tf.Variable(2.0))


def test_statuses_say_what_did_not_match(tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable(1.0)).write(tmp_path / "x")
    status = tf.train.Checkpoint(u=tf.Variable(2.0)).read(path)
    with pytest.raises(AssertionError, match="Found 1 Python objects that were not bound"):
        status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Nothing except the root object matched"):
        status.assert_nontrivial_match()
    nothing = tf.train.Checkpoint().restore(None)
    with pytest.raises(AssertionError, match="nothing is being restored"):
        nothing.assert_consumed()
    assert nothing.expect_partial() is nothing


def test_the_manager_keeps_the_latest_and_goes_on(tmp_path):
    step = tf.Variable(0)
    saved = tf.train.Checkpoint(step=step)
    manager = tf.train.CheckpointManager(saved, tmp_path, max_to_keep=2, checkpoint_name="m")
    paths = [manager.save() for _ in range(3)]
    paths.append(manager.save(checkpoint_number=10))
    assert [os.path.basename(p) for p in paths] == ["m-1", "m-2", "m-3", "m-10"]
    assert manager.checkpoints == paths[2:]
    assert tf.train.latest_checkpoint(tmp_path) == manager.latest_checkpoint == paths[-1]
    assert not (tmp_path / "m-1.index").exists()
    step.assign(5)
    again = tf.train.CheckpointManager(saved, tmp_path, max_to_keep=1, checkpoint_name="m")
    assert again.restore_or_initialize() == paths[-1]
    assert int(step) == 0
    again.save()
    assert len(again.checkpoints) == 1
    state = tf.train.get_checkpoint_state(tmp_path)
    assert state.all_model_checkpoint_paths == again.checkpoints


def test_the_manager_leaves_out_what_comes_too_early(tmp_path):
    step = tf.Variable(0)
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(), tmp_path, None, step_counter=step, checkpoint_interval=2
    )
    assert manager.save() is not None
    step.assign(1)
    assert manager.save() is None
    assert manager.save(check_interval=False) is not None
    called = []
    empty = tf.train.CheckpointManager(
        tf.train.Checkpoint(), tmp_path / "new", 1, init_fn=lambda: called.append(1)
    )
    assert empty.restore_or_initialize() is None
    assert called == [1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"max_to_keep": 0}, "Expected a positive integer"),
        ({"max_to_keep": 1, "checkpoint_interval": 3}, "`step_counter` should be passed"),
    ],
)
def test_wrong_managers_are_refused(arguments, text, tmp_path):
    with pytest.raises(ValueError, match=text):
        tf.train.CheckpointManager(tf.train.Checkpoint(), tmp_path, **arguments)


def test_new_checkpoints_are_yielded_until_the_time_is_over(tmp_path):
    path = tf.train.Checkpoint().save(tmp_path / "x")
    assert list(tf.train.checkpoints_iterator(tmp_path, timeout=0.01)) == [path]


def test_views_show_objects_by_number_and_name(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(1.0)
    path = tf.train.Checkpoint(module).write(tmp_path / "x")
    view, mine = tf.train.CheckpointView(path), tf.train.TrackableView(module)
    assert view.children(0) == {"v": 1}
    assert view.descendants() == [0, 1]
    assert mine.children(module) == {"v": module.v}
    module.w = tf.Variable(2.0)
    matched, mine_alone, theirs_alone = view.diff(mine)
    assert matched[1] is module.v
    assert mine_alone == [module.w]
    assert theirs_alone == []


def test_moving_averages_follow():
    v = tf.Variable([1.0, 2.0], name="v")
    ema = tf.train.ExponentialMovingAverage(0.9, num_updates=3)
    ema.apply([v])
    v.assign([3.0, 4.0])
    ema.apply([v])
    np.testing.assert_allclose(ema.average(v).numpy(), [2.3846154, 3.3846154], rtol=1e-6)
    with pytest.raises(TypeError, match=r"`var_list` must hold tf\.Variables"):
        ema.apply([tf.constant(1.0)])
    assert ema.average_name(v) == "v/ExponentialMovingAverage"
    assert ema.average(tf.Variable(1.0)) is None
    with pytest.raises(TypeError, match="must be floating point"):
        ema.apply([tf.Variable(1)])


def test_a_coordinator_hands_on_the_first_error():
    coordinator = tf.train.Coordinator()

    def work():
        with coordinator.stop_on_exception():
            raise KeyError("first")

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(KeyError, match="first"):
        coordinator.join([thread])
    coordinator.clear_stop()
    assert not coordinator.should_stop()


def test_debug_string_names_dtypes_as_tensorflow_does(tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(str(tmp_path / "w"))
    found = tf.train.load_checkpoint(path).debug_string()
    assert b"v/.ATTRIBUTES/VARIABLE_VALUE (DT_FLOAT) [2]" in found


@pytest.mark.parametrize("keep", [True, False])
def test_what_the_root_itself_gets_later_is_restored(tmp_path, keep):
    first = tf.Module()
    first.early, first.late = tf.Variable(2.0), tf.Variable(5.0)
    path = tf.train.Checkpoint(first).save(str(tmp_path / "ckpt"))
    second = tf.Module()
    second.early = tf.Variable(0.0)
    checkpoint = tf.train.Checkpoint(second)
    checkpoint.restore(path).expect_partial()
    if not keep:
        del checkpoint
    second.late = tf.Variable(1.0)
    assert (second.early.numpy(), second.late.numpy()) == (2.0, 5.0)


def test_paths_may_be_string_tensors(tmp_path):
    v = tf.Variable(3.0)
    path = tf.train.Checkpoint(v=v).write(tf.constant(str(tmp_path / "one")))
    assert path == str(tmp_path / "one")
    v.assign(0.0)
    tf.train.Checkpoint(v=v).read(tf.constant(path))
    assert v.numpy() == 3.0


def test_a_manager_leaves_checkpoints_that_it_did_not_write(tmp_path):
    checkpoint = tf.train.Checkpoint(v=tf.Variable(1.0))
    own = checkpoint.save(str(tmp_path / "own"))
    manager = tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=1)
    assert manager.latest_checkpoint == own
    assert manager.checkpoints == []
    last = [manager.save() for _ in range(2)][-1]
    assert manager.checkpoints == [last]
    assert tf.io.gfile.exists(own + ".index")
