"""FeatureSpace: structured data, a dict of columns, into one vector or a dict of encodings."""

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.keras import layers, policy, registry
from lamina.keras.capture import Captured
from lamina.keras.core import Input, Layer, checks
from lamina.keras.layers.preprocessing.base import DataLayer, as_tensor
from lamina.keras.naming import auto_name
from lamina.keras.saving import archive

__all__ = ["FeatureSpace"]

_KERAS = "keras.src.layers.preprocessing.feature_space"
_BATCH = 32


class Feature(Captured):
    """How one column is preprocessed and encoded; made by `FeatureSpace.feature` and others.

    Args:
        dtype: The dtype of the column, by name.
        preprocessor: The layer that it goes through.
        output_mode: "float" or "int" to take what the layer returns, "one_hot" to encode it.

    Raises:
        ValueError: another output mode.
    """

    _keras_module = _KERAS

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str):
        self.output_mode = checks.choice(
            "FeatureSpace.feature", "output_mode", output_mode, ("int", "one_hot", "float")
        )
        self.dtype = dtype
        self.preprocessor = preprocessor


class Cross(Captured):
    """Which columns are combined by a hash; made by `FeatureSpace.cross`.

    Args:
        feature_names: The names of the columns.
        crossing_dim: The number of bins.
        output_mode: "one_hot" or "int".

    Raises:
        ValueError: another output mode.
    """

    _keras_module = _KERAS

    def __init__(
        self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ):
        self.output_mode = checks.choice(
            "FeatureSpace.cross", "output_mode", output_mode, ("int", "one_hot")
        )
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim

    @property
    def name(self) -> str:
        """The names of the columns, joined."""
        return "_X_".join(self.feature_names)


class TFDIdentity(DataLayer):
    """Return the input; what plain floats go through."""

    _keras_module = _KERAS

    def call(self, x: Tensor) -> Tensor:
        return ops.identity(x)


class TFDConcat(Layer):
    """Join the encodings to one vector."""

    _keras_module = _KERAS

    def __init__(self, axis: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, xs: Any) -> Tensor:
        return ops.concat(xs, self.axis)


class FeatureSpace(Layer):
    """Preprocess and encode columns of structured data, each in its own way, and combine them.

    Args:
        features: Name of a column → its kind: "float", "float_normalized", "float_rescaled",
            "float_discretized", "integer_categorical", "string_categorical", "integer_hashed",
            "string_hashed", or what the methods of these names return.
        output_mode: "concat" for one vector, the columns in the order of their names and then the
            crosses; "dict" for an encoding by each name.
        crosses: Tuples of names of columns to combine by a hash, or what `cross` returns.
        crossing_dim: The number of bins of a cross.
        hashing_dim: The number of bins of "integer_hashed" and "string_hashed".
        num_discretization_bins: The number of bins of "float_discretized".
        name: The name.

    Call:
        data: a dict with a value for each column: a list or array of B values, ``(B, 1)``, or
            one value.

    Returns:
        float32 ``(B, D)``, or a dict; without the axis B for one value.

    State:
        the preprocessors: set by `adapt`.

    Raises:
        ValueError: no features, an unknown kind or mode, a cross of unknown columns; or a call
            before `adapt`, on something else than a dict, or with a column missing or not encoded.

    Example:
        >>> space = tf.keras.utils.FeatureSpace(
        ...     {"size": "float_rescaled", "color": "string_categorical"}
        ... )
        >>> space.adapt({"size": [1.0, 2.0, 3.0], "color": ["red", "red", "blue"]})
        >>> space({"size": [3.0], "color": ["red"]}).numpy()
        array([[0., 1., 0., 3.]], dtype=float32)
    """

    _keras_module = "keras.utils"

    # -- kinds of features

    @classmethod
    def cross(
        cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> Cross:
        """Return a combination of columns.

        Args:
            feature_names: The names of the columns, of integers or strings.
            crossing_dim: The number of bins.
            output_mode: "one_hot" or "int".
        """
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """Return a feature with a preprocessing layer of one's own.

        Args:
            dtype: The dtype of the column, by name.
            preprocessor: The layer.
            output_mode: "float" or "int" to take what it returns, "one_hot" to encode it.
        """
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Return a feature of floats as they are.

        Args:
            name: The name, from which that of the layer is made.
        """
        return Feature("float32", TFDIdentity(**_named("float", name, dtype="float32")), "float")

    @classmethod
    def float_rescaled(
        cls, scale: builtins.float = 1.0, offset: builtins.float = 0.0, name: str | None = None
    ) -> Feature:
        """Return a feature of floats, as ``x * scale + offset``.

        Args:
            scale: The factor.
            offset: What is added then.
            name: The name, from which that of the layer is made.
        """
        made = layers.Rescaling(scale=scale, offset=offset, **_named("float_rescaled", name))
        return Feature("float32", made, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Return a feature of floats, brought to mean 0 and variance 1.

        Args:
            name: The name, from which that of the layer is made.
        """
        made = layers.Normalization(axis=-1, **_named("float_normalized", name))
        return Feature("float32", made, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int,
        bin_boundaries: Sequence[builtins.float] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature of floats, put into bins.

        Args:
            num_bins: The number of bins that `adapt` finds, or None.
            bin_boundaries: The boundaries of the bins, in place of `num_bins`.
            output_mode: "one_hot" or "int".
            name: The name, from which that of the layer is made.
        """
        own = _named("float_discretized", name)
        made = layers.Discretization(num_bins=num_bins, bin_boundaries=bin_boundaries, **own)
        return Feature("float32", made, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature of integers, by a vocabulary.

        Args:
            max_tokens: The size of the vocabulary at most.
            num_oov_indices: How many numbers unknown integers share.
            output_mode: "one_hot" or "int".
            name: The name, from which that of the layer is made.
        """
        made = layers.IntegerLookup(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            **_named("integer_categorical", name),
        )
        return Feature("int32", made, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature of strings, by a vocabulary.

        Args:
            max_tokens: The size of the vocabulary at most.
            num_oov_indices: How many numbers unknown strings share.
            output_mode: "one_hot" or "int".
            name: The name, from which that of the layer is made.
        """
        made = layers.StringLookup(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            **_named("string_categorical", name),
        )
        return Feature("string", made, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a feature of strings, by their hash.

        Args:
            num_bins: The number of bins.
            output_mode: "one_hot" or "int".
            name: The name, from which that of the layer is made.
        """
        made = layers.Hashing(num_bins=num_bins, **_named("string_hashed", name))
        return Feature("string", made, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a feature of integers, by their hash.

        Args:
            num_bins: The number of bins.
            output_mode: "one_hot" or "int".
            name: The name, from which that of the layer is made.
        """
        made = layers.Hashing(num_bins=num_bins, **_named("integer_hashed", name))
        return Feature("int32", made, output_mode)

    # -- making

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not features:
            raise ValueError(
                f"{checks.label(self)}: `features` cannot be None or empty; got {features!r}."
            )
        self.output_mode = checks.choice(self, "output_mode", output_mode, ("dict", "concat"))
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {k: self._as_feature(k, v) for k, v in features.items()}
        self.crosses = [self._as_cross(c) for c in crosses or ()]
        self.crosses_by_name = {c.name: c for c in self.crosses}
        self.inputs = {
            k: Input(shape=(1,), dtype=f.dtype, name=k) for k, f in self.features.items()
        }
        self.preprocessors = {k: f.preprocessor for k, f in self.features.items()}
        self.crossers = {
            c.name: layers.HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Any = None
        self.encoded_features: Any = None
        self._is_adapted = not self._adaptable()

    def _as_feature(self, name: str, given: Any) -> Feature:
        if isinstance(given, Feature):
            return given
        if isinstance(given, Mapping):
            return registry.deserialize_keras_object(given)
        arguments = {
            "float": {},
            "float_normalized": {},
            "float_rescaled": {},
            "float_discretized": {"num_bins": self.num_discretization_bins},
            "integer_categorical": {},
            "string_categorical": {},
            "integer_hashed": {"num_bins": self.hashing_dim},
            "string_hashed": {"num_bins": self.hashing_dim},
        }
        kind = checks.choice(self, f"features[{name!r}]", given, list(arguments))
        return getattr(self, kind)(name=name, **arguments[kind])

    def _as_cross(self, given: Any) -> Cross:
        if isinstance(given, Mapping):
            given = registry.deserialize_keras_object(given)
        if isinstance(given, Cross):
            return given
        if not self.crossing_dim:
            raise ValueError(
                f"{checks.label(self)}: `crossing_dim`, the number of bins, must be given with "
                f"`crosses`; got {self.crossing_dim!r}."
            )
        unknown = [name for name in given if name not in self.features]
        if unknown:
            raise ValueError(
                f"{checks.label(self)}: `crosses` must name columns of `features`, "
                f"{list(self.features)}; got {tuple(given)}."
            )
        return Cross(given, crossing_dim=self.crossing_dim)

    # -- adapting

    def _adaptable(self) -> list[str]:
        """Return the names of the columns whose preprocessors learn from data."""
        found: list[str] = []
        for name, layer in self.preprocessors.items():
            is_set = (
                getattr(layer, "input_mean", None) is not None
                or (isinstance(layer, layers.TextVectorization) and layer._has_input_vocabulary)
                or (isinstance(layer, layers.Discretization) and layer.num_bins is None)
            )
            if hasattr(layer, "adapt") and not is_set:
                found.append(name)
        return found

    def adapt(self, dataset: Any) -> None:
        """Set what the preprocessors learn: vocabularies, means, boundaries.

        Args:
            dataset: A dict of columns, or a dataset of dicts.

        Raises:
            ValueError: it is neither.
        """
        if not isinstance(dataset, Mapping) and not hasattr(dataset, "element_spec"):
            raise ValueError(
                f"{checks.label(self)}: `adapt` takes a tf.data.Dataset or a dict of arrays or "
                f"lists; got {type(dataset).__name__}."
            )
        for name in self._adaptable():
            self.preprocessors[name].adapt(_column(dataset, name))
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True

    def _check_adapted(self) -> None:
        if not self._is_adapted:
            raise ValueError(
                f"{checks.label(self)}: the preprocessors of {self._adaptable()} must learn from "
                f"data first.\n  Fix: call `.adapt(dataset)` on the FeatureSpace."
            )

    # -- calling

    def get_inputs(self) -> dict[str, Any]:
        """Return the KerasTensors of the columns, by name: the inputs of a functional model."""
        self._check_adapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Return what the FeatureSpace makes of `get_inputs()`, for a functional model."""
        self._check_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encode(self.inputs)
        return self.encoded_features

    def __call__(self, data: Any) -> Any:
        """Preprocess and encode a dict of columns."""
        self.get_encoded_features()  # makes the encoders
        if not isinstance(data, Mapping):
            raise ValueError(
                f"{checks.label(self)}: a FeatureSpace can only be called with a dict; got "
                f"{type(data).__name__}."
            )
        values = {name: as_tensor(value) for name, value in data.items()}
        is_single = any(x.ndim == 0 for x in values.values())
        for name, x in values.items():
            if x.ndim < 2:
                values[name] = ops.reshape(x, (1, 1)) if x.ndim == 0 else ops.expand_dims(x, -1)
        found = self._encode(values)
        if not is_single:
            return found
        if self.output_mode == "concat":
            return ops.squeeze(found, 0)
        return {k: ops.squeeze(v, 0) if _is_row(v) else v for k, v in found.items()}

    def call(self, data: Any) -> Any:
        return self._encode(data)

    def _encode(self, data: Mapping[str, Any]) -> Any:
        missing = sorted(self.features.keys() - data.keys())
        if missing:
            raise ValueError(
                f"{checks.label(self)}: the data must have the columns {list(self.features)}; "
                f"missing {missing}, got {list(data)}."
            )
        made = {name: self.preprocessors[name](data[name]) for name in sorted(self.features)}
        crossed = {
            name: self.crossers[name]([made[k] for k in self.crosses_by_name[name].feature_names])
            for name in sorted(self.crosses_by_name)
        }
        specs = {**self.features, **self.crosses_by_name}
        merged = {k: self._one_hot(k, specs[k], v) for k, v in {**made, **crossed}.items()}
        if self.output_mode == "dict":
            return merged
        for name, x in merged.items():
            if not x.dtype.is_floating:
                raise ValueError(
                    f"{checks.label(self)}: features cannot be joined because '{name}' has not "
                    f"been encoded, its dtype is {x.dtype.name}.\n"
                    f"  Fix: output_mode='dict', or an output_mode of 'one_hot' for '{name}'."
                )
        if self.concat is None:
            self.concat = TFDConcat(axis=-1)
        return self.concat(list(merged.values()))

    def _one_hot(self, name: str, spec: Any, value: Any) -> Any:
        if spec.output_mode == "float" and value.dtype.is_integer:
            return ops.cast(value, policy.floatx())
        if spec.output_mode != "one_hot":
            return value
        if name not in self.one_hot_encoders:
            if not value.dtype.is_integer:
                raise ValueError(
                    f"{checks.label(self)}: the feature '{name}' has output_mode 'one_hot', so "
                    f"its preprocessor should return an integer dtype; it returns "
                    f"{value.dtype.name}."
                )
            layer = self.preprocessors.get(name) or self.crossers[name]
            self.one_hot_encoders[name] = layers.CategoryEncoding(
                num_tokens=self._cardinality(name, layer), output_mode="multi_hot"
            )
        return self.one_hot_encoders[name](value)

    def _cardinality(self, name: str, layer: Any) -> int:
        if isinstance(layer, layers.IntegerLookup | layers.StringLookup):
            return layer.vocabulary_size()
        if isinstance(layer, layers.CategoryEncoding):
            return layer.num_tokens
        if isinstance(layer, layers.Discretization):
            bounds = layer.bin_boundaries
            return len(bounds) + 1 if layer.num_bins is None and bounds else layer.num_bins or 1
        if isinstance(layer, layers.Hashing | layers.HashedCrossing):
            return layer.num_bins
        raise ValueError(
            f"{checks.label(self)}: the feature '{name}' has output_mode 'one_hot', but the size "
            f"of what {checks.label(layer)} returns is not known.\n"
            f"  Fix: use output_mode='int', or a preprocessor that encodes, and 'float'."
        )

    # -- files

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {
            "features": registry.serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": registry.serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    def get_build_config(self) -> dict[str, Any]:
        """Return the shapes that the preprocessors are built for, by name."""
        return {k: layer.get_build_config() for k, layer in self.preprocessors.items()}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build the preprocessors for the shapes that `get_build_config` gave."""
        for name, shapes in config.items():
            if not self.preprocessors[name].built:
                self.preprocessors[name].build_from_config(shapes)
        self._is_adapted = True
        self.built = True

    def save(self, filepath: Any) -> None:
        """Write the FeatureSpace to a `.keras` file; `tf.keras.models.load_model` reads it.

        Args:
            filepath: A path that ends in ".keras".
        """
        archive.save_model(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """Do nothing: the preprocessors store their own."""

    def load_own_variables(self, store: Any) -> None:
        """Do nothing: the preprocessors load their own."""


def _named(kind: str, name: str | None, **others: Any) -> dict[str, Any]:
    return {"name": f"{name or auto_name(kind)}_preprocessor", **others}


def _is_row(x: Any) -> bool:
    return x.ndim == 2 and x.shape[0] == 1


def _column(dataset: Any, name: str) -> Iterator[Tensor]:
    """Yield batches of one column, `(B, 1)`, as Keras makes them of a dataset."""
    if isinstance(dataset, Mapping):
        items: Any = as_tensor(dataset[name])
        if items.ndim == 1:
            for start in range(0, len(items), _BATCH):
                yield ops.expand_dims(items[start : start + _BATCH], -1)
            return
    else:
        items = (as_tensor(element[name]) for element in dataset)
    waiting: list[Any] = []
    for x in items:
        if x.ndim > 0:
            yield ops.expand_dims(x, -1) if x.ndim == 1 else x
            continue
        waiting.append(x.numpy())
        if len(waiting) == _BATCH:
            yield _joined(waiting, x.dtype)
            waiting = []
    if waiting:
        yield _joined(waiting, x.dtype)


def _joined(values: list[Any], dtype: Any) -> Tensor:
    kind = object if dtype is dtypes.string else dtype.np
    return as_tensor(np.array(values, dtype=kind)[:, None])
