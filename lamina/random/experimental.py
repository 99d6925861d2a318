"""tf.random.experimental: older names of tf.random's, and permutations by index."""

from lamina.ops.generators import Algorithm as Algorithm
from lamina.ops.generators import Generator as Generator
from lamina.ops.generators import create_rng_state as create_rng_state
from lamina.ops.generators import get_global_generator as get_global_generator
from lamina.ops.generators import set_global_generator as set_global_generator
from lamina.ops.quasirandom import index_shuffle as index_shuffle
from lamina.ops.stateless import stateless_fold_in as stateless_fold_in
from lamina.ops.stateless import stateless_shuffle as stateless_shuffle
from lamina.ops.stateless import stateless_split as stateless_split
