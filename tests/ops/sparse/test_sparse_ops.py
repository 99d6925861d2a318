"""SparseTensors and tf.sparse; values are TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import errors

A = tf.SparseTensor([[0, 1], [1, 0], [2, 2]], [1.0, 2.0, 3.0], [3, 3])
B = tf.SparseTensor([[0, 1], [1, 1]], [10.0, 20.0], [3, 3])
G = tf.SparseTensor([[0, 2], [0, 4], [3, 3], [3, 4]], [1.0, 2.0, 3.0, 4.0], [5, 6])
S = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], ["a", "b", "c"], [3, 2])


def parts(st):
    return [t.numpy().tolist() for t in (st.indices, st.values, st.dense_shape)]


@pytest.mark.parametrize(
    ("found", "places", "values", "shape"),
    [
        (lambda: tf.sparse.from_dense([[0, 1], [2, 0]]), [[0, 1], [1, 0]], [1, 2], [2, 2]),
        (
            lambda: tf.sparse.add(A, B),
            [[0, 1], [1, 0], [1, 1], [2, 2]],
            [11.0, 2.0, 20.0, 3.0],
            [3, 3],
        ),
        (
            lambda: tf.sparse.add(A, B, threshold=11.5),
            [[1, 0], [1, 1], [2, 2]],
            [2.0, 20.0, 3.0],
            [3, 3],
        ),
        (
            lambda: tf.sparse.maximum(A, B),
            [[0, 1], [1, 0], [1, 1], [2, 2]],
            [10.0, 2.0, 20.0, 3.0],
            [3, 3],
        ),
        (lambda: tf.sparse.slice(G, [1, 2], [3, 3]), [[2, 1], [2, 2]], [3.0, 4.0], [3, 3]),
        (
            lambda: tf.sparse.split(G, 2, axis=1)[1],
            [[0, 1], [3, 0], [3, 1]],
            [2.0, 3.0, 4.0],
            [5, 3],
        ),
        (
            lambda: tf.sparse.transpose(G),
            [[2, 0], [3, 3], [4, 0], [4, 3]],
            [1.0, 3.0, 2.0, 4.0],
            [6, 5],
        ),
        (
            lambda: tf.sparse.reshape(G, [2, 3, -1]),
            [[0, 0, 2], [0, 0, 4], [1, 1, 1], [1, 1, 2]],
            [1.0, 2.0, 3.0, 4.0],
            [2, 3, 5],
        ),
        (lambda: tf.sparse.retain(A, [True, False, True]), [[0, 1], [2, 2]], [1.0, 3.0], [3, 3]),
        (
            lambda: tf.sparse.concat(0, [A, B]),
            [[0, 1], [1, 0], [2, 2], [3, 1], [4, 1]],
            [1.0, 2.0, 3.0, 10.0, 20.0],
            [6, 3],
        ),
        (lambda: tf.sparse.bincount([1, 1, 3]), [[1], [3]], [2, 1], [4]),
        (
            lambda: tf.sparse.cross([S, S], separator="-"),
            [[0, 0], [0, 1], [0, 2], [0, 3], [2, 0]],
            [b"a-a", b"a-b", b"b-a", b"b-b", b"c-c"],
            [3, 4],
        ),
        (lambda: A * 2.0, [[0, 1], [1, 0], [2, 2]], [2.0, 4.0, 6.0], [3, 3]),
        (lambda: tf.square(A), [[0, 1], [1, 0], [2, 2]], [1.0, 4.0, 9.0], [3, 3]),
        (
            lambda: tf.sparse.map_values(tf.add, A, 5),
            [[0, 1], [1, 0], [2, 2]],
            [6.0, 7.0, 8.0],
            [3, 3],
        ),
        (lambda: tf.sparse.reset_shape(A), [[0, 1], [1, 0], [2, 2]], [1.0, 2.0, 3.0], [3, 3]),
        (
            lambda: tf.sets.intersection([[1, 2, 2, 3]], [[2, 3, 9]]),
            [[0, 0], [0, 1]],
            [2, 3],
            [1, 2],
        ),
        (lambda: tf.sets.union([[1, 2]], [[2, 5]]), [[0, 0], [0, 1], [0, 2]], [1, 2, 5], [1, 3]),
        (lambda: tf.sets.difference([[1, 2], [3, 4]], [[2, 9], [3, 4]]), [[0, 0]], [1], [2, 1]),
    ],
)
def test_sparse_results(found, places, values, shape):
    assert parts(found()) == [places, values, shape]


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (lambda: tf.sparse.to_dense(A), [[0, 1, 0], [2, 0, 0], [0, 0, 3]]),
        (lambda: tf.sparse.add(A, tf.ones([3, 3])), [[1, 2, 1], [3, 1, 1], [1, 1, 4]]),
        (lambda: tf.sparse.reduce_sum(A, axis=1), [1, 2, 3]),
        (lambda: tf.sparse.reduce_max(B, axis=0), [0, 20, 0]),
        (lambda: tf.sparse.sparse_dense_matmul(A, tf.ones([3, 2])), [[1, 1], [2, 2], [3, 3]]),
        (
            lambda: tf.sparse.sparse_dense_matmul(A, tf.ones([3, 1]), adjoint_a=True),
            [[2], [1], [3]],
        ),
        (lambda: tf.sparse.sparse_dense_matmul(tf.ones([1, 3]), A), [[2, 1, 3]]),
        (
            lambda: tf.sparse.sparse_dense_matmul(
                tf.sparse.from_dense([[1 + 2j]]), [[1j]], adjoint_a=True
            ),
            [[2 + 1j]],
        ),
        (lambda: tf.sparse.softmax(G).values[2:], [0.2689414322376251, 0.7310585975646973]),
        (lambda: tf.sparse.fill_empty_rows(G, 0.0)[1], [False, True, True, False, True]),
        (lambda: tf.sparse.segment_sum([[1, 2], [3, 4], [5, 6]], [0, 2], [0, 0]), [[6, 8]]),
        (lambda: tf.sparse.cross_hashed([S, S], num_buckets=0).values[:1], [3112133398209135108]),
        (lambda: tf.sets.size(S), [2, 0, 1]),
        (lambda: tf.shape(A), [3, 3]),
    ],
)
def test_dense_results(found, value):
    assert found().numpy().tolist() == value


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tf.SparseTensor([[0, 0]], [1, 2], [1, 1]), ValueError, "must have shape"),
        (lambda: tf.convert_to_tensor(A), ValueError, "tf.sparse.to_dense"),
        (
            lambda: tf.sparse.to_dense(tf.SparseTensor([[5, 5]], [1], [1, 1])),
            errors.InvalidArgumentError,
            "out of bounds",
        ),
        (
            lambda: tf.sparse.to_dense(tf.SparseTensor([[1], [0]], [1, 2], [2])),
            errors.InvalidArgumentError,
            "out of order",
        ),
        (
            lambda: tf.sparse.sparse_dense_matmul(A, tf.ones([2, 2])),
            errors.InvalidArgumentError,
            "inner dimension",
        ),
        (lambda: tf.sparse.reshape(G, [4, 4]), errors.InvalidArgumentError, "dense values"),
        (lambda: tf.sparse.from_dense(5)[0], TypeError, "not subscriptable"),
    ],
)
def test_what_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_gradients_flow_to_values_and_matrix():
    values, matrix = tf.Variable([1.0, 2.0, 3.0]), tf.Variable(tf.ones([3, 2]))
    with tf.GradientTape() as tape:
        st = tf.SparseTensor([[0, 1], [1, 0], [2, 2]], values, [3, 3])
        loss = tf.reduce_sum(tf.sparse.sparse_dense_matmul(st, matrix) ** 2)
    first, second = tape.gradient(loss, [values, matrix])
    assert first.numpy().tolist() == [4.0, 8.0, 12.0]
    assert second.numpy().tolist() == [[8.0, 8.0], [2.0, 2.0], [18.0, 18.0]]


def test_functions_know_the_dense_shape():
    @tf.function
    def dense(x):
        return tf.sparse.to_dense(x), tf.sparse.reduce_sum(x, axis=1)

    found, sums = dense(A)
    assert found.shape.as_list() == [3, 3]
    assert sums.numpy().tolist() == [1.0, 2.0, 3.0]


def test_embeddings_of_rows_are_combined():
    table = tf.reshape(tf.range(12.0), [6, 2])
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], [1, 3, 5], [3, 2])
    mean = tf.nn.embedding_lookup_sparse(table, ids, None)
    assert mean.numpy().tolist() == [[4, 5], [0, 0], [10, 11]]
    weights = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], [1.0, 3.0, 0.5], [3, 2])
    root = tf.nn.embedding_lookup_sparse(table, ids, weights, combiner="sqrtn")
    np.testing.assert_allclose(root[0], [6.3245554, 7.589466], rtol=1e-6)
    safe = tf.nn.safe_embedding_lookup_sparse(
        table, tf.SparseTensor([[0, 0], [0, 1], [2, 0]], [1, -3, 5], [4, 2])
    )
    assert safe.numpy().tolist() == [[2, 3], [0, 0], [10, 11], [0, 0]]


LOGITS = np.log(
    np.float32([[[0.6, 0.3, 0.1]], [[0.6, 0.3, 0.1]], [[0.1, 0.1, 0.8]], [[0.1, 0.7, 0.2]]])
)


def test_ctc_decoders():
    (greedy,), score = tf.nn.ctc_greedy_decoder(LOGITS, [4])
    assert parts(greedy) == [[[0, 0], [0, 1]], [0, 1], [1, 2]]
    assert score.numpy()[0, 0] == pytest.approx(1.6014696)
    (greedy,), _ = tf.nn.ctc_greedy_decoder(LOGITS, [4], merge_repeated=False, blank_index=0)
    assert greedy.values.numpy().tolist() == [2, 1]
    paths, scores = tf.nn.ctc_beam_search_decoder(LOGITS, [4], beam_width=10, top_paths=2)
    assert paths[0].values.numpy().tolist() == [0, 1]
    assert scores.shape.as_list() == [1, 2]


def test_ctc_labels():
    labels, places = tf.nn.ctc_unique_labels([[1, 2, 2, 3], [5, 5, 5, 1]])
    assert labels.numpy().tolist() == [[1, 2, 3, 0], [5, 1, 0, 0]]
    assert places.numpy().tolist() == [[0, 1, 1, 2], [0, 0, 0, 1]]
    merged, lengths = tf.nn.collapse_repeated([[1, 1, 2, 2, 3], [4, 4, 4, 5, 5]], [5, 3])
    assert merged.numpy().tolist() == [[1, 2, 3], [4, 0, 0]]
    assert lengths.numpy().tolist() == [3, 1]


def test_keras_takes_sparse_inputs():
    inputs = tf.keras.Input(shape=(3,), sparse=True)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(inputs))
    np.testing.assert_allclose(model(A), model(tf.sparse.to_dense(A)), rtol=1e-6)
    assert model.predict(A, verbose=0).shape == (3, 2)


def test_sparse_values_show_their_tensors():
    st = tf.SparseTensor([[0, 1]], [2], [1, 3])
    assert str(st) == repr(st)
    assert str(st) == (
        "SparseTensor(indices=tf.Tensor([[0 1]], shape=(1, 2), dtype=int64), "
        "values=tf.Tensor([2], shape=(1,), dtype=int32), "
        "dense_shape=tf.Tensor([1 3], shape=(2,), dtype=int64))"
    )
    assert str(tf.IndexedSlices(tf.ones(1), tf.constant([0]))) == (
        "IndexedSlices(indices=tf.Tensor([0], shape=(1,), dtype=int32), "
        "values=tf.Tensor([1.], shape=(1,), dtype=float32))"
    )


def test_counting_the_integers_of_rows():
    given = tf.SparseTensor([[0, 0], [1, 1], [1, 2]], [1, 2, 2], [3, 3])
    assert tf.math.bincount(given).numpy().tolist() == [0, 1, 2]
    assert tf.math.bincount(given, axis=-1).numpy().tolist() == [[0, 1, 0], [0, 0, 2], [0] * 3]
    binary = tf.math.bincount(given, axis=-1, binary_output=True, dtype=tf.int64)
    assert (binary.dtype, binary.numpy()[1].tolist()) == (tf.int64, [0, 0, 1])
    weights = tf.SparseTensor(given.indices, [0.5, 1.0, 2.0], [3, 3])
    found = tf.math.bincount(given, weights, axis=-1, minlength=4)
    assert found.numpy().tolist() == [[0, 0.5, 0, 0], [0, 0, 3, 0], [0] * 4]


@pytest.mark.parametrize("places", [[[1, 0], [0, 0]], [[0, 1], [0, 1]]])
def test_sets_need_indices_in_order(places):
    unordered = tf.SparseTensor(places, [4, 5], [2, 2])
    ordered = tf.SparseTensor([[0, 0], [1, 0]], [4, 5], [2, 2])
    for call in (
        lambda: tf.sets.size(unordered),
        lambda: tf.sets.union(ordered, unordered),
        lambda: tf.sets.difference(unordered, ordered),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be in order, each once"):
            call()
    assert int(tf.reduce_sum(tf.sets.size(unordered, validate_indices=False))) == 2


def test_sets_refuse_indices_outside_of_the_shape():
    outside = tf.SparseTensor([[0, 0], [5, 1]], [1, 2], [3, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Index out of range.*got \[5, 1\]"):
        tf.sets.size(outside, validate_indices=False)


def test_a_size_of_minus_one_is_unknown():
    assert tf.SparseTensor([[0, 2]], [1], [-1, 5]).shape.as_list() == [None, 5]
