"""Names ↔ objects: serialize, deserialize, registration, scopes, and what loading refuses."""

import functools
import json

import numpy as np
import pytest

from lamina import ops
from lamina.engine import TensorShape, Variable, as_dtype
from lamina.keras import activations, constraints, initializers, policy, registry, regularizers
from lamina.keras.capture import Captured


class Scale(Captured):
    def __init__(self, factor=2.0, inner=None):
        self.factor = factor
        self.inner = inner


class Outer:
    class Scale(Captured):
        def __init__(self, factor=3.0):
            self.factor = factor


class Plain:
    """A class that is not lamina's and registers nothing."""

    def __init__(self, a):
        self.a = a

    def get_config(self):
        return {"a": self.a}


def doubled(x):
    return 2 * x


def encode(obj):
    return json.loads(json.dumps(registry.serialize_keras_object(obj)))


def decode(config, **kwargs):
    return registry.deserialize_keras_object(config, **kwargs)


OWN = [
    (initializers.Zeros(), "keras.initializers", "Zeros", {}),
    (
        initializers.OrthogonalInitializer(2.0, 3),
        "keras.initializers",
        "Orthogonal",
        {"gain": 2.0, "seed": 3},
    ),
    (regularizers.L2(0.5), "keras.regularizers", "L2", {"l2": 0.5}),
    (constraints.UnitNorm([0, 1]), "keras.constraints", "UnitNorm", {"axis": [0, 1]}),
    (policy.DTypePolicy("mixed_float16"), "keras", "DTypePolicy", {"name": "mixed_float16"}),
]


@pytest.mark.parametrize(("obj", "module", "name", "config"), OWN, ids=lambda v: str(v)[:20])
def test_own_objects_are_stored_as_keras_stores_them(obj, module, name, config):
    stored = encode(obj)
    assert stored == {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": None,
    }
    again = decode(stored)
    assert type(again) is type(obj)
    assert again.get_config() == obj.get_config()


VALUES = [
    None,
    True,
    3,
    2.5,
    "relu_like",
    [1, [2.0]],
    {"a": {"b": [1]}},
    b"bytes",
    slice(1, None, 2),
    Ellipsis,
    float,
    as_dtype("float32").name,
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_come_back(value):
    assert decode(encode(value)) == value


def test_tuples_are_read_from_keras_older_form():
    stored = {"class_name": "__tuple__", "items": [1, {"class_name": "__tuple__", "items": [2]}]}
    assert decode(stored) == (1, (2,))
    assert registry.serialize_keras_object((1, (2,))) == (1, (2,))


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "bfloat16"])
def test_arrays_tensors_and_variables_keep_values_and_dtype(dtype):
    array = np.array([[1, 0], [1, 1]]).astype(as_dtype(dtype).np)
    again = decode(encode(array))
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again.astype(float), array.astype(float))
    for tensor in (ops.constant(array), Variable(array)):
        back = decode(encode(tensor))
        assert back.dtype == dtype
        np.testing.assert_array_equal(back.numpy().astype(float), array.astype(float))


def test_numpy_scalars_dtypes_and_shapes_become_plain():
    assert encode([np.float32(2), np.int64(3), np.bool_(True)]) == [2.0, 3, True]
    assert encode([as_dtype("int32"), np.dtype("int8"), np.float16]) == ["int32", "int8", "float16"]
    assert encode([TensorShape([None, 2]), TensorShape(None)]) == [[None, 2], None]


def test_own_functions_are_stored_by_name():
    stored = encode(activations.silu)
    assert stored["config"] == "silu"
    assert decode(stored) is activations.silu
    assert encode(ops.relu)["config"] == "relu"


def test_classes_and_partials_are_stored_by_name():
    assert decode(encode(initializers.Zeros)) is initializers.Zeros
    assert decode(encode(Outer.Scale)) is Outer.Scale
    partial = decode(encode(functools.partial(initializers.RandomNormal, stddev=0.5)))
    assert partial().stddev == 0.5


def test_user_class_is_known_by_its_definition():
    stored = encode(Scale(4.0, inner=regularizers.L1L2(0.1)))
    assert stored["module"] == __name__
    assert stored["class_name"] == stored["registered_name"] == "Scale"
    again = decode(stored)
    assert type(again) is Scale
    assert type(again.inner) is regularizers.L1L2
    assert type(decode(encode(Outer.Scale()))) is Outer.Scale  # not Scale of the same name


def test_redefinition_replaces_the_class():
    def define():
        class Redefined(Captured):
            def __init__(self):
                pass

        return Redefined

    stored, latest = encode(define()()), define()
    assert type(decode(stored)) is latest


def test_class_of_a_script_is_found_by_its_name_if_that_is_unique():
    class OnlyOne(Captured):
        pass

    for module in (None, "__main__"):
        assert type(decode({**encode(OnlyOne()), "module": module})) is OnlyOne
        stored = {**encode(Scale()), "module": module}
        with pytest.raises(TypeError, match=r"defined with this name: .*Outer.Scale"):
            decode(stored)
        assert type(decode({**stored, "qualname": "Outer.Scale"})) is Outer.Scale
    with pytest.raises(TypeError, match=r"of module 'other' .*\.OnlyOne"):
        decode({**encode(OnlyOne()), "module": "other"})


def test_decorator_names_classes_and_functions():
    registry.register_keras_serializable("demo", "Named")(Scale)
    registry.register_keras_serializable("demo")(doubled)
    assert registry.get_registered_name(Scale) == encode(Scale())["registered_name"] == "demo>Named"
    assert registry.get_registered_object("demo>doubled") is doubled
    assert type(decode({**encode(Scale()), "module": "gone", "class_name": "Gone"})) is Scale
    assert decode(encode(doubled)) is doubled
    with pytest.raises(ValueError, match="`get_config` method was expected; got Bare"):
        registry.register_keras_serializable()(type("Bare", (), {}))


def test_names_come_from_scopes_arguments_and_the_global_table():
    assert registry.get_registered_object("doubled") is None
    assert decode("doubled") == "doubled"
    assert decode("doubled", custom_objects={"doubled": doubled}) is doubled
    with registry.custom_object_scope({"doubled": doubled, "Plain": Plain}):
        assert decode(encode(doubled)) is activations.get("doubled") is doubled
        assert decode(encode(Plain(3))).a == 3
        with registry.CustomObjectScope({"doubled": ops.square}):
            assert decode("doubled") is ops.square
    registry.get_custom_objects()["doubled"] = doubled
    assert decode(encode(doubled)) is doubled


@pytest.mark.parametrize(
    ("config", "cls"),
    [
        ({"class_name": "GlorotUniform", "config": {"seed": 1}}, initializers.GlorotUniform),
        (
            {"module": "keras.src.regularizers.regularizers", "class_name": "L2", "config": {}},
            regularizers.L2,
        ),
        (
            {
                "module": "keras.initializers",
                "class_name": "RandomNormal",
                "config": {"seed": None},
            },
            initializers.RandomNormal,
        ),
    ],
)
def test_older_and_bare_forms_load(config, cls):
    assert type(decode(config)) is cls


def test_argument_name_says_where_to_look_for_a_bare_name():
    identity = {"class_name": "Identity", "config": {}}
    made = Scale.from_config({"factor": 1.0, "inner": {"kernel_initializer": identity}})
    assert type(made.inner["kernel_initializer"]) is initializers.Identity


def named(class_name, config=None, module="keras.initializers"):
    return {"module": module, "class_name": class_name, "config": config or {}}


REFUSED = [
    (named("RandomNormul"), TypeError, "got 'RandomNormul' of module .*near names: RandomNormal"),
    (named("Popen", module="subprocess"), TypeError, "known class was expected; got 'Popen'"),
    (named("function", "system", "os"), TypeError, "known function was expected; got 'system'"),
    (named("function", "os.system", "builtins"), TypeError, "got 'os.system'"),
    (named("function", "doubled", __name__), TypeError, "decorated by"),
    (named("relu", {"x": 1}, "keras.activations"), TypeError, "known class"),
    (named("Plain", {"a": 1}, __name__), TypeError, "custom_objects=.'Plain'"),
    (named("__lambda__", {"value": ["4wEAAAA=", None, None]}), ValueError, "Loading never runs"),
    (named("Zeros", [1]), TypeError, "Zeros: a dict was expected as `config`"),
    (named("Zeros", {"x": 1}), TypeError, "got `x` too"),
    (named("__numpy__", {"value": [1], "dtype": "object"}), TypeError, "object"),
]


@pytest.mark.parametrize(("config", "error", "text"), REFUSED, ids=lambda v: str(v)[:40])
def test_unknown_names_and_code_are_refused(config, error, text):
    for value in (config, {"deep": [config]}):
        with pytest.raises(error, match=text):
            decode(value)


def test_lambda_is_stored_without_code_and_replaced_by_custom_objects():
    stored = encode(lambda x: x + 1)
    assert set(stored["config"]) == {"name", "line"}
    line = stored["config"]["line"]
    with pytest.raises(ValueError, match=rf"(?s)written at {line}.*custom_objects=.'{line}': my_"):
        decode(stored)
    with pytest.raises(ValueError, match="holds with `safe_mode=False` too"):
        decode(stored, safe_mode=False)
    for key in ("<lambda>", line):
        assert decode(stored, custom_objects={key: doubled}) is doubled
    with pytest.warns(UserWarning, match="never runs code"):
        registry.enable_unsafe_deserialization()


def test_safe_mode_is_known_while_loading():
    seen = []

    class Asks(Captured):
        def __init__(self):
            seen.append(registry.in_safe_mode())

    stored = encode(Asks())
    decode(stored)
    decode(stored, safe_mode=False)
    assert seen == [True, True, False]
    assert registry.in_safe_mode()


def test_what_cannot_be_stored_is_named():
    with pytest.raises(TypeError, match=r"got \{1\} of type set.*\n  Fix: give set a `get_config`"):
        registry.serialize_keras_object({"a": [{1}]})
    with pytest.raises(TypeError, match="complex64"):
        registry.serialize_keras_object(np.ones(2, np.complex64))


def test_own_class_that_is_no_part_of_a_model_cannot_be_named():
    for room, known in [("callbacks", False), ("layers", True)]:
        body = {"__module__": f"lamina.keras.{room}.invented"}
        made = type(f"Invented{room}", (Captured,), body)
        assert (registry.public_path(made) is not None) == known
    with pytest.raises(TypeError, match="Inventedcallbacks"):
        decode({"module": "keras.callbacks", "class_name": "Inventedcallbacks", "config": {}})


def test_deep_nesting_is_refused():
    config = []
    for _ in range(100_000):
        config = [config]
    with pytest.raises(ValueError, match="recursion limit"):
        decode(config)


@pytest.mark.parametrize("module", [initializers, regularizers, constraints])
def test_get_serialize_and_deserialize_of_each_module(module):
    kind = module.__name__.rsplit(".", 1)[-1]
    assert module.get(None) is None
    for name in [n for n in dir(module) if isinstance(getattr(module, n), type) and n[0] != "_"]:
        cls = getattr(module, name)
        if not issubclass(cls, Captured) or cls is Captured:
            continue
        made = module.get(name)
        assert type(made) is type(module.get(cls)) is cls
        assert module.get(made) is made
        assert type(module.deserialize(module.serialize(made))) is cls
    for wrong in ("nope", 3, {"a": 1}, {"class_name": "nope", "config": {}}):
        with pytest.raises(ValueError, match=r"nope|got 3|got \{'a': 1\}"):
            module.get(wrong)
    with pytest.raises(ValueError, match=rf"keras.{kind}.get: a name, .* \((near|known) names"):
        module.get({"initializers": "zeross", "regularizers": "l3", "constraints": "maxnorm"}[kind])


def test_a_registered_function_is_found_without_its_package():
    @registry.register_keras_serializable("bare_names")
    def tripled_for_files(x):
        return 3 * x

    config = {
        "module": "builtins",
        "class_name": "function",
        "config": "tripled_for_files",
        "registered_name": "function",
    }
    assert registry.deserialize_keras_object(config) is tripled_for_files
