"""tf.io.decode_csv: lines of comma-separated values as columns."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, from_host
from lamina.ops.strings.operands import objects, texts

__all__ = ["decode_csv"]


def _cells(record: bytes, delimiter: bytes, quotes: bool) -> list[tuple[bytes, bool]]:
    """Return the fields of a line, each with whether it was quoted."""
    if not quotes:
        return [(cell, False) for cell in record.rstrip(b"\r\n").split(delimiter)]
    record = record.rstrip(b"\r\n")
    out: list[tuple[bytes, bool]] = []
    at = 0
    while True:
        if record[at : at + 1] == b'"':
            close = re.compile(rb'((?:[^"]|"")*)"').match(record, at + 1)
            if close is None or record[close.end() : close.end() + 1] not in (b"", delimiter):
                raise errors.InvalidArgumentError(
                    f"tf.io.decode_csv: Quoted field has to end with quote followed by delim or "
                    f"end: {record!r}.\n  Fix: double quotes within a field, or use_quote_delim="
                    f"False."
                )
            out.append((close[1].replace(b'""', b'"'), True))
            at = close.end()
        else:
            end = record.find(delimiter, at)
            end = len(record) if end < 0 else end
            cell = record[at:end]
            if re.search(rb'["\r\n]', cell):
                raise errors.InvalidArgumentError(
                    f"tf.io.decode_csv: Unquoted fields cannot have quotes/CRLFs inside: "
                    f"{record!r}.\n  Fix: quote the field, or use_quote_delim=False."
                )
            out.append((cell, False))
            at = end
        if at >= len(record):
            return out
        at += 1


class _Column:
    """A column of a CSV table: its dtype, and what stands for empty fields.

    Args:
        default: A record default: a value, a list or vector of one or none.
        index: Which it is, for messages.
    """

    def __init__(self, default: Any, index: int) -> None:
        found = convert_to_tensor(default)
        if found.shape.num_elements() not in (0, 1):
            raise errors.InvalidArgumentError(
                f"tf.io.decode_csv: each of `record_defaults` must be one value or empty; got "
                f"shape {found.shape} for column {index}.\n  Fix: pass [0] or tf.constant([])."
            )
        self.dtype = found.dtype
        if self.dtype.name not in ("float32", "float64", "int32", "int64", "string"):
            raise errors.InvalidArgumentError(
                f"tf.io.decode_csv: columns are float32, float64, int32, int64 or string; got "
                f"{self.dtype.name}.\n  Fix: tf.cast what was read."
            )
        flat = np.asarray(found.numpy(), self.dtype.np).reshape(-1)
        self.default = flat[0] if flat.size else None
        self.index = index

    def value(self, cell: bytes, record: int) -> Any:
        """Return a field as a number or string."""
        if self.dtype is dtypes.string:
            return cell
        try:
            word = cell.decode().strip()
            if "_" in word:
                raise ValueError
            if self.dtype.is_floating:
                return float(word)
            number = int(word)
            if not self.dtype.min <= number <= self.dtype.max:
                raise ValueError
            return number
        except ValueError:
            raise errors.InvalidArgumentError(
                f"tf.io.decode_csv: Field {self.index} in record {record} is not a valid "
                f"{self.dtype.name}: "
                f"{cell.decode('utf-8', 'replace')}.\n"
                f"  Fix: give another dtype in `record_defaults`, or `na_value` for missing ones."
            ) from None


def _table(records: np.ndarray, columns: Sequence[_Column], options: Any) -> list[list[Any]]:
    delimiter, quotes, missing, chosen = options
    out: list[list[Any]] = [[] for _ in columns]
    count = len(columns)
    for r, record in enumerate(records.reshape(-1)):
        cells = _cells(record, delimiter, quotes)
        if chosen is not None:
            cells = [cells[c] for c in chosen if c < len(cells)]
        if len(cells) != count:
            raise errors.InvalidArgumentError(
                f"tf.io.decode_csv: Expect {count} fields but have {len(cells)} in record {r}.\n"
                f"  Fix: give one of `record_defaults` for each column, or `select_cols`."
            )
        for i, (cell, quoted) in enumerate(cells):
            if (cell == b"" or cell == missing) and not (quoted and cell != b""):
                if columns[i].default is None:
                    raise errors.InvalidArgumentError(
                        f"tf.io.decode_csv: Field {i} is required but missing in record {r}!\n"
                        f"  Fix: give it a default in `record_defaults`."
                    )
                out[i].append(columns[i].default)
            else:
                out[i].append(columns[i].value(cell, r))
    return out


def decode_csv(
    records,
    record_defaults,
    field_delim=",",
    use_quote_delim=True,
    na_value="",
    select_cols=None,
    name=None,
):
    """Read lines of comma-separated values.

    Args:
        records: Strings of any shape, each a line.
        record_defaults: For each column the value of empty fields, which gives its dtype too:
            float32, float64, int32, int64 or string; an empty Tensor requires a value.
        field_delim: The character between fields.
        use_quote_delim: Whether fields may stand in double quotes.
        na_value: A further text that counts as empty.
        select_cols: The columns to read, ascending; None reads all.
        name: Accepted, unused.

    Returns:
        A list of Tensors of the shape of `records`, one for each column.

    Raises:
        InvalidArgumentError: a line has more or fewer fields, a field is missing or does not
            convert.

    Example:
        >>> number, word = tf.io.decode_csv(["1,a", ",b"], [[0], ["x"]])
        >>> number.numpy(), word.numpy()
        (array([1, 0], dtype=int32), array([b'a', b'b'], dtype=object))
    """
    lines = np.asarray(texts(records, "tf.io.decode_csv").numpy(), object)
    columns = [_Column(default, i) for i, default in enumerate(record_defaults)]
    if len(field_delim) != 1:
        raise ValueError(
            f"tf.io.decode_csv: `field_delim` must be one character; got {field_delim!r}."
        )
    chosen = None if select_cols is None else [int(c) for c in select_cols]
    if chosen is not None and (len(chosen) != len(columns) or chosen != sorted(set(chosen))):
        raise ValueError(
            f"tf.io.decode_csv: `select_cols` must be ascending, as long as `record_defaults`; "
            f"got {chosen} and {len(columns)} defaults.\n  Fix: give a default for each."
        )
    missing = na_value.encode() if isinstance(na_value, str) else na_value
    options = field_delim.encode(), bool(use_quote_delim), missing, chosen
    found = _table(lines, columns, options)
    return [
        from_host(
            objects(values, lines.shape)
            if c.dtype is dtypes.string
            else np.array(values, c.dtype.np).reshape(lines.shape)
        )
        for c, values in zip(columns, found, strict=True)
    ]
