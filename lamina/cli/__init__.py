"""The command `lamina`: run TensorFlow programs as they are, and say what they use that is missing.

`command` reads the arguments, `programs` reads files, `aliases` binds the names of TensorFlow and
Keras, `running` and `tracebacks` run a program, `checking` and `reporting` look at one.
"""

from lamina.cli.command import main

__all__ = ["main"]
