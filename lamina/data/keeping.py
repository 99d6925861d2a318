"""Keeping: caches, saved datasets, snapshots; options."""

from collections.abc import Callable
from typing import Any, Self

from lamina.data import caching, elements, sources, stateful, storing, tables
from lamina.data.combining import Combining
from lamina.data.options import Options, merged
from lamina.data.stages import Run
from lamina.ops.paths import path_of

__all__ = ["Keeping"]


class Keeping(Combining):
    """The part of a Dataset that keeps elements, and options."""

    def cache(self, filename: Any = "", name: str | None = None) -> Self:
        """Return a dataset that keeps the elements of its first whole pass.

        Args:
            filename: "" keeps them in memory; a path, in the file of that name with `.data`
                behind it, which later runs of the program read too.
            name: Accepted, unused.

        Example:
            >>> dataset = tf.data.Dataset.range(3).map(lambda x: x * 2).cache()
            >>> [int(x) for x in dataset], [int(x) for x in dataset]
            ([0, 2, 4], [0, 2, 4])
        """
        path = path_of(filename)
        if not path:
            return self._then(caching.Cache(self._stage))
        return self._then(caching.FileCache(self._stage, path, storing.writing, storing.read_shard))

    def save(
        self,
        path: Any,
        compression: Any = None,
        shard_func: Callable[..., Any] | None = None,
        checkpoint_args: Any = None,
    ) -> None:
        """Write the elements into a directory, from which `load` reads them.

        Args:
            path: The directory. What was saved there before is replaced.
            compression: None or "AUTO", which do not compress, or "GZIP".
            shard_func: A function of an element that returns the number of the file it goes to.
            checkpoint_args: Accepted, unused: a save that was stopped is started anew.

        Example:
            >>> import tempfile
            >>> path = tempfile.mkdtemp()
            >>> tf.data.Dataset.range(2).save(path)
            >>> list(tf.data.Dataset.load(path).as_numpy_iterator())
            [np.int64(0), np.int64(1)]
        """
        rows = self._stage.rows(Run(self._stage))
        shard_of = _by_tensors(shard_func)
        for _ in storing.save(rows, self.element_spec, path_of(path), compression, shard_of):
            pass

    @classmethod
    def load(
        cls,
        path: Any,
        element_spec: Any = None,
        compression: Any = None,
        reader_func: Callable[[Any], Any] | None = None,
        wait: bool = False,
    ) -> Self:
        """Return a dataset of the elements that `save` wrote.

        Args:
            path: The directory.
            element_spec: Accepted, unused: the specs are saved too.
            compression: Accepted, unused: it is saved too.
            reader_func: A function of a dataset of datasets, one a file, that returns the dataset
                of the elements; None takes one file after the other.
            wait: Whether to wait until something was saved.

        Raises:
            errors.NotFoundError: nothing was saved there.
        """
        spec, shards = storing.read_metadata(path_of(path), wait)
        parts = [cls._of(shard) for shard in shards]
        if reader_func is None:
            if not parts:
                return cls._of(sources.Empty(spec))
            found = parts[0]
            for part in parts[1:]:
                found = found.concatenate(part)
            return found
        example: Any = parts[0] if parts else cls._of(sources.Empty(spec))
        inner = example._type_spec
        listed = sources.Listed(tables.Loose(), parts, inner, 0)
        return reader_func(cls._of(listed))

    def snapshot(
        self,
        path: Any,
        compression: Any = "AUTO",
        reader_func: Callable[[Any], Any] | None = None,
        shard_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset whose first whole pass is saved; later passes and programs read it.

        Args:
            path: The directory.
            compression: As of `save`.
            reader_func: As of `load`.
            shard_func: As of `save`.
            name: Accepted, unused.
        """
        where = path_of(path)
        load = lambda: type(self).load(where, reader_func=reader_func)  # noqa: E731
        shard_of = _by_tensors(shard_func)
        return self._then(storing.Snapshot(self._stage, where, compression, shard_of, load))

    def options(self) -> Options:
        """Return the options of this dataset."""
        return merged(Options(), self._stage.options)

    def with_options(self, options: Options, name: str | None = None) -> Self:
        """Return a dataset with options; what was set before stays where these say nothing.

        Args:
            options: The options.
            name: Accepted, unused.
        """
        if not isinstance(options, Options):
            raise TypeError(
                f"tf.data.Dataset.with_options: `options` must be tf.data.Options; got {options!r}."
            )
        both = merged(self._stage.options, options)
        return self._then(stateful.WithOptions(self._stage, both))


def _by_tensors(function: Any) -> Any:
    if function is None:
        return None
    return lambda row: elements.call(function, elements.as_tensors(row))
