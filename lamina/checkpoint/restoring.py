# pyright: reportPrivateUsage=false
"""Restoring: pairing the objects of a checkpoint with those of the program, now and later.

Objects are paired along edges of the same name, from the root. What is not there yet (weights that
a layer makes when it is first called, slots of an optimizer) gets its value when it is attached.
"""

import logging
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from lamina.checkpoint.bundle import Bundle
from lamina.checkpoint.edges import identity, value_of, weakly_held
from lamina.checkpoint.graph import GRAPH_KEY, Held, SavedNode, collect, parse_graph
from lamina.checkpoint.older import edges_to_pair
from lamina.engine import Variable, errors
from lamina.keras.core.module import watchers

__all__ = [
    "CheckpointLoadStatus",
    "InitializationOnlyStatus",
    "NameBasedSaverStatus",
    "attached",
    "restore_below",
]

_log = logging.getLogger("lamina")
_waiting: list["_Restoration"] = []
"""Restorations with objects that the program has not made yet; the newest first."""


def attached(owner: Any) -> None:
    """Pair again what an object holds: it got an attribute, an item or its weights."""
    for restoration in list(_waiting):
        restoration.attached(owner)


class _Restoration:
    """One checkpoint and the objects paired with it."""

    def __init__(self, bundle: Bundle, nodes: list[SavedNode]) -> None:
        self.bundle, self.nodes = bundle, nodes
        self.numbers: dict[int, tuple[Callable[[], Any], int]] = {}  # of objects, by id
        self.objects: dict[int, Callable[[], Any]] = {}
        self.restored: dict[Any, Any] = {}  # identities of objects that have their values
        self.found: set[int] = set()
        self.ignored = {
            number for name, number in nodes[0].children.items() if name == "save_counter"
        }
        self.is_partial = False
        self.is_first = True  # objects that are attached later take only what is left

    def pair(self, obj: Any, number: int, owner: Any = None) -> None:
        """Pair an object with one of the checkpoint, and all below both.

        Args:
            obj: The object.
            number: Its number in the checkpoint.
            owner: What holds it, for objects that live as long as that.
        """
        queue = deque([(obj, number, owner)])
        seen: set[Any] = set()
        while queue:
            obj, number, owner = queue.popleft()
            if (identity(obj), number) in seen or not self._note(obj, number, owner):
                continue
            seen.add((identity(obj), number))
            below = obj if weakly_held(obj) else owner
            children = self.nodes[number].children
            for name, child in edges_to_pair(obj, self.nodes[number]):
                if name in children:
                    queue.append((child, children[name], below))

    def _note(self, obj: Any, number: int, owner: Any) -> bool:
        """Give an object its values; False if what is below it need not be looked at."""
        if not weakly_held(obj):
            if number not in self.found:
                self.found.add(number)
                self.objects[number] = weakref.ref(owner) if owner is not None else _nothing
                self._restore(obj, self.nodes[number])
            return True
        if number in self.found:
            held = self.objects.get(number, _nothing)()
            if self.is_first and held is not None and held is not obj:
                _log.warning(
                    "Inconsistent references when loading the checkpoint into this object graph: "
                    "two objects (%s, %s) go to one of the checkpoint; the second keeps its value.",
                    _named(held),
                    _named(obj),
                )
            return False
        self.found.add(number)
        self.objects[number] = holder = weakref.ref(obj)
        self.numbers[id(obj)] = holder, number
        self._restore(obj, self.nodes[number])
        return True

    def _restore(self, obj: Any, node: SavedNode) -> None:
        value = value_of(obj)
        key = None if value is None else node.attributes.get(value.kind)
        if key is None:
            return
        assert value is not None
        value.read(self.bundle, key)
        self.restored[identity(obj)] = obj if isinstance(obj, Variable) else None

    def attached(self, owner: Any) -> None:
        holder, number = self.numbers.get(id(owner), (None, 0))
        if holder is not None and holder() is owner:
            children = self.nodes[number].children
            for name, child in edges_to_pair(owner, self.nodes[number]):
                if name in children:
                    self.pair(child, children[name], owner)
            self.settle()

    def settle(self) -> None:
        """Wait for what is missing; stop when nothing is, or when no object is left to get it."""
        is_waiting = any(
            child not in self.found and self._holder_lives(number)
            for number in self.found
            for child in self.nodes[number].children.values()
        )
        if is_waiting and self not in _waiting:
            _waiting.insert(0, self)
        elif not is_waiting and self in _waiting:
            _waiting.remove(self)
        if _waiting and attached not in watchers:
            watchers.append(attached)
        elif not _waiting and attached in watchers:
            watchers.remove(attached)

    def _holder_lives(self, number: int) -> bool:
        return self.objects.get(number, _nothing)() is not None

    def stands_for_root(self, inner: Any) -> None:
        """Have an object pair as the root does, and keep the root's place when that is gone."""
        holder = weakref.ref(inner)
        self.numbers[id(inner)] = holder, 0
        outer = self.objects.get(0, _nothing)

        def either() -> Any:
            found = outer()
            return holder() if found is None else found

        self.objects[0] = either

    def missing(self) -> list[str]:
        """Return the keys of values that no object of the program took."""
        return [
            key
            for number, node in enumerate(self.nodes)
            for key in node.attributes.values()
            if number not in self.found and number not in self.ignored
        ]


def _named(obj: Any) -> str:
    return f"{type(obj).__name__} {getattr(obj, 'name', '')!r}"


def _nothing() -> Any:
    return None


class CheckpointLoadStatus:
    """What a restored checkpoint and the program had in common.

    Values that nobody takes until this object and the objects restored are gone are named in a
    warning, unless `expect_partial` was called.
    """

    def __init__(self, restoration: _Restoration, root: Any) -> None:
        self._restoration, self._root = restoration, root

    def assert_consumed(self) -> "CheckpointLoadStatus":
        """Raise unless all values of the checkpoint and of the program found each other.

        Raises:
            AssertionError: with what is left over.
        """
        missing = self._restoration.missing()
        if missing:
            raise AssertionError(
                f"Unresolved object in checkpoint {self._restoration.bundle.prefix}: no object of "
                f"the program takes {_listed(missing)}.\n"
                f"  Fix: restore into the same structure, or call expect_partial()."
            )
        return self.assert_existing_objects_matched()

    def assert_existing_objects_matched(self) -> "CheckpointLoadStatus":
        """Raise unless all variables that the program has made so far got values.

        Raises:
            AssertionError: with the variables that did not.
        """
        left = [n for n in _values_below(self._root) if identity(n.obj) not in self._done()]
        if left:
            shown = [n.obj if isinstance(n.obj, Variable) else n.path for n in left[:10]]
            raise AssertionError(
                f"Found {len(left)} Python objects that were not bound to checkpointed values, "
                f"likely due to changes in the Python program. Showing {len(shown)} of "
                f"{len(left)} unmatched objects: {shown}\n"
                f"  Paths: {_listed([n.path for n in left])}."
            )
        return self

    def _done(self) -> dict[Any, Any]:
        return self._restoration.restored

    def assert_nontrivial_match(self) -> "CheckpointLoadStatus":
        """Raise if no object but the root was found in the checkpoint.

        Raises:
            AssertionError: none was.
        """
        if len(self._restoration.found) <= 1 and len(collect(self._root)) > 1:
            raise AssertionError(
                f"Nothing except the root object matched a checkpointed value. Typically this "
                f"means that the checkpoint does not match the Python program: "
                f"{self._restoration.bundle.prefix} holds {_listed(self._restoration.missing())}."
            )
        return self

    def expect_partial(self) -> "CheckpointLoadStatus":
        """Say nothing about values that nobody took, and return the status."""
        self._restoration.is_partial = True
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Do nothing: values are restored at once."""

    def run_restore_ops(self, session: Any = None) -> None:
        """Do nothing: values are restored at once."""


class NameBasedSaverStatus(CheckpointLoadStatus):
    """What a restored checkpoint of variables by name, as TensorFlow 1 wrote, had in common."""

    def __init__(self, bundle: Bundle, root: Any) -> None:
        super().__init__(_Restoration(bundle, [SavedNode({}, {}, {})]), root)
        restored = self._restoration.restored
        self._left = dict.fromkeys(bundle.entries)
        for node in _values_below(root):
            assert node.value is not None
            name = node.value.name
            if name in bundle:
                node.value.read(bundle, name)
                restored[identity(node.obj)] = node.obj
                self._left.pop(name, None)

    def assert_consumed(self) -> "CheckpointLoadStatus":
        """Raise unless all values of the checkpoint and of the program found each other."""
        if self._left:
            raise AssertionError(
                f"{self._restoration.bundle.prefix}: no variable of the program is named "
                f"{_listed(list(self._left))}."
            )
        return self.assert_existing_objects_matched()

    def assert_nontrivial_match(self) -> "CheckpointLoadStatus":
        """Raise if no variable has a name in the checkpoint."""
        if not self._restoration.restored:
            raise AssertionError(
                f"{self._restoration.bundle.prefix}: no variable of the program has a name in it."
            )
        return self


class InitializationOnlyStatus:
    """What `restore(None)` returns: there is no checkpoint."""

    def _refuse(self) -> Any:
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    def assert_consumed(self) -> Any:
        """Raise: nothing is restored.

        Raises:
            AssertionError: always.
        """
        self._refuse()

    assert_existing_objects_matched = assert_nontrivial_match = run_restore_ops = assert_consumed

    def expect_partial(self) -> "InitializationOnlyStatus":
        """Return the status."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """Do nothing: variables have their values."""


def _values_below(root: Any) -> list[Held]:
    return [n for n in collect(root) if n.value is not None and n.path != "save_counter"]


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - 8} more" if len(keys) > 8 else ""
    return ", ".join(keys[:8]) + more


def restore_below(root: Any, path: str, inner: Any = None) -> CheckpointLoadStatus:
    """Restore what hangs below a root from a checkpoint.

    Args:
        root: The object that was the root when the checkpoint was written.
        path: The checkpoint, without ".index".
        inner: The object whose edges are among the root's own, or None: what it gets later is
            restored, also when the root, a `tf.train.Checkpoint`, is gone.

    Raises:
        NotFoundError: there is no such checkpoint.
        DataLossError: it is damaged.
        ValueError: a shape differs.
        InvalidArgumentError: a dtype differs.
    """
    bundle = Bundle(path)
    if GRAPH_KEY not in bundle:
        return NameBasedSaverStatus(bundle, root)
    try:
        nodes = parse_graph(bundle.read(GRAPH_KEY)[()])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.DataLossError(f"{path}: {error}.") from None
    restoration = _Restoration(bundle, nodes)
    for older in [r for r in _waiting if r.numbers.get(id(root), (_nothing, 1))[0]() is root]:
        _waiting.remove(older)
    restoration.pair(root, 0)
    if inner is not None and weakly_held(inner):
        restoration.stands_for_root(inner)
    restoration.is_first = False
    restoration.settle()
    status = CheckpointLoadStatus(restoration, root)
    weakref.finalize(status, _warn_of_missing, restoration).atexit = False
    return status


def _warn_of_missing(restoration: _Restoration) -> None:
    """Name the values that are for nobody, when the status is gone and none can come."""
    if restoration.is_partial or restoration in _waiting:
        return
    missing = restoration.missing()
    if missing:
        _log.warning(
            "%s: values that no object of the program took: %s. Call expect_partial() on what "
            "restore returned if that is meant.",
            restoration.bundle.prefix,
            _listed(missing),
        )
