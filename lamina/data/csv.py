"""CSV files as datasets."""

import csv as _csv
import io
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from lamina.data import tables
from lamina.data.dataset import AUTOTUNE, Dataset
from lamina.data.files import compression_of, file_names
from lamina.data.flattening import Interleave
from lamina.data.lasting import Failed, lasting
from lamina.data.records import unpacked
from lamina.data.stages import UNKNOWN, Run, Stage
from lamina.engine import Tensor, TensorSpec, as_dtype, convert_to_tensor, errors, static_int
from lamina.ops.paths import path_of

__all__ = ["CsvDataset", "make_csv_dataset"]

_DTYPES = ("int32", "int64", "float32", "float64", "string")


class _Format:
    """How fields are divided, and which mean that there is none."""

    def __init__(self, delimiter: str, quotes: bool, na: str, encoding: str = "utf-8") -> None:
        if len(delimiter) != 1:
            raise ValueError(f"tf.data CSV: `field_delim` must be one character; got {delimiter!r}")
        self.na = na
        self.encoding = encoding
        self._is_record = _record_pattern(delimiter).fullmatch if quotes else None
        self._options: Any = {
            "delimiter": delimiter,
            "quoting": _csv.QUOTE_MINIMAL if quotes else _csv.QUOTE_NONE,
        }

    def rows(self, path: Any, compression: str, encoding: str = "utf-8") -> Iterator[Any]:
        """Yield the fields of each line, or the error for a line that is no record.

        Args:
            path: The file.
            compression: "", "GZIP" or "ZLIB".
            encoding: How bytes are text. Fields of records are bytes: what is no text in UTF-8
                comes back as it was.
        """
        with unpacked(path, compression) as file:
            lines = _Lines(io.TextIOWrapper(file, encoding, "surrogateescape", newline=""))
            reader = _csv.reader(lines, strict=True, **self._options)
            while True:
                try:
                    fields = next(reader) or [""]
                    text = lines.taken()
                    if self._is_record and '"' in text and not self._is_record(text):
                        raise _csv.Error("unquoted fields cannot have quotes inside")
                    yield fields
                except StopIteration:
                    return
                except _csv.Error as error:
                    lines.taken()
                    yield errors.InvalidArgumentError(
                        f"tf.data CSV: {path_of(path)}, line {reader.line_num}, is no record: "
                        f"{error}.\n  Fix: quote the field, and write a quote inside of it twice."
                    )

    def texts(self, path: Any, compression: str) -> Iterator[list[str]]:
        """Yield the fields of each line that is a record, in the file's encoding."""
        rows = self.rows(path, compression, self.encoding)
        return (row for row in rows if isinstance(row, list))


def _record_pattern(delimiter: str) -> re.Pattern[str]:
    """Return what a record matches that has quotes only where TF takes them."""
    end = re.escape(delimiter)
    field = rf'(?:"(?:[^"]|"")*+"|[^"{end}]*+)'
    return re.compile(rf"{field}(?:{end}{field})*+[\r\n]*")


class _Lines(Iterator[str]):
    """Lines, of which those read since the last question are kept."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._kept: list[str] = []

    def __next__(self) -> str:
        line = next(self._lines)
        self._kept.append(line)
        return line

    def taken(self) -> str:
        """Return the lines read since this was asked last."""
        found = "".join(self._kept)
        self._kept.clear()
        return found


class _Field:
    """A field's dtype, and what stands for it where it is empty.

    Args:
        default: A dtype: the field is needed; or an array with the value, or an empty one.
    """

    def __init__(self, default: Any) -> None:
        value = None
        try:
            dtype = as_dtype(default)
            if isinstance(default, Tensor | np.ndarray | np.generic):
                raise TypeError
        except (TypeError, ValueError):
            array = np.asarray(convert_to_tensor(default))
            if array.ndim > 1:
                raise errors.InvalidArgumentError(
                    f"tf.data CSV: a default must be a value or a list of at most one; got one of "
                    f"shape {array.shape}."
                ) from None
            array = array.reshape(-1)
            dtype = as_dtype("string" if array.dtype == object else array.dtype)
            value = array[0] if len(array) else None
        if dtype.name not in _DTYPES:
            raise TypeError(
                f"tf.data CSV: a column must be one of {', '.join(_DTYPES)}; got {dtype.name}."
            )
        self.dtype = dtype
        self.default = value

    def read(self, text: str, na: str, place: str) -> Any:
        """Return a field's value."""
        if text == "" or (text == na and na):
            if self.default is None:
                raise errors.InvalidArgumentError(
                    f"tf.data CSV: Field {place} is required but missing in record!\n"
                    f"  Fix: give its column a default value."
                )
            return self.default
        if self.dtype.name == "string":
            return text.encode("utf-8", "surrogateescape")
        try:
            return self.dtype.np.type(float(text) if self.dtype.is_floating else int(text))
        except (ValueError, OverflowError):
            raise errors.InvalidArgumentError(
                f"tf.data CSV: Field {place} in record is not a valid {self.dtype.name}: {text}\n"
                f"  Fix: give its column another dtype."
            ) from None

    def array(self, values: Sequence[Any]) -> np.ndarray:
        """Return values as an array."""
        if self.dtype.name != "string":
            return np.asarray(values, self.dtype.np)
        found = np.empty(len(values), object)
        found[:] = values
        return found


class _Records(tables.Table):
    """Items are lists of values, one for each field."""

    def __init__(self, fields: list[_Field], pack: Callable[[list[Any]], Any]) -> None:
        self._fields, self._pack = fields, pack

    def row(self, item: Any) -> Any:
        return self._pack([f.array([v])[0:1].reshape(()) for f, v in self._pairs(item)])

    def _pairs(self, item: Any) -> Any:
        return zip(self._fields, item, strict=True)

    def gather(self, items: Any) -> Any:
        columns = zip(*items, strict=True)
        return self._pack([f.array(c) for f, c in self._pairs(columns)])


class _CsvFile(Stage):
    """The records of a CSV file.

    Args:
        path: The file.
        form: How fields are divided.
        compression: "", "GZIP" or "ZLIB".
        header: Whether the first line is left out.
        fields: The fields to read.
        places: Their places in a line; None takes all.
        pack: Makes an element of the values.
        width: How many fields a line must have, or None.
        ignore: Whether lines that cannot be read are left out.
    """

    label = "CsvDatasetV2"

    def __init__(
        self,
        path: Any,
        form: _Format,
        compression: str,
        header: bool,
        fields: list[_Field],
        places: list[int] | None,
        pack: Callable[[list[Any]], Any],
        width: int | None = None,
        ignore: bool = False,
    ) -> None:
        self.table = _Records(fields, pack)
        self._how = path, form, compression, header
        self._fields, self._places, self._pack = fields, places, pack
        self._width, self._ignore = width, ignore

    def spec(self) -> Any:
        return self._pack([TensorSpec([], f.dtype) for f in self._fields])

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._lines())

    def _lines(self) -> Iterator[Any]:
        path, form, compression, header = self._how
        fields, places = self._fields, self._places
        rows = form.rows(path, compression)
        if header and next(rows, None) is None:
            raise errors.InvalidArgumentError(
                f"tf.data CSV: Can't read header of file {path_of(path)}: it is empty."
            )
        for row in rows:
            try:
                if not isinstance(row, list):
                    raise row
                if places is None and len(row) != len(fields):
                    raise self._wrong(len(fields), row)
                if self._width is not None and len(row) != self._width:
                    raise self._wrong(self._width, row)
                if places is not None and max(places, default=-1) >= len(row):
                    raise self._wrong(max(places) + 1, row)
                texts = row if places is None else [row[p] for p in places]
                yield [
                    f.read(text, form.na, str(i))
                    for i, (f, text) in enumerate(zip(fields, texts, strict=True))
                ]
            except errors.InvalidArgumentError as error:
                if not self._ignore:
                    yield Failed(error)

    def _wrong(self, expected: int, row: list[str]) -> errors.InvalidArgumentError:
        return errors.InvalidArgumentError(
            f"tf.data CSV: Expect {expected} fields but have {len(row)} in record of "
            f"{path_of(self._how[0])}: {row!r}\n  Fix: check `field_delim` and the columns."
        )


class CsvDataset(Dataset):
    r"""A dataset of the records of CSV files, tuples of scalars.

    Args:
        filenames: A string, a list or Tensor of strings, or a dataset of them.
        record_defaults: For each column to read a dtype, where the field must be there, or a
            value, which stands where it is empty. int32, int64, float32, float64 and string.
        compression_type: None, "", "GZIP" or "ZLIB".
        buffer_size: Accepted, unused: files are buffered.
        header: Whether the first line of each file is left out.
        field_delim: What divides fields, one character.
        use_quote_delim: Whether double quotes hold a field together.
        na_value: A text that means an empty field.
        select_cols: The places of the columns to read, in increasing order; None reads all.
        exclude_cols: The places of columns not to read; not with `select_cols`.

    Raises:
        errors.InvalidArgumentError: a line has other fields; when it is asked for.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.csv")
        >>> with open(path, "w") as file:
        ...     _ = file.write("a,b,c\n1,2.5,x\n2,,y\n")
        >>> rows = tf.data.experimental.CsvDataset(path, [tf.int32, 0.0, tf.string], header=True)
        >>> list(rows.as_numpy_iterator())
        [(np.int32(1), np.float32(2.5), b'x'), (np.int32(2), np.float32(0.0), b'y')]
    """

    def __init__(
        self,
        filenames: Any,
        record_defaults: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        header: bool = False,
        field_delim: str = ",",
        use_quote_delim: bool = True,
        na_value: str = "",
        select_cols: Any = None,
        exclude_cols: Any = None,
    ) -> None:
        if select_cols is not None and exclude_cols is not None:
            raise errors.InvalidArgumentError(
                "tf.data.experimental.CsvDataset: only one of `select_cols` and `exclude_cols` "
                f"can be given; got {select_cols!r} and {exclude_cols!r}."
            )
        if buffer_size is not None and static_int(buffer_size, "buffer_size") <= 0:
            raise errors.InvalidArgumentError(
                f"tf.data.experimental.CsvDataset: `buffer_size` must be above 0; got "
                f"{buffer_size!r}."
            )
        kind = compression_of(compression_type, "experimental.CsvDataset")
        form = _Format(field_delim, bool(use_quote_delim), na_value)
        fields = [_Field(d) for d in record_defaults]
        places = None if select_cols is None else [int(c) for c in select_cols]
        count = None
        if exclude_cols is not None:
            left = {int(c) for c in exclude_cols}
            count = len(fields) + len(left)
            places = [i for i in range(count) if i not in left]
        if places is not None and len(places) != len(fields):
            raise ValueError(
                f"tf.data.experimental.CsvDataset: `record_defaults` must have one entry for each "
                f"of the {len(places)} selected columns; got {len(fields)}."
            )
        has_header = bool(header)

        def one(path: Any) -> Dataset:
            return Dataset(_CsvFile(path, form, kind, has_header, fields, places, tuple, count))

        names = file_names(filenames, "experimental.CsvDataset")
        super().__init__(_CsvFiles(names, one, 1, fields, tuple))


class _CsvFiles(Interleave):
    """The records of some CSV files, from several at a time."""

    def __init__(self, names: Stage, one: Any, cycle: int, fields: Any, pack: Any) -> None:
        super().__init__(names, one, cycle, 1, False)
        self.runs_user_code = names.runs_user_code
        self.label = "CsvDatasetV2"
        self._fields, self._pack = fields, pack
        self.table = _Records(fields, pack)

    def spec(self) -> Any:
        return self._pack([TensorSpec([], f.dtype) for f in self._fields])

    def _open(self, stage: Stage, run: Run) -> Iterator[Any]:
        return stage.items(run)

    def size(self) -> int:
        return UNKNOWN


# ---- make_csv_dataset -------------------------------------------------------------------------


def make_csv_dataset(
    file_pattern: Any,
    batch_size: Any,
    column_names: Any = None,
    column_defaults: Any = None,
    label_name: str | None = None,
    select_columns: Any = None,
    field_delim: str = ",",
    use_quote_delim: bool = True,
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: Any = None,
    prefetch_buffer_size: Any = None,
    num_parallel_reads: Any = None,
    sloppy: bool = False,
    num_rows_for_inference: int | None = 100,
    compression_type: Any = None,
    ignore_errors: bool = False,
    encoding: str = "utf-8",
) -> Dataset:
    r"""Return a dataset of batches of the columns of CSV files, dicts of arrays by name.

    Args:
        file_pattern: A pattern of file names, or a list of them.
        batch_size: Records a batch.
        column_names: The names of all columns, in order; None reads them from the header.
        column_defaults: For each column to read a dtype or a default value; None finds the dtypes
            from the first rows, and fills in 0 and "".
        label_name: The column that is returned apart: elements are (dict, label).
        select_columns: The names, or places, of the columns to read; None reads all.
        field_delim: What divides fields.
        use_quote_delim: Whether double quotes hold a field together.
        na_value: A text that means an empty field.
        header: Whether the files' first lines are names.
        num_epochs: How many passes; None is without end.
        shuffle: Whether records come in random order.
        shuffle_buffer_size: How many records the next one is drawn from.
        shuffle_seed: An int, for the order.
        prefetch_buffer_size: How many batches are made ahead; None chooses.
        num_parallel_reads: From how many files at a time records are taken in turn.
        sloppy: Accepted, unused: the order is kept.
        num_rows_for_inference: How many rows tell the dtypes; None takes all.
        compression_type: None, "", "GZIP" or "ZLIB".
        ignore_errors: Whether records that cannot be read are left out.
        encoding: The files' encoding.

    Raises:
        ValueError: no file matches, names come twice, or `label_name` is no column.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.csv")
        >>> with open(path, "w") as file:
        ...     _ = file.write("x,y\n1,a\n2,b\n")
        >>> dataset = tf.data.experimental.make_csv_dataset(
        ...     path, 2, label_name="y", num_epochs=1, shuffle=False
        ... )
        >>> features, label = next(dataset.as_numpy_iterator())
        >>> features["x"], label
        (array([1, 2], dtype=int32), array([b'a', b'b'], dtype=object))
    """
    kind = compression_of(compression_type, "experimental.make_csv_dataset")
    form = _Format(field_delim, bool(use_quote_delim), na_value, encoding)
    paths = _matching(file_pattern)
    names = list(column_names or _header(paths, form, kind, bool(header)))
    places = _selected(names, select_columns)
    if column_defaults is not None:
        fields = [_Field(d) for d in column_defaults]
    else:
        rows = _rows_of(paths, form, kind, bool(header), len(names))
        fields = _inferred(islice(rows, num_rows_for_inference), form.na, places)
    chosen = _checked(names, places, fields, label_name)

    def pack(values: list[Any]) -> Any:
        found = OrderedDict(zip(chosen, values, strict=True))
        return found if label_name is None else (found, found.pop(label_name))

    def one(path: Any) -> Dataset:
        stage = _CsvFile(
            path, form, kind, bool(header), fields, places, pack, len(names), ignore_errors
        )
        return Dataset(stage)

    listed: Dataset = Dataset.from_tensor_slices(paths)
    if shuffle:
        listed = listed.shuffle(len(paths), shuffle_seed)
    cycle = 1 if num_parallel_reads in (None, AUTOTUNE) else int(num_parallel_reads)
    dataset = Dataset(_CsvFiles(listed._stage, one, max(cycle, 1), fields, pack))
    if shuffle:
        dataset = dataset.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        dataset = dataset.repeat(num_epochs)
    dataset = dataset.batch(batch_size, drop_remainder=num_epochs is None)
    return dataset.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)


def _checked(
    names: list[str], places: list[int], fields: list[_Field], label_name: str | None
) -> list[str]:
    """Return the names of the columns to read."""
    who = "tf.data.experimental.make_csv_dataset"
    if len(set(names)) != len(names):
        raise ValueError(
            f"{who}: Cannot have duplicate column names; got {names}.\n  Fix: pass `column_names`."
        )
    if len(fields) != len(places):
        raise ValueError(
            f"{who}: `column_defaults` must have one entry for each of {len(places)} columns; got "
            f"{len(fields)}."
        )
    chosen = [names[p] for p in places]
    if label_name is not None and label_name not in chosen:
        raise ValueError(
            f"{who}: `label_name` provided must be one of the columns; got {label_name!r} and "
            f"{chosen}."
        )
    return chosen


def _matching(file_pattern: Any) -> list[str]:
    try:
        files = Dataset.list_files(file_pattern, shuffle=False)
    except errors.InvalidArgumentError as error:
        raise ValueError(f"tf.data.experimental.make_csv_dataset: {error}") from None
    return [path.decode() for path in files.as_numpy_iterator()]


def _header(paths: list[str], form: _Format, compression: str, header: bool) -> list[str]:
    if not header:
        raise ValueError(
            "tf.data.experimental.make_csv_dataset: `column_names` must be given where the files "
            "have no header."
        )
    found: list[str] | None = None
    for path in paths:
        names = next(form.texts(path, compression), [])
        if found is not None and names != found:
            raise ValueError(
                f"tf.data.experimental.make_csv_dataset: all files must have one header; got "
                f"{found} and, in {path}, {names}.\n  Fix: pass `column_names`."
            )
        found = names
    return found or []


def _selected(names: list[str], select: Any) -> list[int]:
    if select is None:
        return list(range(len(names)))
    found = []
    for column in select:
        place = names.index(column) if column in names else column
        if not isinstance(place, int) or not 0 <= place < len(names):
            raise ValueError(
                f"tf.data.experimental.make_csv_dataset: `select_columns` must name columns of "
                f"{names}; got {column!r}."
            )
        found.append(place)
    return sorted(found)


def _rows_of(
    paths: list[str], form: _Format, compression: str, header: bool, width: int
) -> Iterator[list[str]]:
    """Yield the fields of all records.

    Raises:
        ValueError: a record has another number of them.
    """
    for path in paths:
        for row in islice(form.texts(path, compression), int(header), None):
            if len(row) != width:
                raise ValueError(
                    f"tf.data.experimental.make_csv_dataset: each row must have {width} fields, as "
                    f"there are column names; got {row} in {path}.\n"
                    f"  Fix: check `column_names`, or pass `column_defaults`."
                )
            yield row


def _inferred(rows: Iterator[list[str]], na: str, places: list[int]) -> list[_Field]:
    """Return the fields of the narrowest dtypes that hold some rows."""
    kinds = [0] * len(places)
    seen = [False] * len(places)
    for row in rows:
        for i, place in enumerate(places):
            text = row[place]
            if text and text != na:
                seen[i] = True
                while not _holds(_DTYPES[kinds[i]], text):
                    kinds[i] += 1
    found = []
    for kind, any_seen in zip(kinds, seen, strict=True):
        name = _DTYPES[kind] if any_seen else "string"
        empty: Any = b"" if name == "string" else np.zeros((), name)
        found.append(_Field(np.array([empty], object if name == "string" else name)))
    return found


def _holds(dtype: str, text: str) -> bool:
    """Return whether a text is a number of a dtype."""
    try:
        if dtype.startswith("int"):
            info = np.iinfo(dtype)
            return info.min <= int(text) <= info.max
        if dtype == "float32":
            return bool(abs(float(text)) <= np.finfo("float32").max or np.isinf(float(text)))
        if dtype == "float64":
            float(text)
        return True
    except ValueError:
        return False
