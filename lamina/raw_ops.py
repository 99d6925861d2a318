"""tf.raw_ops: no kernel of TensorFlow is here by name.

The module is there for programs that ask whether it has a kernel, as in
``hasattr(tf.raw_ops, "BlockLSTMV2")``; each name says what to use.
"""

__all__: list[str] = []
