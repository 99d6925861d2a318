"""tf.random: draws from the global stream, stateless draws, and generators of one's own."""

from lamina.ops.random import *
from lamina.ops.stateless import *
