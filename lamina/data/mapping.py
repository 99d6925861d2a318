"""Mapped: the elements of a table after a user's function."""

import contextlib
import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from lamina.data import elements, tables
from lamina.data import structure as nest
from lamina.engine import Function, Tensor, TensorSpec, dtypes, errors, local
from lamina.engine.concrete import Given
from lamina.ops.loops import vectorized_map

__all__ = ["InOrder", "Mapped", "UserFunction", "debug", "pool"]

_SHAPES = 8  # so many shapes of elements are worth a program each

# What says that a function cannot be recorded, or not for many rows at once; one row at a time, as
# Python, it works, or says what is wrong.
_UNTRACEABLE = (errors.OperatorNotAllowedInGraphError, errors.LeakedTensorError)
_UNFIT_FOR_MANY = (*_UNTRACEABLE, errors.OpError, TypeError, ValueError)


_debugging: list[bool] = []


def debug(on: bool) -> None:
    """Have users' functions run as Python, from datasets that are made later on."""
    _debugging[:] = [True] if on else []


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out the advice to map a function of strings over a dataset: here that is so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*strings, which compiled programs cannot hold")
        yield


class UserFunction:
    """A user's function of an element.

    It runs compiled where it can be traced, for the few shapes that come again, and else as Python.

    Args:
        function: The function.
        spec: A function that returns the specs of the elements it gets.
        call: How it is called with an element: the parts of a tuple are its arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        spec: Callable[[], Any],
        call: Callable[..., Any] = elements.call,
    ) -> None:
        if not callable(function):
            raise TypeError(
                f"tf.data.Dataset: a function of an element was expected; got {function!r}.\n"
                f"  Fix: pass the function without calling it."
            )
        self._function = function
        self._call = call
        self._spec = spec
        self._traced: Any = None
        self._ready = False
        self._lock = threading.Lock()

    def __call__(self, element: Any) -> Any:
        """Return the function's result for an element of Tensors."""
        if not self._ready:
            self._prepare()
        traced = self._traced
        if traced is not None:
            if not traced._traced:
                with _quiet():
                    return self._call(traced, element)
            if traced._traced <= _SHAPES:
                return self._call(traced, element)
            self._traced = None
        return self._call(self.returned, element)

    def is_true(self, element: Any, method: str) -> bool:
        """Return what a predicate says of an element of Tensors.

        Raises:
            ValueError: it says something else than one boolean.
        """
        found = self(element)
        if type(found) is not bool:
            truth = None if found is None else np.asarray(found)
            if truth is None or truth.ndim or truth.dtype != np.bool_:
                raise ValueError(
                    f"tf.data.Dataset.{method}: `predicate` must return a scalar boolean; got "
                    f"{found!r}.\n  Fix: compare, as in x > 0, or reduce with tf.reduce_all."
                )
        return bool(found)

    def run_as_python(self) -> None:
        """Have it run as Python from now on, so that its checks raise where they stand."""
        self._traced = None
        self._ready = True

    @property
    def is_python(self) -> bool:
        """Whether it runs as Python."""
        if not self._ready:
            self._prepare()
        return self._traced is None or self._traced._eager_because is not None

    @property
    def is_fixed(self) -> bool:
        """Whether all shapes that it gets are known."""
        return not self.is_python and elements.is_fixed(self._spec())

    def _prepare(self) -> None:
        with self._lock:
            if self._ready:
                return
            if not _debugging and elements.is_plain(self._spec()):
                label = getattr(self._function, "__name__", "map")
                self._traced = Function(self.returned, label, reduce_retracing=True)
            self._ready = True

    def returned(self, *args: Any) -> Any:
        """Call the function as it is, and return its result with lists as TF has them."""
        function = self._function
        if local.convert is not None:
            function = local.convert(function)
        return elements.packed(function(*args))

    def result_spec(self) -> Any:
        """Return the specs of the results, or None where only a run can tell."""
        if self.is_python:
            return self._recorded_spec()
        try:
            with _quiet():
                found = self._call(self._traced.get_concrete_function, self._spec())
        except (*_UNTRACEABLE, errors.UnimplementedError):
            return None
        specs = found.structured_outputs
        return specs if all(type(s) is TensorSpec for s in nest.flatten(specs)) else None

    def _recorded_spec(self) -> Any:
        """Return the specs of the results of a function of strings, as a recording finds them.

        Nothing of it runs: the host's operations say what they would give.
        """
        spec = self._spec()
        if _debugging or not all(type(s) is TensorSpec for s in nest.flatten(spec)):
            return None
        if not any(s.dtype is dtypes.string for s in nest.flatten(spec)):
            return None
        args = spec if type(spec) is tuple else (spec,)
        made = Function(self.returned, "map")
        try:
            with _quiet():
                found = made.record_given(Given(self.returned, args, made)).structured_outputs
        except Exception:  # it needs values; only a run can tell
            return None
        return found if all(type(s) is TensorSpec for s in nest.flatten(found)) else None


class Mapped(tables.Table):
    """The elements of a table after a user's function, on many rows at once where it can be.

    Args:
        table: The table.
        function: The function.
        threads: In how many threads the rows of a batch are made, where it runs as Python.
    """

    def __init__(self, table: tables.Table, function: UserFunction, threads: int = 1) -> None:
        self.table = table
        self.function = function
        self.threads = threads
        self._many: Any = None
        self._tried = False

    def row(self, item: Any) -> Any:
        return self.after(self.table.row(item))

    def after(self, element: Any) -> Any:
        """Return what the function makes of an element of the table."""
        return _on_host(self.function(elements.as_tensors(element)))

    def rows(self, items: Any) -> list[Any]:
        if self.threads > 1 and len(items) > 1 and self.function.is_python:
            return list(InOrder(self.row, iter(_listed(items)), self.threads))
        return super().rows(items)

    def gather(self, items: Any) -> Any:
        if not self._tried:
            self._tried = True
            if self.function.is_fixed:
                self._many = Function(self._vectorized, "map", reduce_retracing=True)
        if self._many is None or len(items) < 2:
            return elements.stack(self.rows(items))
        columns = elements.as_tensors(self.table.gather(items))
        try:
            if not self._many._traced:
                with _quiet():
                    return _on_host(self._many(columns))
            return _on_host(self._many(columns))
        except _UNFIT_FOR_MANY:
            self._many = None
            return elements.stack(self.rows(items))

    def _vectorized(self, columns: Any) -> Any:
        def one(row: Any) -> Any:
            found = elements.as_tensors(elements.call(self.function.returned, row))
            if not all(isinstance(leaf, Tensor) for leaf in nest.flatten(found)):
                raise TypeError("tf.data: ragged rows, datasets and None are made one by one.")
            return found

        return vectorized_map(one, columns)


def _listed(items: Any) -> Any:
    if isinstance(items, np.ndarray):
        return items.tolist() if items.ndim == 1 else list(map(tuple, items.tolist()))
    return items


def _on_host(element: Any) -> Any:
    """Return the results of a function as an element."""
    return nest.map_structure(lambda t: t if isinstance(t, Tensor) else _plain(t), element)


def _plain(value: Any) -> Any:
    return value if isinstance(value, np.ndarray | np.generic) else elements.as_arrays(value)


_pools: list[ThreadPoolExecutor] = []


def pool() -> ThreadPoolExecutor:
    """Return the threads that make elements."""
    if not _pools:
        count = max(4, os.cpu_count() or 1)
        _pools.append(ThreadPoolExecutor(count, thread_name_prefix="tf.data"))
    return _pools[0]


class InOrder(Iterator[Any]):
    """The results of a function of some items, in order, several of them at work at a time.

    Args:
        function: The function.
        items: The items.
        threads: How many are at work.
    """

    def __init__(self, function: Callable[[Any], Any], items: Iterator[Any], threads: int) -> None:
        self._function, self._items, self._threads = function, items, threads
        self._waiting: deque[Future[Any]] = deque()

    def __next__(self) -> Any:
        while len(self._waiting) < self._threads:
            try:
                future = pool().submit(self._function, next(self._items))
            except StopIteration:
                break
            except Exception as error:  # raised when its turn comes
                future = Future()
                future.set_exception(error)
            self._waiting.append(future)
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft().result()

    def __del__(self) -> None:
        for future in self._waiting:
            future.cancel()
