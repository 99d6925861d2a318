"""tf.data: pipelines of elements, lazy, on the host.

Bottom to top: structure, lasting (iterators that go on after an error), composites, elements
(structures of arrays), tables and mapping (what an item means), stages, shuffling, sources,
changes, caching, flattening, stateful, storing (which items come in which order); iterating; then
the public class in parts: making, ordering, changing, combining, keeping, dataset; files, csv and
experimental on top. Stages pass on indices as long as they can; a table is asked for rows, or for
many at once, at the end.
"""

from lamina.data.dataset import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset
from lamina.data.files import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset
from lamina.data.iterating import DatasetSpec, Iterator, IteratorSpec, NumpyIterator
from lamina.data.options import Options, ThreadingOptions
from lamina.demand import on_demand as _on_demand

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Dataset",
    "DatasetSpec",
    "FixedLengthRecordDataset",
    "Iterator",
    "IteratorSpec",
    "NumpyIterator",
    "Options",
    "TFRecordDataset",
    "TextLineDataset",
    "ThreadingOptions",
]

__getattr__, __dir__ = _on_demand(__name__, modules=("experimental",))
