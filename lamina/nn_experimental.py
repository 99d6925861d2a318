"""tf.nn.experimental: dropout with a source of randomness of one's own."""

from lamina.ops.nn import general_dropout as general_dropout
from lamina.ops.nn import stateless_dropout as stateless_dropout
