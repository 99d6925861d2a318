"""Plain Python values as bytes and back: the state of iterators. Loading builds nothing else."""

import base64
import json
from typing import Any

import numpy as np

__all__ = ["packed", "unpacked"]


def packed(value: Any, who: str) -> bytes:
    """Return plain values, NumPy arrays and containers of these as JSON.

    Raises:
        ValueError: there is something else in it.
    """
    return json.dumps(_plain(value, who)).encode()


def _plain(value: Any, who: str) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_plain(v, who) for v in value]
    if isinstance(value, tuple):
        return {"tuple": [_plain(v, who) for v in value]}
    if isinstance(value, dict):
        return {"dict": [[_plain(k, who), _plain(v, who)] for k, v in value.items()]}
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype == object:
            return {"objects": [_plain(v, who) for v in value.ravel()], "shape": value.shape}
        raw = base64.b64encode(value.tobytes()).decode()
        return {"array": raw, "dtype": value.dtype.str, "shape": value.shape}
    raise ValueError(
        f"{who}: its state must be made of plain values and NumPy arrays to be saved; got "
        f"{type(value).__name__}."
    )


def unpacked(data: bytes) -> Any:
    """Return what `packed` was given.

    Raises:
        ValueError: `packed` did not write the data.
    """
    return _restored(json.loads(data))


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    if "tuple" in value:
        return tuple(_restored(v) for v in value["tuple"])
    if "dict" in value:
        return {_restored(k): _restored(v) for k, v in value["dict"]}
    if "objects" in value:
        found = np.empty(len(value["objects"]), object)
        found[:] = [_restored(v) for v in value["objects"]]
        return found.reshape(value["shape"])
    array = np.frombuffer(base64.b64decode(value["array"]), np.dtype(value["dtype"]))
    return array.reshape(value["shape"]).copy()
