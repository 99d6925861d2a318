"""Traced once with an unknown batch, rows give what they give when called."""

import copy

import lamina as tf
from tests.conformance.rows import groups
from tests.conformance.table import arrays, run, specs
from tests.tolerances import assert_close


@groups("unknown_batch", "layers", "losses", "activations", "regularizers", "constraints", size=8)
def test_one_trace_serves_every_batch(cases):
    things = [case.make() for case in cases]
    cuts = [len(case.inputs) for case in cases]

    @tf.function(input_signature=[spec for case in cases for spec in specs(case)])
    def together(*inputs):
        given = iter(inputs)
        parts = [[next(given) for _ in range(n)] for n in cuts]
        return [run(c, t, p) for c, t, p in zip(cases, things, parts, strict=True)]

    for case, thing in zip(cases, things, strict=True):
        run(case, thing, arrays(case))  # draws are compared from the second call on
    inputs = [arrays(case) for case in cases]
    copies = [copy.deepcopy(thing) for thing in things]
    found = together(*[x for part in inputs for x in part])
    for case, thing, part, got in zip(cases, copies, inputs, found, strict=True):
        wanted = tf.nest.flatten(run(case, thing, part))
        for a, b in zip(tf.nest.flatten(got), wanted, strict=True):
            if a.dtype == "string":
                continue
            try:
                assert_close(a, b)
            except AssertionError as error:
                raise AssertionError(f"{case.id}: {error}") from error
