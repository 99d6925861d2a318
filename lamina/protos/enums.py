"""Enumerations in messages: numbers that have names, as DT_FLOAT."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lamina.engine import dtypes
from lamina.protos.scalars import SCALARS, Scalar

__all__ = ["DATA_TYPE", "Enum", "EnumValue"]


class EnumValue:
    """A number and its name.

    Args:
        name: The name.
        number: The number.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name, self.number = name, number

    def GetOptions(self) -> "EnumValue":  # noqa: N802  # Google's name
        """Return the value's options; there are none."""
        return self

    def HasExtension(self, extension: Any) -> bool:  # noqa: N802  # Google's name
        """Return False: no value has options."""
        return False


class Enum:
    """An enumeration, with the attributes of Google's EnumDescriptor.

    Args:
        full_name: The name with the package.
        names: The numbers by name.
    """

    is_closed = False  # an unknown number is kept

    def __init__(self, full_name: str, names: Mapping[str, int]) -> None:
        self.full_name = full_name
        self.name = full_name.rpartition(".")[2]
        self.values = [EnumValue(*item) for item in names.items()]
        self.values_by_name = {v.name: v for v in self.values}
        self.values_by_number = {v.number: v for v in self.values}
        self.scalar: Scalar = replace(SCALARS["int32"], checked=self._checked)

    def _checked(self, value: Any) -> int:
        if not isinstance(value, str):
            return SCALARS["int32"].checked(value)
        if value not in self.values_by_name:
            raise ValueError(
                f'unknown enum label "{value}".\n'
                f"  Fix: {self.full_name} has {', '.join(list(self.values_by_name)[:8])}, …."
            )
        return self.values_by_name[value].number

    def shown(self, number: int) -> str:
        """Return the name of a number, or the number if it has none."""
        found = self.values_by_number.get(number)
        return str(number) if found is None else found.name


_SHORT = {"float16": "HALF", "float32": "FLOAT", "float64": "DOUBLE"}
_REFERENCE = 100  # what TF adds to the number of a reference's dtype


def _data_types() -> dict[str, int]:
    """Return TF's numbers of dtypes by name, those of references last."""
    known = {v for v in vars(dtypes).values() if isinstance(v, dtypes.DType)}
    numbers = {
        f"DT_{_SHORT.get(d.name, d.name.upper())}": d.as_datatype_enum
        for d in sorted(known, key=lambda d: d.as_datatype_enum)
    }
    numbers = {"DT_INVALID": 0, **numbers, "DT_RESOURCE": 20, "DT_VARIANT": 21}
    references = {f"{n}_REF": i + _REFERENCE for n, i in numbers.items() if i}
    return {**numbers, **references}


DATA_TYPE = Enum("tensorflow.DataType", _data_types())
