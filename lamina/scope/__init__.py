"""What is not there, why, and what to use: one table for errors, `lamina run` and `lamina check`.

Nothing here is imported until a program asks for a name that lamina does not have. `names.txt`
lists TensorFlow's public names, `successors` what TensorFlow 1's names became and what is left out
and why, `older` the spellings that still work, `differing` older arguments and what differs;
`aliases` says which module of lamina each of TensorFlow's and Keras' is.
"""

from lamina.scope.absent import Absent, MissingImport, MissingName, explain, public_name
from lamina.scope.older import RENAMED, older_target, resolve

__all__ = [
    "RENAMED",
    "Absent",
    "MissingImport",
    "MissingName",
    "explain",
    "older_target",
    "public_name",
    "resolve",
]
