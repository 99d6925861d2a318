"""NumPy's functions that TF spells or computes differently, one recorded operation each.

What NumPy and TF agree on stays in the files beside this package. Names here may clash with TF's
of another meaning, so none is exported into `lamina.ops`: the facades (`lamina/keras/ops`) import
the modules. Operands have the dtype to compute in already: promotion is the facade's business.
"""
