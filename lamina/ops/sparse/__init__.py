"""Sparse Tensors: some elements and where they stand. Imported on first use.

Bottom to top: tensor, making, calculating, counting, embedding, decoding, sets, rules. The last
says what the functions of `tf` do with them.
"""
