"""FeatureSpace: structured data, a dict of columns, into one vector or a dict of encodings."""

from collections.abc import Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.keras import layers, policy, registry
from lamina.keras.core import Input, Layer, checks
from lamina.keras.layers.preprocessing.base import as_tensor
from lamina.keras.saving import archive
from lamina.keras.utils.features import (
    FeatureKinds,
    TFDConcat,
    adaptable,
    as_cross,
    as_feature,
    cardinality,
    column,
)

__all__ = ["FeatureSpace"]


class FeatureSpace(FeatureKinds, Layer):
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
        self.features = {k: as_feature(self, k, v) for k, v in features.items()}
        self.crosses = [as_cross(self, c) for c in crosses or ()]
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
        self._is_adapted = not adaptable(self.preprocessors)

    # -- adapting

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
        for name in adaptable(self.preprocessors):
            self.preprocessors[name].adapt(column(dataset, name))
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True

    def _check_adapted(self) -> None:
        if not self._is_adapted:
            raise ValueError(
                f"{checks.label(self)}: the preprocessors of {adaptable(self.preprocessors)} must "
                f"learn from data first.\n  Fix: call `.adapt(dataset)` on the FeatureSpace."
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
                num_tokens=cardinality(self, name, layer), output_mode="multi_hot"
            )
        return self.one_hot_encoders[name](value)

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

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Build the preprocessors for the shapes that `get_build_config` gave."""
        for name, shapes in (config or {}).items():
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


def _is_row(x: Any) -> bool:
    return x.ndim == 2 and x.shape[0] == 1
