"""tf.strings: byte strings — parts, regular expressions, Unicode, numbers."""

from lamina.ops.strings import *
