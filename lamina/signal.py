"""tf.signal: Fourier and cosine transforms, windows, frames, the mel scale."""

from lamina.ops.cosine import *
from lamina.ops.fourier import *
from lamina.ops.mel import *
from lamina.ops.signal import *
from lamina.ops.taper import *
