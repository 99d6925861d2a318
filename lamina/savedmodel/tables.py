# pyright: reportPrivateUsage=false
"""Mutable lookup tables in a SavedModel: what makes them anew, beside their keys and values."""

from typing import Any

from lamina.checkpoint.bundle import Bundle
from lamina.checkpoint.edges import value_of
from lamina.engine.staged import as_json, of_json
from lamina.ops.mutable_tables import DenseHashTable, MutableHashTable

__all__ = ["restored_table", "table_note"]


def table_note(table: MutableHashTable, key: str) -> dict[str, Any]:
    """Return a table as JSON.

    Args:
        table: The table.
        key: Where its keys and values are in the checkpoint.
    """
    data = {
        "kinds": (table.key_dtype, table.value_dtype),
        "default": table._default,
        "reserved": list(getattr(table, "_reserved", ())),
        "name": table.name,
        "key_in_files": table.key_in_files,
    }
    return {"kind": "table", "key": key, "table": as_json(data)}


def restored_table(note: Any, bundle: Bundle, is_empty: bool) -> MutableHashTable:
    """Return the table of a note, with its keys and values unless `is_empty`."""
    data = of_json(note["table"])
    key_dtype, value_dtype = data["kinds"]
    made = (DenseHashTable if data["reserved"] else MutableHashTable)(
        key_dtype, value_dtype, data["default"], *data["reserved"], name=data["name"]
    )
    made.key_in_files = data["key_in_files"]
    value = value_of(made)
    if value is not None and not is_empty:
        value.read(bundle, note["key"])
    return made
