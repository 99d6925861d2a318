"""TF's functions, one recorded operation each; the bodies are plain JAX.

One flat namespace under TF's names: `tf.math.log` is `ops.log`. The public modules
(`lamina/math.py`, `lamina/nn.py`, ...) pick theirs from it. A file is a family; bodies see jax
arrays, everything else sees Tensors.
"""

from lamina.ops import operators  # installs the operators of Tensor and Variable
from lamina.ops.activation import *
from lamina.ops.array import *
from lamina.ops.attention import *
from lamina.ops.bessel import *
from lamina.ops.binomial import *
from lamina.ops.casting import *
from lamina.ops.checks import *
from lamina.ops.clipping import *
from lamina.ops.comparison import *
from lamina.ops.control_flow import *
from lamina.ops.convolutions import *
from lamina.ops.cosine import *
from lamina.ops.counting import *
from lamina.ops.crossentropy import *
from lamina.ops.ctc import *
from lamina.ops.cumulative import *
from lamina.ops.decay import *
from lamina.ops.decisions import *
from lamina.ops.decomposition import *
from lamina.ops.deconvolutions import *
from lamina.ops.diagonal import *
from lamina.ops.differentials import *
from lamina.ops.division import *
from lamina.ops.elementary import *
from lamina.ops.foreign import *
from lamina.ops.fourier import *
from lamina.ops.generators import *
from lamina.ops.hashing import *
from lamina.ops.histogram import *
from lamina.ops.indexing import *
from lamina.ops.linalg import *
from lamina.ops.loops import *
from lamina.ops.math import *
from lamina.ops.mel import *
from lamina.ops.morphology import *
from lamina.ops.nn import *
from lamina.ops.normalization import *
from lamina.ops.observing import *
from lamina.ops.optim import *
from lamina.ops.packed import *
from lamina.ops.padding import *
from lamina.ops.patches import *
from lamina.ops.piecewise import *
from lamina.ops.placement import *
from lamina.ops.pooling import *
from lamina.ops.quasirandom import *
from lamina.ops.random import *
from lamina.ops.ranking import *
from lamina.ops.reduce import *
from lamina.ops.rnn import *
from lamina.ops.rounding import *
from lamina.ops.rows import *
from lamina.ops.sampled import *
from lamina.ops.segments import *
from lamina.ops.selection import *
from lamina.ops.shaping import *
from lamina.ops.signal import *
from lamina.ops.slicing import *
from lamina.ops.solving import *
from lamina.ops.special import *
from lamina.ops.stateless import *
from lamina.ops.tables import *
from lamina.ops.taper import *
from lamina.ops.tensor_array import *
from lamina.ops.tridiagonal import *
from lamina.ops.unigrams import *
from lamina.ops.variables import *
from lamina.ops.windows import *
