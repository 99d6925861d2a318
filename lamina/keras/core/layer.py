"""Layer: build once, cast, call, weights, losses."""

import functools
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.engine import (
    Tensor,
    Variable,
    as_dtype,
    convert_to_tensor,
    init_scope,
    local,
    nest,
    versions,
)
from lamina.keras import policy, registry, regularizers
from lamina.keras import variable as keras_variable
from lamina.keras.capture import Captured, describes_own
from lamina.keras.core import calling, explaining, lifting
from lamina.keras.core.buildspec import shapes_by_name
from lamina.keras.core.callspec import CallSpec
from lamina.keras.core.checks import label
from lamina.keras.core.input_spec import assert_compatible
from lamina.keras.core.intercepting import recompute
from lamina.keras.core.module import _LEAVES, watchers
from lamina.keras.core.older import take_older_arguments
from lamina.keras.core.quantizing import Quantizable, quantize_as_policy
from lamina.keras.core.reporting import by_default
from lamina.keras.core.state import Stated
from lamina.keras.core.stateless import Stateless
from lamina.keras.core.weights import Weighted
from lamina.keras.naming import auto_name
from lamina.keras.scopes import remat_mode

__all__ = ["Layer"]

_PLAIN = (int, float, bool, str, type(None))


class Layer(Weighted, Stated, Stateless, Quantizable, Captured):  # pyright: ignore[reportIncompatibleMethodOverride]  # Keras: lists
    """A computation with weights: what models are made of.

    A subclass writes `__init__` (its settings) and `call` (the computation), and `build` if its
    weights depend on the input's shape. Weights and layers are found in the attributes, lists
    and dicts there included. Config, copies, saving and output shapes need nothing more.

    Args:
        activity_regularizer: A penalty on the output; its mean over the batch is in `losses`.
        trainable: Whether the weights are trained.
        dtype: The dtype of weights and computation, or a policy such as "mixed_bfloat16".
        autocast: Whether floating inputs are cast to the compute dtype.
        name: The layer's name; None makes one from the class name.

    Raises:
        TypeError: other keyword arguments.

    Example:
        >>> class Scale(tf.keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.scale
        >>> Scale()(tf.ones([2, 3])).shape
        TensorShape([2, 3])
    """

    _config_head_keys: ClassVar[tuple[str, ...]] = ("name", "trainable", "dtype")
    _config_extras: ClassVar[tuple[str, ...] | None] = ("activity_regularizer",)
    _config_bare = ("activity_regularizer",)
    # Attributes that no computation reads: setting them does not trace programs anew.
    _lm_untraced: ClassVar[frozenset[str]] = frozenset({"built"})
    # Whether symbolic calls report the compute dtype, whatever comes in, as Keras' layers do.
    _lm_reports_compute_dtype: ClassVar[bool] = False
    # Whether there is nothing to build: such a layer is `built` from the start.
    _lm_needs_no_build: ClassVar[bool] = False
    supports_masking = False
    input_spec: Any = None
    # Set by `__init__`.
    _name: str
    _policy: Any
    _inbound_nodes: list[Any]
    _lm_losses: list[Any]
    _lm_spec: CallSpec
    _batch_input_shape: tuple[int | None, ...]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _noting_build(cls.__dict__["build"])  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        # Straight into __dict__: nothing here is a weight, and __setattr__ looks at each value.
        own = self.__dict__
        own["_name"] = _checked_name(self, name)
        own["_trainable"] = _checked_trainable(self, trainable)
        own["_policy"] = policy.get(dtype)
        own["autocast"] = autocast
        own["built"] = self._lm_needs_no_build and type(self).build is Layer.build
        own["activity_regularizer"] = regularizers.get(activity_regularizer)
        own["_inbound_nodes"] = []
        own["_lm_added"] = []
        own["_lm_losses"] = []
        own["_lm_scope"] = None
        own["_lm_spec"] = CallSpec.of(type(self))
        own["_lm_makes_mask"] = type(self).compute_mask is not Layer.compute_mask
        compute = as_dtype(own["_policy"].compute_dtype)
        own["_lm_compute"] = compute
        own["_lm_mixed"] = own["_policy"].compute_dtype != own["_policy"].variable_dtype
        own["_lm_ready"] = True
        if kwargs:
            take_older_arguments(self, kwargs)
        if (scope := remat_mode()) is not None:
            recompute(self, scope)

    def _config_head(self) -> dict[str, Any]:
        head = {"name": self.name, "trainable": self._trainable, "dtype": self._config_dtype()}
        if not describes_own(type(self)):
            del head["name"]  # as Keras: a captured config leaves the name to the file
        return head

    def _config_restore(self, entries: dict[str, Any]) -> None:
        own = self.__dict__
        own["_name"] = entries.get("name") or own["_name"]
        if entries.get("dtype") is not None:
            self.dtype_policy = registry.revive(entries["dtype"])
        if entries.get("trainable") is False:
            self.trainable = False

    def _config_dtype(self) -> Any:
        return policy.serialize(self._policy)

    # -- facts

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self.__dict__["_name"] = value

    @property
    def path(self) -> str:
        """The names of the layers that it was built in, then its own, joined by "/"."""
        return self._lm_scope or self._name

    @property
    def dtype(self) -> str:
        """The dtype of the weights, by name."""
        return self._policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights, by name."""
        return self._policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation, by name."""
        return self._policy.compute_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype that inputs are cast to, by name."""
        return self._policy.compute_dtype

    @property
    def dtype_policy(self) -> Any:
        """The dtype policy."""
        return self._policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        found, before = policy.get(value), self.quantization_mode
        self.__dict__["_policy"] = found
        self.__dict__["_lm_compute"] = as_dtype(found.compute_dtype)
        self.__dict__["_lm_mixed"] = found.compute_dtype != found.variable_dtype
        versions.structure += 1
        if before is None and self.built:
            quantize_as_policy(self)

    @property
    def trainable(self) -> bool:
        """Whether the weights are trained; setting it reaches all layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        for layer in self._flatten_layers():
            layer.__dict__["_trainable"] = value
            for variable in layer._own_variables():
                if isinstance(variable, keras_variable.Variable) and variable._lm_trainable_asked:
                    variable.trainable = value
        versions.structure += 1

    # -- losses

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the loss; it counts for the call that runs.

        Args:
            loss: A scalar Tensor, a list of them, or a function without arguments. A function that
                is given outside of `call` counts in every call.
        """
        calling.note_losses(self)
        for value in nest.flatten(loss):
            if callable(value) and not isinstance(value, Tensor | Variable):
                if not (self.built and any(each is self for each in local.calls)):
                    self.__dict__.setdefault("_lm_loss_functions", []).append(value)
                    continue
                value = value()
            tensor = convert_to_tensor(value)
            if tensor.shape.rank != 0:
                raise ValueError(
                    f"{label(self)}: `add_loss` takes a scalar; got shape {tensor.shape}.\n"
                    f"  Fix: tf.reduce_sum or tf.reduce_mean it."
                )
            self._lm_losses.append(tensor)

    @property
    def losses(self) -> list[Any]:
        """The losses of the last call, then the penalties on the trainable weights."""
        found: list[Any] = []
        for layer in self._flatten_layers():
            found.extend(layer._lm_losses)
            found.extend(fn() for fn in layer.__dict__.get("_lm_loss_functions", ()))
        found.extend(v.regularizer(v) for v in self.trainable_weights if _regularized(v))
        return found

    # -- building

    if TYPE_CHECKING:
        # A subclass takes what it needs: one shape, several by name, or none.
        def build(self, *args: Any, **kwargs: Any) -> None:
            """Make the weights; a subclass overrides it if they depend on the input's shape."""
    else:

        def build(self, input_shape: Any = None) -> None:
            """Make the weights; a subclass overrides it if they depend on the input's shape.

            Args:
                input_shape: The shape of the input, None for unknown sizes; a list or dict of
                    shapes for several inputs.
            """
            self.built = True
            if input_shape is not None and type(self).call is not Layer.call and not local.calls:
                # Layers inside make their weights when called: record one call, run nothing.
                calling.trace_shapes(self, input_shape)

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._check_initialized()
        added = list(self._lm_added)
        try:
            with init_scope(), self._scope(), keras_variable.autocast(None):
                calling.build_for(self, args, kwargs)
        except BaseException:
            self._lm_added[:] = added  # the next call builds again
            raise
        self.built = True
        versions.tracked += 1
        for watch in watchers:
            watch(self)
        if "_lm_deferred" in self.__dict__:
            calling.load_deferred(self, args, kwargs)

    def _check_initialized(self) -> None:
        if "_lm_ready" not in self.__dict__:
            name = type(self).__name__
            raise RuntimeError(
                f"{name}: `super().__init__()` must be called before anything else in "
                f"`{name}.__init__`; it was not called.\n"
                f"  Fix: def __init__(self, ...):\n"
                f"           super().__init__()"
            )

    # -- calling

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass writes its own."""
        raise calling.MissingCallError(
            f"{label(self)}: the class {type(self).__name__} does not have a `call` method.\n"
            f"  Fix: def call(self, inputs): return ..."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: C901  # each call costs
        """Build if needed, cast the inputs, and run `call`.

        Args:
            *args: The inputs, Tensors or structures of them; NumPy arrays are converted.
            **kwargs: Further arguments of `call`; `training` and `mask` among them.
        """
        here = local
        own = self.__dict__
        if "_lm_ready" not in own:
            self._check_initialized()
        compute = own["_lm_compute"]
        if (
            len(args) == 1
            and type(args[0]) is Tensor
            and (not kwargs or (len(kwargs) == 1 and "training" in kwargs))
        ):
            x = args[0]
            if x._type.dtype is not compute and own["autocast"] and x._type.dtype.is_floating:
                args = (calling.cast(x, compute),)
            masked = x._keras_mask is not None
            one = True
        else:
            one = False
            if calling.has_symbolic(args, kwargs):
                return calling.call_symbolic(self, args, kwargs)
            args, kwargs, masked = calling.prepare(self, args, kwargs)
        spec = own["_lm_spec"]
        before_training, before_dtype = here.training, here.compute_dtype
        training = kwargs.get("training")
        if training is None:
            training = before_training
            if training is None:
                training = spec.training_default
            if spec.has_training and "training" not in spec.names[: len(args)]:
                kwargs["training"] = training
            elif "training" in kwargs and not spec.has_training and not spec.takes_any:
                del kwargs["training"]
        elif not spec.has_training and not spec.takes_any:
            del kwargs["training"]
        if masked:
            calling.fill_masks(spec, args, kwargs)
        calls = here.calls
        calls.append(self)
        here.training = training
        if own["_lm_mixed"] or before_dtype is not None:
            here.compute_dtype = compute
        if len(calls) == 1 and own.get("_lm_with_losses"):
            calling.clear_losses(self)
        try:
            if not own["built"]:
                self._ensure_built(args, kwargs)
            # Types are interned: what fitted once fits again.
            if not one or own.get("_lm_fitted") is not args[0]._type:
                if self.input_spec is not None:
                    assert_compatible(self, args, kwargs)
                own["_lm_fitted"] = args[0]._type if one else None
            if here.observers:
                outputs = calling.observed(self, args, kwargs)
            elif here.convert is not None:
                outputs = here.convert(self.call)(*args, **kwargs)
            else:
                outputs = self.call(*args, **kwargs)
            if own["activity_regularizer"] is not None:
                calling.add_activity_losses(self, outputs)
            if masked or own["_lm_makes_mask"]:
                calling.set_masks(self, args, kwargs, outputs)
            return outputs
        except Exception as error:
            explaining.explain(error, self, args, kwargs)
            raise
        finally:
            calls.pop()
            here.training = before_training
            here.compute_dtype = before_dtype

    if TYPE_CHECKING:
        # Keras' layers call the second parameter `previous_mask` or `mask`.
        def compute_mask(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            """Return the mask of the output: the input's, for layers that support masking."""
    else:

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            """Return the mask of the output: the input's, for layers that support masking."""
            return previous_mask

    # -- shapes

    @by_default
    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shape of the output for inputs of the given shapes; nothing is run.

        A class that overrides it has the last word on what symbolic calls report.
        """
        return calling.output_shape(self, args, kwargs)

    @by_default
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return KerasTensors of the output's shapes and dtypes; nothing is run.

        A class that overrides it has the last word on what symbolic calls report.
        """
        return calling.output_spec(self, args, kwargs)

    # -- attributes

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        changes = own.get("built") and (
            own.get(name, value) is not value or name in own.get("_lm_lifted", ())
        )
        if changes and lifting.note_change(self, name, value):
            return
        if type(value) in _PLAIN:
            object.__setattr__(self, name, value)
            return
        if isinstance(value, Tensor):
            calling.check_kept(self, name, value)
        object.__setattr__(self, name, value)
        if type(value) not in _LEAVES:
            versions.tracked += 1
            for watch in watchers:
                watch(self)

    if not TYPE_CHECKING:  # type checkers would let every name pass

        def __getattr__(self, name: str) -> Any:
            """Return a float attribute that changed before: see `lifting`."""
            return lifting.read(self, name)

    def __delattr__(self, name: str) -> None:
        if lifting.forget(self, name):
            return
        value = self.__dict__.get(name)
        if isinstance(value, Variable):
            own = self._lm_added
            own[:] = [v for v in own if v is not value]
        object.__delattr__(self, name)
        versions.tracked += 1

    def __repr__(self) -> str:
        name, built = self.__dict__.get("_name"), self.__dict__.get("built", False)
        return f"<{type(self).__name__} name={name}, built={built}>"


def _noting_build(build: Any) -> Any:
    """Return a `build` that gives weights the layer's path and marks it built.

    A layer that is built by hand, `self.inner.build(shape)`, is then not built again.
    """

    @functools.wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_initialized()
        with self._scope():
            result = build(self, *args, **kwargs)
        own = self.__dict__
        own["built"] = True
        if args and "_lm_build_shapes" not in own:
            own["_lm_build_shapes"] = shapes_by_name(build, args, kwargs)
        if "_lm_deferred" in own and not local.calls:
            calling.load_deferred(self)
        if "_lm_start_weights" in own and type(self).build is wrapped:
            self.set_weights(own.pop("_lm_start_weights"))
        return result

    return wrapped


def _regularized(variable: Any) -> bool:
    return getattr(variable, "regularizer", None) is not None


def _checked_trainable(layer: Any, trainable: Any) -> bool:
    if not isinstance(trainable, bool | np.bool_):
        raise ValueError(
            f"{type(layer).__name__}: `trainable` must be True or False; got {trainable!r} of type "
            f"{type(trainable).__name__}."
        )
    return bool(trainable)


def _checked_name(layer: Any, name: Any) -> str:
    if name is None:
        return auto_name(type(layer).__name__)
    if not isinstance(name, str) or "/" in name:
        raise ValueError(
            f'{type(layer).__name__}: `name` must be a string without "/"; got {name!r}.'
        )
    return name
