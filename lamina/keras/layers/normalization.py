"""Layers that bring their inputs to a standard mean and size."""

from collections.abc import Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import constraints, initializers, regularizers
from lamina.keras.core import InputSpec, Layer, checks

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]


class Affine(Layer):
    """What normalisations with a learned scale and centre share: the weights gamma and beta."""

    def _set_affine(
        self,
        center: bool,
        scale: bool,
        beta_initializer: initializers.Like,
        gamma_initializer: initializers.Like,
        beta_regularizer: regularizers.Like | None,
        gamma_regularizer: regularizers.Like | None,
        beta_constraint: constraints.Like | None,
        gamma_constraint: constraints.Like | None,
    ) -> None:
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _add_affine(self, shape: tuple[int, ...], center: bool, scale: bool) -> None:
        self.gamma = self.beta = None
        # Not cast for the computation: the ops below compute in float32 at least.
        if scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )


def _axes(layer: Layer, axis: int | Sequence[int], input_shape: Shape) -> tuple[int, ...]:
    """Return axes counted from the front."""
    ndim = len(input_shape)
    return tuple(
        checks.axis_in_range(layer, "axis", a, ndim) for a in checks.int_tuple(layer, "axis", axis)
    )


def _floats(layer: Layer, inputs: Tensor) -> Tensor:
    """Return the inputs of a layer that does not cast floats to its dtype; others it casts."""
    return inputs if inputs.dtype.is_floating else checks.real(layer, inputs, layer.compute_dtype)


def _axis_argument(layer: Layer, axis: Any) -> int | list[int]:
    """Return an axis as an int, several as a list."""
    axes = checks.int_tuple(layer, "axis", axis)
    return list(axes) if isinstance(axis, list | tuple) else axes[0]


class BatchNormalization(Affine):
    """Bring each channel to mean 0 and variance 1, then scale and shift it.

    While training, mean and variance are those of the batch, and moving averages of them are
    kept; else the moving averages are used. A layer with ``trainable = False`` is always in
    inference mode. Sums run in float32 at least.

    Args:
        axis: The channel axis.
        momentum: Share of the old moving average that each training step keeps, in [0, 1].
        epsilon: Added to the variance, against division by zero.
        center: Whether to add beta.
        scale: Whether to multiply by gamma.
        beta_initializer: Start value of beta.
        gamma_initializer: Start value of gamma.
        moving_mean_initializer: Start value of the moving mean.
        moving_variance_initializer: Start value of the moving variance.
        beta_regularizer: Penalty on beta, or None.
        gamma_regularizer: Penalty on gamma, or None.
        beta_constraint: Projection applied to beta after each update, or None.
        gamma_constraint: Projection applied to gamma after each update, or None.
        renorm: Whether the batch's statistics are corrected by moving ones while training, so
            that training and inference agree for small batches.
        renorm_clipping: Limits of the correction: a dict with "rmin", "rmax" (of the factor) and
            "dmax" (of the shift), each optional.
        renorm_momentum: As `momentum`, for the statistics of the correction.
        synchronized: Accepted; the statistics are always those of the batch on all devices.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape with C channels at `axis`; C must be known.
        training: Whether to use, and keep, the batch's statistics.
        mask: bool, the shape of the inputs without the last axis: what counts in the
            statistics. None counts all.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Weights:
        gamma: ``(C,)``, if `scale`.
        beta: ``(C,)``, if `center`.
        moving_mean: ``(C,)``, not trainable.
        moving_variance: ``(C,)``, not trainable.
        moving_stddev, renorm_mean, renorm_stddev: ``(C,)``, not trainable, if `renorm`.

    State:
        Each call with training moves the averages.

    Raises:
        TypeError: `axis` is no int.
        ValueError: an argument is out of range, or the channel axis is unknown or changes.

    Example:
        >>> layer = tf.keras.layers.BatchNormalization(epsilon=0.0, momentum=0.5)
        >>> layer(tf.constant([[1.0], [3.0]]), training=True).numpy()
        array([[-1.],
               [ 1.]], dtype=float32)
        >>> layer.moving_mean.numpy()
        array([1.], dtype=float32)

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167, algorithm 1; Ioffe 2017,
        https://arxiv.org/abs/1702.03275, algorithm 1 (`renorm`).
    """

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Like = "zeros",
        gamma_initializer: initializers.Like = "ones",
        moving_mean_initializer: initializers.Like = "zeros",
        moving_variance_initializer: initializers.Like = "ones",
        beta_regularizer: regularizers.Like | None = None,
        gamma_regularizer: regularizers.Like | None = None,
        beta_constraint: constraints.Like | None = None,
        gamma_constraint: constraints.Like | None = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._set_affine(
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
        )
        self.axis = checks.integer(self, "axis", axis)
        self.momentum = checks.fraction(self, "momentum", momentum)
        self.epsilon = epsilon
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = renorm
        self.renorm_clipping = self._checked_clipping(renorm_clipping) if renorm else None
        self.renorm_momentum = checks.fraction(self, "renorm_momentum", renorm_momentum)
        self.synchronized = synchronized

    def _checked_clipping(self, clipping: Mapping[str, float] | None) -> dict[str, float]:
        for key in clipping or ():
            checks.choice(self, "renorm_clipping", key, ("rmin", "rmax", "dmax"))
        found = dict(clipping or {})
        inverted = {"rmin", "rmax"} <= set(found) and found["rmax"] < found["rmin"]
        if inverted or found.get("dmax", 0.0) < 0:
            raise ValueError(
                f"{checks.label(self)}: `renorm_clipping` must have rmin <= rmax and 0 <= dmax; "
                f"got {found}."
            )
        return found

    def build(self, input_shape: Shape):
        checks.axis_in_range(self, "axis", self.axis, len(input_shape))
        channels = checks.known_size(self, input_shape, self.axis)
        self._add_affine((channels,), self.center, self.scale)
        self.moving_mean = self._statistic("moving_mean", self.moving_mean_initializer, channels)
        self.moving_variance = self._statistic(
            "moving_variance", self.moving_variance_initializer, channels
        )
        if self.renorm:
            self.moving_stddev = self._statistic("moving_stddev", self._first_stddev, channels)
            self.renorm_mean = self._statistic(
                "renorm_mean", self.moving_mean_initializer, channels
            )
            self.renorm_stddev = self._statistic("renorm_stddev", self._first_stddev, channels)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def _statistic(self, name: str, initializer: Any, size: int) -> Any:
        return self.add_weight(
            name=name, shape=(size,), initializer=initializer, trainable=False, autocast=False
        )

    def _first_stddev(self, shape: Any, dtype: Any = None) -> Tensor:
        return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        if not training or not self.trainable:
            return ops.batch_norm(
                inputs,
                self.moving_mean,
                self.moving_variance,
                self.beta,
                self.gamma,
                axis=self.axis,
                epsilon=self.epsilon,
            )
        if self.renorm:
            return self._renormalized(inputs, mask)
        y, mean, variance = ops.batch_norm_train(
            inputs, self.beta, self.gamma, mask, axis=self.axis, epsilon=self.epsilon
        )
        self._move(self.moving_mean, mean, self.momentum)
        self._move(self.moving_variance, variance, self.momentum)
        return y

    def _move(self, average: Any, value: Tensor, momentum: float) -> None:
        average._set(ops.moving_average(average, value, momentum=momentum))

    def _renormalized(self, inputs: Tensor, mask: Tensor | None) -> Tensor:
        """Return ``(x - mean) / stddev * r + d``; the paper's names."""
        y, mean, variance = ops.batch_norm_train(
            inputs, None, None, mask, axis=self.axis, epsilon=self.epsilon
        )
        stddev = ops.sqrt(variance + self.epsilon)
        r = stddev / self.renorm_stddev
        d = (mean - self.renorm_mean) / self.renorm_stddev
        limits = self.renorm_clipping or {}
        if "rmin" in limits:
            r = ops.maximum(r, limits["rmin"])
        if "rmax" in limits:
            r = ops.minimum(r, limits["rmax"])
        if "dmax" in limits:
            d = ops.clip_by_value(d, -limits["dmax"], limits["dmax"])
        scale, offset = ops.stop_gradient(r), ops.stop_gradient(d)
        if self.gamma is not None:
            scale, offset = scale * self.gamma, offset * self.gamma
        if self.beta is not None:
            offset = offset + self.beta
        self._move(self.moving_mean, mean, self.momentum)
        self._move(self.moving_stddev, stddev, self.momentum)
        moved = ops.square(self.moving_stddev.value) - self.epsilon
        self.moving_variance._set(ops.maximum(moved, 0.0))
        self._move(self.renorm_mean, mean, self.renorm_momentum)
        self._move(self.renorm_stddev, stddev, self.renorm_momentum)
        # With these four, "normalising" is one multiplication and one addition.
        zero, one = ops.zeros_like(mean), ops.ones_like(mean)
        return ops.batch_norm(y, zero, one, offset, scale, axis=self.axis, epsilon=0.0)


class LayerNormalization(Affine):
    """Bring each example to mean 0 and variance 1 over some axes, then scale and shift.

    Sums run in float32 at least.

    Args:
        axis: The axis, or the axes, that mean and variance are taken over.
        epsilon: Added to the variance, against division by zero.
        center: Whether to add beta.
        scale: Whether to multiply by gamma.
        beta_initializer: Start value of beta.
        gamma_initializer: Start value of gamma.
        beta_regularizer: Penalty on beta, or None.
        gamma_regularizer: Penalty on gamma, or None.
        beta_constraint: Projection applied to beta after each update, or None.
        gamma_constraint: Projection applied to gamma after each update, or None.
        rms_scaling: An older switch: divide by the deviation without subtracting the mean, and
            without beta. `RMSNormalization` is what papers mean by that.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape; the sizes of `axis` must be known.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Weights:
        gamma: the sizes of `axis`, if `scale`.
        beta: the sizes of `axis`, if `center`.

    Raises:
        TypeError: `axis` is neither an int nor several.
        ValueError: an axis is out of range, or its size is unknown.

    Example:
        >>> tf.keras.layers.LayerNormalization(epsilon=0.0)(tf.constant([[1.0, 3.0]])).numpy()
        array([[-1.,  1.]], dtype=float32)

    Reference: Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Like = "zeros",
        gamma_initializer: initializers.Like = "ones",
        beta_regularizer: regularizers.Like | None = None,
        gamma_regularizer: regularizers.Like | None = None,
        beta_constraint: constraints.Like | None = None,
        gamma_constraint: constraints.Like | None = None,
        *,
        rms_scaling: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._set_affine(
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
        )
        self.axis = _axis_argument(self, axis)
        self.epsilon = epsilon
        self.rms_scaling = rms_scaling
        self.autocast = False  # statistics are taken in float32, of inputs as they come

    def build(self, input_shape: Shape):
        axes = _axes(self, self.axis, input_shape)
        shape = checks.known_shape(self, [input_shape[a] for a in axes])
        center = self.center and not self.rms_scaling
        self._add_affine(shape, center, self.scale or self.rms_scaling)
        self._over = checks.int_tuple(self, "axis", self.axis)  # later inputs may have more axes

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.layer_norm(
            _floats(self, inputs),
            self.gamma,
            self.beta,
            axes=self._over,
            epsilon=self.epsilon,
            rms_scaling=self.rms_scaling,
        )
        return ops.cast(y, self.compute_dtype)


class GroupNormalization(Affine):
    """Bring each group of channels of each example to mean 0 and variance 1, scale and shift.

    Sums run in float32 at least.

    Args:
        groups: The number of groups; divides the channels. -1 makes each channel a group.
        axis: The channel axis.
        epsilon: Added to the variance, against division by zero.
        center: Whether to add beta.
        scale: Whether to multiply by gamma.
        beta_initializer: Start value of beta.
        gamma_initializer: Start value of gamma.
        beta_regularizer: Penalty on beta, or None.
        gamma_regularizer: Penalty on gamma, or None.
        beta_constraint: Projection applied to beta after each update, or None.
        gamma_constraint: Projection applied to gamma after each update, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, …)`` with C channels at `axis`; C must be known.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Weights:
        gamma: ``(C,)``, if `scale`.
        beta: ``(C,)``, if `center`.

    Raises:
        ValueError: `groups` does not divide C, or the axis is out of range.

    Example:
        >>> layer = tf.keras.layers.GroupNormalization(groups=2, epsilon=0.0)
        >>> layer(tf.constant([[1.0, 3.0, 5.0, 9.0]])).numpy()
        array([[-1.,  1., -1.,  1.]], dtype=float32)

    Reference: Wu and He 2018, https://arxiv.org/abs/1803.08494.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Like = "zeros",
        gamma_initializer: initializers.Like = "ones",
        beta_regularizer: regularizers.Like | None = None,
        gamma_regularizer: regularizers.Like | None = None,
        beta_constraint: constraints.Like | None = None,
        gamma_constraint: constraints.Like | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._set_affine(
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
        )
        self.groups = groups if groups == -1 else checks.positive_int(self, "groups", groups)
        self.axis = checks.integer(self, "axis", axis)
        self.epsilon = epsilon
        self.autocast = False  # statistics are taken in float32, of inputs as they come

    def build(self, input_shape: Shape):
        checks.axis_in_range(self, "axis", self.axis, len(input_shape))
        channels = checks.known_size(self, input_shape, self.axis)
        if self.groups == -1:
            self.groups = channels
        checks.divides(self, "groups", self.groups, "the number of channels", channels)
        self._add_affine((channels,), self.center, self.scale)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.group_norm(
            _floats(self, inputs),
            self.gamma,
            self.beta,
            groups=self.groups,
            axis=self.axis,
            epsilon=self.epsilon,
        )
        return ops.cast(y, self.compute_dtype)


class RMSNormalization(Layer):
    """Divide each example by the root of its mean square over some axes, then scale.

    Sums run in float32 at least.

    Args:
        axis: The axis, or the axes, that the mean is taken over.
        epsilon: Added to the mean square, against division by zero.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape; the sizes of `axis` must be known.

    Returns:
        Shape and dtype of `inputs`.

    Weights:
        scale: the sizes of `axis`; starts at 1.

    Raises:
        TypeError: `axis` is neither an int nor several.
        ValueError: an axis is out of range, or its size is unknown.

    Example:
        >>> tf.keras.layers.RMSNormalization(epsilon=0.0)(tf.constant([[3.0, -3.0]])).numpy()
        array([[ 1., -1.]], dtype=float32)

    Reference: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467, eq. 4.
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = _axis_argument(self, axis)
        self.epsilon = epsilon

    def build(self, input_shape: Shape):
        axes = _axes(self, self.axis, input_shape)
        self._over = checks.int_tuple(self, "axis", self.axis)  # later inputs may have more axes
        self.scale = self.add_weight(
            name="scale",
            shape=checks.known_shape(self, [input_shape[a] for a in axes]),
            initializer="ones",
            autocast=False,
        )

    def call(self, inputs: Tensor) -> Tensor:
        return ops.rms_norm(inputs, self.scale, axes=self._over, epsilon=self.epsilon)


class UnitNormalization(Layer):
    """Divide each example by its Euclidean norm over some axes.

    Args:
        axis: The axis, or the axes, of a vector.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Raises:
        TypeError: `axis` is neither an int nor several.
        ValueError: an axis is out of range.

    Example:
        >>> tf.keras.layers.UnitNormalization()(tf.constant([[3.0, 4.0]])).numpy()
        array([[0.6, 0.8]], dtype=float32)
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = _axis_argument(self, axis)

    def call(self, inputs: Tensor) -> Tensor:
        _axes(self, self.axis, inputs.shape)
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return ops.l2_normalize(inputs, axis=axis, epsilon=1e-12)
