"""What can be done to the layers of a model by path: hooks, replacement, rematerialisation."""

from collections.abc import Callable
from typing import Any

from lamina.keras.core import intercepting, paths, replacing
from lamina.keras.core.checks import label
from lamina.keras.core.intercepting import Handle

__all__ = ["Editable"]


class Editable:
    """The part of a Model that reaches into it by path."""

    def hook(
        self,
        pattern: str,
        fn: Callable[..., Any] | None = None,
        *,
        backward: Callable[..., Any] | None = None,
        values: bool = False,
    ) -> Handle:
        """Call a function whenever layers run, or when gradients come back to their outputs.

        It is part of the programs that `fit`, `tf.function` and tapes compile, which are traced
        anew; layers without a hook run as before.

        Args:
            pattern: The layers by path, with `*`, `[*]` and `**` as wildcards:
                "blocks[*].attention".
            fn: `fn(layer, inputs, outputs)`, and `path` if it takes it. What it returns takes
                the place of the outputs; None leaves them.
            backward: `backward(layer, gradient)`, and `path` if it takes it, with the gradient
                with respect to the outputs. What it returns takes its place; None leaves it.
            values: Whether the functions get NumPy arrays, each time the program runs, in place
                of Tensors. They can then only look.

        Returns:
            A handle: `handle.remove()` takes the hooks off, as does the end of a `with` block.

        Raises:
            ValueError: no layer's path fits; the message lists what there is.
            TypeError: neither function is given, or one does not take these arguments.

        Example:
            >>> model = tf.keras.Sequential([tf.keras.layers.Dense(2, name="first")])
            >>> with model.hook("first", lambda layer, inputs, outputs: outputs * 0.0 + 1.0):
            ...     model(tf.ones([1, 3])).numpy()
            array([[1., 1.]], dtype=float32)
        """
        if fn is None and backward is None:
            raise TypeError(
                f"{label(self)}: hook needs `fn` or `backward`; got neither.\n"
                f"  Fix: model.hook({pattern!r}, lambda layer, inputs, outputs: None)."
            )
        found = paths.match(self, pattern)
        makers = []
        if fn is not None:
            makers.append(intercepting.forward_hook(self, fn, values))
        if backward is not None:
            makers.append(intercepting.backward_hook(self, backward, values))
        handles = [intercepting.intercept(found, make) for make in makers]
        return Handle([each for handle in handles for each in handle._installed])

    def replace(self, pattern: str, fn: Callable[..., Any]) -> list[str]:
        """Put other layers in the place of those at some paths.

        They are replaced wherever the model holds them: attributes, lists, dicts, tuples, and
        the graph of a functional model.

        Args:
            pattern: The layers by path, as for `hook`.
            fn: A function of the old layer, and of `path` if it takes it, that returns the new
                one, which may hold the old one; None leaves it.

        Returns:
            The paths of the layers that were replaced.

        Raises:
            ValueError: no layer's path fits, or a new layer does not fit into a functional model.
            TypeError: `fn` does not take a layer, or does not return one.

        Example:
            >>> model = tf.keras.Sequential([tf.keras.layers.Dense(2, name="first")])
            >>> model.replace("first", lambda old: tf.keras.layers.Dense(old.units + 1))
            ['first']
            >>> model(tf.ones([1, 3])).shape
            TensorShape([1, 3])
        """
        model: Any = self
        held = model.variables
        done = replacing.replace(self, paths.match(self, pattern), fn)
        kept = {id(v) for v in model.variables}
        optimizer = getattr(self, "optimizer", None)
        if optimizer is not None:
            optimizer._forget([v for v in held if id(v) not in kept])
        noted = self.__dict__.setdefault("_lm_replaced", [])  # for files and clones
        noted += [path for path in done if path not in noted]
        return done

    def remat(self, pattern: str) -> Handle:
        """Recompute what layers compute inside for the gradient, in place of keeping it.

        A training step then keeps only their inputs and outputs, for about a third more
        computation. Values, gradients, statistics and random numbers stay the same.

        Args:
            pattern: The layers by path, as for `hook`.

        Returns:
            A handle: `handle.remove()` undoes it.

        Raises:
            ValueError: no layer's path fits; the message lists what there is.

        Example:
            >>> model = tf.keras.Sequential([tf.keras.layers.Dense(2, name="first")])
            >>> model.remat("first").paths
            ['first']

        Reference: Chen et al. 2016, https://arxiv.org/abs/1604.06174, section 3.
        """
        return intercepting.intercept(paths.match(self, pattern), intercepting.rematerialised)
