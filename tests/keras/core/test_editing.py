"""Hooks, replacement and rematerialisation by path."""

import copy
import dataclasses

import numpy as np
import pytest

import lamina as tf
from lamina.engine import versions

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = X[:, :1]


class Block(tf.keras.layers.Layer):
    def __init__(self, size=4):
        super().__init__()
        self.mlp = tf.keras.layers.Dense(size, "relu")
        self.norm = tf.keras.layers.BatchNormalization()
        self.drop = tf.keras.layers.Dropout(0.3, seed=1)

    def call(self, x):
        self.add_loss(1e-3 * tf.reduce_sum(x))
        return x + self.drop(self.norm(self.mlp(x)))


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [Block() for _ in range(3)]
        self.head = tf.keras.layers.Dense(1)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def net():
    tf.keras.utils.set_random_seed(0)
    model = Net()
    model.compile("sgd", "mse")
    model(X)
    return model


def fit(model, epochs=1):
    return model.fit(X, Y, epochs=epochs, batch_size=4, shuffle=False, verbose=0).history["loss"]


# ---- hooks


def test_a_forward_hook_reads_and_replaces():
    model, seen = net(), []

    def double(layer, inputs, outputs, path):
        seen.append((path, tuple(inputs.shape), tuple(outputs.shape)))
        return outputs * 2.0

    plain = model.blocks[1].mlp(X).numpy()
    handle = model.hook("blocks[*].mlp", double)
    assert handle.paths == [f"blocks[{i}].mlp" for i in range(3)]
    np.testing.assert_array_equal(model.blocks[1].mlp(X).numpy(), plain * 2)
    model(X)
    assert seen[-3:] == [(f"blocks[{i}].mlp", (8, 4), (8, 4)) for i in range(3)]
    handle.remove()
    handle.remove()
    np.testing.assert_array_equal(model.blocks[1].mlp(X).numpy(), plain)


def test_hooks_act_inside_compiled_steps_and_leave_with_their_block():
    model = net()
    before = fit(model)[0]
    with model.hook("head", lambda layer, inputs, outputs: outputs * 0.0):
        zeroed = model.evaluate(X, Y, verbose=0, batch_size=8)
        model(X)
        penalties = sum(float(t) for t in model.losses)
        assert zeroed == pytest.approx(np.mean(Y**2) + penalties, rel=1e-5)
    assert model.evaluate(X, Y, verbose=0) != zeroed
    assert np.isfinite(before)


def test_a_hook_on_values_gets_arrays_each_time_a_compiled_step_runs():
    model, seen = net(), []
    with model.hook("blocks[0].mlp", lambda layer, i, o: seen.append((i, o)), values=True):
        fit(model, epochs=2)
    assert len(seen) == 4
    assert all(type(i) is np.ndarray and i.shape == (4, 4) for i, _ in seen)
    np.testing.assert_array_equal(seen[0][0], X[:4])


def gradients(model):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(X))
    return tape.gradient(loss, model.trainable_variables)


@pytest.mark.parametrize("decorate", [lambda f: f, tf.function])
def test_a_backward_hook_reads_and_replaces(decorate):
    model, seen = net(), []

    def stop(layer, gradient):
        seen.append((layer, tuple(gradient.shape)))
        return gradient * 0.0

    step = decorate(lambda: gradients(model))
    with model.hook("blocks[1]", backward=stop):
        found = [float(tf.reduce_max(tf.abs(g))) for g in step()]
    assert (model.blocks[1], (8, 4)) in seen
    assert found[:8] == [0.0] * 8
    assert all(size > 0 for size in found[-4:])
    assert float(tf.reduce_max(tf.abs(step()[0]))) > 0


def test_backward_values_are_seen_in_fit():
    model, seen = net(), []
    with model.hook("head", backward=lambda layer, g: seen.append(g), values=True):
        fit(model)
    assert [g.shape for g in seen] == [(4, 1), (4, 1)]


def test_hooks_stay_with_their_layer_and_cost_others_nothing():
    model = net()
    model.hook("blocks[0]", lambda layer, i, o: o * 0.0)
    assert "call" not in vars(model.blocks[1])
    assert "call" not in vars(copy.deepcopy(model).blocks[0])


@pytest.mark.parametrize(
    ("mistake", "error", "text"),
    [
        (lambda m: m.hook("block[*]", lambda *a: None), ValueError, "Did you mean: 'blocks"),
        (lambda m: m.hook("blocks[*]"), TypeError, "hook needs `fn` or `backward`; got neither"),
        (
            lambda m: m.hook("head", lambda x: None),
            TypeError,
            r"must take \(layer, inputs, outputs\), and `path` if it wants it; `<lambda>` takes "
            r"\(x\)",
        ),
        (lambda m: m.hook("head", backward=3), TypeError, r"function fn\(layer, gradient\); got 3"),
        (
            lambda m: (m.hook("head", lambda a, b, c: c[:, :0]), m(X)),
            ValueError,
            r"the hook on 'head' must return Tensors of the shapes and dtypes that it was given, "
            r"or None; it was given float32\(8, 1\), and returned float32\(8, 0\)",
        ),
        (lambda m: m.replace("head", lambda: 1), TypeError, "takes \\(\\)"),
        (lambda m: m.replace("head", lambda old: 3), TypeError, "needs a layer for 'head'; got 3"),
        (lambda m: m.remat("tail"), ValueError, "no layer's path fits 'tail'"),
    ],
)
def test_mistakes_are_named(mistake, error, text):
    with pytest.raises(error, match=text):
        mistake(net())


# ---- replacement


def test_replace_puts_new_layers_where_the_old_ones_were():
    model = net()
    kept = model.blocks[0].mlp
    assert model.replace(
        "blocks[*].mlp", lambda old, path: None if "[0]" in path else tf.keras.layers.Dense(4)
    ) == ["blocks[1].mlp", "blocks[2].mlp"]
    assert model.blocks[0].mlp is kept
    fit(model)
    assert len(model.trainable_variables) == 14


def test_a_new_layer_may_hold_the_old_one():
    class Scaled(tf.keras.layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x) * 0.5

    model = net()
    wanted = model.head(X).numpy() * 0.5
    model.replace("head", Scaled)
    np.testing.assert_allclose(model.head(X).numpy(), wanted)
    assert len(model.weights) == 20


def test_replace_reaches_every_container():
    @dataclasses.dataclass
    class Parts:
        one: tf.keras.layers.Layer

    class Holder(tf.keras.Model):
        def __init__(self):
            super().__init__()
            shared = tf.keras.layers.Dense(2, name="old")
            self.plain = shared
            self.pair = (shared, 1)
            self.by_name = {"a": [shared], "b": {shared}}
            self.parts = Parts(shared)

        def call(self, x):
            return self.plain(x)

    model = Holder()
    new = tf.keras.layers.Dense(2, name="new")
    model.replace("plain", lambda old: new)
    held = [model.plain, model.pair[0], model.by_name["a"][0], *model.by_name["b"], model.parts.one]
    assert all(layer is new for layer in held)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_replace_in_graphs(kind):
    if kind == "functional":
        x = inputs = tf.keras.Input((4,))
        for name in ("first", "second"):
            x = tf.keras.layers.Dense(3, name=name)(x)
        model = tf.keras.Model(inputs, x)
    else:
        model = tf.keras.Sequential(
            [tf.keras.Input((4,)), *(tf.keras.layers.Dense(3, name=n) for n in ("first", "second"))]
        )
    model.replace("second", lambda old: tf.keras.layers.Dense(3, kernel_initializer="zeros"))
    np.testing.assert_array_equal(model.predict(X, verbose=0), np.zeros([8, 3]))
    assert [layer.name for layer in model.layers][-2:] == ["first", "second"]
    with pytest.raises(ValueError, match=r"must give what .* gave, float32.*; it gives float32"):
        model.replace("second", lambda old: tf.keras.layers.Dense(5))


# ---- rematerialisation


def test_remat_changes_no_number_and_keeps_less():
    plain, again = net(), net()
    handle = again.remat("blocks[*]")
    assert handle.paths == ["blocks[0]", "blocks[1]", "blocks[2]"]
    np.testing.assert_allclose(fit(again, 3), fit(plain, 3), rtol=1e-5)
    for a, b in zip(again.weights, plain.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6)
    before = versions.structure
    handle.remove()
    assert versions.structure > before
    fit(again)


def test_remat_recomputes_inner_values():
    class Counting(tf.keras.layers.Layer):
        def call(self, x):
            return tf.tanh(tf.sin(x))

    class Chain(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Counting()

        def call(self, x):
            return self.inner(x)

    model = Chain()
    x = tf.Variable(X)

    def equations():
        @tf.function
        def step():
            with tf.GradientTape() as tape:
                y = model(x)
            return tape.gradient(y, x)

        trace = step.get_concrete_function().trace
        return [signature.name for signature, _, _ in trace.walk()]

    assert "tanh" in equations()
    model.remat("inner")
    names = equations()
    assert "tanh" not in names
    assert "_recomputed" in names


def test_remat_passes_masks_and_structures():
    class Inner(tf.keras.layers.Layer):
        supports_masking = True

        def call(self, inputs, scale=1.0, mask=None):
            x = inputs["x"] * scale
            return {"y": x * tf.cast(mask["x"][..., None], x.dtype), "n": None}

    class Outer(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.embed = tf.keras.layers.Embedding(5, 2, mask_zero=True)
            self.inner = Inner()

        def call(self, ids):
            return self.inner({"x": self.embed(ids)}, scale=2.0)["y"]

    model = Outer()
    ids = np.array([[1, 2, 0]])
    wanted = model(ids).numpy()
    model.remat("inner")
    np.testing.assert_array_equal(model(ids).numpy(), wanted)
    assert not wanted[0, 2].any()


def test_a_compiled_model_trains_on_after_a_layer_was_replaced():
    model = net()
    fit(model)
    model.replace("head", lambda old: tf.keras.layers.Dense(1))
    before = [v.numpy() for v in model.blocks[0].weights]
    fit(model)
    assert any((a != v.numpy()).any() for a, v in zip(before, model.blocks[0].weights, strict=True))
