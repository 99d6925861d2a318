"""What a user gets wrong: each a clear message with layer and line, and the model still works."""

import inspect

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(4, name="first"), layers.Dense(2, name="second")]
        self.shift = tf.Variable(tf.zeros([2]))

    def call(self, x, wrong=None):
        for block in self.blocks:
            x = block(x)
        return x + (self.shift if wrong is None else wrong)


@pytest.fixture
def net():
    """A built model; afterwards it must still give what it gave, with all of its weights."""
    model = Net()
    x = tf.ones([2, 3])
    expected = model(x).numpy()
    yield model
    assert np.array_equal(model(x).numpy(), expected)
    assert len(model.weights) == 5
    assert tf.executing_eagerly()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x))
    assert all(g is not None for g in tape.gradient(loss, model.trainable_variables))


def _raised(error, act, *args, **kwargs):
    with pytest.raises(error) as raised:
        act(*args, **kwargs)
    return str(raised.value), "\n".join(getattr(raised.value, "__notes__", []))


def _line_of(fn, text):
    lines, start = inspect.getsourcelines(fn)
    return start + next(i for i, line in enumerate(lines) if text in line)


def _note(path, who, arguments, fn, text):
    line = _line_of(fn, text)
    code = inspect.getsourcelines(fn)[0][line - inspect.getsourcelines(fn)[1]].strip()
    where = f"  at {__file__}, line {line}, in {fn.__name__}: {code}"
    return "\n".join([f"In {path} ({who}), called with:", *arguments, where])


def test_wrong_shape(net):
    text, note = _raised(ValueError, net, tf.ones([2, 5]))
    assert text == (
        'Dense "first": the input must have size 3 along axis -1; got size 5, full shape (2, 5), '
        "dtype float32.\n"
        "  Fix: reshape or cast the input, or look at what the layer before it gives."
    )
    assert note == _note(
        "model.blocks[0]", 'Dense "first"', ["  inputs = float32(2, 5)"], Net.call, "x = block(x)"
    )


def test_wrong_shape_in_an_operation(net):
    text, note = _raised(
        (ValueError, tf.errors.InvalidArgumentError), net, tf.ones([2, 3]), wrong=tf.ones([3])
    )
    assert text.startswith("tf.add: ")
    assert text.endswith("Inputs: shapes (2, 2), (3,).") or "got float32(2, 2), float32(3,)" in text
    assert "jax" not in text.lower() + note.lower()
    assert note == _note(
        "model",
        f'Net "{net.name}"',
        ["  x = float32(2, 3)", "  wrong = float32(3,)"],
        Net.call,
        "return x +",
    )


def test_wrong_dtype(net):
    text, note = _raised(
        tf.errors.InvalidArgumentError, net, tf.ones([2, 3]), wrong=tf.ones([2], tf.int32)
    )
    assert text == (
        "tf.add: all inputs must have one dtype; got float32(2, 2), int32(2,).\n"
        "  Fix: tf.cast(x, tf.float32) for the int32 input."
    )
    assert note.startswith(f'In model (Net "{net.name}"), called with:')
    assert f"line {_line_of(Net.call, 'return x +')}, in call: return x + (self.shift" in note


def test_wrong_rank(net):
    text, note = _raised(ValueError, net, tf.ones([3]))
    assert text == (
        'Dense "first": the input must have at least 2 axes; got 1, full shape (3,), dtype '
        "float32.\n"
        "  Fix: reshape or cast the input, or look at what the layer before it gives."
    )
    assert note.startswith('In model.blocks[0] (Dense "first")')


def test_wrong_argument_names(net):
    text, note = _raised(TypeError, net, tf.ones([2, 3]), maskk=1)
    assert "unexpected keyword argument 'maskk'" in text
    assert f'In model (Net "{net.name}"), called with:\n  x = float32(2, 3)\n  maskk = 1' in note
    assert __file__ in note
    text, _ = _raised(ValueError, layers.Dense, 2, activaton="relu", name="d")
    assert text == (
        "Dense \"d\": unrecognized keyword arguments ['activaton'].\n"
        "  Fix: remove them, or take them in `__init__` without passing them on."
    )
    text, _ = _raised(TypeError, tf.reduce_sum, tf.ones([2]), axes=0)
    assert "got unexpected arguments ['axes']" in text


@pytest.mark.parametrize("kind", [tf.keras.Model, layers.Layer])
@pytest.mark.parametrize("value", [lambda: layers.Dense(2), lambda: [layers.Dense(2)], lambda: 3])
def test_super_init_was_not_called(kind, value):
    class Forgot(kind):
        def __init__(self):
            self.inner = value()

        def call(self, x):
            return x

    text, _ = _raised(RuntimeError, lambda: Forgot()(tf.ones([1, 2])))
    assert text == (
        "Forgot: `super().__init__()` must be called before anything else in `Forgot.__init__`; "
        "it was not called.\n  Fix: def __init__(self, ...):\n           super().__init__()"
    )
    assert layers.Dense(1)(tf.ones([1, 2])).shape == (1, 1)


@pytest.mark.parametrize("name", ["name", "trainable", "dtype", "losses", "built", "other"])
def test_what_a_layer_without_super_init_lacks_is_explained(name):
    class Forgot(layers.Layer):
        def __init__(self):
            self.inner = layers.Dense(2)

    layer = Forgot()
    text, _ = _raised(AttributeError, lambda: getattr(layer, name))
    assert "'Forgot' object has no attribute" in text
    assert "`super().__init__()` was not called.\n  Fix: call it in `Forgot.__init__`" in text
    assert not hasattr(layer, name)


def test_variables_after_the_first_trace(net):
    @tf.function
    def step(x):
        return net(x) + tf.Variable(1.0, name="late")

    text, _ = _raised(ValueError, step, tf.ones([2, 3]))
    line = step.python_function.__code__.co_firstlineno + 2
    assert text == (
        'tf.function "step": variables may be made in its first call only; this call makes '
        f'"late:0" (made at {__file__}, line {line}, in step).\n'
        "  Fix: make them outside, or once: if self.v is None: self.v = tf.Variable(...)."
    )


def test_tensor_kept_from_a_finished_trace(net):
    kept = []

    @tf.function
    def step(x):
        kept.append(x * 2.0)
        return net(x)

    step(tf.ones([2, 3]))
    text, _ = _raised(TypeError, lambda: kept[0] + 1.0)
    assert text == (
        'tf.function "step": a Tensor of its trace was used after the trace was finished; got one '
        "of shape (2, 3), dtype float32. It never has a value outside.\n"
        "  Fix: return it from the function, or keep it in a tf.Variable (assign it inside)."
    )


def test_tensor_of_a_branch_used_outside():
    kept = []

    @tf.function
    def step(x):
        tf.cond(x > 0.0, lambda: kept.append(x * 2.0) or x, lambda: x)
        return kept[0] + 1.0

    text, _ = _raised(TypeError, step, tf.constant(1.0))
    assert text.startswith("tf.cond: a Tensor of its trace was used after the trace was finished")


def test_bool_of_several_values(net):
    y = net(tf.ones([2, 3]))
    text, _ = _raised(tf.errors.InvalidArgumentError, bool, y > 0.0)
    assert text == (
        "Tensor: a condition must be a single value; got shape (2, 2), dtype bool. The truth value "
        "of several elements is ambiguous.\n"
        "  Fix: use tf.reduce_any(x) or tf.reduce_all(x)."
    )
    assert (y > -1e9).numpy().all()


def test_nan_from_the_host(net):
    x = tf.constant(np.array([[1.0, np.nan, 0.0]], np.float32))
    y = net(x)
    text, _ = _raised(tf.errors.InvalidArgumentError, tf.debugging.check_numerics, y, "logits")
    assert text == "logits : Tensor had NaN values; shape (1, 2), dtype float32."


def test_nan_does_not_become_an_integer_shape():
    for value in (float("nan"), 2.5):
        text, _ = _raised((TypeError, ValueError), tf.zeros, [value])
        assert str(value) in text


def test_gradient_of_wrong_things(net):
    x = tf.ones([2, 3])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(net(x))
    text, _ = _raised(TypeError, tape.gradient, float(loss), net.trainable_variables)
    assert text.startswith(
        "GradientTape.gradient: `target` must be a Tensor computed under the tape"
    )


def test_errors_inside_a_function_have_the_same_note(net):
    step = tf.function(lambda x: net(x))
    step(tf.ones([2, 3]))
    text, note = _raised(ValueError, step, tf.ones([2, 5]))
    assert text.startswith('Dense "first": the input must have size 3')
    assert note.startswith('In model.blocks[0] (Dense "first")')
    assert f"line {_line_of(Net.call, 'x = block(x)')}, in call" in note
    assert step(tf.ones([2, 3])).shape == (2, 2)
