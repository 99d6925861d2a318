"""What the functions of `tf` do with ragged operands; importing this installs it."""

import itertools
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import convert_to_tensor, dtypes, errors, nest
from lamina.ops import image
from lamina.ops.composite import extend
from lamina.ops.ragged import indexing, picking, shaping
from lamina.ops.ragged.broadcasting import map_flat
from lamina.ops.ragged.padding import places_of
from lamina.ops.ragged.partition import on_host
from lamina.ops.ragged.reducing import reduce_ragged
from lamina.ops.ragged.rows import count_rows, lengths_of, splits_of
from lamina.ops.ragged.shape import DynamicRaggedShape, broadcast_to, reshape_to
from lamina.ops.ragged.tensor import (
    RULES,
    RaggedTensor,
    RaggedTensorSpec,
    is_ragged,
)

__all__ = []

_ELEMENTWISE = """
abs acos acosh add angle asin asinh atan atan2 atanh bessel_i0 bessel_i0e bessel_i1 bessel_i1e
bitwise_and bitwise_or bitwise_xor cast ceil clip_by_value complex conj cos cosh digamma div
divide divide_no_nan elu equal erf erfc erfcinv erfinv exp expm1 floor floordiv floormod gelu
greater greater_equal identity igamma igammac imag invert is_finite is_inf is_nan leaky_relu
less less_equal lgamma log log1p log_sigmoid logical_and logical_not logical_or logical_xor
maximum minimum multiply multiply_no_nan ndtri negative nextafter not_equal polygamma pow real
realdiv reciprocal reciprocal_no_nan relu relu6 rint round rsqrt select selu sigmoid sign sin
sinh softplus softsign sqrt square squared_difference stop_gradient subtract swish tan tanh
truediv truncatediv truncatemod xdivy xlog1py xlogy zeta as_string full_match join length lower
replace script strip substr to_hash_bucket to_number transcode upper decode_base64 encode_base64
""".split()  # noqa: SIM905

_REDUCTIONS = ("sum", "prod", "max", "min", "mean", "any", "all", "variance", "std", "logsumexp")


def _elementwise(op, args, attributes):
    return map_flat(lambda *flats: op(*flats, **attributes), args)


def _squeeze(op, args, attributes):
    return shaping.squeeze(args[0], attributes["axis"])


def _unstack(op, args, attributes):
    axis, num = attributes["axis"], attributes["num"]
    if axis not in (0, -len(args[0].shape)):
        raise ValueError(f"tf.unstack: a ragged Tensor is unstacked along axis 0; got {axis}.")
    if num is not None and num != count_rows(args[0]):
        raise ValueError(f"tf.unstack: `num` must be {count_rows(args[0])}; got {num}.")
    return list(args[0])


def _matmul(op, args, attributes):
    """Multiply matrix by matrix; `tf.matmul` of batches with sizes of their own."""
    a, b = (v if is_ragged(v) else convert_to_tensor(v) for v in args)
    rank = len(a.shape)
    if rank != len(b.shape) or rank < 2 or (rank > 2 and count_rows(a) != count_rows(b)):
        raise ValueError(
            f"tf.matmul: ragged operands must be batches of matrices, equally many; got shapes "
            f"{a.shape} and {b.shape}."
        )
    if rank == 2:
        return op(_matrix(a), _matrix(b), **attributes)
    return shaping.stack([_matmul(op, (a[i], b[i]), attributes) for i in range(count_rows(a))])


def _matrix(value):
    if not is_ragged(value):
        return value
    lengths = lengths_of(value)
    if len(set(lengths.tolist())) > 1:
        raise errors.InvalidArgumentError(
            f"tf.matmul: The matrices in `a` and `b` may not be ragged in their innermost "
            f"dimension; got rows of lengths {lengths.tolist()[:20]}.\n"
            f"  Fix: value.to_tensor() pads them."
        )
    return value.to_tensor()


def _cumsum(op, args, attributes):
    """Sum along an axis: over the padded Tensor, whose padding adds nothing."""
    summed = op(args[0].to_tensor(), **attributes)
    return args[0].with_flat_values(ops.gather_nd(summed, places_of(args[0])))


def _softmax(op, args, attributes):
    (value,) = args
    if attributes["axis"] not in (None, -1, len(value.shape) - 1):
        raise ValueError(
            f"tf.{op.label}: a ragged Tensor takes the last axis; got {attributes['axis']}."
        )
    if is_ragged(value.values):
        return value.with_values(_softmax(op, [value.values], attributes))
    if len(value.values.shape) > 1:
        return value.with_values(op(value.values, **attributes))
    ids, count = value.value_rowids(), count_rows(value)
    flat = value.values
    most = ops.stop_gradient(ops.gather(ops.unsorted_segment_max(flat, ids, count), ids))
    shifted = flat - most
    total = ops.gather(ops.unsorted_segment_sum(ops.exp(shifted), ids, count), ids)
    if op.label == "log_softmax":
        return value.with_values(shifted - ops.log(total))
    return value.with_values(ops.exp(shifted) / total)


def _affine(op, args, attributes):
    """Multiply the last axis, which must not be ragged, by a kernel and add a bias."""
    inputs, kernel, bias = args
    if not is_ragged(inputs) or len(inputs.flat_values.shape) < 2:
        return NotImplemented
    return inputs.with_flat_values(op(inputs.flat_values, kernel, bias, **attributes))


def _transpose(op, args, attributes):
    raise ValueError(
        f"tf.transpose: a ragged Tensor has no transpose; got shape {args[0].shape}.\n"
        f"  Fix: x.to_tensor()."
    )


RULES.update(dict.fromkeys(_ELEMENTWISE, _elementwise))
RULES.update({f"reduce_{kind}": reduce_ragged for kind in _REDUCTIONS})
RULES.update(
    affine=_affine,
    squeeze=_squeeze,
    unstack=_unstack,
    matmul=_matmul,
    cumsum=_cumsum,
    softmax=_softmax,
    log_softmax=_softmax,
    transpose=_transpose,
)


# -- plain functions: each has the arguments of the function of `tf` of its name ----------------


def _cast(x, dtype, name=None):
    return x.with_flat_values(ops.cast(x.flat_values, dtype))


def _saturate_cast(value, dtype, name=None):
    return value.with_flat_values(ops.saturate_cast(value.flat_values, dtype))


def _bitcast(input, type, name=None):
    return input.with_flat_values(ops.bitcast(input.flat_values, type))


def _size(input, out_type=dtypes.int32, name=None):
    return ops.size(input.flat_values, out_type)


def _rank(input, name=None):
    return convert_to_tensor(len(input.shape))


def _shape(input, out_type=None, name=None):
    if not is_ragged(input):
        return input.inner_shape
    return DynamicRaggedShape.from_tensor(input, out_type or dtypes.int32)


def _where(condition, x=None, y=None, name=None):
    if x is None and y is None:
        flat = on_host(condition.flat_values)
        where = np.argwhere(flat)
        places = places_of(condition)[where[:, 0]]
        return convert_to_tensor(np.concatenate([places, where[:, 1:]], 1).astype(np.int64))
    if x is None or y is None:
        raise ValueError("tf.where: `x` and `y` must be given both, or neither.")
    dtype = next((v.dtype for v in (x, y) if hasattr(v, "dtype")), None)
    x, y = (v if is_ragged(v) else convert_to_tensor(v, dtype) for v in (x, y))
    condition = condition if is_ragged(condition) else convert_to_tensor(condition)
    return map_flat(ops.where, [condition, x, y])


def _one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    rank = len(indices.shape)
    if axis not in (None, -1, rank):
        raise ValueError(f"tf.one_hot: a ragged Tensor takes `axis` -1; got {axis}.")
    made = ops.one_hot(indices.flat_values, depth, on_value, off_value, -1, dtype)
    return indices.with_flat_values(made)


def _zeros_like(input, dtype=None, name=None, layout=None):
    return shaping.constant_like(input, 0, dtype)


def _ones_like(input, dtype=None, name=None, layout=None):
    return shaping.constant_like(input, 1, dtype)


def _zeros(shape, dtype=dtypes.float32, name=None, layout=None):
    return _full(shape, 0, dtype)


def _ones(shape, dtype=dtypes.float32, name=None, layout=None):
    return _full(shape, 1, dtype)


def _fill(dims, value, name=None, layout=None):
    return _full(dims, value, None)


def _full(shape, value, dtype):
    flat = ops.fill(shape._inner, convert_to_tensor(value, dtype))
    for part in reversed(shape.row_partitions):
        flat = RaggedTensor._of(flat, part)
    return flat


def _pow(x, y, name=None):
    return map_flat(ops.pow, [x, y])


def _add_n(inputs, name=None):
    total = inputs[0]
    for each in inputs[1:]:
        total = ops.add(total, each)
    return total


def _dropout(x, rate, noise_shape=None, seed=None, name=None):
    if noise_shape is not None:
        raise ValueError("tf.nn.dropout: a ragged `x` takes no `noise_shape`.")
    return x.with_flat_values(ops.dropout(x.flat_values, rate, seed=seed))


def _embedding_lookup(params, ids, max_norm=None, name=None):
    return ids.with_flat_values(ops.embedding_lookup(params, ids.flat_values, max_norm))


def _bincount(
    arr,
    weights=None,
    minlength=None,
    maxlength=None,
    dtype=dtypes.int32,
    name=None,
    axis=None,
    binary_output=False,
):
    if not is_ragged(arr) or (weights is not None and not is_ragged(weights)):
        raise ValueError(
            f"tf.math.bincount: `weights` must be of the kind of `arr`; got "
            f"{type(weights).__name__} for {type(arr).__name__}.\n"
            f"  Fix: make both ragged, or both dense."
        )
    flat: Any = arr.flat_values
    weights = None if weights is None else weights.flat_values
    if axis in (None, 0):
        return ops.bincount(flat, weights, minlength, maxlength, dtype, None, axis, binary_output)
    values, rows = on_host(flat), splits_of(arr)
    size = int(values.max(initial=-1)) + 1
    size = max(size, minlength or 0)
    size = size if maxlength is None else min(size, maxlength)
    how = {"minlength": size, "maxlength": size, "dtype": dtype, "binary_output": binary_output}
    parts = [
        ops.bincount(flat[a:b], None if weights is None else weights[a:b], **how)
        for a, b in itertools.pairwise(rows.tolist())
    ]
    return ops.stack(parts)


def _map_fn(
    fn,
    elems,
    dtype=None,
    parallel_iterations=None,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    name=None,
    fn_output_signature=None,
):
    """Call `fn` with each row in Python, and stack the results."""
    signature = dtype if fn_output_signature is None else fn_output_signature
    return _each_row("tf.map_fn", fn, elems, signature, signature is None)


def _vectorized_map(fn, elems, fallback_to_while_loop=True, warn=True):
    """Call `fn` with each row in Python, and stack the results, dense where they fit."""
    return _each_row("tf.vectorized_map", fn, elems, None, False)


def _each_row(who, fn, elems, signature, keeps):
    flat, pack = _flattened(elems)
    flat = [v if is_ragged(v) else convert_to_tensor(v) for v in flat]
    counts = {count_rows(v) for v in flat}
    if len(counts) != 1:
        raise ValueError(f"{who}: elems must have equally many rows; got {sorted(counts)}.")
    results = [fn(pack([v[i] for v in flat])) for i in range(counts.pop())]
    if not results:
        return _empty(signature, elems)
    firsts, repack = _flattened(results[0])
    kinds, _ = _flattened(signature)
    if len(kinds) != len(firsts):
        kinds = kinds[:1] * len(firsts)
    columns = list(zip(*[_flattened(r)[0] for r in results], strict=True))
    keep = keeps and any(map(is_ragged, flat))
    return repack([_stacked(list(c), keep, k) for c, k in zip(columns, kinds, strict=True)])


def _flattened(structure):
    """Return the leaves of a structure, ragged ones whole, and what packs such leaves."""
    wrapped = nest.map_composites(_Whole, structure) if not _is_leaf(structure) else structure
    if _is_leaf(wrapped):
        return [wrapped], lambda leaves: leaves[0]
    leaves = [v.value if isinstance(v, _Whole) else v for v in nest.flatten(wrapped)]
    return leaves, lambda new: nest.pack_sequence_as(wrapped, new)


def _is_leaf(value):
    return not isinstance(value, list | tuple | dict)


class _Whole:
    """A leaf that stands for a ragged Tensor."""

    def __init__(self, value):
        self.value = value


def _stacked(rows, keep, kind):
    rows = [r if is_ragged(r) else convert_to_tensor(r) for r in rows]
    _check_kind(rows[0], kind)
    ragged = isinstance(kind, RaggedTensorSpec) or keep or any(map(is_ragged, rows))
    if ragged and len(rows[0].shape):
        return shaping.stack(rows)
    return ops.stack(rows)


def _check_kind(row, kind):
    """Raise unless what `fn` of `tf.map_fn` returned is of the kind that was promised."""
    wanted = getattr(kind, "dtype", kind)
    if wanted is not None and row.dtype is not dtypes.as_dtype(wanted):
        raise errors.InvalidArgumentError(
            f"tf.map_fn: `fn` must return {dtypes.as_dtype(wanted).name}, as `fn_output_signature` "
            f"says; got {row.dtype.name}.\n  Fix: name the dtype of the results there."
        )
    rank = getattr(getattr(kind, "shape", None), "rank", None)
    if rank is not None and rank != len(row.shape):
        raise ValueError(
            f"tf.map_fn: `fn` must return Tensors as `fn_output_signature` {kind!r} says; got "
            f"shape {row.shape}."
        )


def _empty(signature, elems):
    first = _flattened(signature)[0][0]
    if isinstance(first, RaggedTensorSpec):
        made = convert_to_tensor(np.zeros(0, first.dtype.np))
        for _ in range(first.ragged_rank + 1):
            made = RaggedTensor.from_row_splits(made, np.zeros(1, np.int64))
        return made
    return elems if signature is None else convert_to_tensor(np.zeros(0, first.np))


def _resize(
    images, size, method="bilinear", preserve_aspect_ratio=False, antialias=False, name=None
):
    """Resize images of different sizes, each alone, to one dense batch."""
    if len(images.shape) != 4:
        raise ValueError(
            f"tf.image.resize: ragged `images` must have 4 axes (batch, height, width, channels); "
            f"got shape {images.shape}."
        )
    how = [size, method, preserve_aspect_ratio, antialias]
    if not count_rows(images):
        blank = ops.zeros([1, 1, 1, int(images.shape[-1] or 0)], images.dtype)
        return image.resize(blank, *how)[:0]
    each = [v.to_tensor() if is_ragged(v) else v for v in images]
    return ops.stack([image.resize(v, *how) for v in each])


_FUNCTIONS = {
    "add_n": _add_n,
    "bincount": _bincount,
    "bitcast": _bitcast,
    "boolean_mask": lambda tensor, mask, axis=None, name="": picking.boolean_mask(tensor, mask),
    "cast": _cast,
    "concat": shaping.concat,
    "dropout": _dropout,
    "embedding_lookup": _embedding_lookup,
    "expand_dims": shaping.expand_dims,
    "gather": picking.gather,
    "gather_nd": picking.gather_nd,
    "is_tensor": lambda x: True,
    "map_fn": _map_fn,
    "one_hot": _one_hot,
    "ones_like": _ones_like,
    "pow": _pow,
    "rank": _rank,
    "reshape": lambda tensor, shape, name=None: reshape_to(tensor, shape),
    "broadcast_to": lambda input, shape, name=None: broadcast_to(input, shape),
    "reverse": shaping.reverse,
    "saturate_cast": _saturate_cast,
    "shape": _shape,
    "size": _size,
    "split": shaping.split,
    "stack": shaping.stack,
    "tile": shaping.tile,
    "vectorized_map": _vectorized_map,
    "where": _where,
    "zeros_like": _zeros_like,
}

extend((RaggedTensor,), ops, _FUNCTIONS)
extend((RaggedTensor,), image, {"resize": _resize})
extend((RaggedTensorSpec,), ops, {"map_fn": _map_fn})
extend(
    (DynamicRaggedShape,),
    ops,
    {
        "broadcast_to": lambda input, shape, name=None: broadcast_to(input, shape),
        "fill": _fill,
        "reshape": lambda tensor, shape, name=None: reshape_to(tensor, shape),
        "ones": _ones,
        "shape": _shape,
        "zeros": _zeros,
    },
)


# -- Python's operators --------------------------------------------------------------------------

_BINARY = {
    "add": ops.add,
    "sub": ops.subtract,
    "mul": ops.multiply,
    "truediv": ops.truediv,
    "floordiv": ops.floordiv,
    "mod": ops.floormod,
    "matmul": ops.matmul,
    "and": ops.logical_and,
    "or": ops.logical_or,
    "xor": ops.logical_xor,
}
_COMPARISON = {
    "lt": ops.less,
    "le": ops.less_equal,
    "gt": ops.greater,
    "ge": ops.greater_equal,
}


def _equality(fn, answer):
    def method(self, other):
        return answer if other is None else fn(self, other)

    return method


def _install():
    for name, fn in (_BINARY | _COMPARISON).items():
        setattr(RaggedTensor, f"__{name}__", lambda self, other, fn=fn: fn(self, other))
    for name, fn in _BINARY.items():
        setattr(RaggedTensor, f"__r{name}__", lambda self, other, fn=fn: fn(other, self))
    kind: Any = RaggedTensor
    kind.__pow__ = lambda self, other: _pow(self, other)
    kind.__rpow__ = lambda self, other: _pow(other, self)
    kind.__neg__ = lambda self: ops.negative(self)
    kind.__abs__ = lambda self: ops.abs(self)
    kind.__invert__ = lambda self: ops.logical_not(self)
    kind.__eq__ = _equality(ops.equal, False)
    kind.__ne__ = _equality(ops.not_equal, True)
    kind.__getitem__ = indexing.read


_install()
