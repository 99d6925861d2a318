"""tf.signal: Fourier and cosine transforms, windows, frames, the mel scale."""

from lamina.ops.fourier import *
from lamina.ops.signal import *
from lamina.ops.taper import *
