"""What a Model says about its files."""

import json
from typing import Any

from lamina.keras import registry
from lamina.keras.saving import archive
from lamina.keras.saving.paths import load_any_weights, save_older_weights

__all__ = ["Storable"]


class Storable:
    """The part of a Model that writes it to files, and reads its weights."""

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Save the model to a `.keras` file: architecture, weights, optimizer, compile arguments.

        No `get_config` is needed: the arguments of the constructor are kept.

        Args:
            filepath: A path that ends in `.keras`.
            overwrite: Whether an existing file is replaced without asking.
            zipped: False gives a folder of the files that are in the archive.
            **kwargs: Older arguments: `include_optimizer`.

        Raises:
            ValueError: another ending, or the file exists and `overwrite` is False.
        """
        archive.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Save the weights to a `.weights.h5` file.

        Args:
            filepath: A path that ends in `.weights.h5`. One that ends in `.h5` or `.hdf5` gives
                Keras 2's layout. Any other is the prefix of a checkpoint in TensorFlow's files,
                as TensorFlow 2.0–2.15 wrote; `tf.train.latest_checkpoint` finds it.
            overwrite: Whether an existing file is replaced.
            **kwargs: `objects_to_skip`: layers, or the optimizer, to leave out. `max_shard_size`:
                the largest size of a file in GiB, with a path that ends in `.weights.json`.
                `save_format`: "tf" or "h5", for paths that do not say it.

        Raises:
            ValueError: the model is not built; the path is that of a whole model, or the file
                exists and `overwrite` is False.
        """
        save_older_weights(self, filepath, overwrite=overwrite, **kwargs)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> Any:
        """Load weights from a `.weights.h5` or `.keras` file, an `.h5` file, or a checkpoint.

        A model that was not built yet takes them at its first call.

        Args:
            filepath: The path; of a checkpoint without its ".index", as
                `tf.train.latest_checkpoint` gives it.
            skip_mismatch: Whether weights that are missing or differ in shape are left as they
                are, with a warning; not for checkpoints.
            **kwargs: `objects_to_skip`: layers, or the optimizer, to leave as they are.
                `mapping`, for a model that was refactored since: path in the file → path in the
                model; see `tf.keras.saving.load_weights`.

        Returns:
            None; for a checkpoint a status with `assert_consumed()`, `expect_partial()` and
            others, see `tf.train.Checkpoint.restore`.

        Raises:
            ValueError: weights are missing, too many or of another shape; nothing is changed. The
                message proposes a mapping where names have changed. Of a checkpoint, what comes
                before the weight whose shape differs is loaded.
            AssertionError: nothing in a checkpoint is the model's.

        Example:
            >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
            >>> path = getfixture("tmp_path") / "m.weights.h5"
            >>> model.save_weights(path)
            >>> other = tf.keras.layers.Dense(1)
            >>> other.build((None, 2))
            >>> tf.keras.saving.load_weights(
            ...     other,
            ...     path,
            ...     mapping={"layers/dense/vars/0": "kernel", "layers/dense/vars/1": "bias"},
            ... )
            >>> bool(tf.reduce_all(other.kernel == model.layers[0].kernel))
            True
        """
        return load_any_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Return the architecture as JSON; `model_from_json` makes a model of it."""
        return json.dumps(registry.serialize_keras_object(self), **kwargs)
