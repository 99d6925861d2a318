"""What a loss is: values per sample, then weights, mask and reduction, the same for all."""

import inspect
from collections.abc import Callable

from lamina import ops
from lamina.engine import Tensor, TensorShape, convert_to_tensor, errors, local, nest
from lamina.engine.composite import Composite
from lamina.keras import policy, registry
from lamina.keras.capture import Captured
from lamina.keras.naming import auto_name

__all__ = [
    "FunctionLoss",
    "Loss",
    "LossFunctionWrapper",
    "Reduction",
    "aligned",
    "apply_mask",
    "argument_docs",
    "class_numbers",
    "match_ranks",
    "to_tensor",
]


class Reduction:
    """Names of the reductions, in TF's older spelling.

    Example:
        >>> tf.keras.losses.MeanSquaredError(tf.keras.losses.Reduction.NONE).reduction
        'none'
    """

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", Reduction.AUTO)
_REDUCTIONS = (*_MEANS, "sum", "none", None)


def to_tensor(x, dtype) -> Tensor:
    """Return `x` as a Tensor of `dtype`, whatever it came as; ragged and sparse ones stay so.

    Shapes: kept.
    """
    return ops.cast(x if isinstance(x, Composite) else convert_to_tensor(x), dtype)


def match_ranks(x, y) -> tuple[Tensor, Tensor]:
    """Add or drop a last axis of size 1 where the ranks of `x` and `y` differ by one.

    A vector gets the axis; of a higher rank, the longer one loses it.
    """
    if len(x.shape) == len(y.shape) + 1 and x.shape[-1] == 1:
        return (x, ops.expand_dims(y, -1)) if len(y.shape) == 1 else (ops.squeeze(x, -1), y)
    if len(y.shape) == len(x.shape) + 1 and y.shape[-1] == 1:
        return (ops.expand_dims(x, -1), y) if len(x.shape) == 1 else (x, ops.squeeze(y, -1))
    return x, y


def aligned(y_true, y_pred) -> tuple[Tensor, Tensor]:
    """Return both as Tensors of the float dtype of `y_pred` and, if possible, of one rank."""
    y_pred = convert_to_tensor(y_pred)
    if not y_pred.dtype.is_floating:
        y_pred = ops.cast(y_pred, policy.floatx())
    return match_ranks(to_tensor(y_true, y_pred.dtype), y_pred)


def class_numbers(y_true, y_pred) -> Tensor:
    """Return labels as integers, without a last axis of size 1 where `y_pred` has the classes."""
    y_true = convert_to_tensor(y_true)
    y_true = y_true if y_true.dtype.is_integer else ops.cast(y_true, "int64")
    has_class_axis = len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1
    return ops.squeeze(y_true, -1) if has_class_axis else y_true


def apply_mask(sample_weight, mask, dtype, reduction):
    """Return `sample_weight` with masked values at 0, and the others scaled up for a mean.

    A mean divides by all values, so the valid ones get the weight ``total / valid``.
    """
    mask = to_tensor(mask, dtype)
    if reduction in ("sum_over_batch_size", "mean", Reduction.AUTO):
        total = ops.cast(ops.size(mask), dtype)
        mask = mask * (total / (ops.reduce_sum(mask) + policy.epsilon()))
    if sample_weight is None:
        return mask
    mask, sample_weight = match_ranks(mask, to_tensor(sample_weight, dtype))
    return sample_weight * mask


def _each(function: Callable, y):
    """Apply `function` to each Tensor of a nest; lists of plain numbers are one Tensor."""
    is_nest = isinstance(y, list | tuple | dict) and not (
        isinstance(y, list | tuple)
        and all(isinstance(leaf, int | float | complex) for leaf in nest.flatten(y))
    )
    return nest.map_structure(function, y) if is_nest else function(y)


def _check_weights(values: TensorShape, weights: TensorShape):
    pairs = zip(reversed(values.as_list()), reversed(weights.as_list()), strict=False)
    if any(None not in pair and 1 not in pair and pair[0] != pair[1] for pair in pairs):
        raise errors.InvalidArgumentError(
            f"Loss: the shape of `sample_weight` must broadcast with that of the values, {values}; "
            f"got {weights}.\n  Fix: give one weight for each value, or a last axis of size 1: "
            "tf.expand_dims(sample_weight, -1)."
        )


def _reduce(values, sample_weight, mask, reduction, dtype) -> Tensor:
    values = to_tensor(values, dtype)
    if mask is not None:
        sample_weight = apply_mask(sample_weight, mask, dtype, reduction)
    if sample_weight is not None:
        values, sample_weight = match_ranks(values, to_tensor(sample_weight, dtype))
        _check_weights(values.shape, sample_weight.shape)
        values = values * sample_weight
    if reduction in ("none", None) or tuple(values.shape) in ((), (0,)):
        return values
    if reduction == "sum" or 0 in tuple(values.shape):
        return ops.reduce_sum(values)
    if local.replica is not None:  # the replicas' gradients are summed
        values = values / local.replica.num_replicas_in_sync
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(ops.reduce_sum(values), ops.reduce_sum(sample_weight))
    return ops.reduce_mean(values)


class Loss(Captured):
    """Base class of losses: write `call`, which gives one value per sample or time step.

    Args:
        name: Name of the loss; None makes one from the class name.
        reduction: What becomes of the values. "sum_over_batch_size" and "mean" average them
            all, "sum" adds them up, "none" and None keep them, and "mean_with_sample_weight"
            divides their weighted sum by the sum of the weights.
        dtype: Dtype, or dtype policy, that the targets, predictions, weights and the result
            are cast to; None is ``tf.keras.config.floatx()``.

    Call:
        y_true: Targets, any shape that `call` takes, or a nest of them.
        y_pred: Predictions; their mask (`_keras_mask`), if any, takes out masked values.
        sample_weight: Factor of each value, of a shape that broadcasts with them; a last axis
            of size 1 is added or dropped where the ranks differ by one.

    Returns:
        A scalar, or with ``reduction="none"`` the shape of what `call` returns.

    Raises:
        ValueError: `reduction` is none of the above.

    Example:
        >>> class Biased(tf.keras.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1) + 1.0
        >>> Biased()([[0.0, 1.0]], [[0.0, 0.0]]).numpy()
        np.float32(1.5)
    """

    _config_omit = ("dtype",)  # Keras does not store it
    _config_head_keys = ("name", "reduction")
    integer_targets = False  # whether integer labels stay as they are

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: `reduction` must be one of {_REDUCTIONS}; "
                f"got {reduction!r}.\n"
                '  Fix: "sum_over_batch_size" gives the mean over the batch, "none" every value.'
            )
        self.name = name or auto_name(type(self).__name__)
        self.reduction = reduction
        self._dtype_policy = policy.get(dtype or policy.floatx())

    @property
    def dtype(self) -> str:
        """Name of the dtype that the loss computes in."""
        return self._dtype_policy.compute_dtype

    def __call__(self, y_true, y_pred, sample_weight=None) -> Tensor:
        masks = [getattr(y_pred, "_keras_mask", None)]
        y_pred = _each(lambda y: to_tensor(y, self.dtype), y_pred)
        y_true = _each(self._as_target, y_true)
        call = self.call if local.convert is None else local.convert(self.call)
        values = call(y_true, y_pred)
        masks.append(getattr(values, "_keras_mask", None))
        masks = [mask for mask in masks if mask is not None]
        mask = ops.logical_and(*masks) if len(masks) == 2 else next(iter(masks), None)
        return _reduce(values, sample_weight, mask, self.reduction, self.dtype)

    def _as_target(self, y):
        y = y if isinstance(y, Composite) else convert_to_tensor(y)
        keep = self.integer_targets and y.dtype.is_integer
        return y if keep else to_tensor(y, self.dtype)

    def call(self, y_true, y_pred):
        """Return the values of the loss, not reduced over the batch.

        Args:
            y_true: Targets, as Tensors of the loss's dtype.
            y_pred: Predictions, as Tensors of the loss's dtype.

        Raises:
            NotImplementedError: the subclass has no `call`.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: a loss needs a method `call(y_true, y_pred)`; got none.\n"
            "  Fix: define it to return one value per sample."
        )

    def _config_head(self) -> dict:
        return {"name": self.name, "reduction": self.reduction}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


_SHARED_DOC = """

Args:
{options}    reduction: "sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none" or
        None; see `tf.keras.losses.Loss`.
    name: Name of the loss; None is ``{name!r}``.
    dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.

The values, their shapes and the formula are those of `tf.keras.losses.{function}`.
"""


def argument_docs(function: Callable, names) -> str:
    """Return the lines of `function`'s Args section that describe the parameters `names`."""
    section = (inspect.getdoc(function) or "").partition("Args:\n")[2].partition("\n\n")[0]
    kept, keep = [], False
    for line in section.splitlines():
        if not line.startswith("        "):
            keep = line.strip().split(":")[0] in names
        if keep:
            kept.append(line + "\n")
    return "".join(kept)


class FunctionLoss(Loss):
    """A loss whose values are those of one function.

    A subclass names its `function`, and in its constructor sets the function's options as
    attributes. Where it has no options, two lines make a loss.

    Args:
        reduction: What becomes of the values; see `tf.keras.losses.Loss`.
        name: Name of the loss; None is the function's name.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.
    """

    function: Callable
    default_name: str | None = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        function = vars(cls).get("function")
        if function is None:
            return
        cls.option_names = tuple(inspect.signature(cls.function).parameters)[2:]
        cls.default_name = cls.default_name or cls.function.__name__
        cls.__doc__ = (cls.__doc__ or "") + _SHARED_DOC.format(
            options=argument_docs(cls.function, cls.option_names),
            name=cls.default_name,
            function=cls.function.__name__,
        )

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(name or self.default_name, reduction, dtype)

    @property
    def options(self) -> dict:
        """The options that the function is called with."""
        return {name: vars(self)[name] for name in self.option_names if name in vars(self)}

    def call(self, y_true, y_pred):
        return self.function(*match_ranks(y_true, y_pred), **self.options)


class LossFunctionWrapper(Loss):
    """Make a loss of any function of ``(y_true, y_pred)``.

    Args:
        fn: Function of targets and predictions that gives one value per sample.
        reduction: What becomes of the values; see `tf.keras.losses.Loss`.
        name: Name of the loss; None is the function's name.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.
        **kwargs: Options, handed to `fn` at each call.
    """

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self.kwargs = kwargs

    def call(self, y_true, y_pred):
        y_true, y_pred = (
            match_ranks(y_true, y_pred)
            if isinstance(y_pred, Tensor) and isinstance(y_true, Tensor)
            else (y_true, y_pred)
        )
        fn = self.fn if local.convert is None else local.convert(self.fn)
        return fn(y_true, y_pred, **self.kwargs)

    def _config_value(self, name, value, own):
        if name == "fn":  # with its module: a name alone would come back as text
            return registry.serialize_keras_object(value)
        return super()._config_value(name, value, own)
