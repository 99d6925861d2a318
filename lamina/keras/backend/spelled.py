"""Functions of tf.keras.backend that are one of `tf`'s under another name or order."""

from collections.abc import Callable, MutableMapping
from typing import Any

from lamina import ops
from lamina.keras.policy import floatx

__all__ = ["TABLE", "install"]


def _bools(x: Any) -> Any:
    return ops.cast(x, "bool")


def _numbers(x: Any) -> Any:
    return ops.cast(x, floatx()) if ops.convert_to_tensor(x).dtype == "bool" else x


# Name: (what it is, the function). The parameters are Keras'.
TABLE: dict[str, tuple[str, Callable[..., Any]]] = {
    # elementwise
    "abs": ("tf.abs", lambda x: ops.abs(x)),
    "cast": ("tf.cast", lambda x, dtype: ops.cast(x, dtype)),
    "cos": ("tf.cos", lambda x: ops.cos(x)),
    "equal": ("tf.equal", lambda x, y: ops.equal(x, y)),
    "exp": ("tf.exp", lambda x: ops.exp(x)),
    "greater": ("tf.greater", lambda x, y: ops.greater(x, y)),
    "greater_equal": ("tf.greater_equal", lambda x, y: ops.greater_equal(x, y)),
    "less": ("tf.less", lambda x, y: ops.less(x, y)),
    "less_equal": ("tf.less_equal", lambda x, y: ops.less_equal(x, y)),
    "log": ("tf.math.log", lambda x: ops.log(x)),
    "maximum": ("tf.maximum", lambda x, y: ops.maximum(x, y)),
    "minimum": ("tf.minimum", lambda x, y: ops.minimum(x, y)),
    "not_equal": ("tf.not_equal", lambda x, y: ops.not_equal(x, y)),
    "pow": ("tf.pow", lambda x, a: ops.pow(x, a)),
    "round": ("tf.round", lambda x: ops.round(x)),
    "sigmoid": ("tf.sigmoid", lambda x: ops.sigmoid(x)),
    "sign": ("tf.sign", lambda x: ops.sign(x)),
    "sin": ("tf.sin", lambda x: ops.sin(x)),
    "softplus": ("tf.math.softplus", lambda x: ops.softplus(x)),
    "softsign": ("tf.nn.softsign", lambda x: ops.softsign(x)),
    "sqrt": (
        "tf.sqrt of the positive part",
        lambda x: ops.sqrt(ops.maximum(x, ops.zeros_like(x))),
    ),
    "square": ("tf.square", lambda x: ops.square(x)),
    "tanh": ("tf.tanh", lambda x: ops.tanh(x)),
    # reductions
    "all": (
        "tf.reduce_all",
        lambda x, axis=None, keepdims=False: ops.reduce_all(_bools(x), axis, keepdims),
    ),
    "any": (
        "tf.reduce_any",
        lambda x, axis=None, keepdims=False: ops.reduce_any(_bools(x), axis, keepdims),
    ),
    "argmax": ("tf.argmax", lambda x, axis=-1: ops.argmax(x, axis)),
    "argmin": ("tf.argmin", lambda x, axis=-1: ops.argmin(x, axis)),
    "cumprod": ("tf.math.cumprod", lambda x, axis=0: ops.cumprod(x, axis=axis)),
    "cumsum": ("tf.cumsum", lambda x, axis=0: ops.cumsum(x, axis=axis)),
    "max": (
        "tf.reduce_max",
        lambda x, axis=None, keepdims=False: ops.reduce_max(x, axis, keepdims),
    ),
    "mean": (
        "tf.reduce_mean",
        lambda x, axis=None, keepdims=False: ops.reduce_mean(_numbers(x), axis, keepdims),
    ),
    "min": (
        "tf.reduce_min",
        lambda x, axis=None, keepdims=False: ops.reduce_min(x, axis, keepdims),
    ),
    "prod": (
        "tf.reduce_prod",
        lambda x, axis=None, keepdims=False: ops.reduce_prod(x, axis, keepdims),
    ),
    "std": (
        "tf.math.reduce_std",
        lambda x, axis=None, keepdims=False: ops.reduce_std(_numbers(x), axis, keepdims),
    ),
    "sum": (
        "tf.reduce_sum",
        lambda x, axis=None, keepdims=False: ops.reduce_sum(x, axis, keepdims),
    ),
    "var": (
        "tf.math.reduce_variance",
        lambda x, axis=None, keepdims=False: ops.reduce_variance(_numbers(x), axis, keepdims),
    ),
    # shapes
    "batch_flatten": (
        "tf.reshape to rank 2",
        lambda x: ops.reshape(x, [-1, ops.reduce_prod(ops.shape(x)[1:])]),
    ),
    "concatenate": ("tf.concat", lambda tensors, axis=-1: ops.concat(list(tensors), axis)),
    "expand_dims": ("tf.expand_dims", lambda x, axis=-1: ops.expand_dims(x, axis)),
    "flatten": ("tf.reshape to rank 1", lambda x: ops.reshape(x, [-1])),
    "gather": ("tf.gather", lambda reference, indices: ops.gather(reference, indices)),
    "permute_dimensions": ("tf.transpose", lambda x, pattern: ops.transpose(x, pattern)),
    "repeat_elements": (
        "tf.repeat along an axis",
        lambda x, rep, axis: ops.repeat(x, rep, axis),
    ),
    "reshape": ("tf.reshape", lambda x, shape: ops.reshape(x, shape)),
    "reverse": (
        "tf.reverse",
        lambda x, axes: ops.reverse(x, [axes] if isinstance(axes, int) else axes),
    ),
    "shape": ("tf.shape", lambda x: ops.shape(x)),
    "squeeze": ("tf.squeeze", lambda x, axis: ops.squeeze(x, [axis])),
    "stack": ("tf.stack", lambda x, axis=0: ops.stack(x, axis)),
    "tile": (
        "tf.tile",
        lambda x, n: ops.tile(x, [n] if isinstance(n, int) else n),
    ),
    "transpose": ("tf.transpose", lambda x: ops.transpose(x)),
    # what is made, and loops
    "foldl": (
        "tf.foldl",
        lambda fn, elems, initializer=None, name=None: ops.foldl(fn, elems, initializer),
    ),
    "foldr": (
        "tf.foldr",
        lambda fn, elems, initializer=None, name=None: ops.foldr(fn, elems, initializer),
    ),
    "map_fn": ("tf.map_fn", lambda fn, elems, name=None, dtype=None: ops.map_fn(fn, elems, dtype)),
    "one_hot": (
        "tf.one_hot",
        lambda indices, num_classes: ops.one_hot(indices, num_classes),
    ),
    "ones_like": ("tf.ones_like", lambda x, dtype=None, name=None: ops.ones_like(x, dtype)),
    "zeros_like": ("tf.zeros_like", lambda x, dtype=None, name=None: ops.zeros_like(x, dtype)),
    # networks
    "in_top_k": (
        "tf.math.in_top_k",
        lambda predictions, targets, k: ops.in_top_k(targets, predictions, k),
    ),
    "l2_normalize": ("tf.math.l2_normalize", lambda x, axis=None: ops.l2_normalize(x, axis)),
    "batch_normalization": (
        "tf.nn.batch_normalization",
        lambda x, mean, var, beta, gamma, axis=-1, epsilon=0.001: ops.batch_normalization(
            x, mean, var, beta, gamma, epsilon
        ),
    ),
}


def install(namespace: MutableMapping[str, Any]) -> None:
    """Put the functions of the table into a module, under their names.

    Args:
        namespace: The module's globals.
    """
    for name, (meaning, function) in TABLE.items():
        function.__name__ = function.__qualname__ = name
        function.__module__ = namespace["__name__"]
        function.__doc__ = f"Return what {meaning} returns: its spelling in Keras 2."
        namespace[name] = function
