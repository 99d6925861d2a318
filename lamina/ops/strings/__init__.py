"""tf.strings: functions of byte strings, run on the host.

Kept out of the flat namespace of `lamina.ops`, since `split`, `join` and others mean something
else there.
"""

from lamina.ops.strings.elementwise import *
from lamina.ops.strings.elementwise import __all__ as _elementwise
from lamina.ops.strings.joining import *
from lamina.ops.strings.joining import __all__ as _joining
from lamina.ops.strings.splitting import *
from lamina.ops.strings.splitting import __all__ as _splitting
from lamina.ops.strings.unicode import *
from lamina.ops.strings.unicode import __all__ as _unicode

__all__ = sorted([*_elementwise, *_joining, *_splitting, *_unicode])
