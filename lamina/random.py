"""tf.random: draws from the global stream, stateless draws, and generators of one's own."""

from lamina.ops.random import *
from lamina.ops.stateless import *
from lamina.ops.stateless import stateless_fold_in as fold_in
from lamina.ops.stateless import stateless_split as split
