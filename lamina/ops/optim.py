"""Update rules of the optimizers: pure functions of one variable, its gradient and its slots.

A rule is ``rule(value, grad, step, lr, *slots, **settings) -> (value, *slots)`` where

- ``value`` is the variable; ``grad`` its `Gradient`; all in the variable's dtype;
- ``step`` is the number of this step, from 1, and ``lr`` the learning rate, in that dtype too;
- ``weight_decay`` (None or a factor) first takes ``value * weight_decay * lr`` off the value.

`bound` binds a rule to its settings; `together` makes one operation, one equation, of the updates
of all variables of a step.
"""

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp

from lamina.engine import op

__all__ = [
    "accumulated",
    "all_finite",
    "averaged",
    "bound",
    "clipped_by_global_norm",
    "clipped_by_norm",
    "clipped_by_value",
    "decayed",
    "densified",
    "emptied",
    "grown_scale",
    "is_last",
    "nadam_product",
    "next_step",
    "selected",
    "together",
    "transform_init",
    "transform_state_names",
    "transform_update",
]


class Gradient:
    """A gradient inside a rule: an array, or rows at indices (`tf.IndexedSlices`).

    TF applies a function to the rows as they come and adds up those with equal indices after it,
    which differs for a square: ``each(jnp.square)`` keeps to that.
    """

    def __init__(self, values, indices, value):
        self.values = values.astype(value.dtype)
        self.indices = indices
        self.value = value

    @property
    def dense(self):
        """The gradient as an array of the variable's shape."""
        return self.each(lambda x: x)

    def each(self, fn):
        """Return `fn` of the gradient as an array of the variable's shape."""
        if self.indices is None:
            return fn(self.values)
        return jnp.zeros_like(self.value).at[self.indices].add(fn(self.values))


@functools.lru_cache(maxsize=1024)
def bound(rule, slots, traced: Any = (), **settings):
    """Return the function ``(step, lr, grad, indices, value, *slots, *traced)`` of a rule.

    Args:
        rule: The pure function.
        slots: How many slots it takes.
        traced: Names of settings that come as operands, since they change during training.
        **settings: The other settings, as constants of the program.

    Returns:
        A function on arrays, the same one for equal arguments, for `together`. ``step`` is the
        number of steps before this one; ``indices`` are those of a gradient in rows, or None;
        operands may have any float dtype.
    """

    def update(step, lr, grad, indices, value, *rest):
        dtype = value.dtype
        late = {n: v.astype(dtype) for n, v in zip(traced, rest[slots:], strict=True)}
        new = rule(
            value,
            Gradient(grad, indices, value),
            (step + 1).astype(dtype),
            lr.astype(dtype),
            *rest[:slots],
            **settings,
            **late,
        )
        return [x.astype(old.dtype) for x, old in zip(new, (value, *rest), strict=False)]

    # Variables of one type share a trace: a network has tens of them, and each took milliseconds.
    return jax.jit(update)


@functools.lru_cache(maxsize=256)
def together(updates, dense, counts):
    """Return one operation ``(step, lr, *gradients, *state)`` for the updates of many variables.

    Args:
        updates: What `bound` returned for each variable.
        dense: Whether each gradient is one operand, or two: rows and their indices.
        counts: How many operands follow for each variable: its value, slots, traced settings.

    Returns:
        The operation; it gives the new values and slots of all variables in one list.
    """

    def update(step, lr, *operands):
        given = iter(operands)
        grads = [(next(given), None if is_dense else next(given)) for is_dense in dense]
        new = []
        for one, grad, count in zip(updates, grads, counts, strict=True):
            new += one(step, lr, *grad, *itertools.islice(given, count))
        return new

    return op(mixed=True, differentiable=False)(update)


def _decay(value, lr, weight_decay):
    return value if weight_decay is None else value - value * _rounded(weight_decay, value) * lr


def _rounded(setting, like):
    """Return a setting in the dtype of ``like``, by way of float32 as `tf.cast` of a float.

    In float64 this shows: ``1 - beta ** step`` differs by 1e-5 of its value.
    """
    return jnp.asarray(setting, jnp.float32).astype(like.dtype)


def _power(base, exponent):
    return jnp.power(_rounded(base, exponent), exponent)


def sgd(value, grad, step, lr, *slots, momentum, nesterov, weight_decay):
    """Gradient descent; with a slot, heavy-ball or Nesterov momentum.

    Reference: Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html, eq. 1-4.
    """
    value = _decay(value, lr, weight_decay)
    scaled = grad.dense * lr
    momentum = _rounded(momentum, value)
    if not slots:
        return (value - scaled,)
    m = slots[0] * momentum - scaled
    return value + (m * momentum - scaled if nesterov else m), m


def adam(value, grad, step, lr, m, v, *v_max, beta_1, beta_2, epsilon, weight_decay):
    """Adam, and AMSGrad if a third slot holds the largest second moment so far.

    Reference: Kingma & Ba 2014, https://arxiv.org/abs/1412.6980, end of section 2; Reddi et al.
    2018, https://openreview.net/forum?id=ryQu7f-RZ, algorithm 2.
    """
    value = _decay(value, lr, weight_decay)
    alpha = lr * jnp.sqrt(1 - _power(beta_2, step)) / (1 - _power(beta_1, step))
    m = m + (grad.dense - m) * (1 - beta_1)
    v = v + (grad.each(jnp.square) - v) * (1 - beta_2)
    v_max = [jnp.maximum(old, v) for old in v_max]
    return value - m * alpha / (jnp.sqrt(v_max[0] if v_max else v) + epsilon), m, v, *v_max


def adamax(value, grad, step, lr, m, u, *, beta_1, beta_2, epsilon, weight_decay):
    """Adam with the infinity norm.

    Reference: Kingma & Ba 2014, https://arxiv.org/abs/1412.6980, section 7.1.
    """
    value = _decay(value, lr, weight_decay)
    m = m + (grad.dense - m) * (1 - beta_1)
    u = jnp.maximum(beta_2 * u, grad.each(jnp.abs))
    return value - lr * m / ((1 - _power(beta_1, step)) * (u + epsilon)), m, u


def nadam(value, grad, step, lr, m, v, product, *, beta_1, beta_2, epsilon, weight_decay):
    """Adam with Nesterov momentum; ``product`` is the product of all momenta up to this step.

    Reference: Dozat 2016, http://cs229.stanford.edu/proj2015/054_report.pdf, algorithm 8.
    """
    value = _decay(value, lr, weight_decay)
    g = grad.dense
    beta_1, beta_2 = _rounded(beta_1, value), _rounded(beta_2, value)
    now = _nadam_momentum(beta_1, step)
    after = _nadam_momentum(beta_1, step + 1)
    product = product.astype(value.dtype)
    m = m + (g - m) * (1 - beta_1)
    v = v + (grad.each(jnp.square) - v) * (1 - beta_2)
    m_hat = after * m / (1 - product * after) + (1 - now) * g / (1 - product)
    v_hat = v / (1 - _power(beta_2, step))
    return value - m_hat * lr / (jnp.sqrt(v_hat) + epsilon), m, v


def _nadam_momentum(beta_1, step):
    return beta_1 * (1 - 0.5 * _power(0.96, step))


@op(mixed=True, differentiable=False)
def nadam_product(product, step, beta_1):
    """Return the product of Nadam's momenta including this step's.

    ``step`` is the number of steps before this one. All operands are scalars.
    """
    dtype = product.dtype
    return product * _nadam_momentum(beta_1.astype(dtype), (step + 1).astype(dtype))


def lamb(value, grad, step, lr, m, v, *, beta_1, beta_2, epsilon, weight_decay):
    """Adam whose step is scaled to the norm of the variable, for large batches.

    Reference: You et al. 2019, https://arxiv.org/abs/1904.00962, algorithm 2.
    """
    value = _decay(value, lr, weight_decay)
    m = m + (grad.dense - m) * (1 - beta_1)
    v = v + (grad.each(jnp.square) - v) * (1 - beta_2)
    v_hat = v / (1 - _power(beta_2, step))
    update = m / (1 - _power(beta_1, step)) / (jnp.sqrt(v_hat) + epsilon)
    size = jnp.sqrt(jnp.sum(jnp.square(value)))
    length = jnp.sqrt(jnp.sum(jnp.square(update)))
    safe = jnp.where(length > 0, length, 1)
    ratio = jnp.where((size > 0) & (length > 0), size / safe, 1)
    return value - ratio * lr * update, m, v


def rmsprop(value, grad, step, lr, v, *rest, rho, momentum, epsilon, centered, weight_decay):
    """Steps divided by a running root mean square of the gradients.

    The slots after ``v`` are the momentum, if any, then the mean gradient if centered.
    Reference: Hinton 2012, lecture 6e, http://www.cs.toronto.edu/~tijmen/csc321/.
    """
    value = _decay(value, lr, weight_decay)
    g = grad.dense
    v = rho * v + (1 - rho) * grad.each(jnp.square)
    spread = v
    means = []
    if centered:
        means = [rho * rest[-1] + (1 - rho) * g]
        spread = v - jnp.square(means[0])
    step_taken = lr * g / jnp.sqrt(spread + epsilon)
    if len(rest) == len(means):
        return value - step_taken, v, *means
    m = momentum * rest[0] + step_taken
    return value - m, v, m, *means


def adagrad(value, grad, step, lr, total, *, epsilon, weight_decay):
    """Steps divided by the root of the sum of all squared gradients.

    Reference: Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html, figure 1.
    """
    value = _decay(value, lr, weight_decay)
    total = total + grad.each(jnp.square)
    return value - lr * grad.dense / jnp.sqrt(total + epsilon), total


def adadelta(value, grad, step, lr, v, delta, *, rho, epsilon, weight_decay):
    """Steps in the unit of the variable: root mean squares of past steps over gradients.

    Reference: Zeiler 2012, https://arxiv.org/abs/1212.5701, algorithm 1.
    """
    value = _decay(value, lr, weight_decay)
    v = rho * v + (1 - rho) * grad.each(jnp.square)
    change = -jnp.sqrt(delta + epsilon) * grad.dense / jnp.sqrt(v + epsilon)
    delta = rho * delta + (1 - rho) * jnp.square(change)
    return value + lr * change, v, delta


def ftrl(value, grad, step, lr, total, linear, *, power, l1, l2, shrinkage, beta, weight_decay):
    """Follow the regularized leader, proximal; ``power`` is the (negative) learning rate power.

    Reference: McMahan et al. 2013, https://research.google/pubs/pub41159/, algorithm 1.
    """
    value = _decay(value, lr, weight_decay)
    l2 = l2 + beta / (2.0 * lr)
    before, after = total, total + grad.each(jnp.square)
    grown = (jnp.power(after, -power) - jnp.power(before, -power)) / lr
    linear = linear + grad.dense + 2 * shrinkage * value - grown * value
    quadratic = jnp.power(after, -power) / lr + 2 * l2
    return (jnp.clip(linear, -l1, l1) - linear) / quadratic, after, linear


def lion(value, grad, step, lr, m, *, beta_1, beta_2, weight_decay):
    """Steps by the sign of an interpolated momentum.

    Reference: Chen et al. 2023, https://arxiv.org/abs/2302.06675, algorithm 2.
    """
    value = _decay(value, lr, weight_decay)
    g = grad.dense
    beta_1, beta_2 = _rounded(beta_1, value), _rounded(beta_2, value)
    direction = jnp.sign(m * beta_1 + g * (1 - beta_1))
    return value - lr * direction, m * beta_2 + g * (1 - beta_2)


def adafactor(
    value,
    grad,
    step,
    lr,
    *slots,
    beta_2_decay,
    epsilon_1,
    epsilon_2,
    clip_threshold,
    relative_step,
    weight_decay,
):
    """Adam with factored second moments: slots (rows, columns, v), or (v) below two axes.

    Reference: Shazeer & Stern 2018, https://arxiv.org/abs/1804.04235, algorithms 4 and 5.
    """
    value = _decay(value, lr, weight_decay)
    most = 1 / jnp.sqrt(step)
    lr = jnp.minimum(lr, most) if relative_step else lr
    scale = jnp.maximum(_rounded(epsilon_2, value), _rms(value)) * jnp.minimum(lr, most)
    g = grad.dense
    square = grad.each(jnp.square) + epsilon_1
    keep = 1 - jnp.power(step, beta_2_decay)
    if len(slots) == 1:
        slots = (keep * slots[0] + (1 - keep) * square,)
    else:
        rows = keep * slots[0] + (1 - keep) * jnp.mean(square, axis=-1)
        columns = keep * slots[1] + (1 - keep) * jnp.mean(square, axis=-2)
        shares = rows / jnp.mean(rows, axis=-1, keepdims=True)
        slots = rows, columns, shares[..., None] * columns[..., None, :]
    update = g / jnp.sqrt(slots[-1])
    return value - scale * update / jnp.maximum(1, _rms(update) / clip_threshold), *slots


def _rms(x):
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def muon(
    value, grad, step, lr, m, *, momentum, nesterov, ns_steps, a, b, c, rms_rate, weight_decay
):
    """Momentum whose matrix is made nearly orthogonal by Newton-Schulz steps.

    Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; Liu et al. 2025,
    https://arxiv.org/abs/2502.16982, eq. 4 (the factor ``rms_rate * sqrt(max(rows, columns))``).
    """
    value = _decay(value, lr, weight_decay)
    g = grad.dense
    m = m + g + m * (momentum - 1)
    x = g + momentum * m if nesterov else m
    tall = x.shape[-2] > x.shape[-1]
    x = jnp.swapaxes(x, -1, -2) if tall else x
    x = x / (jnp.linalg.norm(x, axis=(-2, -1), keepdims=True) + 1e-7)
    for _ in range(ns_steps):
        gram = x @ jnp.swapaxes(x, -1, -2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    x = lr * (jnp.swapaxes(x, -1, -2) if tall else x)
    if rms_rate is not None:
        x = x * jnp.sqrt(jnp.asarray(max(x.shape), x.dtype)) * rms_rate
    return value - x, m


def muon_adam(value, grad, step, lr, m, v, *, ratio, beta_1, beta_2, epsilon, weight_decay):
    """Adam for what Muon leaves out, with ``ratio`` times the learning rate."""
    value = _decay(value, lr, weight_decay)
    settings = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    return adam(value, grad, step, lr * ratio, m, v, **settings, weight_decay=None)


def schedule_free_adamw(
    value, grad, step, lr, z, v, *, beta_1, beta_2, epsilon, warmup_steps, weight_decay
):
    """AdamW whose iterates are averaged instead of decaying the learning rate.

    ``value`` is the point y at which gradients are taken; the slot z follows the gradients; the
    average x is recovered from both.
    Reference: Defazio et al. 2024, https://arxiv.org/abs/2405.15682, algorithm 1.
    """
    value = _decay(value, lr, weight_decay)
    if warmup_steps > 0:
        lr = lr * jnp.minimum(step / warmup_steps, 1.0)
    beta_1, beta_2, epsilon = (_rounded(s, value) for s in (beta_1, beta_2, epsilon))
    v = v + (grad.each(jnp.square) - v) * (1 - beta_2)
    scale = jnp.sqrt(v / (1 - _power(beta_2, step))) + epsilon
    z = z - lr * grad.dense / scale
    # The paper takes the old z here; Keras on TensorFlow has the new one, and so its numbers.
    x = (value - (1 - beta_1) * z) / beta_1
    x = (1 - 1 / step) * x + z / step
    return (1 - beta_1) * z + beta_1 * x, z, v


# ---- around the rules -----------------------------------------------------------------------


@op(mixed=True, differentiable=False)
def next_step(step):
    """Return ``step + 1``."""
    return step + 1


@op(mixed=True, differentiable=False)
def densified(rows, indices, value):
    """Return rows at indices as an array like ``value``; rows of equal indices add up."""
    return Gradient(rows, indices, value).dense


@op(mixed=True, differentiable=False)
def decayed(value, lr, weight_decay):
    """Return ``value`` less ``value * weight_decay * lr``, in its own dtype."""
    return _decay(value, lr.astype(value.dtype), weight_decay.astype(value.dtype))


@op(differentiable=False)
def clipped_by_norm(grad, *, norm):
    """Return ``grad`` scaled down, if need be, to the L2 norm ``norm``."""
    square = jnp.sum(jnp.square(grad))
    length = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), square)
    return grad * norm / jnp.maximum(length, jnp.asarray(norm, grad.dtype))


@op(differentiable=False)
def clipped_by_value(grad, *, limit):
    """Return ``grad`` limited to ``[-limit, limit]``."""
    return jnp.clip(grad, -limit, limit)


@op(mixed=True, differentiable=False)
def clipped_by_global_norm(*grads, norm):
    """Return all gradients scaled by one factor, so that their joint L2 norm is at most ``norm``.

    A norm that is not finite makes all of them NaN, as in TF.
    """
    squares = [jnp.sum(jnp.square(g)) for g in grads]
    length = jnp.sqrt(sum(squares[1:], squares[0]))
    scale = norm * jnp.minimum(1 / length, jnp.asarray(1 / norm, length.dtype))
    scale = scale + (length - length)
    return [g * scale.astype(g.dtype) for g in grads]


@op(mixed=True, differentiable=False)
def averaged(value, average, step, *, momentum, frequency):
    """Return the moving average of a variable, then the variable's value.

    The value becomes the average in each ``frequency``-th step; ``step`` counts those before.
    """
    keep = (step != 0).astype(value.dtype) * momentum
    average = keep * average + (1 - keep) * value
    if frequency is None:
        return average, value
    return average, jnp.where((step + 1) % frequency == 0, average, value)


@op(mixed=True, differentiable=False)
def accumulated(grad, total, step, *, steps):
    """Return the mean gradient and the sum kept for the next step.

    The sum is 0 after each ``steps``-th step; only then is the mean one of all those steps.
    """
    total = total + grad.astype(total.dtype)
    return total / steps, jnp.where((step + 1) % steps == 0, jnp.zeros_like(total), total)


@op(mixed=True, differentiable=False)
def emptied(total, step, *, steps):
    """Return a gradient sum, 0 after each ``steps``-th step."""
    return jnp.where((step + 1) % steps == 0, jnp.zeros_like(total), total)


@op(mixed=True, differentiable=False)
def is_last(step, *, steps):
    """Return whether this is the last of each ``steps`` steps; ``step`` counts those before."""
    return (step + 1) % steps == 0


@op(mixed=True, differentiable=False)
def selected(condition, *values):
    """Return the first half of ``values`` if the condition holds, else the second half."""
    half = len(values) // 2
    return [jnp.where(condition, new, old) for new, old in zip(values[:half], values[half:])]  # noqa: B905


@op(mixed=True, differentiable=False)
def all_finite(*values):
    """Return whether no element of any of the arrays is infinite or NaN."""
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(v)) for v in values]))


@op(mixed=True, differentiable=False)
def grown_scale(scale, count, finite, *, growth_steps):
    """Return loss scale and count of good steps: halved and 0 after a step that was not finite.

    After ``growth_steps`` good steps in a row the scale doubles.
    """
    grows = count == growth_steps - 1
    up = jnp.where(grows, scale * 2, scale)
    count = jnp.where(finite & ~grows, count + 1, jnp.zeros_like(count))
    return jnp.where(finite, up, scale * 0.5), count


# ---- optax ----------------------------------------------------------------------------------


@op(mixed=True, differentiable=False)
def transform_init(*values, transform, names):
    """Return the leaves of the first state of an optax transformation.

    Args:
        *values: The variables' values.
        transform: The transformation, in an object that hashes by identity.
        names: The variables' names, the keys of the parameters' dict.
    """
    return jax.tree.leaves(_arrays(transform.init(dict(zip(names, values, strict=True)))))


@op(mixed=True, differentiable=False)
def transform_update(lr, *leaves, transform, names):
    """Return the new values, then the leaves of the new state, of an optax transformation.

    Args:
        lr: Factor on the updates.
        *leaves: Gradients, values, and the leaves of the state.
        transform: The transformation, in an object that hashes by identity.
        names: The variables' names, the keys of the parameters' dict.
    """
    count = len(names)
    values = dict(zip(names, leaves[count : 2 * count], strict=True))
    grads = {n: g.astype(values[n].dtype) for n, g in zip(names, leaves[:count], strict=True)}
    form = jax.tree.structure(jax.eval_shape(lambda p: _arrays(transform.init(p)), values))
    state = jax.tree.unflatten(form, leaves[2 * count :])
    updates, state = transform.update(grads, state, values)
    new = [(values[n] + updates[n] * lr).astype(values[n].dtype) for n in names]
    kept = zip(jax.tree.leaves(state), leaves[2 * count :], strict=True)
    return new + [jnp.asarray(x).astype(old.dtype) for x, old in kept]


def _arrays(state):
    return jax.tree.map(jnp.asarray, state)


@functools.lru_cache(maxsize=64)
def transform_state_names(transform, names, shapes, dtypes):
    """Return the name of each leaf of the first state of an optax transformation.

    Args:
        transform: The transformation, in an object that hashes by identity.
        names: The variables' names.
        shapes: Their shapes.
        dtypes: Their NumPy dtypes.
    """
    like = {n: jax.ShapeDtypeStruct(*t) for n, t in zip(names, zip(shapes, dtypes), strict=True)}  # noqa: B905
    with jax.enable_x64(True):
        state = jax.eval_shape(lambda p: _arrays(transform.init(p)), like)
    found = jax.tree_util.tree_flatten_with_path(state)[0]
    return tuple(jax.tree_util.keystr(path) for path, _ in found)
