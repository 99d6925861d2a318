"""Candidate samplers in the loops of programs that prepare data."""

import lamina as tf
from lamina.engine import local


def test_draws_in_a_loop_are_cut_into_programs_that_compile_quickly():
    local.trace.flush()
    drawn = [tf.random.log_uniform_candidate_sampler([[1]], 1, 4, True, 64)[0] for _ in range(60)]
    assert len(local.trace.equations) < 60
    assert all(len(set(d.numpy().tolist())) == 4 for d in drawn[::20])
