"""tf.linalg.experimental: solvers that only multiply with an operator."""

from lamina.demand import on_demand as _on_demand

__getattr__, __dir__ = _on_demand(
    __name__, names={"conjugate_gradient": "lamina.linear_operators.iterative"}
)
