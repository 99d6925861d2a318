"""RemoteMonitor: results of epochs, sent to a server."""

import json
import warnings
from typing import Any

import numpy as np

from lamina.keras.callbacks.base import Callback
from lamina.late import late_module

__all__ = ["RemoteMonitor"]

_parse, _request = late_module("urllib.parse"), late_module("urllib.request")

_PATIENCE = 10.0  # seconds to wait for the server


class RemoteMonitor(Callback):
    """Sends the results of each epoch to a server by HTTP POST.

    Args:
        root: The server.
        path: The path there.
        field: The form's field that holds the JSON.
        headers: HTTP headers, or None.
        send_as_json: Whether the body is the JSON itself instead of a form.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Send the epoch's results; a server that cannot be reached gives a warning."""
        results: dict[str, Any] = {"epoch": epoch}
        for name, value in (logs or {}).items():
            results[name] = value.item() if isinstance(value, np.ndarray | np.generic) else value
        text = json.dumps(results)
        if self.send_as_json:
            body, kind = text, "application/json"
        else:
            body = _parse.urlencode({self.field: text})
            kind = "application/x-www-form-urlencoded"
        request = _request.Request(
            self.root + self.path,
            data=body.encode(),
            headers={"Content-Type": kind, **(self.headers or {})},
            method="POST",
        )
        try:
            with _request.urlopen(request, timeout=_PATIENCE):
                pass
        except OSError as error:
            warnings.warn(
                f"RemoteMonitor: the server at {self.root} could not be reached: {error}",
                stacklevel=2,
            )
