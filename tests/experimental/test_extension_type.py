"""Extension types: fields, conversion, specs, and where values travel."""

import inspect
import typing
from collections.abc import Mapping

import numpy as np
import pytest

import lamina as tf


class Masked(tf.experimental.ExtensionType):
    values: tf.Tensor
    mask: tf.Tensor


class Pencil(tf.experimental.ExtensionType):
    color: str = "black"
    count: int = 3
    length: tf.Tensor = 1.0
    notes: Mapping[str, tf.Tensor] = {}
    parts: tuple[tf.Tensor, ...] = ()
    shape: tf.TensorShape = tf.TensorShape([])
    dtype: tf.DType = tf.float32
    label: str | tf.Tensor = "x"


class Node(tf.experimental.ExtensionType):
    value: tf.Tensor
    children: tuple["Node", ...] = ()


class Batch(tf.experimental.BatchableExtensionType):
    shape: tf.TensorShape
    x: tf.Tensor


def masked(values=(1.0, 2.0), mask=(True, False)):
    return Masked(list(values), list(mask))


def test_fields_convert_to_tensors():
    made = Masked([1, 2], [True, False])
    assert made.values.dtype is tf.int32
    assert made.mask.dtype is tf.bool
    assert repr(made).startswith("Masked(values=<tf.Tensor: shape=(2,), dtype=int32")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Masked([1], None), "mask: expected a Tensor, got 'NoneType'"),
        (lambda: Masked([1]), "missing a required argument: 'mask'"),
        (lambda: Masked(1, 2, 3), "too many positional arguments"),
        (lambda: Pencil(color=3), "color: expected 'str', got 'int'"),
        (lambda: Pencil(parts=3), "parts: expected tuple, got 'int'"),
        (lambda: Pencil(notes=3), "notes: expected mapping, got 'int'"),
        (lambda: Pencil(notes={1: 2}), r"notes\[<key>\]: expected 'str', got 'int'"),
        (lambda: Pencil(shape="a"), "shape: expected 'tf.TensorShape', got 'str'"),
        (lambda: Pencil(zz=1), "got an unexpected keyword argument 'zz'"),
        (lambda: Masked.Spec(3, 4), "values: expected a TensorSpec, got 'int'"),
    ],
)
def test_wrong_values_are_refused(call, text):
    with pytest.raises(TypeError, match=text):
        call()


def test_defaults_are_converted():
    made = Pencil(notes={"a": 1.0}, shape=[1, 2], dtype="int32")
    assert float(made.length) == 1.0
    assert made.shape == tf.TensorShape([1, 2])
    assert made.dtype is tf.int32
    assert made.label == "x"
    assert repr(made.notes).startswith("ImmutableDict({'a': <tf.Tensor")


def test_bad_annotations_are_refused():
    with pytest.raises(TypeError, match="In field 'a': Unsupported type annotation 'list'"):

        class _First(tf.experimental.ExtensionType):
            a: list

    with pytest.raises(ValueError, match="Field a is missing a type annotation"):

        class _Second(tf.experimental.ExtensionType):
            a = 3

    with pytest.raises(TypeError, match="default value for n: expected 'int', got 'str'"):

        class _Third(tf.experimental.ExtensionType):
            n: int = "a"


def test_the_base_class_has_no_values():
    with pytest.raises(AssertionError, match="abstract base class"):
        tf.experimental.ExtensionType()


def test_values_do_not_change():
    made = masked()
    with pytest.raises(AttributeError, match="Cannot mutate attribute `mask`"):
        made.mask = [True]
    with pytest.raises(AttributeError, match="Cannot mutate attribute `mask`"):
        del made.mask
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)


def test_equality_compares_types_then_tensors():
    assert bool(masked() == masked())
    assert not bool(masked() != masked())
    assert (masked() == Masked([[1.0]], [[True]])) is False
    assert (masked() == 3) is False


def test_own_constructor_sets_every_field():
    class Toy(tf.experimental.ExtensionType):
        name: str
        price: tf.Tensor

        def __init__(self, name, price, discount=0):
            self.name = name
            self.price = price * (1 - discount)

    assert float(Toy("ball", 5.0, discount=0.2).price) == 4.0

    class Lazy(tf.experimental.ExtensionType):
        x: int

        def __init__(self):
            pass

    with pytest.raises(ValueError, match="Missing required fields"):
        Lazy()


def test_validate_runs_after_the_constructor():
    class Even(tf.experimental.ExtensionType):
        x: tf.Tensor

        def __validate__(self):
            self.x.shape.assert_is_compatible_with([2])

    Even([1, 2])
    with pytest.raises(ValueError, match="not compatible"):
        Even([1, 2, 3])


def test_subclasses_have_the_fields_of_their_bases_first():
    class Weighted(Masked):
        weight: tf.Tensor

    assert list(Weighted([1.0], [True], 2.0)._lm_fields) == ["values", "mask", "weight"]


def test_a_class_may_hold_values_of_itself():
    tree = Node(3, [Node(5), Node(2)])
    assert [int(c.value) for c in tree.children] == [5, 2]
    assert len(tf.nest.flatten(tree, expand_composites=True)) == 3


def test_specs():
    spec = tf.type_spec_from_value(masked())
    assert spec == Masked.Spec(tf.TensorSpec([2]), tf.TensorSpec([2], tf.bool))
    assert hash(spec) == hash(tf.type_spec_from_value(masked((3.0, 4.0))))
    assert spec.value_type is Masked
    assert spec.is_compatible_with(masked())
    assert not spec.is_compatible_with(3)
    wide = spec.most_specific_compatible_type(tf.type_spec_from_value(masked((1.0,), (True,))))
    assert wide.values.shape.as_list() == [None]
    assert repr(spec).startswith("Masked.Spec(values=TensorSpec(shape=(2,), dtype=tf.float32")


def test_own_spec_class():
    class Pair(tf.experimental.ExtensionType):
        a: tf.Tensor
        b: tf.Tensor

        class Spec:
            def __init__(self, shape, dtype=tf.float32):
                self.a = tf.TensorSpec(shape, dtype)
                self.b = tf.TensorSpec(shape, tf.bool)

    spec = Pair.Spec([2])
    assert isinstance(spec, tf.experimental.ExtensionTypeSpec)
    assert spec.is_compatible_with(Pair([1.0, 2.0], [True, False]))


def test_values_are_leaves_of_nest_unless_expanded():
    made = masked()
    assert tf.nest.flatten([made, 1])[0] is made
    assert len(tf.nest.flatten(made, expand_composites=True)) == 2
    assert tf.nest.map_structure(type, {"a": made}) == {"a": Masked}
    doubled = tf.nest.map_structure(tf.zeros_like, made, expand_composites=True)
    assert doubled.values.numpy().tolist() == [0.0, 0.0]
    assert not tf.nest.is_nested(made)


def test_functions_take_and_return_values_and_trace_by_type():
    traces = []

    @tf.function
    def double(x):
        traces.append(1)
        return Masked(x.values * 2, x.mask)

    double(masked())
    found = double(masked((3.0, 4.0)))
    assert found.values.numpy().tolist() == [6.0, 8.0]
    assert len(traces) == 1
    double(Masked([1.0], [True]))
    assert len(traces) == 2


def test_static_fields_are_part_of_the_signature():
    traces = []

    @tf.function
    def length(x):
        traces.append(x.color)
        return x.length

    for color in ("red", "red", "blue"):
        length(Pencil(color=color))
    assert traces == ["red", "blue"]


def test_input_signature_and_concrete_functions_take_specs():
    spec = Masked.Spec(tf.TensorSpec([None]), tf.TensorSpec([None], tf.bool))

    @tf.function(input_signature=[spec])
    def total(x):
        return tf.reduce_sum(x.values)

    assert float(total(masked())) == 3.0

    @tf.function
    def free(x):
        return tf.reduce_sum(x.values)

    assert float(free.get_concrete_function(spec)(masked())) == 3.0


def test_cond_and_while_loop_carry_values():
    first, second = masked(), masked((5.0, 6.0))
    found = tf.cond(tf.constant(False), lambda: first, lambda: second)
    assert found.values.numpy().tolist() == [5.0, 6.0]
    _, grown = tf.while_loop(
        lambda i, _: i < 3, lambda i, x: (i + 1, Masked(x.values + 1, x.mask)), [0, first]
    )
    assert grown.values.numpy().tolist() == [4.0, 5.0]


def test_gradients_flow_through_fields():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(Masked(x, [True, False]).values ** 2)
    np.testing.assert_allclose(tape.gradient(loss, x), [2.0, 4.0])


def test_batches_change_shape_fields():
    batch = Batch([2], [1.0, 2.0])
    rows = list(tf.data.Dataset.from_tensor_slices(batch))
    assert [r.shape.as_list() for r in rows] == [[], []]
    assert [float(r.x) for r in rows] == [1.0, 2.0]
    joined = next(iter(tf.data.Dataset.from_tensors(rows[0]).repeat(3).batch(3)))
    assert joined.shape.as_list() == [3]
    doubled = tf.map_fn(lambda b: Batch(b.shape, b.x * 2), batch)
    assert doubled.x.numpy().tolist() == [2.0, 4.0]
    encoder = Batch.__batch_encoder__
    spec = tf.type_spec_from_value(rows[0])
    assert encoder.unbatch(encoder.batch(spec, 4)) == spec


def test_a_value_is_no_tensor():
    with pytest.raises(ValueError, match="unsupported type"):
        tf.convert_to_tensor(masked())
    with pytest.raises((TypeError, ValueError), match="Masked"):
        tf.abs(masked())


def test_fields_without_defaults_behind_those_with_them_need_names():
    class Band(tf.experimental.ExtensionType):
        low: int
        kind: str = "open"
        values: tf.Tensor
        high: int = 3

    class Wide(Band):
        width: float

    kinds = {p.name: p.kind.name for p in inspect.signature(Wide).parameters.values()}
    assert [name for name, kind in kinds.items() if kind == "KEYWORD_ONLY"] == [
        "values",
        "high",
        "width",
    ]
    made = Wide(1, "shut", values=[2.0], width=0.5)
    found = tf.experimental.extension_type.as_dict(made)
    assert list(found) == ["low", "kind", "values", "high", "width"]
    assert (found["kind"], found["high"], found["values"].numpy().tolist()) == ("shut", 3, [2])
    with pytest.raises(TypeError, match="too many positional arguments"):
        Wide(1, "shut", [2.0], width=0.5)
    with pytest.raises(ValueError, match="must be an ExtensionType"):
        tf.experimental.extension_type.as_dict(3)
    with pytest.raises(ValueError, match="must be an ExtensionType"):
        tf.experimental.extension_type.as_dict(tf.type_spec_from_value(made))


class Rows(tf.experimental.BatchableExtensionType):
    values: tf.Tensor | tf.RaggedTensor
    mask: tf.Tensor | tf.RaggedTensor


def test_rows_of_ragged_fields_are_ragged_again_in_a_batch():
    whole = Rows(tf.ragged.constant([[1], [2, 3], [4]]), tf.ragged.constant([[True]] * 3))
    sliced = tf.data.Dataset.from_tensor_slices(whole)
    assert sliced.element_spec.values == tf.RaggedTensorSpec([None], tf.int32, 0)
    for dataset in (sliced, tf.data.Dataset.from_tensors(whole).unbatch()):
        first = next(iter(dataset))
        assert isinstance(first.values, tf.Tensor)
        assert first.values.numpy().tolist() == [1]
        batches = list(dataset.batch(2))
        assert [b.values.to_list() for b in batches] == [[[1], [2, 3]], [[4]]]
        assert [b.mask.to_list() for b in batches] == [[[True], [True]], [[True]]]


def test_rows_of_whole_fields():
    dataset = tf.data.Dataset.from_tensor_slices(Rows([[1, 2], [3, 4]], [True, False]))
    assert [r.values.numpy().tolist() for r in dataset] == [[1, 2], [3, 4]]
    assert next(iter(dataset.batch(2))).mask.numpy().tolist() == [True, False]


@pytest.mark.parametrize("name", ["_tf_extension_type_x", "value_type", "self", "_components"])
def test_reserved_names_of_fields_are_refused(name):
    with pytest.raises(ValueError, match=f"Field '{name}' is reserved"):
        type("Broken", (tf.experimental.ExtensionType,), {"__annotations__": {name: int}})


def test_reserved_names_of_methods_are_refused():
    with pytest.raises(ValueError, match="Field 'is_compatible_with' is reserved"):

        class Broken(tf.experimental.ExtensionType):
            def is_compatible_with(self, other):
                return False


def test_annotations_with_notes():
    class Noted(tf.experimental.ExtensionType):
        x: typing.Annotated[tf.Tensor, "pixels"]
        n: typing.Optional[typing.Annotated[int, "count"]] = None  # noqa: UP045

    assert isinstance(Noted([1]).x, tf.Tensor)
    with pytest.raises(TypeError, match="n: expected one of types"):
        Noted([1], 2.5)


def test_a_class_that_is_made_later_may_be_named():
    class Holder(tf.experimental.ExtensionType):
        x: "Later"
        y: "typing.Optional[Missing]" = None  # noqa: UP045

    class Later(tf.experimental.ExtensionType):
        n: int

    with pytest.raises(TypeError, match="In field 'y': Unresolved forward reference"):
        Holder(Later(1))

    class Missing(tf.experimental.ExtensionType):
        n: int

    assert Holder(Later(1)).x.n == 1
    with pytest.raises(TypeError, match="x: expected 'Later', got 'int'"):
        Holder(1)


def test_signatures_name_their_class_and_keep_defaults_of_tensors():
    class Scaled(tf.experimental.ExtensionType):
        x: tf.Tensor = 5
        pair: tuple[int, int] = [1, 2]

    signature = inspect.signature(Scaled)
    assert signature.return_annotation is Scaled
    assert signature.parameters["x"].default == 5
    assert type(signature.parameters["x"].default) is int
    assert signature.parameters["pair"].default == (1, 2)
    assert Scaled().x.numpy() == 5


def test_a_spec_class_may_be_a_type_spec():
    class Own(tf.experimental.ExtensionType):
        x: tf.Tensor

        class Spec(tf.TypeSpec):
            def width(self):
                return self.x.shape[-1]

    assert Own([1, 2])._type_spec.width() == 2
    with pytest.raises(ValueError, match="must be a nested class without base classes"):

        class Broken(tf.experimental.ExtensionType):
            class Spec(dict):
                pass
