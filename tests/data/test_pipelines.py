"""The benchmark of in-memory pipelines runs, and their batches are those of the arrays."""

import numpy as np

import lamina as tf
from benchmarks.pipelines import Pipeline, measure_pipeline


def test_the_benchmark_compares_with_numpy_and_another():
    case = Pipeline(rows=64, shape=(8,), batch=16)
    found, other = measure_pipeline(tf, case, rounds=3, chunk=0.005, other=tf)
    assert found.middle > 0
    assert other is not None


def test_shuffled_batches_hold_each_row_once():
    features, labels = np.arange(300.0).reshape(100, 3), np.arange(100)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels))
    for buffer in (7, 100, 1000):
        seen = []
        for x, y in dataset.shuffle(buffer, seed=1).batch(16).prefetch(2):
            assert (x.numpy() == features[y.numpy()]).all()
            seen += y.numpy().tolist()
        assert sorted(seen) == list(range(100))
        assert seen != sorted(seen)


def test_a_small_buffer_keeps_elements_near_their_place():
    order = [int(n) for n in tf.data.Dataset.range(1000).shuffle(10, seed=3)]
    assert all(place >= number - 10 for place, number in enumerate(order))
