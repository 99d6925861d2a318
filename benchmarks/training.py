"""Training steps: a custom loop, tf.function and fit against one jitted JAX step."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.models import EPSILON, Case, raw_step
from benchmarks.timing import Ratio, interleaved, ratio

__all__ = ["FIT_STEPS", "measure_training"]

FIT_STEPS = 64  # steps in one epoch of fit


def raw_loop(case: Case, weights: list[np.ndarray]) -> Callable[[int], Any]:
    """Return the hand-written way: n jitted steps on arrays that are on the device."""
    optimizer, step = raw_step(case.apply)
    params = [jnp.asarray(w) for w in weights]
    state = optimizer.init(params)
    batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in case.batches()]

    def run(n: int) -> float:
        nonlocal params, state
        loss = None
        for i in range(n):
            x, y = batches[i % len(batches)]
            params, state, loss = step(params, state, x, y)
        jax.block_until_ready((params, state))
        return float(loss)

    return run


def raw_epochs(case: Case, weights: list[np.ndarray]) -> Callable[[int], Any]:
    """Return the hand-written counterpart of fit: epochs over NumPy arrays, loss averaged."""
    optimizer, step = raw_step(case.apply)
    params = [jnp.asarray(w) for w in weights]
    state = optimizer.init(params)
    xs, ys = map(np.concatenate, zip(*case.batches(FIT_STEPS), strict=True))

    def run(n: int) -> float:
        nonlocal params, state
        mean = 0.0
        for _ in range(n):
            losses = []
            for at in range(0, len(xs), case.batch):
                end = at + case.batch
                params, state, loss = step(params, state, xs[at:end], ys[at:end])
                losses.append(loss)
            jax.block_until_ready((params, state))
            mean = float(np.mean([float(x) for x in losses]))
        return mean

    return run


def keras_loop(tf: Any, model: Any, case: Case, decorate: Any = None) -> Callable[[int], Any]:
    """Return a TF 2 custom loop: tape, gradient, apply_gradients.

    Args:
        tf: lamina, or TensorFlow.
        model: The built model.
        case: Its case.
        decorate: What to wrap the step in, such as `tf.function`; None leaves it bare.
    """
    optimizer = tf.keras.optimizers.Adam(1e-3, epsilon=EPSILON)
    optimizer.build(model.trainable_variables)
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batches = [(tf.constant(x), tf.constant(y)) for x, y in case.batches()]

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    if decorate is not None:
        step = decorate(step)

    def run(n: int) -> float:
        loss = None
        for i in range(n):
            x, y = batches[i % len(batches)]
            loss = step(x, y)
        optimizer.iterations.numpy()  # all of a step's results are ready together
        model.trainable_variables[-1].numpy()
        return float(loss)

    return run


def keras_fit(keras: Any, model: Any, case: Case, **options: Any) -> Callable[[int], Any]:
    """Return `fit` for n epochs of FIT_STEPS batches."""
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **options,
    )
    xs, ys = map(np.concatenate, zip(*case.batches(FIT_STEPS), strict=True))

    def run(n: int) -> float:
        fitted = model.fit(xs, ys, batch_size=case.batch, epochs=n, shuffle=False, verbose=0)
        return fitted.history["loss"][-1]

    return run


def built(keras: Any, case: Case, weights: list[np.ndarray] | None = None) -> Any:
    """Return the case's model, built, with the given weights."""
    model = case.model(keras)
    model(case.batches(1)[0][0])
    if weights is not None:
        model.set_weights(weights)
    return model


def measure_training(tf: Any, case: Case, rounds: int, chunk: float) -> dict[str, Ratio]:
    """Return the ratios of lamina's three ways to hand-written JAX, for one case.

    Raises:
        AssertionError: lamina and JAX do not compute the same losses.
    """
    weights = built(tf.keras, case).get_weights()

    def model() -> Any:
        return built(tf.keras, case, weights)

    check = {"raw": raw_loop(case, weights), "tape": keras_loop(tf, model(), case)}
    losses = [run(5) for run in check.values()]
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-3, err_msg="not the same model")

    loops = interleaved(
        {
            "raw": raw_loop(case, weights),
            "custom loop": keras_loop(tf, model(), case),
            "tf.function": keras_loop(tf, model(), case, tf.function),
        },
        rounds,
        chunk,
    )
    epochs = interleaved(
        {"raw": raw_epochs(case, weights), "fit": keras_fit(tf.keras, model(), case)},
        rounds,
        chunk,
        warmup=1,
    )
    fit, base = (epochs[k] / FIT_STEPS for k in ("fit", "raw"))
    found = {k: ratio(loops[k], loops["raw"]) for k in ("custom loop", "tf.function")}
    return {**found, "fit": ratio(fit, base)}
