"""tf.errors: codes, constructors and the class tree."""

import pickle

import pytest

from lamina.engine import errors

CODED = [
    getattr(errors, name)
    for name in errors.__all__
    if isinstance(getattr(errors, name), type) and issubclass(getattr(errors, name), errors.OpError)
]
CODED.remove(errors.OpError)


@pytest.mark.parametrize("cls", CODED)
def test_message_alone(cls):
    error = cls("it broke")
    assert str(error) == error.message == "it broke"
    assert (error.op, error.node_def) == (None, None)


@pytest.mark.parametrize("cls", CODED)
def test_arguments_of_tensorflow(cls):
    error = cls("node", "MatMul", "it broke")
    assert (error.node_def, error.op, error.message) == ("node", "MatMul", "it broke")
    assert str(error) == "it broke [Op:MatMul]"


def test_there_are_sixteen_codes_each_with_a_class():
    assert sorted({cls("").error_code for cls in CODED}) == list(range(1, 17))
    assert errors.OK == 0


def test_codes_are_those_of_tensorflow():
    assert errors.InvalidArgumentError("m").error_code == errors.INVALID_ARGUMENT == 3
    assert errors.OutOfRangeError("m").error_code == errors.OUT_OF_RANGE == 11


def test_op_error_takes_a_code():
    assert errors.OpError(None, None, "m", errors.ABORTED).error_code == errors.ABORTED
    assert errors.OpError("m").error_code == errors.UNKNOWN


def test_payloads():
    error = errors.AbortedError(None, None, "m", {"a": b"b"})
    assert error.experimental_payloads == {"a": b"b"}
    assert error.error_code == errors.ABORTED
    assert errors.OpError(None, None, "m", 3, {"a": b"b"}).experimental_payloads == {"a": b"b"}


def test_pickle_keeps_everything():
    error = pickle.loads(pickle.dumps(errors.NotFoundError(None, "Read", "m", {"a": b"b"})))
    assert type(error) is errors.NotFoundError
    assert (error.message, error.op, error.error_code) == ("m", "Read", errors.NOT_FOUND)
    assert error.experimental_payloads == {"a": b"b"}


@pytest.mark.parametrize(
    ("kind", "also"), [(errors.ArgumentError, ValueError), (errors.OperandError, TypeError)]
)
def test_errors_of_arguments_are_shown_under_tensorflows_name(kind, also):
    error = pickle.loads(pickle.dumps(kind("m")))
    assert type(error) is kind
    assert isinstance(error, also)
    assert str(error) == "m"
    assert repr(error) == "InvalidArgumentError('m')"


def test_repr_shows_class_and_message():
    assert repr(errors.NotFoundError("m")) == "NotFoundError('m')"


def test_class_tree():
    assert issubclass(errors.InvalidArgumentError, errors.OpError)
    assert not issubclass(errors.InvalidArgumentError, ValueError)
    assert issubclass(errors.TracedValueError, errors.OperatorNotAllowedInGraphError)
    assert issubclass(errors.OperatorNotAllowedInGraphError, TypeError)
    assert issubclass(errors.LeakedTensorError, TypeError)
    assert issubclass(errors.RetraceLimitError, RuntimeError)


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n[-5:] == "Error"])
def test_every_class_has_a_help_page(name):
    assert getattr(errors, name).__doc__
