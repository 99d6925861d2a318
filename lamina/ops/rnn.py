"""Recurrent kernels: a whole sequence in one operation.

On GPU and TPU the inputs of all steps are projected by one matrix product before the scan; on CPU
each step projects its own, which XLA runs 1.4 to 1.8 times as fast. Weights have Keras's layout:
U units, F features, ``kernel (F, G U)``, ``recurrent_kernel (U, G U)``, ``bias (G U,)``, with the
G gates side by side.

Shared arguments:

- ``x``: ``(B, T, F)``, or ``(T, B, F)`` if ``time_major``.
- ``mask``: boolean ``(B, T)`` (or ``(T, B)``), or None. A masked step keeps the state, and gives
  the output of the step before it (zeros before the first), or zeros if ``zero_output_for_mask``.
- ``input_mask`` ``(G or 1, B, F)`` and ``recurrent_mask`` ``(G or 1, B, U)``: dropout factors for
  each gate, the same at every step, or None.
- ``activation``, ``recurrent_activation``: names from `ACTIVATIONS`.
- ``return_sequences``: Give the outputs of all steps, not of the last only.
- ``go_backwards``: Run from the last step to the first; outputs come in that order.
- ``unroll``: Write out a few steps at a time in the loop. All of them would take minutes to compile
  (0.6 s a step of a GRU with its gradient on CPU).
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.ops import activation as smooth
from lamina.ops import piecewise

__all__ = ["ACTIVATIONS", "gru", "hold_outputs", "lstm", "simple_rnn"]

_WRITTEN_OUT = 4  # steps of an unrolled loop that one turn holds


def _linear(x):
    return x


def _bodies():
    """Return name → function of arrays, for every activation that takes one argument."""
    found = {"linear": _linear, "tanh": jnp.tanh, "exponential": jnp.exp}
    for module in (smooth, piecewise):
        for name in module.__all__:
            body = getattr(getattr(module, name), "body", None)
            if body is not None and name not in ("crelu", "glu", "threshold"):
                found[name] = body
    found["silu"] = found["swish"] = lambda x: x * lax.logistic(x)
    return found


ACTIVATIONS = _bodies()


def _activation(name):
    try:
        return ACTIVATIONS[name]
    except KeyError:
        raise ValueError(
            f"the activation must be one of {', '.join(sorted(ACTIVATIONS))}; got {name!r}.\n"
            "  Fix: run a cell with an activation of your own step by step."
        ) from None


def _split(array, gates):
    return jnp.split(array, gates, axis=-1)


def _matmul(x, weights, dropout, gates):
    """Return ``x @ weights``, each gate's columns from its own dropped-out x.

    Shapes: x ``(…, B, F)``, weights ``(F, G U)``, dropout ``(G or 1, B, F)`` → ``(…, B, G U)``.
    """
    if dropout is None:
        return jnp.matmul(x, weights)
    if dropout.shape[0] == 1:
        return jnp.matmul(x * dropout[0], weights)
    parts = zip(dropout, _split(weights, gates), strict=True)
    return jnp.concatenate([jnp.matmul(x * factor, part) for factor, part in parts], axis=-1)


def _check(x, kernel, recurrent_kernel, gates):
    units = recurrent_kernel.shape[0]
    if x.ndim != 3 or kernel.shape != (x.shape[-1], gates * units):
        raise ValueError(
            f"the inputs must be (batch, time, features), with features of the kernel; got inputs "
            f"{tuple(x.shape)}, kernel {tuple(kernel.shape)}, recurrent kernel "
            f"{tuple(recurrent_kernel.shape)}.\n  Fix: the kernel is (features, {gates} * units)."
        )
    return units


def _state(state, x, units):
    """Return the initial state, zeros ``(B, U)`` if it is not given; x is time-major."""
    return jnp.zeros((x.shape[1], units), x.dtype) if state is None else state


def _projected(x, project):
    """Return what a scan goes over, and what is left to do with it in each step.

    Args:
        x: ``(T, B, F)``.
        project: ``(…, B, F) → (…, B, G U)``.
    """
    if jax.default_backend() == "cpu":
        return x, project
    return project(x), _linear


def _run(step, sequence, states, mask, settings):
    """Scan a cell over time.

    Args:
        step: ``(projected input, states) → states``; the first state is the output.
        sequence: What `_projected` gives: an array ``(T, B, …)``, and the projection of a step.
        states: The initial states, ``(B, U)`` each.
        mask: ``(T, B)`` or None.
        settings: The static arguments, see above.

    Returns:
        ``(output, *states)``.
    """

    def body(carry, now):
        states, last = carry
        x, keep = now
        after = step(project(x), states)
        output = after[0]
        if keep is not None:
            after = tuple(jnp.where(keep, a, b) for a, b in zip(after, states, strict=True))
            output = jnp.where(keep, output, jnp.zeros_like(output) if zero else last)
            last = None if zero else output
        return (after, last), output if sequences else None

    inputs, project = sequence
    zero, sequences = settings["zero_output_for_mask"], settings["return_sequences"]
    if mask is not None:
        mask = mask.astype(bool)[..., None]
    last = None if mask is None or zero else jnp.zeros_like(states[0])
    outputs: Any
    (final, last), outputs = lax.scan(
        body,
        (tuple(states), last),
        (inputs, mask),
        reverse=settings["go_backwards"],
        unroll=_WRITTEN_OUT if settings["unroll"] else 1,
    )
    if sequences:
        # A reverse scan stacks outputs at their places in time; Keras gives them as computed.
        outputs = jnp.flip(outputs, 0) if settings["go_backwards"] else outputs
        output = outputs if settings["time_major"] else jnp.swapaxes(outputs, 0, 1)
    elif last is not None:
        output = last
    else:
        output = final[0]
        if mask is not None:
            output = jnp.where(mask[0 if settings["go_backwards"] else -1], output, 0)
    return output, *final


def _time_first(array, time_major):
    return array if array is None or time_major else jnp.swapaxes(array, 0, 1)


@op(mixed=True)
def lstm(
    x,
    h,
    c,
    kernel,
    recurrent_kernel,
    bias,
    mask,
    input_mask,
    recurrent_mask,
    *,
    activation="tanh",
    recurrent_activation="sigmoid",
    return_sequences=False,
    go_backwards=False,
    time_major=False,
    unroll=False,
    zero_output_for_mask=False,
):
    """Run a long short-term memory over sequences; gates stand in the order i, f, c, o.

    ``c' = σ(f) c + σ(i) tanh(g)``, ``h' = σ(o) tanh(c')``, the gates linear in x and h.

    Args:
        x: The sequences; this and what is not listed here: see the module's docstring.
        h: ``(B, U)``, or None for zeros.
        c: ``(B, U)``, or None for zeros.
        kernel: ``(F, 4 U)``.
        recurrent_kernel: ``(U, 4 U)``.
        bias: ``(4 U,)``, or None.
        mask: Which steps count, or None.
        input_mask: Dropout factors of the inputs, or None.
        recurrent_mask: Dropout factors of the states, or None.
        activation: Of the candidate and the output.
        recurrent_activation: Of the three gates.
        return_sequences: All outputs, or the last.
        go_backwards: Run from the end.
        time_major: Whether time comes first, in the output too.
        unroll: Write the steps out.
        zero_output_for_mask: Zeros at masked steps.

    Returns:
        ``(output, h, c)``: output ``(B, T, U)`` or ``(B, U)``; the final states ``(B, U)``.

    Raises:
        ValueError: the weights do not fit, or an activation is unknown.

    Example:
        >>> from lamina import ops
        >>> w = tf.ones((1, 4))
        >>> y, h, c = ops.lstm(tf.ones((1, 2, 1)), None, None, w, w, None, None, None, None)
        >>> y.numpy().round(4)
        array([[0.6505]], dtype=float32)

    Reference: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    """
    units = _check(x, kernel, recurrent_kernel, 4)
    act, gate = _activation(activation), _activation(recurrent_activation)
    x = _time_first(x, time_major)
    states = _state(h, x, units), _state(c, x, units)

    def project(x):
        gates = _matmul(x, kernel, input_mask, 4)
        return gates if bias is None else gates + bias

    def step(now, states):
        h, c = states
        gates = now + _matmul(h, recurrent_kernel, recurrent_mask, 4)
        i, f, g, o = _split(gates, 4)
        c = gate(f) * c + gate(i) * act(g)
        return gate(o) * act(c), c

    settings = {
        "return_sequences": return_sequences,
        "go_backwards": go_backwards,
        "time_major": time_major,
        "unroll": unroll,
        "zero_output_for_mask": zero_output_for_mask,
    }
    return _run(step, _projected(x, project), states, _time_first(mask, time_major), settings)


def _gru_step(weights, bias, dropout, act, gate, reset_after):
    """Return the cell of a GRU: ``(projected input, (h,)) → (h',)``."""
    units = weights.shape[0]

    def after(now, states):
        (h,) = states
        inner = _matmul(h, weights, dropout, 3)
        if bias is not None:
            inner = inner + bias
        (xz, xr, xg), (hz, hr, hg) = _split(now, 3), _split(inner, 3)
        z = gate(xz + hz)
        candidate = act(xg + gate(xr + hr) * hg)
        return (z * h + (1 - z) * candidate,)

    def before(now, states):
        (h,) = states
        first = dropout if dropout is None or dropout.shape[0] == 1 else dropout[:2]
        inner = _matmul(h, weights[:, : 2 * units], first, 2)
        (xz, xr, xg), (hz, hr) = _split(now, 3), _split(inner, 2)
        z = gate(xz + hz)
        reset = gate(xr + hr) * (h if dropout is None else h * dropout[-1])
        candidate = act(xg + jnp.matmul(reset, weights[:, 2 * units :]))
        return (z * h + (1 - z) * candidate,)

    return after if reset_after else before


@op(mixed=True)
def gru(
    x,
    h,
    kernel,
    recurrent_kernel,
    bias,
    mask,
    input_mask,
    recurrent_mask,
    *,
    activation="tanh",
    recurrent_activation="sigmoid",
    reset_after=True,
    return_sequences=False,
    go_backwards=False,
    time_major=False,
    unroll=False,
    zero_output_for_mask=False,
):
    """Run a gated recurrent unit over sequences; gates stand in the order z, r, h.

    ``h' = σ(z) h + (1 - σ(z)) tanh(g)``; the reset gate r scales the recurrent part of g, before
    or after its matrix product.

    Args:
        x: The sequences; this and what is not listed here: see the module's docstring.
        h: ``(B, U)``, or None for zeros.
        kernel: ``(F, 3 U)``.
        recurrent_kernel: ``(U, 3 U)``.
        bias: ``(2, 3 U)`` if ``reset_after``: inputs' and states'; else ``(3 U,)``; or None.
        mask: Which steps count, or None.
        input_mask: Dropout factors of the inputs, or None.
        recurrent_mask: Dropout factors of the states, or None.
        activation: Of the candidate.
        recurrent_activation: Of the two gates.
        reset_after: Whether the reset gate acts after the product.
        return_sequences: All outputs, or the last.
        go_backwards: Run from the end.
        time_major: Whether time comes first, in the output too.
        unroll: Write the steps out.
        zero_output_for_mask: Zeros at masked steps.

    Returns:
        ``(output, h)``: output ``(B, T, U)`` or ``(B, U)``; the final state ``(B, U)``.

    Raises:
        ValueError: the weights do not fit, or an activation is unknown.

    Example:
        >>> from lamina import ops
        >>> w = tf.ones((1, 3))
        >>> y, h = ops.gru(tf.ones((1, 2, 1)), None, w, w, None, None, None, None)
        >>> y.numpy().round(4)
        array([[0.3468]], dtype=float32)

    Reference: Cho et al. 2014, https://arxiv.org/abs/1406.1078; ``reset_after`` as in cuDNN.
    """
    units = _check(x, kernel, recurrent_kernel, 3)
    act, gate = _activation(activation), _activation(recurrent_activation)
    x = _time_first(x, time_major)
    outer = inner_bias = None
    if bias is not None:
        outer, inner_bias = (bias[0], bias[1]) if reset_after else (bias, None)

    def project(x):
        found = _matmul(x, kernel, input_mask, 3)
        return found if outer is None else found + outer

    step = _gru_step(recurrent_kernel, inner_bias, recurrent_mask, act, gate, reset_after)
    settings = {
        "return_sequences": return_sequences,
        "go_backwards": go_backwards,
        "time_major": time_major,
        "unroll": unroll,
        "zero_output_for_mask": zero_output_for_mask,
    }
    states = (_state(h, x, units),)
    return _run(step, _projected(x, project), states, _time_first(mask, time_major), settings)


@op(mixed=True)
def simple_rnn(
    x,
    h,
    kernel,
    recurrent_kernel,
    bias,
    mask,
    input_mask,
    recurrent_mask,
    *,
    activation="tanh",
    return_sequences=False,
    go_backwards=False,
    time_major=False,
    unroll=False,
    zero_output_for_mask=False,
):
    """Run ``h' = tanh(x W + h R + b)`` over sequences.

    Args:
        x: The sequences; this and what is not listed here: see the module's docstring.
        h: ``(B, U)``, or None for zeros.
        kernel: W, ``(F, U)``.
        recurrent_kernel: R, ``(U, U)``.
        bias: b, ``(U,)``, or None.
        mask: Which steps count, or None.
        input_mask: Dropout factors of the inputs, or None.
        recurrent_mask: Dropout factors of the states, or None.
        activation: In place of tanh.
        return_sequences: All outputs, or the last.
        go_backwards: Run from the end.
        time_major: Whether time comes first, in the output too.
        unroll: Write the steps out.
        zero_output_for_mask: Zeros at masked steps.

    Returns:
        ``(output, h)``: output ``(B, T, U)`` or ``(B, U)``; the final state ``(B, U)``.

    Raises:
        ValueError: the weights do not fit, or an activation is unknown.

    Example:
        >>> from lamina import ops
        >>> w = tf.ones((1, 1))
        >>> x = tf.ones((1, 2, 1))
        >>> y, h = ops.simple_rnn(x, None, w, w, None, None, None, None, activation="linear")
        >>> y.numpy()
        array([[2.]], dtype=float32)
    """
    units = _check(x, kernel, recurrent_kernel, 1)
    act = _activation(activation)
    x = _time_first(x, time_major)

    def project(x):
        found = _matmul(x, kernel, input_mask, 1)
        return found if bias is None else found + bias

    def step(now, states):
        return (act(now + _matmul(states[0], recurrent_kernel, recurrent_mask, 1)),)

    settings = {
        "return_sequences": return_sequences,
        "go_backwards": go_backwards,
        "time_major": time_major,
        "unroll": unroll,
        "zero_output_for_mask": zero_output_for_mask,
    }
    states = (_state(h, x, units),)
    return _run(step, _projected(x, project), states, _time_first(mask, time_major), settings)


@op(mixed=True)
def hold_outputs(outputs, mask, *, zero=False, last=False):
    """Give masked steps the output of the last step that counts, or zeros.

    Args:
        outputs: ``(T, B, …)``, in the order in which they were computed.
        mask: Boolean ``(T, B)``, true where a step counts.
        zero: Give zeros to masked steps.
        last: Return only what the last step has.

    Returns:
        Shape and dtype of ``outputs``; ``(B, …)`` with ``last``. Zeros before the first step
        that counts.

    Example:
        >>> from lamina import ops
        >>> y = tf.constant([[1.0], [2.0], [3.0]])
        >>> ops.hold_outputs(y, tf.constant([[False], [True], [False]])).numpy().ravel()
        array([0., 2., 2.], dtype=float32)
    """
    axes = tuple(range(2, outputs.ndim))
    if zero:
        kept = jnp.where(jnp.expand_dims(mask, axes), outputs, jnp.zeros_like(outputs))
        return kept[-1] if last else kept
    times = lax.broadcasted_iota(jnp.int32, mask.shape, 0)
    source = lax.cummax(jnp.where(mask, times, -1), axis=0)  # -1 before the first that counts
    source = source[-1:] if last else source
    kept = jnp.take_along_axis(outputs, jnp.expand_dims(jnp.maximum(source, 0), axes), axis=0)
    kept = jnp.where(jnp.expand_dims(source >= 0, axes), kept, jnp.zeros_like(kept))
    return kept[0] if last else kept
