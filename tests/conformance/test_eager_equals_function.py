"""Called eagerly and in a `tf.function`, a row gives the same values, draws included."""

import copy

import lamina as tf
from tests.conformance.rows import over
from tests.conformance.table import arrays, run, takes_training
from tests.tolerances import assert_close


@over("function")
def test_eager_equals_function(case):
    eager, inputs = case.make(), arrays(case)
    more = takes_training(case, eager)
    run(case, eager, inputs, **more)
    traced = copy.deepcopy(eager) if case.room == "layers" else eager  # the same draws are next
    if case.room == "optimizers":
        traced = case.make()
        run(case, traced, inputs)
    function = tf.function(lambda *t: run(case, traced, list(t), **more))
    for ours, theirs in zip(
        tf.nest.flatten(function(*inputs)),
        tf.nest.flatten(run(case, eager, inputs, **more)),
        strict=True,
    ):
        assert ours.dtype == theirs.dtype
        if ours.dtype == "string":
            assert ours.numpy().tolist() == theirs.numpy().tolist()
        else:
            assert_close(ours, theirs)
