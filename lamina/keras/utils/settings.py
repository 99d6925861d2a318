"""Config: named values of a program, as attributes and as a dict."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

__all__ = ["Config"]


class Config:
    """Named values, set and read as attributes or as entries.

    Args:
        **kwargs: The values.

    State:
        `freeze` forbids changes until `unfreeze`.

    Raises:
        ValueError: a change while it is frozen.
        AttributeError: there is no value of that name; the nearest name is proposed.

    Example:
        >>> config = tf.keras.utils.Config(rate=0.1)
        >>> config.epochs = 3
        >>> config["rate"], config.epochs
        (0.1, 3)
        >>> config.to_json()
        '{"rate": 0.1, "epochs": 3}'
    """

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__["_values"] = kwargs
        self.__dict__["_frozen"] = False

    @property
    def frozen(self) -> bool:
        """Whether changes are forbidden."""
        return self.__dict__["_frozen"]

    def freeze(self) -> None:
        """Forbid changes."""
        self.__dict__["_frozen"] = True

    def unfreeze(self) -> None:
        """Allow changes again."""
        self.__dict__["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """Return the values as a new dict."""
        return dict(self._values)

    def to_json(self) -> str:
        """Return the values as JSON."""
        return json.dumps(self._values)

    def keys(self) -> Any:
        """Return the names."""
        return self._values.keys()

    def values(self) -> Any:
        """Return the values."""
        return self._values.values()

    def items(self) -> Any:
        """Return (name, value) pairs."""
        return self._values.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """Return the value of a name, or a default."""
        return self._values.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Remove a name and return its value, as `dict.pop`."""
        return self._changing().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several values, as `dict.update`."""
        self._changing().update(*args, **kwargs)

    def _changing(self) -> dict[str, Any]:
        if self.frozen:
            raise ValueError(
                "Config: it is frozen and cannot be changed.\n  Fix: call unfreeze() first."
            )
        return self._values

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(
                f"Config: {name!r} is a method, not the name of a value.\n"
                f"  Fix: config[{name!r}] = … keeps it as an entry."
            )
        self._changing()[name] = value

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name in values:
            return values[name]
        near = difflib.get_close_matches(name, values, n=1, cutoff=0.7)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise AttributeError(f"Config: there is no value named {name!r}.{hint}")

    def __setitem__(self, key: str, item: Any) -> None:
        self._changing()[key] = item

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __delitem__(self, key: str) -> None:
        del self._changing()[key]

    def __contains__(self, item: str) -> bool:
        return item in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Config {self._values}>"
