"""What the compiler is given for a tf.function, and what it makes of it."""

import pytest

import lamina as tf

SCALE = tf.Variable(3.0)


@tf.function(jit_compile=True)
def scaled(x, times=2):
    return tf.tanh(x) * SCALE * times


@pytest.mark.parametrize(
    ("stage", "sign"),
    [
        ("stablehlo", "stablehlo.tanh"),
        ("hlo", "tanh("),
        ("optimized_hlo", "ENTRY"),
        ("stablehlo_serialized", b"ML\xefR"),
        ("hlo_serialized", b"tanh"),
        ("optimized_hlo_serialized", b"tanh"),
        ("optimized_hlo_proto_serialized", b"tanh"),
    ],
)
def test_program_at_each_stage(stage, sign):
    assert sign in scaled.experimental_get_compiler_ir(tf.ones([2, 3]), times=3)(stage=stage)


def test_first_stage_is_hlo_and_specs_stand_for_tensors():
    found = scaled.experimental_get_compiler_ir(tf.TensorSpec([5, 7]))()
    assert found.startswith("HloModule")
    assert "f32[5,7]" in found


def test_unknown_stages_and_sizes_are_errors():
    with pytest.raises(ValueError, match=r'"scaled".*`stage` must be one of stablehlo, .*hlo2'):
        scaled.experimental_get_compiler_ir(tf.ones(3))(stage="hlo2")
    with pytest.raises(ValueError, match="all sizes must be known"):
        scaled.experimental_get_compiler_ir(tf.TensorSpec([None, 3]))()
