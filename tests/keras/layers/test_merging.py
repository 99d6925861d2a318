"""Merging layers: broadcasting, dtypes, masks, products."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
A, B = (RNG.normal(size=(2, 3, 4)).astype(np.float32) for _ in range(2))
MASK = np.array([[True, False, True], [False, False, True]])
OTHER = np.array([[False, False, True], [True, False, False]])


@pytest.mark.parametrize(
    ("kind", "function", "expected"),
    [
        (L.Add, L.add, A + B),
        (L.Subtract, L.subtract, A - B),
        (L.Multiply, L.multiply, A * B),
        (L.Average, L.average, (A + B) / 2),
        (L.Maximum, L.maximum, np.maximum(A, B)),
        (L.Minimum, L.minimum, np.minimum(A, B)),
        (L.Concatenate, L.concatenate, np.concatenate([A, B], -1)),
    ],
)
def test_values(kind, function, expected):
    assert_close(kind()([A, B]), expected)
    assert_close(function([tf.constant(A), tf.constant(B)], name="it"), expected)
    assert_close(kind()((A, B)), expected)


def test_axes_of_size_one_come_after_the_batch():
    assert_close(L.Add()([A, B[:, 0]]), A + B[:, :1])
    assert_close(L.Multiply()([A[:, :, :1], B[:, :1], A]), A[:, :, :1] * B[:, :1] * A)


@pytest.mark.parametrize("kind", [L.Add, L.Concatenate])
def test_dtypes_are_brought_together(kind):
    assert kind()([A, B.astype(np.float64)]).dtype == tf.float32
    assert kind()([np.ones((2, 3), np.int32), np.ones((2, 3), np.float32)]).dtype == tf.float32
    assert kind()([np.ones((2, 3), np.int32), np.ones((2, 3), np.int64)]).dtype == tf.int64


@pytest.mark.parametrize(
    ("axes", "shapes", "equation"),
    [
        (-1, [(3, 4), (3, 4)], "ab,ab->a"),
        ((2, 1), [(2, 3, 4), (2, 4, 5)], "abc,acd->abd"),
        ((1, 2), [(2, 3, 4), (2, 5, 3)], "abc,adb->acd"),
        ((1, 1), [(2, 3), (2, 3, 4)], "ab,abc->ac"),
        (2, [(2, 3, 4), (2, 6, 4, 5)], None),
    ],
)
def test_dot(axes, shapes, equation):
    x, y = (RNG.normal(size=shape).astype(np.float32) for shape in shapes)
    expected = np.einsum(equation or "abc,adce->abde", x, y)
    assert_close(
        L.dot([tf.constant(x), tf.constant(y)], axes),
        expected.reshape(len(x), *(expected.shape[1:] or (1,))),
    )


def test_normalized_dot_is_the_cosine():
    y = L.Dot(-1, normalize=True)([A[:, 0], B[:, 0]]).numpy()
    norms = np.linalg.norm(A[:, 0], axis=-1) * np.linalg.norm(B[:, 0], axis=-1)
    assert_close(y[:, 0], (A[:, 0] * B[:, 0]).sum(-1) / norms)


def test_masks():
    masks = [tf.constant(MASK), tf.constant(OTHER)]
    assert np.array_equal(L.Add().compute_mask([A, B], masks), MASK | OTHER)
    assert L.Add().compute_mask([A, B], [masks[0], None]) is None
    inputs = [tf.constant(A), tf.constant(B)]
    joined = L.Concatenate(1)
    assert np.array_equal(joined.compute_mask(inputs, masks), np.concatenate([MASK, OTHER], 1))
    filled = joined.compute_mask(inputs, [masks[0], None])
    assert np.array_equal(filled, np.concatenate([MASK, np.ones_like(MASK)], 1))
    assert np.array_equal(L.Concatenate().compute_mask(inputs, masks), MASK | OTHER)
    assert L.Concatenate().compute_mask(inputs, [None, None]) is None
    for t, m in zip(inputs, masks, strict=True):
        t._keras_mask = m
    assert np.array_equal(L.Add()(inputs)._keras_mask, MASK | OTHER)
    assert L.Dot(-1)(inputs)._keras_mask is None


def test_ties_give_the_gradient_to_the_first():
    x, y = tf.constant([[1.0]]), tf.constant([[1.0]])
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        z = L.Maximum()([x, y])
    assert [float(g) for g in tape.gradient(z, [x, y])] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: L.Add()(A),
            ValueError,
            "the input must be a list of Tensors; got shape (2, 3, 4)",
        ),
        (lambda: L.Subtract()([A, A, A]), ValueError, "must be a list of 2 Tensors; got 3"),
        (lambda: L.Add()([A, B[..., :3]]), ValueError, "must broadcast; got (3, 4) and (3, 3)"),
        (lambda: L.Add()([A, np.ones((3, 3, 4))]), ValueError, "must have one batch size"),
        (lambda: L.Concatenate()([A, B[:, :2]]), ValueError, "must agree but for axis 2"),
        (lambda: L.Concatenate(3)([A, B]), ValueError, "`axis` must lie in [-3, 2]"),
        (lambda: L.Dot("a"), TypeError, "`axes` must be an integer or two; got 'a'"),
        (lambda: L.Dot((1, 2, 3)), ValueError, "`axes` must be an integer or two"),
        (lambda: L.Dot(0)([A, B]), ValueError, "`axes` must not be the batch axis"),
        (lambda: L.Dot((1, 2))([A, B]), ValueError, "got 3 and 4"),
    ],
)
def test_errors(make, kind, message):
    with pytest.raises(kind, match=r".") as error:
        make()
    assert message in str(error.value)


@pytest.mark.parametrize(
    "layer",
    [L.Add(), L.Concatenate(), L.Dot(1), L.Attention(), L.Masking(), L.Embedding(3, 2), L.LSTM(2)],
)
def test_the_mask_is_given_by_name(layer):
    single = isinstance(layer, L.Masking | L.Embedding | L.LSTM)
    x = tf.zeros([1, 2]) if isinstance(layer, L.Embedding) else tf.zeros([1, 2, 2])
    layer.compute_mask(x if single else [x, x], mask=None)


STEPS = np.array([[[0, 0], [2, 3], [0, 0], [4, 5]]], "float32")
LATER = np.array([[[0, 0], [0, 0], [6, 7], [8, 9]]], "float32")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (L.Average, [[0, 0], [1, 1.5], [3, 3.5], [6, 7]]),
        (L.Multiply, [[0, 0], [2, 3], [6, 7], [32, 45]]),
        (L.Maximum, [[0, 0], [2, 3], [6, 7], [8, 9]]),
        (L.Minimum, [[0, 0], [2, 3], [6, 7], [4, 5]]),
    ],
)
def test_masked_steps_leave_the_value_to_the_other_input(kind, expected):
    for _ in range(2):  # masks of other calls have no say
        first, second = L.Masking()(STEPS), tf.constant(LATER)
        assert kind()([first, second])._keras_mask is None
        y = kind()([first, L.Masking()(second)])
        assert np.array_equal(y, [expected])
        assert np.array_equal(y._keras_mask, [[False, True, True, True]])


@pytest.mark.parametrize("layer", [L.Add(), L.Concatenate()])
@pytest.mark.parametrize(
    ("one", "masks", "text"),
    [
        (False, 3, "`mask` must be a list in `compute_mask`"),
        (True, [None, None], "`inputs` must be a list in `compute_mask`"),
        (False, [None], "an entry for each input .* got 1 for 2 inputs"),
    ],
)
def test_masks_are_a_list_with_one_for_each_input(layer, one, masks, text):
    with pytest.raises(ValueError, match=text):
        layer.compute_mask(A if one else [A, B], masks)
