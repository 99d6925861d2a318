"""Looking into checkpoints: what is in them, and single tensors."""

import os
from pathlib import Path
from typing import Any

from lamina.checkpoint.bundle import Bundle
from lamina.checkpoint.edges import edges
from lamina.checkpoint.graph import GRAPH_KEY, SavedNode, collect, parse_graph, resolve
from lamina.checkpoint.state import latest_checkpoint
from lamina.engine import DType, errors
from lamina.protos.enums import DATA_TYPE

__all__ = [
    "CheckpointReader",
    "CheckpointView",
    "TrackableView",
    "list_variables",
    "load_checkpoint",
    "load_variable",
]


def _shown(dtype: DType | None) -> str:
    return "DT_VARIANT" if dtype is None else DATA_TYPE.shown(dtype.as_datatype_enum)


class _ByKey(dict[str, Any]):
    """A dict by key that also finds a value by any path of names that leads to it."""

    def __init__(self, reader: "CheckpointReader", found: dict[str, Any]) -> None:
        super().__init__(found)
        self._reader = reader

    def __missing__(self, key: str) -> Any:
        other = self._reader._resolved(key)  # pyright: ignore[reportPrivateUsage]
        if other is None or not dict.__contains__(self, other):
            raise KeyError(key)
        return self[other]


class CheckpointReader:
    """The tensors of a checkpoint, by key; see `tf.train.load_checkpoint`.

    A value that several paths of attributes lead to stands under the shortest, and is found under
    all of them.
    """

    def __init__(self, prefix: Any) -> None:
        self._bundle = Bundle(prefix)
        self._nodes: list[SavedNode] | None = None

    def _resolved(self, key: str) -> str | None:
        """Return the key under which a value stands that `key` leads to, or None."""
        if key in self._bundle:
            return key
        if self._nodes is None:
            graph = self._bundle.read(GRAPH_KEY)[()] if GRAPH_KEY in self._bundle else None
            self._nodes = parse_graph(graph) if graph else []
        return resolve(self._nodes, key) if self._nodes and "/.ATTRIBUTES/" in key else None

    def has_tensor(self, tensor_str: str) -> bool:
        """Return whether there is a tensor of that key."""
        return self._resolved(tensor_str) is not None

    def get_tensor(self, tensor_str: str) -> Any:
        """Return a tensor as a NumPy array, a scalar as its NumPy scalar, a string as bytes.

        Raises:
            NotFoundError: there is no such key.
            DataLossError: its bytes are damaged.
        """
        found = self._bundle.read(self._resolved(tensor_str) or tensor_str)
        return found if found.ndim else found[()]

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shape of each tensor, a list, by key."""
        entries = self._bundle.entries
        return _ByKey(self, {key: list(entry.shape) for key, entry in entries.items()})

    def get_variable_to_dtype_map(self) -> dict[str, DType | None]:
        """Return the dtype of each tensor by key; None for one that lamina has not."""
        return _ByKey(self, {key: e.dtype for key, e in self._bundle.entries.items()})

    def debug_string(self) -> bytes:
        """Return all keys with dtype and shape, one a line."""
        rows = [
            f"{key} ({_shown(entry.dtype)}) [{','.join(map(str, entry.shape))}]\n"
            for key, entry in self._bundle.entries.items()
        ]
        return "".join(rows).encode()


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """Open a checkpoint to look at its tensors.

    Args:
        ckpt_dir_or_file: A folder with checkpoints, of which the latest is taken, or the path of
            one, without ending.

    Returns:
        A reader with `get_tensor(key)`, `has_tensor(key)`, `get_variable_to_shape_map()` and
        `get_variable_to_dtype_map()`.

    Raises:
        ValueError: the folder has no checkpoint.
        NotFoundError: there is no such file.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "w")
        >>> path = tf.train.Checkpoint(v=tf.Variable([1.0, 2.0])).write(path)
        >>> tf.train.load_checkpoint(path).get_tensor("v/.ATTRIBUTES/VARIABLE_VALUE")
        array([1., 2.], dtype=float32)
    """
    path = os.fspath(ckpt_dir_or_file)
    if Path(path).is_dir():
        found = latest_checkpoint(path)
        if found is None:
            raise ValueError(
                f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}"
            )
        path = found
    return CheckpointReader(path)


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """Return one tensor of a checkpoint as a NumPy array.

    Args:
        ckpt_dir_or_file: As for `load_checkpoint`.
        name: Its key; ":0" at the end is left out.
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Return (key, shape) of all tensors of a checkpoint, sorted by key.

    Args:
        ckpt_dir_or_file: As for `load_checkpoint`.
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


class CheckpointView:
    """The objects of a checkpoint by number, with the names of those they hold.

    Args:
        save_path: The path of the checkpoint, without ending.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "w")
        >>> path = tf.train.Checkpoint(v=tf.Variable(1.0)).write(path)
        >>> tf.train.CheckpointView(path).children(0)
        {'v': 1}
    """

    def __init__(self, save_path: Any) -> None:
        bundle = Bundle(save_path)
        if GRAPH_KEY not in bundle:
            raise errors.NotFoundError(
                f"{bundle.prefix}: a checkpoint with its graph of objects was expected; this one "
                f"holds variables by name.\n  Fix: use tf.train.load_checkpoint."
            )
        self._nodes = parse_graph(bundle.read(GRAPH_KEY)[()])

    def children(self, node_id: int) -> dict[str, int]:
        """Return the numbers of the objects that an object holds, by name."""
        return dict(self._nodes[node_id].children)

    def descendants(self) -> list[int]:
        """Return the numbers of all objects, the root's first, breadth first."""
        found = [0]
        for number in found:
            for child in self._nodes[number].children.values():
                if child not in found:
                    found.append(child)
        return found

    def diff(self, trackable_view: "TrackableView") -> tuple[Any, Any, Any]:
        """Compare with the objects of a program.

        Returns:
            A dict from the numbers here to the objects they belong to, a list of objects that are
            not here, and the numbers that belong to none.
        """
        matched: dict[int, Any] = {0: trackable_view.root}
        queue = [0]
        for number in queue:
            children = trackable_view.children(matched[number])
            for name, child in self._nodes[number].children.items():
                if name in children and child not in matched:
                    matched[child] = children[name]
                    queue.append(child)
        ids = {id(obj) for obj in matched.values()}
        others = [obj for obj in trackable_view.descendants() if id(obj) not in ids]
        return matched, others, [n for n in self.descendants() if n not in matched]


class TrackableView:
    """The objects below a root, as a checkpoint follows them.

    Args:
        root: The object to start from.

    Example:
        >>> module = tf.Module()
        >>> module.v = tf.Variable(1.0)
        >>> list(tf.train.TrackableView(module).children(module))
        ['v']
    """

    def __init__(self, root: Any) -> None:
        self._root = root

    @property
    def root(self) -> Any:
        """The object to start from."""
        return self._root

    def children(self, obj: Any) -> dict[str, Any]:
        """Return what an object holds directly, by name."""
        return dict(edges(obj))

    def descendants(self) -> list[Any]:
        """Return all objects, the root first, breadth first."""
        return [node.obj for node in collect(self._root)]
