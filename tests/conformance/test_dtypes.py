"""float16, bfloat16 and float64 run, and the results have that dtype."""

import numpy as np
import pytest

import lamina as tf
from tests.conformance.rows import over
from tests.conformance.table import arrays, floats, run

_FLOATS = ["float16", "bfloat16", "float64"]
_ROOMS = ("layers", "losses", "initializers", "regularizers", "constraints", "activations")


def _made(case, dtype):
    """Return an object and inputs of a dtype: layers follow the policy, those inside too."""
    tf.keras.config.set_dtype_policy(dtype)
    thing = case.make(**({"dtype": dtype} if case.room == "losses" else {}))
    return thing, [tf.cast(x, dtype) if x.dtype.is_floating else x for x in arrays(case)]


def _known_not_to(case, dtype):
    if dtype == "bfloat16" and case.name == "STFTSpectrogram":
        pytest.skip("there is no Fourier transform in bfloat16, as in TensorFlow")


@pytest.mark.parametrize("dtype", _FLOATS)
@over("dtypes", *_ROOMS, compiles=False)
def test_traced_results_have_the_dtype(case, dtype):
    _known_not_to(case, dtype)
    thing, inputs = _made(case, dtype)
    kinds = [tf.TensorSpec(x.shape, x.dtype) for x in inputs]
    function = tf.function(lambda *t: run(case, thing, list(t)))
    found = floats(function.get_concrete_function(*kinds).structured_outputs)
    assert all(y.dtype == dtype for y in found), found
    weights = getattr(thing, "weights", ())
    assert all(w.dtype == dtype for w in weights if tf.as_dtype(w.dtype).is_floating)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", _FLOATS)
@over("dtypes", *_ROOMS)
def test_results_have_the_dtype(case, dtype):
    _known_not_to(case, dtype)
    thing, inputs = _made(case, dtype)
    for y in floats(run(case, thing, inputs)):
        assert y.dtype == dtype
        assert np.all(np.isfinite(y.numpy().astype("float64")))
