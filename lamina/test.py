"""tf.test: test cases that compare Tensors, numeric gradients, and what this machine has."""
# ruff: noqa: PT009  # a TestCase calls the assertions of its base class

import contextlib
import functools
import random as python_random
import re
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engine import Tensor, convert_to_tensor, errors, nest
from lamina.numeric_gradients import compute_gradient
from lamina.ops.placement import devices_of
from lamina.ops.random import set_seed

if TYPE_CHECKING:
    from unittest import TestCase as _TestCase
else:
    try:
        from absl.testing.absltest import TestCase as _TestCase
    except ImportError:
        from unittest import TestCase as _TestCase

__all__ = [
    "Benchmark",
    "TestCase",
    "assert_equal_graph_def",
    "benchmark_config",
    "compute_gradient",
    "create_local_cluster",
    "disable_with_predicate",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_built_with_gpu_support",
    "is_built_with_rocm",
    "is_built_with_xla",
    "is_cpu_target_available",
    "is_gpu_available",
    "main",
    "with_eager_op_as_function",
]


def _platform_versions() -> str:
    devices = devices_of("GPU")
    return getattr(devices[0].client, "platform_version", "").lower() if devices else ""


def is_built_with_cuda() -> bool:
    """Return whether JAX's CUDA devices are there."""
    return "cuda" in _platform_versions()


def is_built_with_rocm() -> bool:
    """Return whether JAX's ROCm devices are there."""
    return "rocm" in _platform_versions()


def is_built_with_gpu_support() -> bool:
    """Return whether JAX's GPUs are there."""
    return bool(devices_of("GPU"))


def is_built_with_xla() -> bool:
    """Return True: everything is compiled by XLA."""
    return True


def is_cpu_target_available(target: str) -> bool:
    """Return whether XLA compiles for a CPU such as "x86_64" or "aarch64": for this machine's."""
    import platform

    machine = {"arm64": "aarch64", "amd64": "x86_64"}
    here = platform.machine().lower()
    return machine.get(here, here) == target


def is_gpu_available(
    cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None
) -> bool:
    """Return whether there is a GPU.

    Args:
        cuda_only: Whether only one of CUDA counts.
        min_cuda_compute_capability: The least compute capability that counts.
    """
    if cuda_only and not is_built_with_cuda():
        return False
    for device in devices_of("GPU"):
        found = str(getattr(device, "compute_capability", "0.0")).split(".")
        capability = tuple(int(n) for n in found)
        if min_cuda_compute_capability is None or capability >= min_cuda_compute_capability:
            return True
    return False


def gpu_device_name() -> str:
    """Return the name of the first GPU, "" without one.

    Example:
        >>> tf.test.gpu_device_name()
        ''
    """
    return "/device:GPU:0" if devices_of("GPU") else ""


def _value(x: Any) -> Any:
    if isinstance(x, Tensor) or hasattr(type(x), "_as_tensor"):
        return convert_to_tensor(x).numpy()
    return x


def _is_ragged(value: Any) -> bool:
    return hasattr(type(value), "ragged_rank")


def _as_list(value: Any) -> Any:
    """Return a value as nested lists, as those of a ragged Tensor."""
    if _is_ragged(value):
        return value.to_list()
    if isinstance(value, list | tuple):
        return [_as_list(v) for v in value]
    return np.asarray(_value(value)).tolist()


class TestCase(_TestCase):
    """A test case that compares Tensors and arrays; seeds are set before each test.

    Where the package absl-py is installed it is an `absltest.TestCase`, as in TensorFlow, with
    `assertEmpty`, `assertLen`, `assertSameElements` and so on; else a `unittest.TestCase`.
    """

    def __init__(self, methodName: str = "runTest") -> None:  # unittest's name
        super().__init__(methodName)
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def setUp(self) -> None:
        """Set the seeds of Python's, NumPy's and lamina's random numbers."""
        super().setUp()
        python_random.seed(87654321)
        np.random.seed(87654321)
        set_seed(87654321)

    def tearDown(self) -> None:
        """Remove the folder of `get_temp_dir`."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        super().tearDown()

    def get_temp_dir(self) -> str:
        """Return a folder that lives as long as the test."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory()
        return self._folder.name

    create_tempdir = get_temp_dir

    def evaluate(self, tensors: Any) -> Any:
        """Return the values of Tensors, or of structures of them, as NumPy arrays."""
        return nest.map_structure(_value, tensors)

    def session(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: there are no sessions.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "tf.test.TestCase.session: sessions are TF 1's; there are none here.\n"
            "  Fix: self.evaluate(tensor) gives values."
        )

    cached_session = session

    # -- assertions

    def assertAllClose(  # noqa: N802  # TF's name, as those below
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Check that ``|a - b| <= atol + rtol * |b|``, in all leaves of structures."""
        self._close(a, b, rtol, atol, msg, "")

    def _close(self, a: Any, b: Any, rtol: float, atol: float, msg: Any, path: str) -> None:
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            super().assertIsInstance(a, Mapping, msg)
            super().assertIsInstance(b, Mapping, msg)
            super().assertCountEqual(a.keys(), b.keys(), f"Mismatched keys{path}. {msg or ''}")
            for key in a:
                self._close(a[key], b[key], rtol, atol, msg, f"{path}[{key}]")
            return
        if isinstance(a, list | tuple) and isinstance(b, list | tuple):
            first, second = _array(a), _array(b)
            if first is None or second is None:
                super().assertEqual(len(a), len(b), f"Mismatched length{path}. {msg or ''}")
                for i, (x, y) in enumerate(zip(a, b, strict=True)):
                    self._close(x, y, rtol, atol, msg, f"{path}[{i}]")
                return
        if _is_ragged(a) or _is_ragged(b):
            self._close(_as_list(a), _as_list(b), rtol, atol, msg, path)
            return
        x, y = np.asarray(self._array_of(a)), np.asarray(self._array_of(b))
        half = {"float16", "bfloat16"} & {x.dtype.name, y.dtype.name}
        if half:
            rtol, atol = max(rtol, 1e-3), max(atol, 1e-3)
            x, y = x.astype(np.float64), y.astype(np.float64)
        where = f"Mismatched value{path}. " if path else ""
        super().assertEqual(
            x.shape,
            y.shape,
            f"{where}Shape mismatch: expected {x.shape}, got {y.shape}. {msg or ''}",
        )
        np.testing.assert_allclose(x, y, rtol, atol, True, f"{where}{msg or ''}")

    def _array_of(self, x: Any) -> Any:
        if isinstance(x, list | tuple):
            return np.asarray([_value(v) for v in x])
        return _value(x)

    def assertNotAllClose(self, a: Any, b: Any, **kwargs: Any) -> None:  # noqa: N802
        """Check that `assertAllClose` would fail."""
        try:
            self.assertAllClose(a, b, **kwargs)
        except AssertionError:
            return
        raise self.failureException("The two values are close at all elements.")

    def assertAllCloseAccordingToType(  # noqa: N802
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """Check `assertAllClose` with the bounds of the less exact dtype."""
        x, y = np.asarray(self._array_of(a)), np.asarray(self._array_of(b))
        bounds = {
            "float32": (float_rtol, float_atol),
            "complex64": (float_rtol, float_atol),
            "float16": (half_rtol, half_atol),
            "bfloat16": (bfloat16_rtol, bfloat16_atol),
        }
        for name in (x.dtype.name, y.dtype.name):
            more = bounds.get(name, (0.0, 0.0))
            rtol, atol = max(rtol, more[0]), max(atol, more[1])
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:  # noqa: N802
        """Check that shapes and all elements are equal; NaN equals NaN.

        Of ragged Tensors the lists are compared.
        """
        if _is_ragged(a) or _is_ragged(b):
            super().assertEqual(_as_list(a), _as_list(b), msg)
            return
        x, y = _comparable(self._array_of(a)), _comparable(self._array_of(b))
        super().assertEqual(
            x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. {msg or ''}"
        )
        same = x == y
        if x.dtype.kind in "fc" and y.dtype.kind in "fc":
            same = np.logical_or(same, np.logical_and(np.isnan(x), np.isnan(y)))
        if not np.all(same):
            different = np.argwhere(np.logical_not(same))
            raise self.failureException(
                f"Arrays are not equal: {len(different)} of {x.size} elements differ, the first at "
                f"{tuple(different[0].tolist())}. {msg or ''}\n  a: {x!r}\n  b: {y!r}"
            )

    def assertDictEqual(  # noqa: N802
        self, d1: Mapping[Any, Any], d2: Mapping[Any, Any], msg: str | None = None
    ) -> None:
        """Check that two dicts have the same keys, and equal values: floats nearly so.

        Values can be Tensors and arrays; `assertEqual` of two dicts does this too.
        """
        with contextlib.suppress(Exception):  # Tensors have no single truth value
            super().assertDictEqual(dict(d1), dict(d2), msg)
            return
        super().assertEqual(set(d1), set(d2), msg)
        for key, value in d1.items():
            is_float = np.asarray(self._array_of(value)).dtype.kind == "f"
            check = self.assertAllClose if is_float else self.assertAllEqual
            check(value, d2[key], msg=str(key) if msg is None else f"{key}: {msg}")

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:  # noqa: N802
        """Check that `assertAllEqual` would fail."""
        try:
            self.assertAllEqual(a, b)
        except AssertionError:
            return
        raise self.failureException(f"The two values are equal at all elements. {msg or ''}")

    def assertNear(  # noqa: N802
        self, f1: Any, f2: Any, err: float, msg: str | None = None
    ) -> None:
        """Check that two numbers differ by `err` at most."""
        f1, f2 = _value(f1), _value(f2)
        near = f1 == f2 or abs(f1 - f2) <= err
        super().assertTrue(near, f"{f1!r} != {f2!r} +/- {err!r}{f' ({msg})' if msg else ''}")

    def assertArrayNear(  # noqa: N802
        self, farray1: Any, farray2: Any, err: float, msg: str | None = None
    ) -> None:
        """Check `assertNear` for all pairs of numbers."""
        first, second = _value(farray1), _value(farray2)
        super().assertEqual(len(first), len(second), msg)
        for a, b in zip(first, second, strict=True):
            self.assertNear(float(a), float(b), err, msg)

    def assertNDArrayNear(  # noqa: N802
        self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None
    ) -> None:
        """Check that the norm of a difference is below `err`."""
        norm = np.linalg.norm(np.asarray(_value(ndarray1)) - np.asarray(_value(ndarray2)))
        super().assertTrue(norm < err, msg)

    def _all(self, a: Any, holds: Callable[[np.ndarray], Any], what: str) -> None:
        x = np.asarray(self._array_of(a))
        wrong = np.argwhere(np.logical_not(holds(x)))
        if len(wrong):
            raise self.failureException(
                f"{len(wrong)} of {x.size} elements are not {what}, the first at "
                f"{tuple(wrong[0].tolist())}: {x!r}"
            )

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        """Check that all elements are above a value."""
        self._all(a, lambda x: x > comparison_target, f"> {comparison_target}")

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        """Check that all elements are below a value."""
        self._all(a, lambda x: x < comparison_target, f"< {comparison_target}")

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        """Check that all elements are at least a value."""
        self._all(a, lambda x: x >= comparison_target, f">= {comparison_target}")

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:  # noqa: N802
        """Check that all elements are at most a value."""
        self._all(a, lambda x: x <= comparison_target, f"<= {comparison_target}")

    def assertAllInRange(  # noqa: N802
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Check that all elements lie in an interval."""

        def holds(x: np.ndarray) -> Any:
            above = x > lower_bound if open_lower_bound else x >= lower_bound
            below = x < upper_bound if open_upper_bound else x <= upper_bound
            return np.logical_and(above, below)

        left, right = "(" if open_lower_bound else "[", ")" if open_upper_bound else "]"
        self._all(target, holds, f"in {left}{lower_bound}, {upper_bound}{right}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:  # noqa: N802
        """Check that all elements are in a set."""
        known = set(expected_set)
        found = {x for x in np.asarray(self._array_of(target)).reshape(-1).tolist()}
        if found - known:
            raise self.failureException(f"{sorted(found - known)} are not in {known}.")

    def assertShapeEqual(  # noqa: N802
        self, input_a: Any, input_b: Any, msg: str | None = None
    ) -> None:
        """Check that two Tensors or arrays have one shape."""
        self.assertAllEqual(tuple(np.shape(_value(input_a))), tuple(np.shape(_value(input_b))), msg)

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:  # noqa: N802
        """Check the dtype of a Tensor or array."""
        from lamina.engine import as_dtype

        found = target.dtype if hasattr(target, "dtype") else np.asarray(target).dtype
        super().assertEqual(as_dtype(found), as_dtype(expected_dtype))

    def assertStartsWith(  # noqa: N802
        self, actual: str, expected_start: str, msg: str | None = None
    ) -> None:
        """Check how a text starts."""
        if not actual.startswith(expected_start):
            raise self.failureException(
                f"{actual!r} does not start with {expected_start!r}. {msg or ''}"
            )

    def assertAllNan(self, target: Any) -> None:  # noqa: N802
        """Check that all elements are NaN."""
        self._all(target, np.isnan, "NaN")

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(  # noqa: N802
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """Check that the block raises, with a message that fits.

        Args:
            exception_type: The class.
            expected_err_re_or_predicate: A regular expression, or a function of the exception.
        """
        try:
            yield
        except exception_type as error:
            fits = expected_err_re_or_predicate
            holds = fits(error) if callable(fits) else re.search(fits, str(error))
            if not holds:
                raise self.failureException(
                    f"The exception does not fit {fits!r}: {error}"
                ) from error
            return
        raise self.failureException(f"{getattr(exception_type, '__name__', '')} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:  # noqa: N802
        """Check that the block raises a `tf.errors.OpError` with a message that fits."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)


def _array(values: Any) -> np.ndarray | None:
    """Return nested lists as an array, None if they are not rectangular or hold other things."""
    try:
        found = np.asarray([_value(v) for v in values])
    except ValueError:
        return None
    return None if found.dtype == object else found


def _comparable(x: Any) -> np.ndarray:
    found = np.asarray(x)
    if found.dtype.kind == "U":
        return np.char.encode(found).astype(object)
    return found.astype(object) if found.dtype.kind == "S" else found


class Benchmark:
    """Base class of benchmarks: methods whose names begin with "benchmark" are run by `main`."""

    def __init__(self) -> None:
        self.reports: list[dict[str, Any]] = []

    def report_benchmark(
        self,
        iters: int | None = None,
        cpu_time: float | None = None,
        wall_time: float | None = None,
        throughput: float | None = None,
        extras: Any = None,
        name: str | None = None,
        metrics: Any = None,
    ) -> None:
        """Print a result, and keep it in `reports`.

        Args:
            iters: How many times something ran.
            cpu_time: Seconds of the processor.
            wall_time: Seconds that passed.
            throughput: Megabytes a second.
            extras: Other results by name.
            name: The benchmark's name; None is the calling method's.
            metrics: More results, a list of dicts.
        """
        name = name or sys._getframe(1).f_code.co_name
        given = {
            "iters": iters,
            "cpu_time": cpu_time,
            "wall_time": wall_time,
            "throughput": throughput,
            "extras": extras,
            "metrics": metrics,
        }
        report = {"name": f"{type(self).__name__}.{name}"}
        report |= {k: v for k, v in given.items() if v is not None}
        self.reports.append(report)
        print(report)

    def evaluate(self, tensors: Any) -> Any:
        """Return the values of Tensors as NumPy arrays."""
        return nest.map_structure(_value, tensors)

    def run_op_benchmark(self, sess: Any, op_or_tensor: Any, **kwargs: Any) -> Any:
        """Refuse: there are no sessions.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "tf.test.Benchmark.run_op_benchmark: sessions are TF 1's; there are none here.\n"
            "  Fix: time calls of a tf.function, and pass the result to report_benchmark."
        )


def benchmark_config() -> Any:
    """Return None: TF's configuration of sessions for benchmarks has no meaning here."""
    return None


def assert_equal_graph_def(expected: Any, actual: Any) -> None:
    """Check that two graphs are equal: anything with `==`.

    Raises:
        AssertionError: they differ.
    """
    if expected != actual:
        raise AssertionError(f"The graphs differ: expected {expected!r}; got {actual!r}.")


def create_local_cluster(
    num_workers: int,
    num_ps: int,
    protocol: str = "grpc",
    worker_config: Any = None,
    ps_config: Any = None,
) -> Any:
    """Refuse: there are no TensorFlow servers here.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        f"tf.test.create_local_cluster: there are no TensorFlow servers here; got {num_workers} "
        f"workers, {num_ps} parameter servers.\n"
        f"  Fix: start processes that make tf.distribute.MultiWorkerMirroredStrategy()."
    )


def disable_with_predicate(pred: Callable[[], bool], skip_message: str) -> Callable[[Any], Any]:
    """Return a decorator that skips a test where a predicate holds.

    Args:
        pred: A function without arguments.
        skip_message: Why it is skipped.
    """

    def decorate(test: Any) -> Any:
        @functools.wraps(test)
        def run(self: Any, *args: Any, **kwargs: Any) -> Any:
            if pred():
                self.skipTest(skip_message)
            return test(self, *args, **kwargs)

        return run

    return decorate


def with_eager_op_as_function(cls: Any = None, only_as_function: bool = False) -> Any:
    """Return a test class as it is, as TF does since eager operations are functions."""
    return (lambda c: c) if cls is None else cls


def main(argv: list[str] | None = None) -> None:
    """Run the tests of the main module; with ``--benchmarks=REGEX``, its benchmarks.

    Args:
        argv: The command line; None is the program's.
    """
    argv = sys.argv if argv is None else argv
    asked = next((a.partition("=")[2] for a in argv if a.startswith("--benchmarks=")), None)
    if asked is None:
        unittest.main(argv=argv)
        return
    for cls in list(vars(sys.modules["__main__"]).values()):
        if isinstance(cls, type) and issubclass(cls, Benchmark) and cls is not Benchmark:
            _run_benchmarks(cls(), asked)


def _run_benchmarks(benchmark: Benchmark, asked: str) -> None:
    for name in dir(benchmark):
        full = f"{type(benchmark).__name__}.{name}"
        if name.startswith("benchmark") and re.search(asked, full):
            start = time.perf_counter()
            getattr(benchmark, name)()
            seconds = time.perf_counter() - start
            print(f"{full}: {seconds:.3f} s", file=sys.stderr)
