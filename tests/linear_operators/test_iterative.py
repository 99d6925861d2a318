"""Systems solved step by step."""

import numpy as np
import pytest

import lamina as tf

solve = tf.linalg.experimental.conjugate_gradient
MATRIX = np.array([[5.0, 1.0, 0.0], [1.0, 4.0, 2.0], [0.0, 2.0, 6.0]], np.float32)
RHS = np.array([1.0, -2.0, 3.0], np.float32)


def operator_of(matrix):
    return tf.linalg.LinearOperatorFullMatrix(
        matrix, is_self_adjoint=True, is_positive_definite=True
    )


def test_it_solves_in_as_many_steps_as_there_are_unknowns():
    found = solve(operator_of(MATRIX), RHS)
    assert found._fields == ("i", "x", "r", "p", "gamma")
    assert (int(found.i), found.i.dtype) == (3, tf.int32)
    np.testing.assert_allclose(found.x, np.linalg.solve(MATRIX, RHS), rtol=1e-5)
    np.testing.assert_allclose(found.r, 0, atol=1e-5)


def test_vectors_of_a_batch_are_solved_together():
    rhs = np.stack([RHS, np.zeros(3, np.float32), 100 * RHS])
    found = solve(operator_of(MATRIX), rhs)
    expected = np.linalg.solve(MATRIX, rhs.T).T
    np.testing.assert_allclose(found.x, expected, rtol=1e-4, atol=1e-6)
    assert found.gamma.shape == [3]


def test_the_tolerance_is_a_part_of_the_right_side():
    operator = operator_of(MATRIX)
    steps = [[int(solve(operator, RHS * s, tol=t).i) for t in (2.0, 0.5, 1e-5)] for s in (1, 1e4)]
    assert steps[0] == steps[1] == [0, 2, 3]
    near = np.linalg.solve(MATRIX, RHS).astype(np.float32)
    assert int(solve(operator, RHS, x=near).i) == 0
    assert int(solve(operator, RHS, tol=0.0, max_iter=2).i) == 2


def test_a_preconditioner_that_is_the_inverse_needs_one_step():
    inverse = operator_of(np.linalg.inv(MATRIX).astype(np.float32))
    assert int(solve(operator_of(MATRIX), RHS, preconditioner=inverse).i) == 1


def test_complex_systems():
    matrix = np.array([[3, 1j], [-1j, 2]], np.complex64)
    rhs = np.array([1 + 1j, 2], np.complex64)
    np.testing.assert_allclose(
        solve(operator_of(matrix), rhs).x, np.linalg.solve(matrix, rhs), rtol=1e-4
    )


def test_the_gradient_solves_the_system_too():
    rhs = tf.Variable(RHS)
    operator = operator_of(MATRIX)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(solve(operator, rhs).x)
        return tape.gradient(total, rhs)

    np.testing.assert_allclose(gradient(), np.linalg.solve(MATRIX, np.ones(3)), rtol=1e-3)


def test_an_operator_that_does_not_promise_it_is_refused():
    with pytest.raises(ValueError, match="must be self-adjoint and positive definite"):
        solve(tf.linalg.LinearOperatorFullMatrix(MATRIX), RHS)
