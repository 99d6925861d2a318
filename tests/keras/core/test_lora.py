"""Low-rank adapters: `lora_rank` and `enable_lora` of the layers with a kernel."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

RNG = np.random.RandomState(0)

ADAPTABLE = {
    "Dense": (lambda **k: L.Dense(3, **k), (2, 4)),
    "EinsumDense": (lambda **k: L.EinsumDense("abc,cd->abd", (None, 3), **k), (2, 5, 4)),
    "Conv1D": (lambda **k: L.Conv1D(3, 2, **k), (2, 5, 4)),
    "Conv2D": (lambda **k: L.Conv2D(3, 2, strides=2, **k), (2, 5, 5, 4)),
    "Embedding": (lambda **k: L.Embedding(5, 3, **k), (2, 4)),
}


@pytest.fixture(params=ADAPTABLE)
def case(request):
    make, shape = ADAPTABLE[request.param]
    x = RNG.randint(0, 5, shape) if request.param == "Embedding" else RNG.randn(*shape)
    return make, x.astype("int32" if request.param == "Embedding" else "float32")


def test_the_adapter_adds_a_product_of_low_rank(case):
    make, x = case
    plain, layer = make(), make(lora_rank=2, lora_alpha=6)
    y = layer(x)
    plain(x)
    name = layer._lm_adapted
    frozen = layer.__dict__[name]
    a, b = (layer.__dict__[f"lora_{name}_{side}"] for side in "ab")
    assert a.shape == (*frozen.shape[:-1], 2)
    assert b.shape == (2, 3)
    rest = layer.get_weights()
    plain.set_weights(rest[: len(plain.weights)])
    assert_close(y, plain(x))  # B starts at 0
    b.assign(RNG.randn(2, 3))
    total = frozen.numpy() + 3 * np.tensordot(a.numpy(), b.numpy(), 1)
    assert_close(getattr(layer, name), total)
    plain.set_weights([total, *rest[1 : len(plain.weights)]])
    assert_close(layer(x), plain(x))


def test_training_leaves_the_kernel_as_it_is(case):
    make, x = case
    layer = make(lora_rank=1, use_bias=False) if "use_bias" in vars(make()) else make(lora_rank=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    names = [v.name for v in layer.trainable_variables]
    assert len(names) == 2
    assert all(name.startswith("lora_") for name in names)
    assert all(g is not None for g in tape.gradient(loss, layer.trainable_variables))


def test_config_keeps_rank_and_alpha_only_where_there_is_an_adapter(case):
    make, x = case
    assert "lora_rank" not in make().get_config()
    layer = make()
    layer(x)
    layer.enable_lora(2, lora_alpha=4)
    config = layer.get_config()
    assert (config["lora_rank"], config["lora_alpha"]) == (2, 4)
    assert type(layer).from_config(config).get_config() == config


def test_files_hold_the_sum_and_loading_starts_anew(tmp_path):
    model = tf.keras.Sequential([tf.keras.Input((4,)), L.Dense(3)])
    model.layers[0].enable_lora(2)
    model.layers[0].lora_kernel_b.assign(RNG.randn(2, 3))
    x = RNG.randn(2, 4).astype("float32")
    y = model(x)
    model.save_weights(tmp_path / "m.weights.h5")
    plain = tf.keras.Sequential([tf.keras.Input((4,)), L.Dense(3)])
    plain.load_weights(tmp_path / "m.weights.h5")
    assert_close(plain(x), y)
    model.load_weights(tmp_path / "m.weights.h5")
    assert_close(model(x), y)
    assert_close(model.layers[0].lora_kernel_b, np.zeros((2, 3)))


def test_a_compiled_step_trains_the_adapter():
    model = tf.keras.Sequential([tf.keras.Input((4,)), L.Dense(3)])
    kernel = model.layers[0].kernel.numpy()
    model.compile("sgd", "mse")
    x, y = RNG.randn(8, 4), RNG.randn(8, 3)
    model.fit(x, y, verbose=0)
    moved = model.layers[0].kernel.numpy()
    model.layers[0].enable_lora(1)
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert np.abs(moved - kernel).max() > 0
    assert_close(model.layers[0].__dict__["kernel"], moved)
    assert np.abs(model.layers[0].lora_kernel_b.numpy()).max() > 0


def test_mixed_precision_keeps_the_adapter_in_float32():
    layer = L.Dense(3, lora_rank=2, dtype="mixed_bfloat16")
    assert layer(tf.ones((2, 4))).dtype == tf.bfloat16
    assert {w.dtype for w in layer.weights} == {"float32"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Dense(3).enable_lora(2), "`enable_lora` needs the layer's kernel, but the"),
        (lambda: _twice(L.Dense(3)), "`enable_lora` works once for a layer"),
        (
            lambda: L.Conv1D(3, 2, lora_rank=2, kernel_constraint="max_norm")(tf.ones((1, 4, 2))),
            "`enable_lora` needs a kernel without constraint",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert message in str(error.value)


def _twice(layer):
    layer(tf.ones((2, 4)))
    layer.enable_lora(2)
    layer.enable_lora(2)
