"""tf.audio: WAV files."""

from lamina.ops.audio import *
