"""The command `lamina`: run TensorFlow programs as they are, and say what they use that is missing.

`command` reads the arguments, `programs` reads files, `running` and `tracebacks` run a program with
the names of TensorFlow and Keras (`scope.aliases`), `checking` and `reporting` look at one.
"""

from lamina.cli.command import main

__all__ = ["main"]
