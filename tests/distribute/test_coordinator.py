"""Parameter servers in one process: servers, strategy, coordinator, partitioners."""

import pytest

import lamina as tf

distribute = tf.distribute
partitioners = distribute.experimental.partitioners


def strategy_of(workers, port):
    jobs = {
        "worker": [f"localhost:{port + i}" for i in range(workers)],
        "ps": [f"localhost:{port}9"],
    }
    spec = tf.train.ClusterSpec(jobs)
    for job, tasks in jobs.items():
        for i in range(len(tasks)):
            distribute.Server(spec, job_name=job, task_index=i, protocol="grpc")
    return distribute.ParameterServerStrategy(
        distribute.cluster_resolver.SimpleClusterResolver(spec, rpc_layer="grpc"),
        variable_partitioner=partitioners.FixedShardsPartitioner(2),
    )


@pytest.fixture(scope="module")
def strategy():
    return strategy_of(2, 2000)


@pytest.fixture
def coordinator(strategy):
    return distribute.coordinator.ClusterCoordinator(strategy)


def test_workers_take_elements_of_their_own_datasets(strategy, coordinator):
    with strategy.scope():
        total = tf.Variable(0)

    @tf.function
    def step(iterator):
        def replica(x):
            total.assign_add(x)
            return x

        return strategy.reduce("SUM", strategy.run(replica, args=(next(iterator),)), axis=None)

    def make():
        numbers = tf.data.Dataset.range(1, 9).map(lambda x: tf.cast(x, tf.int32))
        return strategy.distribute_datasets_from_function(lambda context: numbers)

    iterator = iter(coordinator.create_per_worker_dataset(tf.function(make)))
    results = [coordinator.schedule(step, args=(iterator,)) for _ in range(4)]
    coordinator.join()
    assert coordinator.done()
    assert coordinator.fetch(results) == [1, 1, 2, 2]
    assert total.numpy() == 6
    with pytest.raises(NotImplementedError, match="inside of a scheduled function"):
        next(iterator)


def test_each_worker_goes_through_a_dataset_by_itself(coordinator):
    numbers = tf.data.Dataset.range(5)
    per_worker = coordinator.create_per_worker_dataset(numbers)
    assert per_worker.element_spec == numbers.element_spec
    iterator = iter(per_worker)
    results = [coordinator.schedule(lambda it: next(it), args=(iterator,)) for _ in range(4)]
    assert sorted(r.fetch() for r in results) == [0, 0, 1, 1]


def test_a_function_knows_its_worker(coordinator):
    index = distribute.coordinator.experimental_get_current_worker_index
    traced = tf.function(lambda: index() * 10)
    assert sorted(coordinator.schedule(traced).fetch() for _ in range(4)) == [0, 0, 10, 10]
    with pytest.raises(RuntimeError, match=r"inside of a function that ClusterCoordinator"):
        index()


def test_what_a_function_raises_comes_with_join_and_fetch(coordinator):
    def fail():
        raise OSError("no")

    result = coordinator.schedule(fail)
    with pytest.raises(OSError, match="no"):
        coordinator.join()
    coordinator.join()
    with pytest.raises(OSError, match="no"):
        result.fetch()


def test_results_are_arguments(coordinator):
    first = coordinator.schedule(tf.function(lambda x: x + 1), args=(tf.constant(1),))
    second = coordinator.schedule(tf.function(lambda x: x * 2), kwargs={"x": first})
    assert isinstance(second.get(), tf.Tensor)
    assert second.fetch() == 4


def test_fit_trains_under_the_strategy(strategy):
    with strategy.scope():
        model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensor_slices((tf.ones((8, 2)), tf.ones((8, 1)))).repeat().batch(4)
    history = model.fit(data, epochs=2, steps_per_epoch=3, verbose=0)
    assert history.history["loss"][1] < history.history["loss"][0]
    assert strategy.num_replicas_in_sync == 1


def test_there_is_one_coordinator_of_a_strategy(strategy, coordinator):
    assert distribute.experimental.coordinator.ClusterCoordinator(strategy) is coordinator
    assert coordinator.strategy is strategy
    with pytest.raises(ValueError, match=r"must be a tf.distribute.ParameterServerStrategy"):
        distribute.coordinator.ClusterCoordinator(distribute.get_strategy())


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda c: c.schedule(3), "`fn` must be a function; got 3"),
        (lambda c: c.create_per_worker_dataset(3), "or a dataset, was expected; got 3"),
    ],
)
def test_what_is_no_function_is_refused(coordinator, call, text):
    with pytest.raises(TypeError, match=text):
        call(coordinator)


def test_workers_in_other_processes_are_refused():
    spec = tf.train.ClusterSpec({"worker": ["elsewhere:1"]})
    cluster = distribute.cluster_resolver.SimpleClusterResolver(spec)
    with pytest.raises(ValueError, match=r"got \['elsewhere:1'\] in others.\n  Fix: .*MultiWorker"):
        distribute.ParameterServerStrategy(cluster)


def test_a_server_is_a_task_of_its_cluster():
    spec = tf.train.ClusterSpec({"worker": ["localhost:1", "localhost:2"]})
    server = distribute.Server(spec, job_name="worker", task_index=1)
    assert server.target == "grpc://localhost:2"
    assert server.server_def.task_index == 1
    assert distribute.Server(server.server_def).target == server.target
    with pytest.raises(ValueError, match="there is none here"):
        server.join()
    with pytest.raises(ValueError, match=r"must name a task of the cluster .*got 'ps', 0"):
        distribute.Server(spec, job_name="ps", task_index=0)


SHAPES = [((8, 4), "float32", 0), ((8, 4), "float32", 1), ((3,), "float64", 0)]
SHAPES += [((5, 7), "string", 0), ((10, 1), "int8", 0)]
# TensorFlow 2.21's numbers.
SHARDS = [
    (partitioners.FixedShardsPartitioner(2), [[2, 1], [1, 2], [2], [2, 1], [2, 1]]),
    (partitioners.FixedShardsPartitioner(9), [[8, 1], [1, 4], [3], [5, 1], [9, 1]]),
    (partitioners.MinSizePartitioner(40, 3), [[3, 1], [1, 3], [1], [3, 1], [1, 1]]),
    (partitioners.MinSizePartitioner(), [[1, 1], [1, 1], [1], [1, 1], [1, 1]]),
    (partitioners.MinSizePartitioner(7, 100), [[8, 1], [1, 4], [3], [5, 1], [2, 1]]),
    (partitioners.MaxSizePartitioner(40), [[4, 1], [1, 4], [1], [5, 1], [1, 1]]),
    (partitioners.MaxSizePartitioner(7), [[8, 1], [1, 4], [3], [5, 1], [2, 1]]),
    (partitioners.MaxSizePartitioner(40, 2), [[2, 1], [1, 2], [1], [2, 1], [1, 1]]),
    (partitioners.MaxSizePartitioner(100, 20), [[2, 1], [1, 2], [1], [5, 1], [1, 1]]),
]


@pytest.mark.parametrize(("partitioner", "shards"), SHARDS)
def test_shards_are_those_of_tensorflow(partitioner, shards):
    assert [partitioner(tf.TensorShape(s), tf.as_dtype(d), axis) for s, d, axis in SHAPES] == shards


def test_partitioners_refuse_what_has_no_meaning():
    with pytest.raises(ValueError, match="`min_shard_bytes` must be positive; got"):
        partitioners.MinSizePartitioner(0)
    with pytest.raises(ValueError, match="`max_shards` must be positive; got"):
        partitioners.MaxSizePartitioner(4, 0)
    with pytest.raises(ValueError, match=r"`axis` must be one of the variable's 0, .* got 0"):
        partitioners.FixedShardsPartitioner(2)((), tf.float32)
    with pytest.raises(NotImplementedError, match="must be written by the subclass"):
        partitioners.Partitioner()((2,), tf.float32)
