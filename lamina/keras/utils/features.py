"""The parts of a FeatureSpace: what describes columns and crosses, and how data reach them."""

import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import layers, registry
from lamina.keras.capture import Captured
from lamina.keras.core import Layer, checks
from lamina.keras.layers.preprocessing.base import DataLayer, as_tensor
from lamina.keras.naming import auto_name

__all__ = [
    "Cross",
    "Feature",
    "FeatureKinds",
    "TFDConcat",
    "TFDIdentity",
    "adaptable",
    "as_cross",
    "as_feature",
    "cardinality",
    "column",
]

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


class FeatureKinds:
    """The kinds of features, as methods of FeatureSpace."""

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


def _named(kind: str, name: str | None, **others: Any) -> dict[str, Any]:
    return {"name": f"{name or auto_name(kind)}_preprocessor", **others}


def as_feature(space: Any, name: str, given: Any) -> Feature:
    """Return what describes a column: a feature, its config, or the name of a kind."""
    if isinstance(given, Feature):
        return given
    if isinstance(given, Mapping):
        return registry.deserialize_keras_object(given)
    arguments = {
        "float": {},
        "float_normalized": {},
        "float_rescaled": {},
        "float_discretized": {"num_bins": space.num_discretization_bins},
        "integer_categorical": {},
        "string_categorical": {},
        "integer_hashed": {"num_bins": space.hashing_dim},
        "string_hashed": {"num_bins": space.hashing_dim},
    }
    kind = checks.choice(space, f"features[{name!r}]", given, list(arguments))
    return getattr(space, kind)(name=name, **arguments[kind])


def as_cross(space: Any, given: Any) -> Cross:
    """Return what describes a cross: a cross, its config, or names of columns."""
    if isinstance(given, Mapping):
        given = registry.deserialize_keras_object(given)
    if isinstance(given, Cross):
        return given
    if not space.crossing_dim:
        raise ValueError(
            f"{checks.label(space)}: `crossing_dim`, the number of bins, must be given with "
            f"`crosses`; got {space.crossing_dim!r}."
        )
    unknown = [name for name in given if name not in space.features]
    if unknown:
        raise ValueError(
            f"{checks.label(space)}: `crosses` must name columns of `features`, "
            f"{list(space.features)}; got {tuple(given)}."
        )
    return Cross(given, crossing_dim=space.crossing_dim)


def adaptable(preprocessors: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns whose preprocessors learn from data."""
    found: list[str] = []
    for name, layer in preprocessors.items():
        is_set = (
            getattr(layer, "input_mean", None) is not None
            or (isinstance(layer, layers.TextVectorization) and layer._has_input_vocabulary)
            or (isinstance(layer, layers.Discretization) and layer.num_bins is None)
        )
        if hasattr(layer, "adapt") and not is_set:
            found.append(name)
    return found


def cardinality(space: Any, name: str, layer: Any) -> int:
    """Return the number of integers that a preprocessor may give."""
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
        f"{checks.label(space)}: the feature '{name}' has output_mode 'one_hot', but the size "
        f"of what {checks.label(layer)} returns is not known.\n"
        f"  Fix: use output_mode='int', or a preprocessor that encodes, and 'float'."
    )


def column(dataset: Any, name: str) -> Iterator[Tensor]:
    """Yield batches of one column, `(B, 1)`, as Keras makes them of a dataset."""
    if isinstance(dataset, Mapping):
        items: Any = as_tensor(dataset[name])
        if items.ndim == 1:
            for start in range(0, len(items), _BATCH):
                yield ops.expand_dims(items[start : start + _BATCH], -1)
            return
    else:
        items = (as_tensor(element[name]) for element in dataset)
    waiting: list[Tensor] = []
    for x in items:
        if x.ndim > 0:
            yield ops.expand_dims(x, -1) if x.ndim == 1 else x
            continue
        waiting.append(x)
        if len(waiting) == _BATCH:
            yield ops.expand_dims(ops.stack(waiting), -1)
            waiting = []
    if waiting:
        yield ops.expand_dims(ops.stack(waiting), -1)
