"""CTC decoders: from logits to sparse rows of labels."""

import collections

import numpy as np

from lamina.engine import convert_to_tensor, errors
from lamina.ops.sparse import rules as _rules  # noqa: F401  # what functions do with results
from lamina.ops.sparse.making import made
from lamina.ops.sparse.tensor import host_of

__all__ = [
    "collapse_repeated",
    "ctc_beam_search_decoder",
    "ctc_greedy_decoder",
    "ctc_unique_labels",
]


def _checked(inputs, sequence_length, who):
    logits, lengths = convert_to_tensor(inputs), host_of(convert_to_tensor(sequence_length))
    if logits.shape.rank != 3:
        raise errors.InvalidArgumentError(
            f"{who}: `inputs` must have shape (time, batch, classes); got {logits.shape}."
        )
    steps, batch, _ = (int(n) for n in logits.shape)
    if lengths.shape != (batch,) or (lengths > steps).any():
        raise errors.InvalidArgumentError(
            f"{who}: `sequence_length` must have {batch} entries up to {steps}; got "
            f"{lengths.tolist()}."
        )
    return logits, host_of(logits), lengths


def _sparse_rows(rows):
    places = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    flat = np.asarray([label for row in rows for label in row], np.int64)
    return made(places, flat, [len(rows), max(map(len, rows), default=0)])


def ctc_greedy_decoder(inputs, sequence_length, merge_repeated=True, blank_index=None):
    """Take the likeliest label of each step, and drop repeats and blanks.

    Args:
        inputs: Logits `(time, batch, classes)`.
        sequence_length: The number of steps of each, `(batch,)`.
        merge_repeated: Whether equal labels in a row count once.
        blank_index: The class that means no label; None is the last. Negative ones count from
            the end.

    Returns:
        A list of one SparseTensor of int64 labels `(batch, longest)`, and the negated sum of the
        largest logits, `(batch, 1)`.

    Raises:
        InvalidArgumentError: the shapes do not fit, or the blank is out of range.

    Example:
        >>> logits = tf.constant([[[5.0, 0.0, 0.0]], [[0.0, 0.0, 5.0]], [[0.0, 5.0, 0.0]]])
        >>> tf.nn.ctc_greedy_decoder(logits, [3])[0][0].values.numpy()
        array([0, 1])
    """
    who = "tf.nn.ctc_greedy_decoder"
    logits, host, lengths = _checked(inputs, sequence_length, who)
    classes = host.shape[2]
    blank = classes - 1 if blank_index is None else int(blank_index)
    blank += classes if blank < 0 else 0
    if not 0 <= blank < classes:
        raise errors.InvalidArgumentError(
            f"{who}: `blank_index` must lie in [{-classes}, {classes}); got {blank_index}."
        )
    best = host.argmax(axis=2)
    rows, scores = [], np.zeros((host.shape[1], 1), host.dtype)
    for b, length in enumerate(lengths.tolist()):
        path = best[:length, b].tolist()
        scores[b, 0] = -host[:length, b].max(axis=1).sum() if length else 0
        kept = [
            label
            for t, label in enumerate(path)
            if label != blank and not (merge_repeated and t and path[t - 1] == label)
        ]
        rows.append(kept)
    return [_sparse_rows(rows)], convert_to_tensor(scores, logits.dtype)


def ctc_beam_search_decoder(inputs, sequence_length, beam_width=100, top_paths=1):
    """Search the likeliest label sequences, all alignments of each taken together.

    Args:
        inputs: Logits `(time, batch, classes)`; the last class is the blank.
        sequence_length: The number of steps of each, `(batch,)`.
        beam_width: How many sequences are followed.
        top_paths: How many are returned.

    Returns:
        A list of `top_paths` SparseTensors of int64 labels `(batch, longest)`, and their log
        probabilities, `(batch, top_paths)`.

    Raises:
        InvalidArgumentError: the shapes do not fit, or `top_paths` is above `beam_width`.

    Example:
        >>> logits = tf.constant([[[5.0, 0.0, 0.0]], [[0.0, 0.0, 5.0]], [[0.0, 5.0, 0.0]]])
        >>> tf.nn.ctc_beam_search_decoder(logits, [3])[0][0].values.numpy()
        array([0, 1])
    """
    who = "tf.nn.ctc_beam_search_decoder"
    logits, host, lengths = _checked(inputs, sequence_length, who)
    if top_paths > beam_width:
        raise errors.InvalidArgumentError(
            f"{who}: `top_paths` may not be above `beam_width`; got {top_paths} and {beam_width}."
        )
    wide = host.astype(np.float64)
    wide -= wide.max(axis=2, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=2, keepdims=True))
    found = [_search(wide[:n, b], beam_width, top_paths) for b, n in enumerate(lengths.tolist())]
    paths = [_sparse_rows([f[k][0] for f in found]) for k in range(top_paths)]
    scores = np.asarray([[score for _, score in f] for f in found])
    return paths, convert_to_tensor(scores.astype(host.dtype), logits.dtype)


def _search(steps, width, count):
    """Return the likeliest label sequences of one row, and their log probabilities."""
    none = float("-inf")
    blank = steps.shape[1] - 1
    beam = {(): (0.0, none)}  # prefix -> log probability that it ends in a blank, in a label
    for step in steps:
        grown = collections.defaultdict(lambda: [none, none])
        for prefix, (with_blank, with_label) in beam.items():
            both = np.logaddexp(with_blank, with_label)
            entry = grown[prefix]
            entry[0] = np.logaddexp(entry[0], both + step[blank])
            if prefix:
                entry[1] = np.logaddexp(entry[1], with_label + step[prefix[-1]])
            for label in range(blank):
                before = with_blank if prefix and label == prefix[-1] else both
                longer = grown[(*prefix, label)]
                longer[1] = np.logaddexp(longer[1], before + step[label])
        ranked = sorted(grown.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))
        beam = {k: tuple(v) for k, v in ranked[:width]}
    ranked = sorted(beam.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))[:count]
    found = [(list(prefix), float(np.logaddexp(score[0], score[1]))) for prefix, score in ranked]
    return found + [([], none)] * (count - len(found))


def ctc_unique_labels(labels, name=None):
    """Return the distinct labels of each row, and for each label its place among them.

    Args:
        labels: Integers `(batch, length)`, padded with 0.
        name: Accepted, unused.

    Returns:
        The distinct labels `(batch, length)`, padded with 0, in the order of their first
        occurrence; and the index of each label in its row of them, int32.

    Example:
        >>> tf.nn.ctc_unique_labels([[1, 2, 2]])[1].numpy()
        array([[0, 1, 1]], dtype=int32)
    """
    host = host_of(convert_to_tensor(labels))
    found, places = np.zeros(host.shape, np.int64), np.zeros(host.shape, np.int32)
    for i, row in enumerate(host.tolist()):
        distinct = list(dict.fromkeys(row))
        found[i, : len(distinct)] = distinct
        places[i] = [distinct.index(label) for label in row]
    return [convert_to_tensor(found), convert_to_tensor(places)]


def collapse_repeated(labels, seq_length, name=None):
    """Merge equal labels that follow each other.

    Args:
        labels: Integers `(batch, length)`.
        seq_length: The length of each row, `(batch,)`.
        name: Accepted, unused.

    Returns:
        The merged labels, padded with 0 to the longest row, and the length of each row.

    Example:
        >>> tf.nn.collapse_repeated([[1, 1, 2, 0]], [3])[0].numpy()
        array([[1, 2]], dtype=int32)
    """
    tensor, sizes = convert_to_tensor(labels), convert_to_tensor(seq_length)
    host, rows = host_of(tensor), []
    for row, length in zip(host.tolist(), host_of(sizes).tolist(), strict=True):
        kept = row[:length]
        rows.append([v for i, v in enumerate(kept) if not i or v != kept[i - 1]])
    wide = np.zeros((len(rows), max(map(len, rows), default=0)), host.dtype)
    for into, row in zip(wide, rows, strict=True):
        into[: len(row)] = row
    lengths = np.asarray([len(r) for r in rows], sizes.dtype.np)
    return convert_to_tensor(wide), convert_to_tensor(lengths)
