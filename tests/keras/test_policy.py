"""Dtype policies and process-wide defaults."""

import numpy as np
import pytest

from lamina import ops
from lamina.engine import as_dtype
from lamina.keras import policy

NAMES = [
    ("float32", "float32", "float32"),
    ("mixed_float16", "float16", "float32"),
    ("mixed_bfloat16", "bfloat16", "float32"),
    ("int8", "int8", "int8"),
    ("bool", "bool", "bool"),
    (None, "float32", "float32"),
]


@pytest.mark.parametrize(("name", "compute", "variable"), NAMES)
def test_policy_dtypes(name, compute, variable):
    made = policy.DTypePolicy(name)
    assert (made.compute_dtype, made.variable_dtype) == (compute, variable)
    assert made == policy.DTypePolicy.from_config(made.get_config())
    assert policy.deserialize(policy.serialize(made)) == made
    assert hash(made) == hash(policy.get(made.name))


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("float16", "float16"),
        (as_dtype("float16"), "float16"),
        (np.float64, "float64"),
        (np.dtype("int32"), "int32"),
        (float, "float32"),
        (policy.DTypePolicy("float16"), "float16"),
        ({"class_name": "DTypePolicy", "config": {"name": "float16"}}, "float16"),
        (None, "float32"),
    ],
)
def test_get(identifier, name):
    assert policy.get(identifier).name == name


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: policy.DTypePolicy("bogus"), ValueError, "DTypePolicy: `name`.*got 'bogus'"),
        (lambda: policy.DTypePolicy("mixed_float32"), ValueError, "mixed_float32"),
        (lambda: policy.DTypePolicy(3), TypeError, "must be a string"),
        (lambda: policy.get(3), ValueError, "dtype_policies.get: .*got 3"),
        (lambda: policy.set_dtype_policy(None), ValueError, "set_dtype_policy: .*got None"),
        (lambda: policy.set_dtype_policy("bogus"), ValueError, "bogus"),
        (lambda: policy.set_floatx("int32"), ValueError, "set_floatx: `value`.*got 'int32'"),
        (lambda: policy.set_image_data_format("x"), ValueError, "channels_last"),
        (lambda: policy.standardize_data_format("x"), ValueError, "channels_last"),
        (lambda: policy.standardize_dtype("nope"), ValueError, "standardize_dtype: .*got 'nope'"),
    ],
)
def test_wrong_values_are_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_defaults_can_be_set():
    policy.set_epsilon(1e-3)
    policy.set_image_data_format("channels_first")
    assert policy.epsilon() == 1e-3
    assert policy.standardize_data_format(None) == policy.image_data_format() == "channels_first"
    assert policy.standardize_data_format("Channels_Last") == "channels_last"


def test_policy_follows_floatx_until_it_is_set():
    policy._Defaults.policy = None
    policy.set_floatx("float64")
    assert policy.dtype_policy().name == "float64"
    policy.set_dtype_policy("mixed_bfloat16")
    policy.set_floatx("float32")
    assert policy.dtype_policy().name == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (None, "float32"),
        (float, "float32"),
        (int, "int64"),
        ("int", "int64"),
        (bool, "bool"),
        (np.int8, "int8"),
        (np.dtype("float16"), "float16"),
        (as_dtype("bfloat16"), "bfloat16"),
        (str, "string"),
        ("torch.float64", "float64"),
    ],
)
def test_standardize_dtype(dtype, name):
    assert policy.standardize_dtype(dtype) == name


def test_convert_input_casts_floats_only():
    mixed = policy.DTypePolicy("mixed_float16")
    assert mixed.convert_input(ops.ones(2), True, "float16").dtype == "float16"
    assert mixed.convert_input(np.ones(2), True, "float16").dtype == "float16"
    assert mixed.convert_input(ops.ones(2), False, "float16").dtype == "float32"
    assert mixed.convert_input(np.int32(1), True, "float16").dtype == "int32"
    assert [mixed.convert_input(v, True, "float16") for v in (1.5, "a")] == [1.5, "a"]


def test_policy_map_finds_by_path_and_pattern():
    policies = policy.DTypePolicyMap("float16", {"a/.*": "mixed_bfloat16"})
    policies["c"] = policy.DTypePolicy("float64")
    assert [policies[p].name for p in ("a/b", "c", "other")] == [
        "mixed_bfloat16",
        "float64",
        "float16",
    ]
    assert (policies.name, policies.compute_dtype, len(policies)) == ("map_float16", "float16", 2)
    assert policy.deserialize(policy.serialize(policies)) == policies
    with pytest.raises(ValueError, match="which has <DTypePolicy"):
        policies["c"] = "float32"
    policies["a/b.*"] = "float32"
    with pytest.raises(ValueError, match="one entry was expected to fit the path 'a/b'"):
        policies["a/b"]
    del policies["c"]
    assert list(policies) == ["a/.*", "a/b.*"]
    assert policy.DTypePolicyMap().default_policy.name == "float32"


@pytest.mark.parametrize(
    ("name", "kind", "mode"),
    [
        ("int8_from_mixed_bfloat16", "QuantizedDTypePolicy", "int8"),
        ("int4_from_float64", "QuantizedDTypePolicy", "int4"),
        ("int4/64_from_float32", "Int4DTypePolicy", "int4"),
        ("float8_from_float32", "QuantizedFloat8DTypePolicy", "float8"),
        ("gptq/3/-1_from_float32", "GPTQDTypePolicy", "gptq"),
        ("awq/4/32_from_bfloat16", "AWQDTypePolicy", "awq"),
    ],
)
def test_quantized_policies_have_names_to_get_them_by(name, kind, mode):
    made = policy.get(name)
    assert (type(made).__name__, made.name, made.mode) == (kind, name, mode)
    assert made.compute_dtype == policy.get(name.split("_from_")[1]).compute_dtype
    assert policy.deserialize(policy.serialize(made)) == made
    assert policy.DTypePolicyMap("float32", {"a": name})["a"] == made


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("int8_from_float16", "range wider than float16's"),
        ("int4/0_from_float32", "<block_size> -1 or a positive number; got 'int4/0'"),
        ("gptq/5/8_from_float32", "<weight_bits> 2 or 3 or 4 or 8"),
        ("awq/8/8_from_float32", "<weight_bits> 4, <group_size>"),
        ("awq_from_float32", "'awq/<weight_bits>/<group_size>'"),
        ("int8_from_abc", "must be a dtype"),
        ("abc_from_float32", "must be a dtype"),
    ],
)
def test_names_of_quantized_policies_are_checked(name, text):
    with pytest.raises(ValueError, match=text):
        policy.get(name)


def test_policy_map_takes_a_dict_only():
    with pytest.raises(TypeError, match=r"`policy_map` must be a dict .*; got 'float32'"):
        policy.DTypePolicyMap(policy_map="float32")
