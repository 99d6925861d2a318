"""tf.keras.ops: cross-entropies, sequence losses, class indicators, attention."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, Variable, convert_to_tensor
from lamina.keras.core import graph_function
from lamina.keras.policy import epsilon, standardize_dtype
from lamina.keras.promotion import result_type
from lamina.ops.sparse.making import from_dense

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "ctc_decode",
    "ctc_loss",
    "dot_product_attention",
    "multi_hot",
    "one_hot",
    "psnr",
    "sparse_categorical_crossentropy",
]


# ---- cross-entropies --------------------------------------------------------------------------


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return the elementwise binary cross-entropy.

    Args:
        target: Probabilities in [0, 1], the shape and dtype of `output`.
        output: Floating point: probabilities, or logits.
        from_logits: Whether `output` holds logits.

    Returns:
        Shape and dtype of `output`; in nats.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.keras.ops.binary_crossentropy([0.0, 1.0], tf.constant([0.5, 0.5])).numpy()
        array([0.6931472, 0.6931472], dtype=float32)
    """
    return ops.binary_crossentropy(target, output, from_logits=from_logits, epsilon=epsilon())


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the cross-entropy of class probabilities.

    Args:
        target: Probabilities of the classes, the shape and dtype of `output`.
        output: Floating point: probabilities, or logits.
        from_logits: Whether `output` holds logits.
        axis: The class axis.

    Returns:
        The shape of `output` without `axis`, same dtype; in nats.

    Raises:
        ValueError: the shapes differ, or have rank 0.

    Example:
        >>> tf.keras.ops.categorical_crossentropy([[0.0, 1.0]], tf.constant([[0.5, 0.5]])).numpy()
        array([0.6931472], dtype=float32)
    """
    return ops.categorical_crossentropy(
        target, output, from_logits=from_logits, axis=axis, epsilon=epsilon()
    )


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the cross-entropy of class numbers.

    Args:
        target: int, the shape of `output` without its last axis, or with size 1 there.
        output: Floating point, ``(B, …, C)``: probabilities, or logits.
        from_logits: Whether `output` holds logits.
        axis: The class axis.

    Returns:
        ``(B, …)``, the dtype of `output`; in nats.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> tf.keras.ops.sparse_categorical_crossentropy([1], tf.constant([[0.5, 0.5]])).numpy()
        array([0.6931472], dtype=float32)
    """
    output = convert_to_tensor(output)
    rank = len(output.shape)
    if axis not in (-1, rank - 1):
        target = convert_to_tensor(target)
        if len(target.shape) == rank:
            target = ops.squeeze(target, axis)
        output = ops.transpose(output, [*(i for i in range(rank) if i != axis % rank), axis % rank])
    return ops.sparse_categorical_crossentropy(
        target, output, from_logits=from_logits, axis=-1, epsilon=epsilon()
    )


# ---- sequences --------------------------------------------------------------------------------


def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Tensor:
    """Return how unlikely the labels are, over all alignments with the frames.

    Args:
        target: int, ``(B, L)``, the labels, filled up.
        output: Floating point, ``(B, T, C)``, logits.
        target_length: ``(B,)``, how many labels count.
        output_length: ``(B,)``, how many frames count.
        mask_index: The class that means no label.

    Returns:
        ``(B,)``, in nats.

    Example:
        >>> tf.keras.ops.ctc_loss([[1]], tf.zeros((1, 1, 2)), [1], [1]).numpy()
        array([0.6931472], dtype=float32)

    Reference: Graves et al. 2006, "Connectionist Temporal Classification", section 4.1.
    """
    output = convert_to_tensor(output)
    kind = result_type(output.dtype, "float32")
    return ops.ctc_loss(
        labels=ops.cast(target, "int32"),
        logits=ops.cast(output, kind),
        label_length=target_length,
        logit_length=output_length,
        logits_time_major=False,
        blank_index=mask_index,
    )


def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """Return the labels that frames most likely stand for.

    Args:
        inputs: Floating point, ``(B, T, C)``, logits.
        sequence_lengths: ``(B,)``, how many frames count.
        strategy: "greedy", the best class of each frame, or "beam_search".
        beam_width: How many beginnings the search keeps.
        top_paths: P, how many sequences the search returns.
        merge_repeated: Whether "greedy" counts a class that repeats once.
        mask_index: The class that means no label.

    Returns:
        int32 labels ``(P, B, T)``, filled up with -1, P = 1 for "greedy"; and scores: minus the
        sum of the chosen logits, ``(B, 1)``, or logarithms of probabilities, ``(B, P)``.

    Raises:
        ValueError: `strategy` is unknown.

    Example:
        >>> frames = tf.one_hot([[1, 1, 0, 1]], 2)
        >>> tf.keras.ops.ctc_decode(frames, [4])[0].numpy()
        array([[[ 1,  1, -1, -1]]], dtype=int32)
    """
    inputs = convert_to_tensor(inputs)
    inputs = ops.cast(inputs, result_type(inputs.dtype, "float32"))
    lengths = ops.cast(sequence_lengths, "int32")
    if strategy == "greedy":
        labels, scores = ops.ctc_greedy(
            inputs, lengths, merge_repeated=merge_repeated, blank=mask_index
        )
        return ops.expand_dims(labels, 0), scores
    if strategy != "beam_search":
        raise ValueError(
            f"ctc_decode: `strategy` must be 'greedy' or 'beam_search'; got {strategy!r}."
        )
    blank = -1 if mask_index is None else mask_index
    return ops.ctc_beams(inputs, lengths, beam_width=beam_width, top_paths=top_paths, blank=blank)


# ---- indicators -------------------------------------------------------------------------------


def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return 1 at the place of each class number, 0 elsewhere.

    Args:
        x: int, any shape; numbers outside [0, C) give zeros.
        num_classes: C.
        axis: Where the class axis is put.
        dtype: The dtype; None is `floatx()`.
        sparse: Whether to return a SparseTensor, of which values must be known.

    Returns:
        The shape of `x` with C at `axis`.

    Example:
        >>> tf.keras.ops.one_hot([1, 0], 3).numpy()
        array([[0., 1., 0.],
               [1., 0., 0.]], dtype=float32)
    """
    name = standardize_dtype(dtype)
    hot = ops.one_hot(ops.cast(x, "int64"), num_classes, axis=axis, dtype="float32")
    hot = ops.cast(hot, name)
    return from_dense(hot) if sparse else hot


def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """Return 1 at the place of each class number of an example, 0 elsewhere.

    Args:
        inputs: int, ``(B, N)`` or ``(N,)``.
        num_classes: C.
        axis: Where `one_hot` puts the class axis.
        dtype: The dtype; None is `floatx()`.
        sparse: Whether to return a SparseTensor, of which values must be known.
        **kwargs: `num_tokens`, an older name of `num_classes`.

    Returns:
        ``(B, C)`` or ``(C,)``.

    Raises:
        ValueError: `num_classes` is not given.

    Example:
        >>> tf.keras.ops.multi_hot([[0, 2]], 4).numpy()
        array([[1., 0., 1., 0.]], dtype=float32)
    """
    if num_classes is None:
        num_classes = kwargs.pop("num_tokens", None)
    if num_classes is None:
        raise ValueError("multi_hot: `num_classes` must be given; got None.")
    inputs = convert_to_tensor(inputs)
    hot = one_hot(inputs, num_classes, axis, "float32")
    found = ops.reduce_max(hot, axis=1 if inputs.ndim > 1 else 0)
    found = ops.cast(found, standardize_dtype(dtype))
    return from_dense(found) if sparse else found


def psnr(x1: Any, x2: Any, max_val: float) -> Tensor:
    """Return the peak signal-to-noise ratio ``20 log10(max_val) - 10 log10(mean((x1 - x2)²))``.

    Args:
        x1: Floating point, any shape.
        x2: The same shape and dtype.
        max_val: The greatest value that pixels can have.

    Returns:
        A scalar, in decibels.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.keras.ops.psnr(tf.zeros(2), tf.ones(2), 10.0).numpy()
        np.float32(20.0)
    """
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if not x1.shape.is_compatible_with(x2.shape):
        raise ValueError(
            f"psnr: `x1` and `x2` must have one shape; got {tuple(x1.shape)} and {tuple(x2.shape)}."
        )
    error = ops.reduce_mean(ops.square(x1 - x2))
    ten = ops.log(ops.cast(10.0, error.dtype))
    return (20 * ops.log(ops.cast(max_val, error.dtype)) - 10 * ops.log(error)) / ten


# ---- attention --------------------------------------------------------------------------------


@graph_function
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """Return the values averaged by how well their keys match each query.

    Args:
        query: Floating point, ``(B, T, N, H)``.
        key: ``(B, S, K, H)``; K divides N.
        value: ``(B, S, K, H)``.
        bias: Added to the scores, broadcasts to ``(B, N, T, S)``; or None.
        mask: bool, broadcasts to ``(B, N, T, S)``; True where a query may look. Or None.
        scale: Factor of the scores; None is ``1 / sqrt(H)``.
        is_causal: Whether query t sees keys 0…t only.
        flash_attention: Accepted; XLA chooses the kernel.
        attn_logits_soft_cap: Bound of the scores, reached like tanh; None is no bound.

    Returns:
        ``(B, T, N, H)``, the common dtype of query, key and value.

    Raises:
        ValueError: the query has not rank 4, or shapes do not fit.

    Example:
        >>> q, kv = tf.ones((1, 1, 1, 2)), tf.ones((1, 2, 1, 2))
        >>> tf.keras.ops.dot_product_attention(q, kv, kv).numpy().ravel()
        array([1., 1.], dtype=float32)

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, eq. 1.
    """
    given = [convert_to_tensor(x) for x in (query, key, value)]
    kind = result_type(*[x.dtype for x in given])
    query, key, value = (ops.cast(x, kind) for x in given)
    if bias is not None:
        bias = ops.cast(bias, kind)
    if mask is not None:
        mask = convert_to_tensor(mask)
        for _ in range(4 - mask.ndim):
            mask = ops.expand_dims(mask, 0)
    if isinstance(scale, Tensor | Variable):
        query, scale = query * ops.cast(scale, kind), 1.0
    return ops.dot_product_attention(
        query,
        key,
        value,
        bias,
        mask,
        scale=scale,
        is_causal=is_causal,
        soft_cap=attn_logits_soft_cap,
    )
