"""tf.function: when it traces, what it returns, variables, fallback, leaks, donation."""

import collections
import functools
import pickle
import warnings

import numpy as np
import pytest

import lamina as tf
from lamina.engine import flush, op
from lamina.engine.arguments import distinct
from tests.tolerances import assert_close


def _counted(body=lambda x, *rest, **named: x * 2.0, **options):
    calls = []

    def f(*args, **kwargs):
        calls.append(args)
        return body(*args, **kwargs)

    return tf.function(f, **options), calls


@pytest.mark.parametrize(
    ("first", "second", "traces"),
    [
        (tf.ones([2]), tf.zeros([2]), 1),
        (tf.ones([2]), np.ones(2, np.float32), 1),
        (tf.ones([2]), tf.ones([3]), 2),
        (tf.ones([2]), tf.ones([2], tf.float64), 2),
        (1, 1, 1),
        (1, 2, 2),
        (1, 1.0, 2),
        (1, True, 2),
        (0.0, -0.0, 2),
        ("a", "a", 1),
        ([tf.ones([])] * 2, [tf.zeros([])] * 2, 1),
        ([tf.ones([])], (tf.ones([]),), 2),
        ({"a": tf.ones([])}, {"a": tf.zeros([])}, 1),
        (None, tf.ones([]), 2),
        (np.array(1.0), np.array(2.0), 1),
    ],
)
def test_what_counts_as_the_same_signature(first, second, traces):
    f, calls = _counted(lambda x: None)
    for value in (first, second, first, second):
        f(value)
    assert len(calls) == traces


def test_objects_count_by_identity():
    class Thing:
        pass

    a, b = Thing(), Thing()
    f, calls = _counted(lambda x: None)
    for thing in (a, b, a, b):
        f(thing)
    assert len(calls) == 2


def test_defaults_and_keywords_are_the_same_call():
    calls = []

    @tf.function
    def f(x, scale=2.0, *, shift=0.0):
        calls.append(scale)
        return x * scale + shift

    x = tf.constant(1.0)
    assert [
        f(*a, **k).numpy()
        for a, k in [((x,), {}), ((x, 2.0), {}), ((x,), {"scale": 2.0}), ((), {"x": x})]
    ] == [2.0] * 4
    assert len(calls) == 1
    assert f(x, shift=tf.constant(5.0)).numpy() == 7.0
    assert len(calls) == 2


def test_missing_argument_is_a_type_error():
    with pytest.raises(TypeError, match="x"):
        tf.function(lambda x, y=1: x)()


def test_tensors_captured_pending_are_traced_once():
    c = tf.ones([3]) * 2.0
    f, calls = _counted(lambda x: x + c)
    for _ in range(3):
        assert f(tf.ones([3])).numpy()[0] == 3.0
    assert len(calls) == 1


def test_structured_outputs():
    Point = collections.namedtuple("Point", "x y")

    @tf.function
    def f(x):
        return {"point": Point(x, 2), "none": None, "list": [x + 1.0, (x,)]}

    out = f(tf.constant(1.0))
    assert isinstance(out["point"], Point)
    assert out["point"].y.numpy() == 2
    assert out["none"] is None
    assert out["list"][1][0].numpy() == 1.0
    assert tf.function(lambda: None)() is None
    with pytest.raises(TypeError, match="the function must return Tensors, or what converts"):
        tf.function(lambda: object())()


def test_input_signature_is_one_trace():
    f, calls = _counted(tf.reduce_sum, input_signature=[tf.TensorSpec([None], tf.float32)])
    assert [f(tf.ones([n])).numpy() for n in (1, 2, 3)] == [1.0, 2.0, 3.0]
    assert f([1, 2]).numpy() == 3.0
    assert len(calls) <= 3  # XLA needs the sizes; TF traces once
    with pytest.raises(TypeError) as raised:
        f(tf.ones([2, 2]))
    assert "must fit TensorSpec(shape=(None,), dtype=tf.float32, name=None)" in str(raised.value)
    assert "got shape (2, 2), dtype float32" in str(raised.value)
    with pytest.raises(TypeError, match="an argument must fit"):
        f(tf.ones([2], tf.float64))
    with pytest.raises(TypeError, match="expected 1 arguments"):
        f(tf.ones([2]), tf.ones([2]))


def test_concrete_function():
    @tf.function
    def square(x, power=2):
        return x**power

    concrete = square.get_concrete_function(tf.TensorSpec([2], tf.float32))
    assert concrete(tf.constant([1.0, 3.0])).numpy().tolist() == [1.0, 9.0]
    assert concrete.structured_outputs == tf.TensorSpec([2], tf.float32)
    assert concrete is square.get_concrete_function(tf.ones([2]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a Tensor of type float32"):
        concrete(tf.ones([3]))
    with pytest.raises(TypeError, match="a missing argument 'x'"):
        concrete()


def test_methods_are_traced_for_each_instance():
    class Scale(tf.Module):
        traced = 0

        def __init__(self, by):
            super().__init__()
            self.by = by
            self.v = tf.Variable(by)

        @tf.function
        def __call__(self, x):
            Scale.traced += 1
            return x * self.v * self.by

    a, b = Scale(2.0), Scale(3.0)
    for _ in range(2):
        assert (a(tf.constant(1.0)).numpy(), b(tf.constant(1.0)).numpy()) == (4.0, 9.0)
    assert Scale.traced == 2


def test_variables_are_state():
    v = tf.Variable(1.0)

    @tf.function
    def step(x):
        v.assign_add(x)
        before = v.value()
        v.assign(v * 2.0)
        return before

    assert step(tf.constant(1.0)).numpy() == 2.0
    assert step(tf.constant(1.0)).numpy() == 5.0
    v.assign(0.0)
    assert step(tf.constant(1.0)).numpy() == 1.0
    assert v.numpy() == 2.0


def test_variables_are_made_in_the_first_call_only():
    class Lazy:
        v = None

        @tf.function
        def __call__(self, x):
            if self.v is None:
                self.v = tf.Variable(tf.ones([2]))
            self.v.assign_add(x)
            return self.v.value()

    lazy = Lazy()
    assert lazy(tf.ones([2])).numpy().tolist() == [2.0, 2.0]
    assert lazy(tf.ones([2])).numpy().tolist() == [3.0, 3.0]

    @tf.function
    def again(x):
        return tf.Variable(1.0) + x

    with pytest.raises(ValueError, match="variables may be made in its first call only"):
        again(tf.ones([2]))


def test_initial_values_are_lifted_with_the_variables_and_draws_they_need():
    scale = tf.Variable(3.0)

    class Lazy:
        w = None

        @tf.function
        def __call__(self, x):
            if self.w is None:
                self.w = tf.Variable(scale * tf.random.uniform([2, 3]))
                self.b = tf.Variable(tf.random.uniform([3]))
            return tf.matmul(x, self.w) + self.b

    lazy = Lazy()
    tf.random.set_seed(5)
    y = lazy(tf.ones([1, 2]))
    tf.random.set_seed(5)
    w, b = 3.0 * tf.random.uniform([2, 3]), tf.random.uniform([3])
    assert_close(lazy.w, w.numpy(), "float32")
    assert_close(lazy.b, b.numpy(), "float32")
    assert_close(y, (tf.matmul(tf.ones([1, 2]), w) + b).numpy(), "float32")


def test_variable_of_a_traced_value_is_refused():
    with pytest.raises(ValueError, match=r"`initial_value` must not be computed inside"):
        tf.function(lambda x: tf.Variable(x * 2.0) + x)(tf.ones([2]))


def test_gradients_outside_and_inside_agree():
    w = tf.Variable([1.0, 2.0])
    f = tf.function(lambda x: tf.reduce_sum(tf.tanh(x * w)))
    x = tf.constant([0.5, 1.0])

    @tf.function
    def inside(x):
        with tf.GradientTape() as tape:
            y = f(x)
        return tape.gradient(y, w)

    with tf.GradientTape() as tape:
        y = f(x)
    expected = np.array([0.5, 1.0]) * (1 - np.tanh([0.5, 2.0]) ** 2)
    assert_close(tape.gradient(y, w), expected, "float32")
    assert_close(inside(x), expected, "float32")


def test_side_effects_on_variables_under_a_tape():
    v, n = tf.Variable(2.0), tf.Variable(0)

    @tf.function
    def f(x):
        n.assign_add(1)
        return v * x

    with tf.GradientTape() as tape:
        y = f(3.0) + f(4.0)
    assert tape.gradient(y, v).numpy() == 7.0
    assert n.numpy() == 2


def test_nested_functions_share_state_and_trace_once():
    v = tf.Variable(0.0)
    inner, calls = _counted(lambda x: v.assign_add(x).value())

    @tf.function
    def outer(x):
        return inner(x) + inner(x)

    assert outer(tf.constant(1.0)).numpy() == 3.0
    assert outer(tf.constant(1.0)).numpy() == 7.0
    assert v.numpy() == 4.0
    assert len(calls) == 1


def test_inner_function_captures_a_tensor_of_the_outer():
    @tf.function
    def outer(x):
        y = x * 2.0
        return tf.function(lambda z: z + y)(x)

    assert outer(tf.constant(3.0)).numpy() == 9.0
    assert outer(tf.constant(4.0)).numpy() == 12.0


def test_fallback_is_correct_and_warns_once_with_the_line():
    v = tf.Variable(0.0)
    calls = []

    @tf.function(autograph=False)
    def f(x):
        calls.append(1)
        v.assign_add(1.0)
        if tf.reduce_sum(x) > 0:  # the line
            return x * 2.0
        return -x

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results = [f(tf.fill([n], s)).numpy()[0] for n, s in [(2, 1.0), (2, -3.0), (3, 5.0)]]
    assert results == [2.0, 3.0, 10.0]
    assert v.numpy() == 3.0
    (warning,) = caught
    line = f.python_function.__code__.co_firstlineno + 4
    assert f"{__file__}:{line}, in f" in str(warning.message)
    assert str(warning.message).startswith('tf.function "f" needs a value while it is traced')
    assert warning.filename == __file__
    with pytest.raises(TypeError, match="it has no program"):
        _ = f.get_concrete_function(tf.ones([2])).trace


def test_inner_fallback_makes_the_outermost_function_eager():
    inner = tf.function(lambda x: x * 2.0 if float(x.numpy()) > 0 else x)
    outer = tf.function(lambda x: inner(x) + 1.0)
    with pytest.warns(UserWarning, match=r'tf.function "<lambda>" needs a value'):
        results = [outer(tf.constant(v)).numpy() for v in (2.0, -2.0)]
    assert results == [5.0, -1.0]


def test_max_compiles_says_which_argument_changed():
    tf.config.max_compiles = 2
    f, _ = _counted()
    f(tf.ones([1]))
    f(tf.ones([2]))
    with pytest.raises(Exception, match="max_compiles") as raised:
        f(tf.ones([3]))
    assert str(raised.value) == (
        'tf.function "f": `lamina.config.max_compiles` allows 2 programs; this call needs '
        "another one.\n  Reason: argument 0 changed from float32(2,) to float32(3,)."
    )
    assert f(tf.ones([2])).numpy()[0] == 2.0


def test_many_traces_warn_with_the_reason():
    f, _ = _counted(lambda x, n: x * n)
    x = tf.constant(1.0)
    for n in range(5):
        f(x, n)
    with pytest.warns(UserWarning, match="was traced 6 times; argument 1 changed from 4 to 5"):
        f(x, 5)
    quiet, _ = _counted(lambda x, n: x * n, reduce_retracing=True)
    for n in range(7):
        quiet(x, n)


def test_a_counter_on_a_layer_does_not_compile_anew():
    class Agent(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.steps = 0

        def call(self, x):
            return x

    agent = Agent()
    agent(tf.ones([1]))
    f, _ = _counted(lambda x: x * 3.0)
    f(tf.ones([2]))
    flush()  # what is pending, of other tests too, would be cut and compiled at any time
    before = tf.stats.compiles
    for _ in range(8):
        agent.steps += 1
        f(tf.ones([2]))
    assert tf.stats.compiles == before
    assert len(f._concrete) < 4


def test_changed_setting_of_a_layer_is_seen():
    class Power(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.power = 1.0

        def call(self, x):
            return x**self.power

    layer = Power()
    f = tf.function(lambda x: layer(x))
    assert f(tf.constant([3.0])).numpy() == [3.0]
    layer.power = 2.0
    assert f(tf.constant([3.0])).numpy() == [9.0]


def test_leaked_tensors_are_explained():
    kept = []

    @tf.function
    def f(x):
        kept.append(x * 2.0)
        return x

    f(tf.ones([2]))
    for use in (lambda t: t + 1.0, lambda t: t.numpy(), tf.function(lambda t: t + 1.0)):
        with pytest.raises(TypeError) as raised:
            use(kept[0])
        assert str(raised.value) == (
            'tf.function "f": a Tensor of its trace was used after the trace was finished; got '
            "one of shape (2,), dtype float32. It never has a value outside.\n"
            "  Fix: return it from the function, or keep it in a tf.Variable (assign it inside)."
        )
    assert repr(kept[0]) == "<tf.Tensor 'mul:0' shape=(2,) dtype=float32>"
    assert f(tf.ones([2])).numpy()[0] == 1.0


def test_leak_through_an_attribute_names_it():
    class Keeps(tf.keras.layers.Layer):
        def call(self, x):
            self.last = x * 2.0
            return x

    layer = Keeps()
    with pytest.raises(TypeError, match=r"`self\.last` was set to a Tensor"):
        tf.function(lambda x: layer(x))(tf.ones([2]))
    assert layer(tf.ones([2])) is not None  # eager code may keep what it likes
    assert layer.last.numpy()[0] == 2.0


def test_donation_leaves_what_the_user_holds():
    v = tf.Variable(np.zeros(1000, np.float32))
    step = tf.function(lambda: v.assign_add(tf.ones([1000])))
    held = []
    for i in range(4):
        held.append((i, v.value(), np.asarray(v.value())))
        step()
    step()
    for i, tensor, array in held:
        assert (tensor.numpy() == i).all()
        assert (array == i).all()
    assert v.numpy()[0] == 5.0


def test_returning_the_variable_returns_its_value_of_then():
    v = tf.Variable(np.zeros(1000, np.float32))

    @tf.function
    def step():
        v.assign_add(tf.ones([1000]))
        return v.value(), v

    results = [step() for _ in range(3)]
    assert [r[0].numpy()[0] for r in results] == [1.0, 2.0, 3.0]
    assert [r[1].numpy()[0] for r in results] == [1.0, 2.0, 3.0]


_fails = [False]


@op
def _fragile(x):
    if _fails[0]:
        raise RuntimeError("broken kernel")
    return x * 2.0


def test_failed_run_changes_no_variable():
    v = tf.Variable(np.ones(1000, np.float32))
    _fragile(tf.ones([1000]))
    f = tf.function(lambda: v.assign(_fragile(v)))
    _fails[0] = True
    try:
        with pytest.raises(RuntimeError, match="broken kernel"):
            f()
    finally:
        _fails[0] = False
    assert (v.numpy() == 1.0).all()
    f()
    assert (v.numpy() == 2.0).all()


def test_error_while_tracing_leaves_the_engine_eager():
    @tf.function
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        f(tf.ones([2]))
    assert tf.executing_eagerly()
    assert (tf.ones([2]) * 2.0).numpy()[0] == 2.0


def test_run_functions_eagerly():
    f, calls = _counted(lambda x: x * float(x))
    tf.config.run_functions_eagerly(True)
    assert f(tf.constant(3.0)).numpy() == 9.0
    assert tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    assert len(calls) == 1


def test_facts_inside_and_outside():
    seen = {}

    @tf.function
    def f(x):
        seen.update(eager=tf.executing_eagerly(), symbolic=tf.is_symbolic_tensor(x), shape=x.shape)
        with tf.init_scope():
            seen["scope"] = tf.executing_eagerly()
        return x

    f(tf.ones([2, 3]))
    assert seen == {"eager": False, "symbolic": True, "shape": (2, 3), "scope": True}
    assert repr(f) == "<tf.function f>"
    assert f.__name__ == "f"


def test_decorator_arguments_are_accepted():
    @tf.function(jit_compile=True, autograph=False, reduce_retracing=True)
    def f(x):
        return x + 1

    assert f(tf.constant(1)).numpy() == 2
    assert tf.function(f) is f


def test_a_concrete_function_of_any_rank_knows_its_python_values():
    power = tf.function(lambda a, b: a**b)
    square = power.get_concrete_function(a=tf.TensorSpec(None, tf.float32), b=2)
    assert square(tf.constant(10.0)).numpy() == 100
    assert square(tf.constant([[3.0]])).numpy().tolist() == [[9.0]]
    with pytest.raises(TypeError, match="b=3 where 2 was traced"):
        square(tf.constant(10.0), b=3)


def test_a_concrete_function_of_any_rank_has_keyword_only_parameters():
    @tf.function
    def scale(a, *, b=3):
        return a * b

    concrete = scale.get_concrete_function(tf.TensorSpec(None, tf.float32), b=2)
    assert concrete(tf.ones([2])).numpy().tolist() == [2, 2]
    assert concrete.structured_outputs.shape.rank is None


def test_a_second_optimizer_in_one_function_is_refused():
    w = tf.Variable(2.0)

    @tf.function
    def step(optimizer):
        optimizer.apply_gradients([(tf.constant(1.0), w)])

    step(tf.keras.optimizers.Adam())
    with pytest.raises(ValueError, match="in its first call only"):
        step(tf.keras.optimizers.Adam())


def test_a_leaked_tensor_has_no_numpy():
    kept = []

    @tf.function
    def leaky(a):
        kept.append(a + 1)
        return a

    leaky(tf.constant(1))
    with pytest.raises(AttributeError, match="after the trace was finished"):
        kept[0].numpy()


def test_a_concrete_function_of_a_ragged_tensor_is_called_with_it():
    rows = tf.ragged.constant([[1, 2], [3], [4, 5, 6]])
    concrete = tf.function(lambda x: x + 1).get_concrete_function(rows)
    assert concrete(rows).to_list() == [[2, 3], [4], [5, 6, 7]]


def test_each_trace_may_have_a_random_stream_of_its_own():
    seeds = iter(range(10**6, 10**6 + 9))

    @tf.function
    def draws(x):
        return tf.random.normal(tf.shape(x), seed=next(seeds))

    assert draws(tf.ones(2)).shape == (2,)
    assert draws(tf.ones(3)).shape == (3,)
    assert not np.array_equal(draws(tf.ones(2)), draws(tf.ones(2)))


@tf.function
def _increased(x):
    return x + 1.0


def test_functions_are_pickled():
    assert pickle.loads(pickle.dumps(_increased)) is _increased
    spec = [tf.TensorSpec([2], tf.float32)]
    again = pickle.loads(pickle.dumps(tf.function(np.cumsum, input_signature=spec)))
    assert again.input_signature == tuple(spec)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["items"].append(tf.constant(1.0)),
        lambda v: v.update(more=tf.constant(2.0)),
        lambda v: v["items"].__setitem__(0, tf.constant(1.0)),
    ],
)
def test_arguments_must_not_be_changed(change):
    def f(values):
        change(values)
        return values["items"][0]

    with pytest.raises(ValueError, match="must not change the lists and dicts"):
        tf.function(f)({"items": [tf.constant(0.0)]})


def test_keywords_are_the_functions_own():
    @tf.function
    def f(**kwargs):
        return kwargs.pop("a") - kwargs["b"]

    assert int(f(a=tf.constant(5), b=tf.constant(3))) == 2


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tf.function(3), "`func` must be a function; got 3"),
        (lambda: tf.function(abs, input_signature=[(2, 3)]), "must hold TensorSpecs"),
        (lambda: tf.function(abs, input_signature=tf.TensorSpec([])), "must be a list or tuple"),
        (
            lambda: tf.function(
                lambda x: x, input_signature=[tf.TensorSpec([2])]
            ).get_concrete_function(tf.TensorSpec([3])),
            "an argument must fit",
        ),
    ],
)
def test_what_a_function_cannot_be_made_of(make, text):
    with pytest.raises(TypeError, match=text):
        make()


def test_concrete_functions_of_any_rank_describe_themselves():
    f = tf.function(lambda x: 2.0 * x, input_signature=[tf.TensorSpec(None)])
    concrete = f.get_concrete_function()
    assert concrete.structured_input_signature[0][0].shape.rank is None
    assert concrete.output_dtypes is tf.float32
    assert "x (POSITIONAL_OR_KEYWORD)" in concrete.pretty_printed_signature()


def test_no_output_has_no_shape():
    concrete = tf.function(lambda x: None).get_concrete_function(tf.constant(1))
    assert concrete.output_shapes is None
    assert concrete.output_dtypes is None


@pytest.mark.parametrize("shapes", [[(None, None)] * 2, [(None, 4), (None, None)]])
def test_matrices_of_unknown_sizes_are_multiplied(shapes):
    f = tf.function(tf.linalg.matmul)
    concrete = f.get_concrete_function(*map(tf.TensorSpec, shapes))
    assert concrete.output_shapes == [None, None]
    a, b = tf.ones([2, 4]), tf.ones([4, 3])
    assert concrete(a, b).numpy().tolist() == [[4.0] * 3] * 2
    square = tf.function(lambda a: a @ a).get_concrete_function(tf.TensorSpec([None, None]))
    assert square.output_shapes == [None, None]


@pytest.mark.filterwarnings("ignore:tf.function")
def test_a_range_computed_in_the_program_can_be_returned():
    @tf.function
    def f(n):
        if n > 2:
            n = n - 1
        return tf.range(n)

    assert f(tf.constant(4)).numpy().tolist() == [0, 1, 2]


@pytest.mark.filterwarnings("ignore:tf.function")
def test_what_runs_eagerly_returns_tensors_too():
    @tf.function
    def f(x):
        x.numpy()
        return 3, {"a": 2.5, "b": None}, np.ones(2), "text", x

    for _ in range(2):
        number, pair, array, text, same = f(tf.constant(1.0))
        assert int(number) == 3
        assert isinstance(number, tf.Tensor)
        assert pair["b"] is None
        assert pair["a"].dtype is tf.float32
        assert array.shape == [2]
        assert array.dtype is tf.float64
        assert text.numpy() == b"text"
        assert same.numpy() == 1.0


def test_variables_may_start_from_the_arguments_of_the_first_call():
    kept = []

    @tf.function
    def f(x):
        if not kept:
            kept.append(tf.Variable(2.0 * x))
        kept[0].assign_add(1.0)
        return kept[0] * x

    assert f(tf.constant(1.0)).numpy() == 3.0
    assert f(tf.constant(3.0)).numpy() == 12.0
    assert kept[0].numpy() == 4.0
    with pytest.raises(ValueError, match=r"`initial_value` must not be computed inside"):
        tf.function(lambda x: tf.Variable(x) + x).get_concrete_function(tf.TensorSpec([2]))


def test_a_python_iterator_gives_the_same_items_to_each_recording():
    @tf.function
    def total(items, limit):
        found = tf.constant(0)
        for v in items:
            if limit > v:
                found += v
        return found

    assert total(iter([1, 2, 5]), tf.constant(3)).numpy() == 3
    assert total((v for v in (1, 2, 5)), tf.constant(3)).numpy() == 3

    @tf.function
    def both(pairs, rows):
        found = tf.constant(0, tf.int64)
        for a, b in pairs:
            found += a * b
        for row in rows:
            found += row
        return found

    rows = tf.data.Dataset.range(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert both(zip([1, 2], [3, 4], strict=True), iter(rows)).numpy() == 17
    numbers = iter([7, 8])
    assert tf.function(next)(numbers).numpy() == 7
    assert next(numbers) == 8


def test_libraries_may_decorate_the_python_function():
    def in_scope(fn):
        @functools.wraps(fn)
        def run(self, *args):
            with tf.name_scope("scope"):
                return fn(self, *args)

        return run

    class Layer:
        @tf.function
        def __call__(self, x):
            seen.append(tf.get_current_name_scope())
            return 2 * x

    seen = []
    vars(Layer)["__call__"]._decorate(in_scope)
    assert Layer()(tf.constant(3)).numpy() == 6
    assert seen == ["scope"]


def test_flat_names_count_the_equal_ones():
    assert distinct(["x_y", "x", "x", "x"]) == ["x_y", "x", "x_1", "x_2"]
    assert distinct(["x_1", "x", "x"]) == ["x_1", "x", "x_2"]
