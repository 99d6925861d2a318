"""Error classes: those of `tf.errors`, and lamina's own. A class docstring is its help page."""

from collections.abc import Callable
from typing import Any, cast

__all__ = [
    "ABORTED",
    "ALREADY_EXISTS",
    "CANCELLED",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "OK",
    "OUT_OF_RANGE",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
    "UNKNOWN",
    "AbortedError",
    "AlreadyExistsError",
    "ArgumentError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "EndOfSequenceError",
    "FailedPreconditionError",
    "HostLoopError",
    "InternalError",
    "InvalidArgumentError",
    "LeakedTensorError",
    "LongLoopError",
    "NotFoundError",
    "OpError",
    "OperandError",
    "OperatorNotAllowedInGraphError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "RetraceLimitError",
    "TracedStartError",
    "TracedValueError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
]

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """An operation failed: the base class of the `tf.errors` that carry a code.

    Args:
        node_def: TF's description of the failed node, usually None. A string given alone is
            the message: `InvalidArgumentError("...")`.
        op: The failed operation or its name, or None.
        message: What went wrong.
        error_code: One of the integer codes of `tf.errors`; None means that of the class.
        *args: Accepted for TF's signature; a dict among them holds `experimental_payloads`.

    Example:
        >>> error = tf.errors.NotFoundError(None, None, "no such file")
        >>> error.message, error.error_code == tf.errors.NOT_FOUND
        ('no such file', True)
    """

    _class_code = UNKNOWN

    def __init__(
        self,
        node_def: Any = None,
        op: Any = None,
        message: Any = None,
        error_code: Any = None,
        *args: Any,
    ) -> None:
        if isinstance(node_def, str) and op is None and message is None:
            node_def, message = None, node_def
        # TF's subclasses have no error_code: (node_def, op, message, payloads).
        extras: tuple[Any, ...] = (error_code, *args)
        payloads = [cast("dict[Any, Any]", extra) for extra in extras if isinstance(extra, dict)]
        self._payloads = payloads[0] if payloads else {}
        self._node_def = node_def
        self._op = op
        self._message = "" if message is None else str(message)
        self._error_code: int = error_code if isinstance(error_code, int) else self._class_code
        super().__init__(node_def, op, self._message, self._error_code)

    @property
    def message(self) -> str:
        """What went wrong."""
        return self._message

    @property
    def op(self) -> Any:
        """The failed operation or its name, or None."""
        return self._op

    @property
    def node_def(self) -> Any:
        """TF's description of the failed node, or None."""
        return self._node_def

    @property
    def error_code(self) -> int:
        """The integer code of the kind of error, such as `tf.errors.NOT_FOUND`."""
        return self._error_code

    @property
    def experimental_payloads(self) -> dict[Any, Any]:
        """A copy of the details that came with the error; empty unless given."""
        return dict(self._payloads)

    def __str__(self) -> str:
        name = getattr(self._op, "name", self._op)
        return self._message if name is None else f"{self._message} [Op:{name}]"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._message!r})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        extras = (self._payloads,) if self._payloads else ()
        return type(self), (self._node_def, self._op, self._message, self._error_code, *extras)


class CancelledError(OpError):
    """The operation or step was cancelled, for instance because its queue was closed."""

    _class_code = CANCELLED


class UnknownError(OpError):
    """An error of no known kind, usually passed on from a library below."""

    _class_code = UNKNOWN


class InvalidArgumentError(OpError):
    """The operation got an argument that can never work, such as shapes that do not fit.

    It depends on the arguments alone, not on the system's state. Read the shapes and dtypes in
    the message and change the call; `tf.cast` converts dtypes, `tf.reshape` shapes.
    """

    _class_code = INVALID_ARGUMENT


class DeadlineExceededError(OpError):
    """The operation did not finish in the time it was given."""

    _class_code = DEADLINE_EXCEEDED


class NotFoundError(OpError):
    """A file, directory or other named thing does not exist."""

    _class_code = NOT_FOUND


class AlreadyExistsError(OpError):
    """A file or other thing to be created is there already."""

    _class_code = ALREADY_EXISTS


class PermissionDeniedError(OpError):
    """The caller may not do this, for instance write to a directory owned by another user."""

    _class_code = PERMISSION_DENIED


class UnauthenticatedError(OpError):
    """The request carries no valid credentials."""

    _class_code = UNAUTHENTICATED


class ResourceExhaustedError(OpError):
    """Memory, disk space or a quota ran out.

    On a device, that is most often the batch: halve it, use `mixed_bfloat16`, or wrap layers in
    `tf.recompute_grad`, which computes activations again instead of keeping them.
    """

    _class_code = RESOURCE_EXHAUSTED


class FailedPreconditionError(OpError):
    """The system is not in the state that the operation needs; a later call may succeed.

    Typical is the use of something before it was initialised.
    """

    _class_code = FAILED_PRECONDITION


class AbortedError(OpError):
    """The operation was given up because of a conflict with a concurrent one; try it again."""

    _class_code = ABORTED


class OutOfRangeError(OpError):
    """The operation went past the end: an iterator is exhausted, an index too large."""

    _class_code = OUT_OF_RANGE


class EndOfSequenceError(OutOfRangeError, StopIteration):
    """An iterator has no further element: StopIteration, which ends loops, and TF's error.

    `next(iterator)` raises the first in eager code of TF, the second inside a `tf.function`.
    """


class UnimplementedError(OpError):
    """The operation, or this combination of its arguments, is not supported here."""

    _class_code = UNIMPLEMENTED


class InternalError(OpError):
    """Something that must always hold does not: a bug in lamina or below it. Please report it."""

    _class_code = INTERNAL


class UnavailableError(OpError):
    """A service or another process cannot be reached just now; try again later."""

    _class_code = UNAVAILABLE


class DataLossError(OpError):
    """Data is lost or corrupt for good, for instance a truncated file."""

    _class_code = DATA_LOSS


class ArgumentError(InvalidArgumentError, ValueError):
    """An operation does not take arguments of these shapes, dtypes or sizes.

    TensorFlow raises InvalidArgumentError where an operation runs at once, and ValueError where a
    `tf.function` records it; this is both, and is shown under the first's name. Read the shapes
    and dtypes in the message and change the call.
    """

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _argument_error, super().__reduce__()[1]


class OperandError(InvalidArgumentError, TypeError):
    """Operands differ in dtype, or a Python number does not fit: `int_tensor + 1.5`.

    TensorFlow raises InvalidArgumentError for some operators and TypeError for others; this is
    both, and is shown under the first's name. Cast the Tensor:
    `tf.cast(int_tensor, tf.float32) + 1.5`.
    """

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _operand_error, super().__reduce__()[1]


for _shown in (ArgumentError, OperandError):
    _shown.__name__ = _shown.__qualname__ = InvalidArgumentError.__name__


# Pickle finds a class by its name.
def _argument_error(*args: Any) -> ArgumentError:
    return ArgumentError(*args)


def _operand_error(*args: Any) -> OperandError:
    return OperandError(*args)


class OperatorNotAllowedInGraphError(TypeError):
    """A Tensor was used as a Python value where it has none, as `if x:` in a traced function.

    TF's name for it; lamina raises the subclass `TracedValueError`.
    """


class TracedValueError(OperatorNotAllowedInGraphError):
    """The value of a Tensor was asked for while a `tf.function` was being recorded.

    Recording runs your Python once, on Tensors that have a shape and a dtype but no value yet:
    the compiled program computes it at each call. So `float(x)`, `x.numpy()`, `if x:`, `int(n)`
    for a shape, and NumPy functions on x cannot work there.

    Wrong::

        @tf.function
        def scale(x):
            if float(tf.reduce_max(x)) > 1.0:
                x = x / 255.0
            return x

    Right, with the choice made by the compiled program::

        @tf.function
        def scale(x):
            return tf.where(tf.reduce_max(x) > 1.0, x / 255.0, x)

    Or compute the value outside and pass it as an argument; print with `tf.print`; call NumPy
    through `tf.numpy_function`; or see each step with `tf.config.run_functions_eagerly(True)`.
    A plain `if`, `while` or `for` on a Tensor works where AutoGraph can read the source.
    """


class HostLoopError(TracedValueError):
    """A dataset was looped over while recording: the function around runs in Python."""


class LongLoopError(TracedValueError):
    """A Python loop over a long Tensor was met while recording: AutoGraph makes it one loop."""


class TracedStartError(ValueError):
    """A variable starts from a value of the program that is recorded: its function's arguments.

    At the first call of a `tf.function` that makes the variable, the call runs as Python. A
    function that makes it at each call, or that other code records, raises this.

    Wrong::

        @tf.function
        def shifted(x):
            return x - tf.Variable(tf.reduce_mean(x))

    Right::

        @tf.function
        def shifted(x):
            if state.mean is None:
                state.mean = tf.Variable(tf.reduce_mean(x))
            return x - state.mean
    """


class LeakedTensorError(TypeError, AttributeError):
    """A Tensor of a finished `tf.function` recording was used outside it.

    In TF it has no `numpy`, an AttributeError, and no other function takes it, a TypeError.

    Tensors made while a function is recorded stand for values of that program; once the
    recording ends they are nothing. It happens when one is stored on an object, appended to a
    list, or bound to a global inside the function.

    Wrong::

        @tf.function
        def step(self, x):
            self.hidden = self.encoder(x)  # a Tensor of this recording

    Right, returned::

        @tf.function
        def step(self, x):
            return self.encoder(x)

    Or kept between calls in a Variable made outside the function::

        self.hidden.assign(self.encoder(x))
    """


class RetraceLimitError(RuntimeError):
    """A function was recorded and compiled more often than `lamina.config.max_compiles` allows.

    Each new combination of argument shapes, dtypes and Python values is compiled anew. The
    message lists the arguments that changed. Usual cures:

    - a Python number that changes at each call: pass it as a Tensor, `tf.constant(step)`;
    - a size that changes at each call: pad to a few sizes, drop the last partial batch, or give
      `input_signature=[tf.TensorSpec([None, 3])]`;
    - a `tf.function` made inside a loop: make it once, outside.
    """
