"""Candidate samplers in the loops of programs that prepare data."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import local


def test_draws_in_a_loop_are_cut_into_programs_that_compile_quickly():
    local.trace.flush()
    drawn = [tf.random.log_uniform_candidate_sampler([[1]], 1, 4, True, 64)[0] for _ in range(60)]
    assert len(local.trace.equations) < 60
    assert all(len(set(d.numpy().tolist())) == 4 for d in drawn[::20])


def test_learned_counts_are_those_of_the_true_classes_before():
    # As TensorFlow 2.21 gives them.
    true = [[0, 0], [2, 0]]
    expected = [[4 / 3, 4 / 3], [16 / 7, 8 / 7], [28 / 11, 12 / 11], [8 / 3, 16 / 15]]
    for zero, two in expected:
        drawn = tf.random.learned_unigram_candidate_sampler(true, 2, 4, False, 3)
        np.testing.assert_allclose(drawn.true_expected_count, [[zero, zero], [two, zero]], 1e-6)
        classes = drawn.sampled_candidates.numpy()
        assert set(classes) <= {0, 1, 2}
        by_class = [zero, 4 - zero - two, two]
        np.testing.assert_allclose(
            drawn.sampled_expected_count, np.take(by_class, classes), rtol=1e-5
        )


def test_learned_counts_move_in_a_function_too():
    @tf.function
    def draw():
        return tf.nn.learned_unigram_candidate_sampler([[0]], 1, 3, True, 5, seed=9)

    chances = []
    for _ in range(4):
        drawn = draw()
        assert len(set(drawn[0].numpy().tolist())) == 3
        chances.append(float(drawn[1]))
    np.testing.assert_allclose(chances[0], 0.6, rtol=1e-5)  # 3 of 5, all alike
    assert chances == sorted(set(chances))
    with pytest.raises(ValueError, match="`num_sampled` must be at most `range_max`"):
        tf.nn.learned_unigram_candidate_sampler([[0]], 1, 6, True, 5)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"range_max": 5}, [0.2, 0.4, 0.6, 0.8, 1.0]),
        ({"range_max": 6, "num_reserved_ids": 1}, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ({"range_max": 3, "num_shards": 2}, [1 / 3, 1, 5 / 3]),
        ({"range_max": 2, "num_shards": 2, "shard": 1}, [1, 2]),
    ],
)
def test_fixed_counts_come_from_a_file_and_are_cut_into_shards(tmp_path, given, expected):
    # As TensorFlow 2.21 gives them.
    path = tmp_path / "counts.txt"
    path.write_text("a,1\nb,x,2\n\nc,3\nd,4\ne,5\n")
    true = [[i] for i in range(given["range_max"])]
    drawn = tf.random.fixed_unigram_candidate_sampler(true, 1, 3, False, vocab_file=path, **given)
    np.testing.assert_allclose(drawn.true_expected_count.numpy()[:, 0], expected, rtol=1e-6)


def test_counts_that_do_not_fit_are_named(tmp_path):
    ask = tf.nn.fixed_unigram_candidate_sampler
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`range_max` = 3 .* got 2"):
        ask([[0]], 1, 1, False, 3, unigrams=[1, 2])
    with pytest.raises(tf.errors.NotFoundError, match="does not exist"):
        ask([[0]], 1, 1, False, 3, vocab_file=tmp_path / "none")
    (tmp_path / "words").write_text("a,b\n")
    with pytest.raises(tf.errors.InvalidArgumentError, match="must end in a count"):
        ask([[0]], 1, 1, False, 1, vocab_file=tmp_path / "words")
    with pytest.raises(ValueError, match="one of `vocab_file` and `unigrams`"):
        ask([[0]], 1, 1, False, 3)
