"""Reading tf.train.Example records: what is in them, and parsing one or many."""

from lamina.ops.parsing.examples import *
from lamina.ops.parsing.examples import __all__ as _examples
from lamina.ops.parsing.features import *
from lamina.ops.parsing.features import __all__ as _features
from lamina.ops.parsing.sequences import *
from lamina.ops.parsing.sequences import __all__ as _sequences

__all__ = sorted([*_examples, *_features, *_sequences])
