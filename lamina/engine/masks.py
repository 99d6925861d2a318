# pyright: reportPrivateUsage=false
"""Keras masks through operations: `x * 2 + 1` of a masked Tensor is masked as `x` is.

Operations that work element by element, or on the last axis alone, keep the mask of what they are
given; where several operands have one, a step counts that counts in any of them, as in Keras'
merging layers. All others drop it, since what a mask means after them only the program knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamina.engine.tensor import Tensor

__all__ = ["KEEPING", "carry"]

KEEPING = frozenset(
    """
    abs acos acosh add add_n affine angle asin asinh atan atan2 atanh bias_add cast cbrt ceil celu
    clip_by_value clipped_by_value concat conj cos cosh digamma divide divide_no_nan dropout
    dropout_from elu equal erf erfc exp expm1 floor floordiv floormod gelu greater greater_equal
    hard_sigmoid hard_silu hard_tanh identity integer_pow l2_normalize leaky_relu less less_equal
    lgamma log log1p log_sigmoid log_softmax logical_and logical_not logical_or matmul maximum
    minimum mish mod multiply multiply_no_nan negative not_equal pow real realdiv reciprocal relu
    relu6 rint round rsqrt saturate selu sigmoid sign silu sin sinh softmax softplus
    softsign sqrt square squared_difference squareplus stop_gradient subtract swish tan tanh
    truediv where
    """.split()  # noqa: SIM905  # a hundred quotation marks would hide the names
)
"""The operations that keep masks, by label."""


def carry(
    label: str,
    tensors: Sequence[Tensor],
    outputs: Sequence[Tensor],
    either: Callable[[Tensor, Tensor], Tensor],
) -> None:
    """Put the mask of an operation's operands on its outputs, if it is one that keeps masks."""
    masks: list[Tensor] = []
    for t in tensors:
        mask = t._keras_mask
        if isinstance(mask, Tensor) and not any(mask is m for m in masks):
            masks.append(mask)
    if not masks or (label == "matmul" and len(tensors[1]._type.dims) != 2):
        return
    for out in outputs:
        dims = out._type.dims
        fitting = [m for m in masks if dims[: len(m._type.dims)] == m._type.dims]
        if fitting:
            joint = fitting[0]
            for other in fitting[1:]:
                if other._type is joint._type:
                    joint = either(joint, other)
                    vars(joint)["_is_joint"] = True  # no input's own: made by an operation
            out._keras_mask = joint
