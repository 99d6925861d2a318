"""Ragged Tensors: rows of different lengths. Imported on first use.

Bottom to top: partition, printing, tensor, rows, broadcasting, shaping, picking, indexing,
reducing, shape, making, filling, rules. The last says what the functions of `tf` do with them.
"""
