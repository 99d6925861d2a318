"""TensorBoard: results and weights as files that TensorBoard shows."""

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.keras.callbacks.base import Callback
from lamina.late import late_module

if TYPE_CHECKING:
    from lamina import summary
else:
    summary = late_module("lamina.summary")  # imported when training starts

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes what `tensorboard --logdir` shows, by `tf.summary`, which needs tensorboardX.

    Training goes to the folder "train" in `log_dir`, validation and `evaluate` to "validation".
    Scalars are named as Keras names them: `epoch_loss`, `batch_loss`, `epoch_learning_rate`,
    `evaluation_loss_vs_iterations`.

    Args:
        log_dir: The folder.
        histogram_freq: Epochs between two histograms of all weights; 0 for none.
        write_graph: Whether the model's config is written, as text.
        write_images: Whether the weights are drawn as images beside their histograms.
        write_steps_per_second: Whether the speed is written.
        update_freq: "epoch", "batch", or a number of batches between two writes of scalars.
        profile_batch: 0; for profiles see `jax.profiler`.
        embeddings_freq: Epochs between two copies of the weights for the projector; 0 for none.
        embeddings_metadata: A file with the names of embeddings, or a dict of such by layer name.

    Raises:
        ImportError: tensorboardX is not installed, when training starts.
        ValueError: `update_freq` is something else, or an unknown layer name.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch" and not isinstance(self.update_freq, int):
            raise ValueError(
                f'TensorBoard: `update_freq` must be "epoch", "batch" or an int; got '
                f"{update_freq!r}."
            )
        if profile_batch:
            warnings.warn(
                f"TensorBoard: `profile_batch` must be 0, no profile is written; got "
                f"{profile_batch!r}.\n  Fix: use jax.profiler.trace(log_dir) around fit.",
                stacklevel=2,
            )
        self.profile_batch = 0
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, Any] = {}
        self._train_batch = 0
        self._test_batch = 0
        self._batch_start = 0.0
        self._epoch_start = 0.0
        self._steps_before = 0

    # -- files

    def set_model(self, model: Any) -> None:
        """Take the model, and write its config."""
        super().set_model(model)
        self._writers = {}
        if self.write_graph and getattr(model, "_graph", None) is not None:
            try:
                text = model.to_json()
            except (TypeError, ValueError) as error:
                warnings.warn(f"TensorBoard: the config is left out: {error}", stacklevel=2)
            else:
                with self._into("train", 0):
                    summary.text("keras", text)
        if self.embeddings_freq:
            self._write_projector()

    def _writer(self, side: str) -> Any:
        if side not in self._writers:
            folder = os.path.join(self.log_dir, side)
            self._writers[side] = summary.create_file_writer(folder)
        return self._writers[side]

    @contextmanager
    def _into(self, side: str, step: int) -> Iterator[None]:
        """Have `tf.summary` write to a side's file at a step, whatever the program's own says."""
        with self._writer(side).as_default(step), summary.record_if(True):
            yield

    def _scalars(self, side: str, values: Mapping[str, Any], step: int) -> None:
        if values:
            with self._into(side, step):
                for name, value in values.items():
                    summary.scalar(name, float(value))

    def _write_projector(self) -> None:
        names = [v.name for v in self.model.layers if type(v).__name__ == "Embedding"]
        given = self.embeddings_metadata
        by_name = dict(given) if isinstance(given, Mapping) else dict.fromkeys(names, given)
        unknown = set(by_name) - set(names)
        if unknown:
            raise ValueError(
                f"TensorBoard: `embeddings_metadata` names {sorted(unknown)}, which are no "
                f"Embedding layers of the model; there are {names}."
            )
        lines = []
        for name in names:
            path = by_name.get(name)
            metadata = "" if path is None else f'  metadata_path: "{path}"\n'
            lines.append(f'embeddings {{\n  tensor_name: "{name}/embeddings"\n{metadata}}}\n')
        os.makedirs(self.log_dir, exist_ok=True)
        with open(os.path.join(self.log_dir, "projector_config.pbtxt"), "w") as file:
            file.write("".join(lines))

    def on_train_begin(self, logs: Any = None) -> None:
        """Start counting batches."""
        self._train_batch = 0
        self._writer("train")

    def on_train_end(self, logs: Any = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    _abandon = on_train_end

    # -- batches

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Note the time."""
        self._batch_start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Write the batch's results, if it is time."""
        self._train_batch += 1
        if self.update_freq == "epoch" or self._train_batch % self.update_freq:
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._batch_start
            values["batch_steps_per_second"] = 1.0 / seconds
        self._scalars("train", values, self._train_batch)

    def on_test_end(self, logs: Any = None) -> None:
        """Write the results of an evaluation by the number of training steps."""
        optimizer = self.model.optimizer
        if optimizer is None:
            return
        step = int(optimizer.iterations.numpy())
        values = {f"evaluation_{name}_vs_iterations": v for name, v in (logs or {}).items()}
        self._scalars("validation", values, step)

    # -- epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the time and the step."""
        self._epoch_start = time.perf_counter()
        if self.write_steps_per_second:
            self._steps_before = int(self.model.optimizer.iterations.numpy())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the epoch's results, and the weights if it is time."""
        results = dict(logs or {})
        train = {k: v for k, v in results.items() if not k.startswith("val_")} | self._rates()
        if self.write_steps_per_second:
            steps = int(self.model.optimizer.iterations.numpy()) - self._steps_before
            train["steps_per_second"] = steps / (time.perf_counter() - self._epoch_start)
        tested = {k[4:]: v for k, v in results.items() if k.startswith("val_")}
        for side, values in (("train", train), ("validation", tested)):
            self._scalars(side, {f"epoch_{name}": v for name, v in values.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            name = f"keras_embedding.ckpt-{epoch}.weights.h5"
            self.model.save_weights(os.path.join(self.log_dir, "train", name))

    def _rates(self) -> dict[str, float]:
        outer = self.model.optimizer
        if outer is None:
            return {}
        inner = getattr(outer, "inner_optimizer", outer)
        several = getattr(inner, "optimizers", None)
        if several:
            return {f"learning_rate_{o.name}": _number(o.learning_rate) for o in several}
        return {"learning_rate": _number(inner.learning_rate)}

    def _write_weights(self, epoch: int) -> None:
        with self._into("train", epoch):
            for weight in self.model.weights:
                name, value = weight.path.replace(":", "_"), weight.numpy()
                summary.histogram(f"{name}/histogram", value)
                images = _as_images(value) if self.write_images else ()
                if len(images):
                    summary.image(f"{name}/image", images)


def _number(rate: Any) -> float:
    return float(np.asarray(rate.numpy() if hasattr(rate, "numpy") else rate))


def _as_images(value: np.ndarray) -> np.ndarray:
    """Return a weight as images `(N, H, W, C)` in [0, 1]; none where it has no such form."""
    weight = np.squeeze(value)
    if weight.ndim == 1:
        weight = weight[None, :, None, None]
    elif weight.ndim == 2:
        weight = (weight.T if weight.shape[0] > weight.shape[1] else weight)[None, :, :, None]
    elif weight.ndim == 3:
        weight = weight.transpose(2, 0, 1)[..., None]
    if weight.ndim != 4 or weight.shape[-1] not in (1, 3, 4):
        return np.zeros((0, 1, 1, 1), "float32")
    span = float(np.ptp(weight)) or 1.0
    return ((weight - weight.min()) / span).astype("float32")
