# pyright: reportPrivateUsage=false
"""Every thread-local of the engine in one place, and the switches of `lamina.config`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from contextlib import ContextDecorator, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.engine.tape import GradientTape

__all__ = [
    "config",
    "init_scope",
    "local",
    "name_scope",
    "note_tape",
    "recording",
    "scoped_name",
    "versions",
]


class _Local(threading.local):
    """What the code that runs now records into; one of these for each thread.

    Attributes:
        trace: The recorder that the next operation goes to; the thread's pending trace in eager
            code, a closed trace inside `tf.function` and control flow.
        tapes: The gradient tapes that are recording, outermost first.
        training: The `training` flag of the layer call that runs, None if nobody set it.
        compute_dtype: What float variables are read as (mixed precision), or None.
        names: The open name scopes, joined by "/".
        outer_names: What `names` was before each open scope; scope objects are shared by threads.
        device: The device asked for by `tf.device`, or None.
        calls: Layer calls that run now, outermost first (keras/core fills it).
        masks: Whether a Keras mask was made in this thread, which operations then carry on.
        observers: Functions told of each layer call (summary, plot), usually empty.
        convert: What gives a function's AutoGraph form, while a program is traced that way.
        unrolls: Whether a Python loop over a long Tensor is recorded step by step.
        distribution: The strategy and replica context that hold now (distribute fills it), or None.
        replica: The context of the replica that is recorded, if there are several; else None.
        hosted: The operations on the host that were recorded to be saved; None if nothing is saved.
        drops_assertions: Whether programs are made without the assertions in them, for files.
    """

    @staticmethod
    def new_pending() -> Any:
        """Return a new pending trace; None until engine/pending.py is imported."""
        return None

    def __init__(self) -> None:
        self.trace: Any = self.new_pending()
        self.tapes: list[GradientTape] = []
        self.training: Any = None
        self.compute_dtype: Any = None
        self.names = ""
        self.outer_names: list[str] = []
        self.device: Any = None
        self.calls: list[Any] = []
        self.masks = False
        self.observers: list[Any] = []
        self.convert: Any = None
        self.unrolls = True
        self.distribution: Any = None
        self.replica: Any = None
        self.hosted: list[Any] | None = None
        self.drops_assertions = False


class _Config:
    """Switches that hold for the whole process, public as `lamina.config`.

    Attributes:
        eager: "record" (operations are recorded and run together), or "sync": each operation
            runs at once, so that a debugger sees values and errors where they arise.
        run_functions_eagerly: Whether `tf.function` calls the Python function itself.
        strips_debugging: Whether programs are recorded without assertions, checks of numbers and
            what they would print: TF's optimizer option "debug_stripper".
        max_compiles: How many programs one `tf.function` or `fit` step may compile before
            RetraceLimitError is raised, or None.
        cache_size: How many compiled programs are kept; the least recently used go first.
        cache_dir: Where compiled programs are kept for the next process, or "off".
        warn_retraces: Whether a `tf.function` that keeps being traced anew says why.
    """

    def __init__(self) -> None:
        self.eager = os.environ.get("LAMINA_EAGER", "record")
        self.run_functions_eagerly = False
        self.strips_debugging = False
        self.max_compiles: int | None = None
        self.cache_size = 1024
        self.cache_dir = os.environ.get("LAMINA_CACHE") or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lamina", "xla"
        )
        self.warn_retraces = True


config = _Config()


class _Versions:
    """Counters that compiled programs are keyed by.

    Attributes:
        structure: Moves when something a traced program may have read in Python changes: a
            layer's attribute, `trainable`. Programs traced before are then not used again.
        tracked: Moves when a module gets an attribute that may hold variables or modules.
    """

    def __init__(self) -> None:
        self.structure = 0
        self.tracked = 0


versions = _Versions()


local = _Local()


def set_pending_factory(factory: Callable[[], Any]) -> None:
    """Tell how pending traces are made; engine/pending.py does so when it is imported."""
    _Local.new_pending = staticmethod(factory)
    local.trace = factory()


@contextmanager
def recording(trace: Any, tapes: list[GradientTape] | None = None) -> Generator[None, None, None]:
    """Record into `trace` inside the block, with only `tapes` recording."""
    here = local
    before = here.trace, here.tapes
    here.trace, here.tapes = trace, [] if tapes is None else tapes
    try:
        yield
    finally:
        here.trace, here.tapes = before


def note_tape(ended: bool) -> None:
    """Tell eager code's trace that a gradient is being recorded, or that one may be asked for."""
    if local.trace.eager:
        local.trace.note_tape(ended)


def eager_trace() -> Any:
    """Return the thread's pending trace, from inside a closed trace too."""
    trace = local.trace
    while not trace.eager:
        trace = trace.parent
    return trace if trace.alive else local.new_pending()


@contextmanager
def init_scope() -> Generator[None, None, None]:
    """Leave every trace and tape inside the block: operations run eagerly.

    Example:
        >>> @tf.function
        ... def f(x):
        ...     with tf.init_scope():
        ...         start = tf.constant(1.0) + 1.0  # computed once, while tracing
        ...     return x + float(start)
        >>> f(tf.constant(1.0)).numpy()
        np.float32(3.0)
    """
    with recording(eager_trace()):
        yield


class name_scope(ContextDecorator):  # noqa: N801 (TensorFlow's name)
    """Put `name` before the names of the variables made inside the block.

    One scope may be entered many times, and is the same each time from the place where it is
    entered; a name that ends with "/" is a whole path, whatever scopes are open.

    Args:
        name: One level of the path, or several with "/" between; "" leaves all open scopes for
            the block; "a/b/" is the scope `a/b` itself.

    Returns:
        A context manager whose value is the scope with a "/" behind it, as in TF.

    Raises:
        ValueError: `name` is no string.

    Example:
        >>> with tf.name_scope("encoder") as scope:
        ...     scope, tf.Variable(1.0, name="w").name
        ('encoder/', 'encoder/w:0')
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(
                f"tf.name_scope: `name` must be a string; got {name!r} ({type(name).__name__}).\n"
                f'  Fix: pass a name, or "" for the outermost scope.'
            )
        self._name = name

    @property
    def name(self) -> str:
        """The name that the scope was made with."""
        return self._name

    def __enter__(self) -> str:
        here, name = local, self._name
        here.outer_names.append(here.names)
        if name.endswith("/"):
            here.names = name[:-1]
        else:
            here.names = f"{here.names}/{name}" if name and here.names else name
        return here.names + "/" if here.names else ""

    def __exit__(self, *error: object) -> None:
        local.names = local.outer_names.pop()


def scoped_name(name: str) -> str:
    """Return `name` behind the open name scopes: "encoder/dense/kernel"."""
    names = local.names
    return f"{names}/{name}" if names else name
