"""Strategies of one replica, and what is refused."""

import pytest

import lamina as tf

distribute = tf.distribute


def test_outside_of_scopes_there_is_the_default_strategy():
    assert not distribute.has_strategy()
    assert not distribute.in_cross_replica_context()
    assert distribute.get_strategy().num_replicas_in_sync == 1
    assert distribute.get_replica_context().replica_id_in_sync_group == 0


def test_a_scope_is_cross_replica_and_run_is_not():
    strategy = distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        assert distribute.get_strategy() is strategy
        assert distribute.in_cross_replica_context()
    assert strategy.run(distribute.in_cross_replica_context) is False


def test_one_replica_gets_and_gives_plain_values():
    strategy = distribute.MirroredStrategy(["/cpu:0"])
    out = strategy.run(lambda x: x * 2.0, args=(tf.constant([1.0, 2.0]),))
    assert out.numpy().tolist() == [2.0, 4.0]
    assert strategy.reduce("SUM", out, axis=0).numpy() == 6.0
    assert strategy.reduce(distribute.ReduceOp.MEAN, out, axis=None) is out
    assert strategy.experimental_local_results(out) == (out,)


def test_a_distributed_dataset_of_one_replica_has_the_batches():
    strategy = distribute.MirroredStrategy(["/cpu:0"])
    data = strategy.experimental_distribute_dataset(tf.data.Dataset.range(3).batch(2))
    assert [b.numpy().tolist() for b in data] == [[0, 1], [2]]
    iterator = iter(data)
    next(iterator), next(iterator)
    assert not iterator.get_next_as_optional().has_value()
    with pytest.raises(tf.errors.OutOfRangeError, match="no further element"):
        iterator.get_next()


def test_strategies_do_not_mix():
    one, other = distribute.OneDeviceStrategy("/cpu:0"), distribute.OneDeviceStrategy("/cpu:0")
    with one.scope(), pytest.raises(RuntimeError, match="Mixing different"), other.scope():
        pass


def test_average_losses_need_a_replica():
    strategy = distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope(), pytest.raises(RuntimeError, match="cross replica context"):
        tf.nn.compute_average_loss([1.0])
    loss = strategy.run(lambda: tf.nn.compute_average_loss(tf.constant([1.0, 3.0])))
    assert loss.numpy() == 2.0


def test_an_unknown_reduction_is_named():
    with pytest.raises(ValueError, match="'PROD' is not a valid ReduceOp"):
        distribute.get_strategy().reduce("PROD", tf.constant(1.0), axis=None)


def test_parameter_servers_are_refused_with_the_way_out():
    with pytest.raises(ValueError, match="MultiWorkerMirroredStrategy"):
        distribute.ParameterServerStrategy(None)


def test_tpus_must_be_there():
    with pytest.raises(ValueError, match="a TPU is needed"):
        distribute.TPUStrategy()


def test_a_batch_that_does_not_split_is_refused():
    with pytest.raises(ValueError, match="not divisible"):
        distribute.InputContext(1, 0, 2).get_per_replica_batch_size(7)


def test_a_cluster_is_a_message_too():
    spec = tf.train.ClusterSpec({"worker": ["a:1", "b:2"], "chief": {3: "c:4"}})
    message = spec.as_cluster_def()
    assert [job.name for job in message.job] == ["chief", "worker"]
    assert message.job[0].tasks[3] == "c:4"
    assert tf.train.ClusterSpec(message) == spec


def test_what_is_no_dataset_is_not_distributed():
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with pytest.raises(TypeError, match=r"a tf\.data\.Dataset was expected; got 5"):
        strategy.experimental_distribute_dataset(5)
    with pytest.raises(TypeError, match=r"a tf\.data\.Dataset was expected; got 5"):
        strategy.distribute_datasets_from_function(lambda context: 5)


def test_tf_config_names_the_cluster(monkeypatch):
    text = '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}'
    monkeypatch.setenv("TF_CONFIG", text)
    resolver = distribute.cluster_resolver.TFConfigClusterResolver()
    assert (resolver.task_type, resolver.task_id) == ("worker", 1)
    assert resolver.cluster_spec().as_dict() == {"worker": ["a:1", "b:2"]}
    assert resolver.master() == "b:2"


def test_one_worker_without_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    strategy = distribute.MultiWorkerMirroredStrategy()
    assert strategy.num_replicas_in_sync == 1
    assert strategy.cluster_resolver.task_type is None
    assert repr(strategy.cluster_resolver.cluster_spec()) == "ClusterSpec({})"


def test_values_from_a_function():
    strategy = distribute.MirroredStrategy(["/cpu:0"])
    found = strategy.experimental_distribute_values_from_function(lambda c: c.num_replicas_in_sync)
    assert found == 1
