"""tf.data: pipelines of elements, lazy, on the host.

Bottom to top: elements (structures of arrays), tables (what an item means), stages (which items
come in which order), sources, changes (stages that make elements); then the public class in parts:
making, ordering, changing, dataset. Stages pass on indices as long as they can; a table is asked
for rows, or for many at once, at the end.
"""

from lamina.data.dataset import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]
