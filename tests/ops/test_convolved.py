"""Derivatives of convolutions against those that JAX finds, and how they are computed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lamina.ops.convolved import Geometry, convolve, deconvolve, dimension_numbers

# sizes, pads, strides, dilations, channels first, window, channels, outputs
CASES = {
    "one channel": ((6, 5), ((1, 1), (0, 2)), (1, 1), (1, 1), False, (3, 2), 1, 5),
    "an image": ((7, 6), ((1, 2), (0, 1)), (2, 2), (1, 1), False, (4, 3), 3, 6),
    "a dilated image": ((9, 8), ((1, 1), (2, 2)), (1, 2), (2, 1), False, (3, 5), 2, 6),
    "wide": ((6, 6), ((1, 1), (1, 1)), (2, 1), (1, 1), False, (3, 3), 8, 9),
    "few outputs": ((6, 5), ((1, 0), (2, 1)), (1, 1), (1, 1), False, (2, 3), 7, 2),
    "dilated": ((8, 9), ((0, 1), (2, 2)), (1, 1), (2, 3), False, (3, 2), 5, 6),
    "ends before the input": ((8,), ((0, 0),), (3,), (1,), False, (3,), 5, 6),
    "taps in a loop": ((7, 8), ((2, 1), (1, 1)), (1, 2), (1, 1), False, (4, 3), 5, 6),
    "many taps": ((80,), ((2, 1),), (2,), (1,), False, (70,), 2, 3),
    "channels first": ((5, 6), ((1, 1), (1, 1)), (1, 2), (1, 1), True, (3, 3), 6, 5),
    "volumes": ((4, 3, 5), ((0, 1),) * 3, (1, 1, 1), (1, 1, 1), False, (2, 2, 2), 5, 6),
}


def _case(name):
    *geometry, window, channels, outputs = CASES[name]
    geometry = Geometry(*geometry)
    rng = np.random.default_rng(0)
    space = geometry.sizes
    x = rng.normal(size=(2, channels, *space) if geometry.first else (2, *space, channels))
    return geometry, x, rng.normal(size=(*window, channels, outputs)), rng


def _plain(geometry, x, filters):
    return lax.conv_general_dilated(
        x,
        filters,
        geometry.strides,
        geometry.pads,
        rhs_dilation=geometry.dilations,
        dimension_numbers=dimension_numbers(len(geometry.sizes), geometry.first),
    )


def _plainly_back(geometry, shape, y, filters):
    back = jax.linear_transpose(lambda x: _plain(geometry, x, filters), jnp.zeros(shape))
    return back(y)[0]


def _first_order(function, arrays, change, moves):
    value, pull = jax.vjp(function, *arrays)
    return value, *pull(change), jax.jvp(function, arrays, moves)[1]


def _penalty(function, x, filters):
    """Return a gradient of a gradient, as of WGAN-GP."""

    def slope(filters):
        return jnp.sum(jax.grad(lambda x: jnp.sum(jnp.sin(function(x, filters))))(x) ** 2)

    return jax.grad(slope)(filters)


def _assert_all_close(got, wanted):
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_jax(name):
    with jax.enable_x64(True):
        geometry, x, filters, rng = _case(name)
        moves = rng.normal(size=x.shape), rng.normal(size=filters.shape)
        change = rng.normal(size=_plain(geometry, x, filters).shape)

        def all_of(convolve, deconvolve):
            there = lambda x, f: convolve(geometry, x, f)  # noqa: E731
            back = lambda y, f: deconvolve(geometry, y, f)  # noqa: E731
            return (
                *_first_order(there, (x, filters), change, moves),
                *_first_order(back, (change, filters), x, (change, moves[1])),
                _penalty(there, x, filters),
                _penalty(back, change, filters),
            )

        def plainly_back(geometry, y, filters):
            return _plainly_back(geometry, x.shape, y, filters)

        run = jax.jit(lambda: (all_of(convolve, deconvolve), all_of(_plain, plainly_back)))
        _assert_all_close(*run())


def _primitives(function, *args):
    """Return (name, parameters) of all operations of a program."""
    found = []

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            found.append((equation.primitive.name, equation.params))
            for sub in jax.tree.leaves(list(equation.params.values())):
                if hasattr(sub, "jaxpr"):
                    walk(sub.jaxpr)

    walk(jax.make_jaxpr(function)(*args).jaxpr)
    return found


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="of the CPU's kernels")
def test_filters_gradient_is_products_on_cpu():
    # As a convolution it took up to 4 times as long, in loops 200 times.
    geometry, x, filters, _ = _case("wide")
    y, pull = jax.vjp(lambda f: convolve(geometry, x, f), filters)
    names = [name for name, _ in _primitives(pull, y)]
    assert names.count("dot_general") == 9
    assert "conv_general_dilated" not in names


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="of the CPU's kernels")
@pytest.mark.skipif(jax.default_backend() != "cpu", reason="JAX's convolutions elsewhere")
def test_filters_gradient_of_images_cuts_each_axis_once():
    geometry = Geometry((9, 9), ((2, 2), (2, 2)), (1, 1), (1, 1), False)
    x, filters = jnp.ones((2, 9, 9, 3)), jnp.ones((5, 5, 3, 4))
    gradient = jax.jit(jax.grad(lambda f: jnp.sum(convolve(geometry, x, f))))
    assert gradient.lower(filters).as_text().count("stablehlo.slice") == 5 + 5


def test_filters_gradient_where_the_window_fits_nowhere():
    geometry = Geometry((2, 9), ((0, 0), (0, 0)), (1, 1), (1, 1), False)
    x, filters = jnp.ones((2, 2, 9, 3)), jnp.ones((4, 5, 3, 4))
    gradient = jax.grad(lambda f: jnp.sum(convolve(geometry, x, f)))
    np.testing.assert_array_equal(gradient(filters), np.zeros(filters.shape))


@pytest.mark.parametrize("function", [convolve, deconvolve])
def test_input_gradient_takes_filters_as_they_stand_on_cpu(function):
    # In loops XLA runs filters whose channels and outputs are exchanged 30 times slower.
    geometry, x, filters, _ = _case("wide")
    if function is deconvolve:
        x = convolve(geometry, x, filters)
    y, pull = jax.vjp(lambda x: function(geometry, x, filters), x)
    (params,) = [p for name, p in _primitives(pull, y) if name == "conv_general_dilated"]
    assert params["dimension_numbers"].rhs_spec == (3, 2, 0, 1)  # HWIO
